//! Mock firmware on one channel.

use super::{Memory, Misbehaviour, Window};
use crate::firmware::{Channel, NoHooks, Words};
use crate::header::{State, VERSION, Version};
use crate::index::Index;
use crate::layout::Layout;
use crate::request::{Request, RequestEntry};
use crate::response::ResponseEntry;

/// Mock firmware on one channel. No method waits.
#[derive(Clone, Debug)]
pub struct Firmware<M> {
    channel: Channel<Window<M>, NoHooks>,
    next_words: Option<u32>,
    deaf: bool,
}

impl<M: Memory> Firmware<M> {
    /// Firmware with its channel at address `base` of `memory`. Writes nothing yet.
    pub const fn new(memory: M, base: u64, layout: Layout) -> Self {
        let channel = Channel::new(Window::new(memory, base, layout), NoHooks);
        Self {
            channel,
            next_words: None,
            deaf: false,
        }
    }

    /// Field layout of the channel.
    pub fn layout(&self) -> &Layout {
        self.channel.words().layout()
    }

    /// Address of the channel.
    pub fn base(&self) -> u64 {
        self.channel.words().base()
    }

    /// Memory of the channel.
    pub const fn memory(&self) -> &M {
        &self.channel.words().memory
    }

    /// Starts a handshake of protocol 0.2. [`is_ready`](Self::is_ready) returns true when the host
    /// has completed it.
    pub fn reset(&mut self) {
        self.channel.start_reset_as(VERSION);
    }

    /// Starts a handshake that offers a higher version. [`version`](Self::version) returns the
    /// host's choice when it is ready.
    pub fn reset_offering(&mut self, version: Version) {
        self.channel.start_reset_offering(version);
    }

    /// Returns true when requests may be sent.
    pub fn is_ready(&mut self) -> bool {
        self.channel.is_ready()
    }

    /// Version word of the channel.
    pub fn version(&self) -> Version {
        self.load(self.layout().version).into()
    }

    /// State word of the channel.
    pub fn state(&self) -> State {
        State(self.load(self.layout().state))
    }

    /// Sends a request. Returns false if the queue is full.
    pub fn try_send(&mut self, request: &Request) -> bool {
        self.try_send_entry(&request.into())
    }

    /// Sends an entry unchecked. Returns false if the queue is full.
    ///
    /// Writes only the counted arguments. The slot keeps words of an earlier request behind them.
    pub fn try_send_entry(&mut self, entry: &RequestEntry) -> bool {
        let slot = Index(self.load(self.layout().request.idx_p)).slot();
        let sent = self.channel.try_send(entry);
        if let Some(words) = self.next_words.take_if(|_| sent) {
            // All its arguments are present.
            self.store(self.layout().request_entry(slot) + 4, words);
        }
        sent
    }

    /// Takes the next response, if there is one and the firmware is not
    /// [`Deaf`](Misbehaviour::Deaf).
    pub fn try_receive(&mut self) -> Option<ResponseEntry> {
        if self.deaf {
            None
        } else {
            self.channel.try_receive()
        }
    }

    /// Number of requests not yet taken by the host, by the indices.
    pub fn queued(&self) -> u32 {
        let request = self.layout().request;
        self.load(request.idx_p)
            .wrapping_sub(self.load(request.idx_c))
    }

    /// Returns true if the queue is full for the next [`try_send`](Self::try_send).
    pub fn is_full(&self) -> bool {
        let request = self.layout().request;
        Index::is_full(
            Index(self.load(request.idx_p)),
            Index(self.load(request.idx_c)),
        )
    }

    /// Loads the word at an offset of the [`layout`](Self::layout).
    pub fn load(&self, offset: u64) -> u32 {
        self.channel.words().load(offset)
    }

    /// Stores the word at an offset of the [`layout`](Self::layout).
    pub fn store(&self, offset: u64, value: u32) {
        self.channel.words().store(offset, value);
    }

    /// Sets all four indices to one value: both queues are empty, and wrap soon if the value is
    /// close to 2^32.
    ///
    /// A host that caches its own indices is not affected, and must be set up separately.
    pub fn set_indices(&self, value: Index) {
        let Layout {
            request, response, ..
        } = *self.layout();
        for index in [request.idx_p, request.idx_c, response.idx_p, response.idx_c] {
            self.store(index, value.0);
        }
    }

    /// Misbehaves once, or from now on.
    pub fn misbehave(&mut self, how: Misbehaviour) {
        let Layout {
            version,
            state,
            request,
            response,
            ..
        } = *self.layout();
        match how {
            Misbehaviour::Version(version) => self.channel.start_reset_as(version),
            Misbehaviour::Reset => self.channel.start_reset_as(VERSION),
            Misbehaviour::HalfReset => {
                self.store(version, VERSION.into());
                self.store(state, State::INIT.0);
            }
            Misbehaviour::State(value) => self.store(state, value),
            Misbehaviour::JumpAhead(by) => {
                self.store(request.idx_p, self.load(request.idx_p).wrapping_add(by))
            }
            Misbehaviour::SkipResponses(by) => {
                self.store(response.idx_c, self.load(response.idx_c).wrapping_add(by))
            }
            Misbehaviour::OverwriteConsumer(value) => self.store(request.idx_c, value),
            Misbehaviour::OverwriteProducer(value) => self.store(response.idx_p, value),
            Misbehaviour::Words(words) => self.next_words = Some(words),
            Misbehaviour::Deaf => self.deaf = true,
        }
    }

    /// Ends lasting misbehaviour: reads responses again, and sends requests unchanged.
    pub fn behave(&mut self) {
        self.next_words = None;
        self.deaf = false;
    }
}
