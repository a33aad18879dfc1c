//! Both queues of a channel: the host's indices, and its accesses to the channel's words in memory.

use std::cell::{Cell, OnceCell};

use mailbox_rs::{
    Index, Layout, PtrWidth, QUEUE_LEN, REQUEST_ARGS, RequestEntry, Response, ResponseEntry, State,
    VERSION, Version,
};

use super::watched_words::Watched;
use crate::actors::memory::MemoryClient;
use crate::actors::service::{Failure, WordsRead};
use crate::mem::{Op, Outcome, Segments, SpaceId, Span, part};
use crate::messages::checkpoint::SavedSession;
use crate::messages::memory::AccessSegments;
use crate::messages::{MailboxPlace, StatusWords};

/// Queues of a channel, and their location in memory.
pub(super) struct Queues {
    pub(super) requests: RequestQueue,
    pub(super) responses: ResponseQueue,
    memory: MemoryClient,
    space: SpaceId,
    mailbox: MailboxPlace,
    /// Location of the whole channel, from [`take_over`](Self::take_over) on.
    place: OnceCell<Segments>,
}

/// Request queue, whose consumer is the host.
#[derive(Debug, Default)]
pub(super) struct RequestQueue {
    taken: Cell<Index>,
}

/// Response queue, whose producer is the host.
#[derive(Debug, Default)]
pub(super) struct ResponseQueue {
    put: Cell<Index>,
    /// Consumer index last read from memory.
    taken: Cell<Index>,
}

impl RequestQueue {
    /// Consumer index.
    pub(super) fn taken(&self) -> Index {
        self.taken.get()
    }

    /// True if this producer index is possible for the queue.
    pub(super) fn can_reach(&self, put: Index) -> bool {
        are_possible(put, self.taken.get())
    }

    /// Takes the next request out of the queue.
    pub(super) fn take(&self) {
        self.taken.set(self.taken.get().next());
    }
}

impl ResponseQueue {
    /// Producer index.
    pub(super) fn put(&self) -> Index {
        self.put.get()
    }

    /// True if the queue has no free slot by the last known indices. An impossible consumer index
    /// is true as well, so that it is read again.
    pub(super) fn is_full(&self) -> bool {
        count(self.put.get(), self.taken.get()) >= QUEUE_LEN
    }

    /// Sets the consumer index that was read from memory. Returns false for an impossible one,
    /// which counts as an empty queue because a valid one may never follow.
    pub(super) fn set_taken(&self, taken: Index) -> bool {
        let put = self.put.get();
        let is_possible = are_possible(put, taken);
        self.taken.set(if is_possible { taken } else { put });
        is_possible
    }
}

/// Number of entries between two indices.
fn count(put: Index, taken: Index) -> u32 {
    put.0.wrapping_sub(taken.0)
}

/// True if a queue can have both indices at the same time.
pub(super) fn are_possible(put: Index, taken: Index) -> bool {
    count(put, taken) <= QUEUE_LEN
}

impl Queues {
    /// Queues of a channel that is not located yet.
    pub(super) fn new(space: SpaceId, mailbox: MailboxPlace, memory: MemoryClient) -> Self {
        Self {
            requests: RequestQueue::default(),
            responses: ResponseQueue::default(),
            memory,
            space,
            mailbox,
            place: OnceCell::new(),
        }
    }

    /// Locates the channel, and clears its queues if `clears` is true.
    pub(super) async fn take_over(&self, clears: bool) -> Result<(), Failure> {
        let span = self.span(0, self.layout().channel_size);
        let place = self.memory.locate(self.space, span).await??;
        self.place.get_or_init(|| place);
        if clears {
            let clear = [&self.layout().request, &self.layout().response]
                .map(|queue| Op::Fill(self.at(queue.offset, queue.size), 0));
            self.access(Op::Batch(clear.into())).await?;
        }
        Ok(())
    }

    /// Address of the channel.
    pub(super) fn address(&self) -> u64 {
        self.mailbox.address
    }

    /// Layout of the channel.
    pub(super) fn layout(&self) -> &Layout {
        &self.mailbox.layout
    }

    /// Location of the whole channel.
    pub(super) fn place(&self) -> Segments {
        self.place.get().cloned().unwrap_or_default()
    }

    /// Indices for a checkpoint.
    pub(super) fn saved(&self) -> SavedSession {
        let (put, taken) = (self.responses.put.get(), self.responses.taken.get());
        // As in service: see `ResponseQueue::set_taken`.
        let responses_taken = if are_possible(put, taken) { taken } else { put };
        SavedSession {
            taken: self.requests.taken.get().0,
            put: put.0,
            responses_taken: responses_taken.0,
            ..SavedSession::default()
        }
    }

    /// Sets the indices to those of a session.
    pub(super) fn set_indices(&self, session: &SavedSession) {
        self.requests.taken.set(Index(session.taken));
        self.responses.put.set(Index(session.put));
        self.responses.taken.set(Index(session.responses_taken));
    }

    /// Location of the version that firmware offers.
    pub(super) fn offer(&self) -> Segments {
        self.at(self.layout().request.offer(), 4)
    }

    /// Completes a handshake: zero indices, state READY. A version above the first one is written
    /// before the state. The offer is cleared, so that later firmware of protocol 0.2 does not
    /// inherit it.
    pub(super) async fn make_ready(&self, version: Version) -> Result<(), Failure> {
        let Layout {
            request, response, ..
        } = self.layout();
        let negotiated = [
            (request.offer(), 0),
            (self.layout().version, version.into()),
        ];
        let words = [
            (request.idx_p, 0),
            (request.idx_c, 0),
            (response.idx_p, 0),
            (response.idx_c, 0),
            (self.layout().state, State::READY.0),
        ];
        let negotiated = negotiated.into_iter().filter(|_| version > VERSION);
        let writes = negotiated.chain(words);
        let writes: Vec<_> = writes
            .map(|(offset, word)| self.write(offset, word))
            .collect();
        self.access(Op::Batch(writes)).await.map(drop)
    }

    /// Reads the next request from memory.
    pub(super) async fn next_request(&self) -> Result<RequestEntry, Failure> {
        let layout = self.layout();
        let slot = self.requests.taken.get().slot();
        let entry = self.at(layout.request_entry(slot), layout.request.entry_size);
        let bytes = self.access(Op::Read(entry)).await?.into_bytes();
        Ok(parse_request(&bytes, layout.ptr_width))
    }

    /// Write of the request queue's consumer index: address and word.
    pub(super) fn release(&self) -> (Span, u32) {
        let at = self.span(self.layout().request.idx_c, 4);
        (at, self.requests.taken.get().0)
    }

    /// Puts a response into its queue, which has a free slot. Does not wait: accesses are executed
    /// in the order of posting, and the memory reports errors.
    pub(super) fn push(&self, response: Response) {
        let layout = self.layout();
        let width = layout.ptr_width;
        let size = ResponseEntry::size(width);
        let mut bytes = [0; ResponseEntry::MAX_SIZE];
        response.entry(width).emit(&mut bytes, width);
        let put = self.responses.put.get();
        let entry = self.at(layout.response_entry(put.slot()), size as u64);
        let advance = self.at(layout.response.idx_p, 4);
        let put = put.next();
        self.memory
            .post_writes(self.space, (entry, &bytes[..size]), (advance, put.0));
        self.responses.put.set(put);
    }

    /// Read of all words of the channel that firmware writes or may have written.
    pub(super) fn words(&self) -> WordsRead {
        let look = Watched::Handshake.read_plan(self.layout(), &self.place());
        // Before the handshake, firmware may have written none of them.
        let op = Op::Look(look.segments.iter().cloned().collect());
        let space = self.space;
        WordsRead {
            access: AccessSegments { space, op },
            parse: Box::new(move |bytes| look.words(bytes).map(StatusWords::Mailbox)),
        }
    }

    /// Request queue's consumer index in memory.
    pub(super) async fn requests_taken(&self) -> Result<Index, Failure> {
        self.read(self.layout().request.idx_c).await
    }

    /// Response queue's consumer index in memory, written by firmware.
    pub(super) async fn responses_taken(&self) -> Result<Index, Failure> {
        self.read(self.layout().response.idx_c).await
    }

    /// Continues from a consumer index of the request queue, and from the response queue's indices
    /// in memory.
    pub(super) async fn continue_from(&self, requests_taken: Index) -> Result<(), Failure> {
        let put = self.read(self.layout().response.idx_p).await?;
        let taken = self.responses_taken().await?;
        self.requests.taken.set(requests_taken);
        self.responses.put.set(put);
        self.responses.taken.set(taken);
        Ok(())
    }

    /// Skips the requests before a producer index, in memory as well.
    pub(super) async fn skip_to(&self, put: Index) -> Result<(), Failure> {
        let write = self.write(self.layout().request.idx_c, put.0);
        self.access(write).await?;
        self.requests.taken.set(put);
        Ok(())
    }

    async fn read(&self, offset: u64) -> Result<Index, Failure> {
        let bytes = self.access(Op::Read(self.at(offset, 4))).await?;
        let word = bytes.into_bytes().first_chunk().copied();
        Ok(Index(word.map_or(0, u32::from_le_bytes)))
    }

    fn write(&self, offset: u64, word: u32) -> Op<Segments> {
        Op::Word(self.at(offset, 4), word.into())
    }

    fn at(&self, offset: u64, len: u64) -> Segments {
        let place = self.place.get();
        place.map_or_else(Segments::default, |place| part(place, offset, len))
    }

    fn span(&self, offset: u64, len: u64) -> Span {
        let address = self.mailbox.address.wrapping_add(offset);
        Span { address, len }
    }

    async fn access(&self, op: Op<Segments>) -> Result<Outcome, Failure> {
        Ok(self.memory.access_at(self.space, op).await??)
    }
}

/// Parses a request entry of exactly one entry's size.
pub(super) fn parse_request(bytes: &[u8], width: PtrWidth) -> RequestEntry {
    RequestEntry::parse(bytes, width).unwrap_or(RequestEntry {
        action: 0,
        words: 0,
        args: [0; REQUEST_ARGS],
    })
}
