//! The firmware itself.

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
    /// Firmware whose channel lies at address `base` of `memory`. Nothing is written yet.
    pub const fn new(memory: M, base: u64, layout: Layout) -> Self {
        let channel = Channel::new(Window::new(memory, base, layout), NoHooks);
        Self {
            channel,
            next_words: None,
            deaf: false,
        }
    }

    /// Where the channel's fields are.
    pub fn layout(&self) -> &Layout {
        self.channel.words().layout()
    }

    /// The address of the channel.
    pub fn base(&self) -> u64 {
        self.channel.words().base()
    }

    /// The memory.
    pub const fn memory(&self) -> &M {
        &self.channel.words().memory
    }

    /// Begins a handshake; [`is_ready`](Self::is_ready) tells when the host has answered it.
    pub fn reset(&mut self) {
        self.channel.start_reset();
    }

    /// Whether requests may be sent.
    pub fn is_ready(&mut self) -> bool {
        self.channel.is_ready()
    }

    /// The version in the channel.
    pub fn version(&self) -> Version {
        self.load(self.layout().version).into()
    }

    /// The state in the channel.
    pub fn state(&self) -> State {
        State(self.load(self.layout().state))
    }

    /// Sends a request; `false` when the queue is full.
    pub fn try_send(&mut self, request: &Request) -> bool {
        self.try_send_entry(&request.into())
    }

    /// Sends an entry, whatever it says; `false` when the queue is full.
    ///
    /// Only arguments that count are written: beyond them, the slot keeps what an earlier request left there.
    pub fn try_send_entry(&mut self, entry: &RequestEntry) -> bool {
        let slot = Index(self.load(self.layout().request.idx_p)).slot();
        let sent = self.channel.try_send(entry);
        if let Some(words) = self.next_words.take_if(|_| sent) {
            // Its arguments are all there.
            self.store(self.layout().request_entry(slot) + 4, words);
        }
        sent
    }

    /// Takes the next response, when there is one (and the firmware not [`Deaf`](Misbehaviour::Deaf)).
    pub fn try_receive(&mut self) -> Option<ResponseEntry> {
        if self.deaf {
            None
        } else {
            self.channel.try_receive()
        }
    }

    /// Requests that the host has not taken yet, by their indices.
    pub fn queued(&self) -> u32 {
        let request = self.layout().request;
        self.load(request.idx_p)
            .wrapping_sub(self.load(request.idx_c))
    }

    /// Whether the next [`try_send`](Self::try_send) would find the queue full.
    pub fn is_full(&self) -> bool {
        let request = self.layout().request;
        Index::is_full(
            Index(self.load(request.idx_p)),
            Index(self.load(request.idx_c)),
        )
    }

    /// The word at an offset of the [`layout`](Self::layout).
    pub fn load(&self, offset: u64) -> u32 {
        self.channel.words().load(offset)
    }

    /// Overwrites the word at an offset of the [`layout`](Self::layout).
    pub fn store(&self, offset: u64, value: u32) {
        self.channel.words().store(offset, value);
    }

    /// Sets all four indices to one value: both queues are empty, and wrap when the value is close to 2^32.
    ///
    /// A host that keeps in mind what only it writes will not notice; it has to be told in its own way.
    pub fn set_indices(&self, value: Index) {
        let Layout {
            request, response, ..
        } = *self.layout();
        for index in [request.idx_p, request.idx_c, response.idx_p, response.idx_c] {
            self.store(index, value.0);
        }
    }

    /// Breaks the rules.
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
            Misbehaviour::Reset => self.channel.start_reset(),
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

    /// Ends what lasts: reads responses again, and sends requests as they are.
    pub fn behave(&mut self) {
        self.next_words = None;
        self.deaf = false;
    }
}
