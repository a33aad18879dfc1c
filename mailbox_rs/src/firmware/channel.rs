//! Firmware's end of a channel: non-blocking steps.

use core::sync::atomic::{Ordering, fence};

use super::{Hooks, Words};
use crate::header::{NEWEST, State, VERSION, Version};
use crate::index::Index;
use crate::layout::{Layout, PtrWidth};
use crate::request::RequestEntry;
use crate::response::ResponseEntry;

/// Firmware's end of a channel.
///
/// Stateless: all state is in the channel's memory.
#[derive(Clone, Debug)]
pub struct Channel<W, H> {
    words: W,
    hooks: H,
}

impl<W: Words, H: Hooks> Channel<W, H> {
    /// Channel over `words`.
    pub const fn new(words: W, hooks: H) -> Self {
        Self { words, hooks }
    }

    /// Raw words, for tests that break the protocol.
    pub const fn words(&self) -> &W {
        &self.words
    }

    /// Actions of the CPU around accesses.
    pub const fn hooks(&mut self) -> &mut H {
        &mut self.hooks
    }

    /// Starts a handshake that offers this crate's [`NEWEST`] version. Requests may be sent when
    /// [`is_ready`](Self::is_ready) is true, in the [`version`](Self::version) that the host has
    /// chosen.
    pub fn start_reset(&mut self) {
        self.start_reset_offering(NEWEST);
    }

    /// Starts a handshake in [`VERSION`] that offers a higher version. A host without one ignores
    /// the offer.
    pub fn start_reset_offering(&mut self, version: Version) {
        let at = self.words.layout().request.offer();
        self.publish(at, version.into());
        self.start_reset_as(VERSION);
    }

    /// Starts a handshake in any version, without an offer.
    pub fn start_reset_as(&mut self, version: Version) {
        let Layout {
            version: at,
            state,
            request,
            response,
            ..
        } = *self.words.layout();
        self.publish(at, version.into());
        self.publish(state, State::INIT.0);
        for index in [request.idx_p, request.idx_c, response.idx_p, response.idx_c] {
            self.publish(index, 0);
        }
    }

    /// Returns true if the host has completed the handshake.
    pub fn is_ready(&mut self) -> bool {
        let state = self.words.layout().state;
        State(self.refresh(state)) == State::READY
    }

    /// Version of the session, valid when the host [is ready](Self::is_ready).
    pub fn version(&mut self) -> Version {
        let at = self.words.layout().version;
        self.refresh(at).into()
    }

    /// Puts a request into the queue; returns false if it is full.
    pub fn try_send(&mut self, request: &RequestEntry) -> bool {
        let masked = self.hooks.mask();
        let sent = self.put(request);
        self.hooks.unmask(masked);
        sent
    }

    /// Takes the next response, if there is one.
    pub fn try_receive(&mut self) -> Option<ResponseEntry> {
        let width = self.words.layout().ptr_width;
        let queue = self.words.layout().response;
        let producer = Index(self.refresh(queue.idx_p));
        let consumer = Index(self.words.load(queue.idx_c));
        if Index::is_empty(producer, consumer) {
            return None;
        }
        fence(Ordering::Acquire);
        let entry = queue.entry(consumer.slot());
        self.hooks.invalidate(self.address(entry), queue.entry_size);
        let rets = entry + width.bytes();
        let response = ResponseEntry {
            words: self.words.load(entry),
            rets: self.load_word(rets),
        };
        self.publish(queue.idx_c, consumer.next().0);
        Some(response)
    }

    fn put(&mut self, request: &RequestEntry) -> bool {
        let width = self.words.layout().ptr_width;
        let queue = self.words.layout().request;
        let producer = Index(self.words.load(queue.idx_p));
        let consumer = Index(self.refresh(queue.idx_c));
        if Index::is_full(producer, consumer) {
            return false;
        }
        let entry = queue.entry(producer.slot());
        self.words.store(entry, request.action);
        self.words.store(entry + 4, request.words);
        let args = entry + RequestEntry::HEADER_SIZE as u64;
        for (i, &arg) in (0..).zip(request.counted_args()) {
            self.store_word(args + i * width.bytes(), arg);
        }
        let written = RequestEntry::counted_size(request.words, width) as u64;
        self.hooks.clean(self.address(entry), written);
        self.publish(queue.idx_p, producer.next().0);
        true
    }

    /// Stores a word with release order: earlier reads and writes are visible to the host first.
    fn publish(&mut self, offset: u64, value: u32) {
        fence(Ordering::Release);
        self.words.store(offset, value);
        self.hooks.clean(self.address(offset), 4);
    }

    /// Loads a word written by the host.
    fn refresh(&mut self, offset: u64) -> u32 {
        self.hooks.invalidate(self.address(offset), 4);
        self.words.load(offset)
    }

    fn address(&self, offset: u64) -> u64 {
        self.words.base().wrapping_add(offset)
    }

    fn load_word(&self, offset: u64) -> u64 {
        let low = self.words.load(offset).into();
        match self.words.layout().ptr_width {
            PtrWidth::P4 => low,
            PtrWidth::P8 => u64::from(self.words.load(offset + 4)) << 32 | low,
        }
    }

    fn store_word(&self, offset: u64, word: u64) {
        self.words.store(offset, word as u32);
        if self.words.layout().ptr_width == PtrWidth::P8 {
            self.words.store(offset + 4, (word >> 32) as u32);
        }
    }
}
