//! Both queues of a channel: the host's indices, and its accesses to the channel's words in memory.

use std::cell::{Cell, OnceCell};

use mailbox_rs::{
    Index, Layout, PtrWidth, QUEUE_LEN, REQUEST_ARGS, RequestEntry, Response, ResponseEntry, State,
    VERSION, Version,
};

use super::watched_words::Watched;
use crate::actors::memory::MemoryClient;
use crate::actors::service::{Failure, WordsRead};
use crate::mem::{Op, OpOutcome, Segments, SpaceId, Span, subrange};
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
    consumer: Cell<Index>,
}

/// Response queue, whose producer is the host.
#[derive(Debug, Default)]
pub(super) struct ResponseQueue {
    producer: Cell<Index>,
    /// Consumer index last read from memory.
    consumer: Cell<Index>,
}

impl RequestQueue {
    /// Consumer index.
    pub(super) fn consumer(&self) -> Index {
        self.consumer.get()
    }

    /// True if this producer index is possible for the queue.
    pub(super) fn can_reach(&self, producer: Index) -> bool {
        are_possible(producer, self.consumer.get())
    }

    /// Takes the next request out of the queue.
    pub(super) fn take(&self) {
        self.consumer.set(self.consumer.get().next());
    }
}

impl ResponseQueue {
    /// Producer index.
    pub(super) fn producer(&self) -> Index {
        self.producer.get()
    }

    /// True if the queue has no free slot by the last known indices. An impossible consumer index
    /// is true as well, so that it is read again.
    pub(super) fn is_full(&self) -> bool {
        count(self.producer.get(), self.consumer.get()) >= QUEUE_LEN
    }

    /// Sets the consumer index that was read from memory. Returns false for an impossible one,
    /// which counts as an empty queue because a valid one may never follow.
    pub(super) fn set_consumer(&self, consumer: Index) -> bool {
        let producer = self.producer.get();
        let is_possible = are_possible(producer, consumer);
        self.consumer
            .set(if is_possible { consumer } else { producer });
        is_possible
    }
}

/// Number of entries between two indices.
fn count(producer: Index, consumer: Index) -> u32 {
    producer.0.wrapping_sub(consumer.0)
}

/// True if a queue can have both indices at the same time.
pub(super) fn are_possible(producer: Index, consumer: Index) -> bool {
    count(producer, consumer) <= QUEUE_LEN
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
        let (producer, consumer) = (self.responses.producer.get(), self.responses.consumer.get());
        // As in service: see `ResponseQueue::set_consumer`.
        let is_possible = are_possible(producer, consumer);
        let response_consumer = if is_possible { consumer } else { producer };
        SavedSession {
            request_consumer: self.requests.consumer.get().0,
            response_producer: producer.0,
            response_consumer: response_consumer.0,
            ..SavedSession::default()
        }
    }

    /// Sets the indices to those of a session.
    pub(super) fn set_indices(&self, session: &SavedSession) {
        self.requests.consumer.set(Index(session.request_consumer));
        self.responses
            .producer
            .set(Index(session.response_producer));
        self.responses
            .consumer
            .set(Index(session.response_consumer));
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
        let slot = self.requests.consumer.get().slot();
        let entry = self.at(layout.request_entry(slot), layout.request.entry_size);
        let bytes = self.access(Op::Read(entry)).await?.into_bytes();
        Ok(parse_request(&bytes, layout.ptr_width))
    }

    /// Write of the request queue's consumer index: address and word.
    pub(super) fn release(&self) -> (Span, u32) {
        let at = self.span(self.layout().request.idx_c, 4);
        (at, self.requests.consumer.get().0)
    }

    /// Puts a response into its queue, which has a free slot. Does not wait: accesses are executed
    /// in the order of posting, and the memory reports errors.
    pub(super) fn push(&self, response: Response) {
        let layout = self.layout();
        let width = layout.ptr_width;
        let size = ResponseEntry::size(width);
        let mut bytes = [0; ResponseEntry::MAX_SIZE];
        response.entry(width).emit(&mut bytes, width);
        let producer = self.responses.producer.get();
        let entry = self.at(layout.response_entry(producer.slot()), size as u64);
        let advance = self.at(layout.response.idx_p, 4);
        let producer = producer.next();
        self.memory
            .post_writes(self.space, (entry, &bytes[..size]), (advance, producer.0));
        self.responses.producer.set(producer);
    }

    /// Read of all words of the channel that firmware writes or may have written.
    pub(super) fn words(&self) -> WordsRead {
        let plan = Watched::Handshake.read_plan(self.layout(), &self.place());
        // Before the handshake, firmware may have written none of them.
        let op = Op::Peek(plan.segments.iter().cloned().collect());
        let space = self.space;
        WordsRead {
            access: AccessSegments { space, op },
            parse: Box::new(move |bytes| plan.words(bytes).map(StatusWords::Mailbox)),
        }
    }

    /// Reads the request queue's consumer index from memory.
    pub(super) async fn read_request_consumer(&self) -> Result<Index, Failure> {
        self.read(self.layout().request.idx_c).await
    }

    /// Reads the response queue's consumer index, written by firmware, from memory.
    pub(super) async fn read_response_consumer(&self) -> Result<Index, Failure> {
        self.read(self.layout().response.idx_c).await
    }

    /// Continues from a consumer index of the request queue, and from the response queue's indices
    /// in memory.
    pub(super) async fn continue_from(&self, request_consumer: Index) -> Result<(), Failure> {
        let producer = self.read(self.layout().response.idx_p).await?;
        let consumer = self.read_response_consumer().await?;
        self.requests.consumer.set(request_consumer);
        self.responses.producer.set(producer);
        self.responses.consumer.set(consumer);
        Ok(())
    }

    /// Skips the requests before a producer index, in memory as well.
    pub(super) async fn skip_to(&self, producer: Index) -> Result<(), Failure> {
        let write = self.write(self.layout().request.idx_c, producer.0);
        self.access(write).await?;
        self.requests.consumer.set(producer);
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
        place.map_or_else(Segments::default, |place| subrange(place, offset, len))
    }

    fn span(&self, offset: u64, len: u64) -> Span {
        let address = self.mailbox.address.wrapping_add(offset);
        Span { address, len }
    }

    async fn access(&self, op: Op<Segments>) -> Result<OpOutcome, Failure> {
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
