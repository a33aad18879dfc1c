//! Host accesses to a channel's words in memory: handshake and queues.
//!
//! Each method is one access. The channel is located in memory once.

use mailbox_rs::{
    Index, Layout, PtrWidth, REQUEST_ARGS, RequestEntry, Response, ResponseEntry, State, VERSION,
    Version,
};

use super::watched_words::Watched;
use crate::actors::memory::MemoryClient;
use crate::actors::service::{Failure, WordsRead};
use crate::mem::{Op, Outcome, Segments, SpaceId, Span, part};
use crate::messages::MailboxPlace;
use crate::messages::memory::AccessSegments;

/// A channel's place in memory and its layout.
pub(super) struct Queues {
    memory: MemoryClient,
    layout: Layout,
    space: SpaceId,
    /// Location of the whole channel.
    place: Segments,
}

impl Queues {
    /// Locates the channel, and clears its queues if it `clears`.
    pub(super) async fn take_over(
        space: SpaceId,
        mailbox: &MailboxPlace,
        memory: &MemoryClient,
        clears: bool,
    ) -> Result<Self, Failure> {
        let span = Span {
            address: mailbox.address,
            len: mailbox.layout.channel_size,
        };
        let queues = Self {
            place: memory.locate(space, span).await??,
            memory: memory.clone(),
            layout: mailbox.layout,
            space,
        };
        if clears {
            let clear = [&mailbox.layout.request, &mailbox.layout.response]
                .map(|queue| Op::Fill(queues.at(queue.offset, queue.size), 0));
            queues.access(Op::Batch(clear.into())).await?;
        }
        Ok(queues)
    }

    /// Location of the whole channel.
    pub(super) fn place(&self) -> &Segments {
        &self.place
    }

    /// Location of the version that firmware offers.
    pub(super) fn offer(&self) -> Segments {
        self.at(self.layout.request.offer(), 4)
    }

    /// Completes a handshake: zero indices, state READY. A version above the first one is written before; the offer is removed, so that
    /// another firmware, of protocol 0.2, does not inherit it.
    pub(super) async fn make_ready(&self, version: Version) -> Result<(), Failure> {
        let Layout {
            request, response, ..
        } = &self.layout;
        let negotiated = [(request.offer(), 0), (self.layout.version, version.into())];
        let words = [
            (request.idx_p, 0),
            (request.idx_c, 0),
            (response.idx_p, 0),
            (response.idx_c, 0),
            (self.layout.state, State::READY.0),
        ];
        let negotiated = negotiated.into_iter().filter(|_| version > VERSION);
        let writes = negotiated.chain(words);
        let writes: Vec<_> = writes
            .map(|(offset, word)| self.write(offset, word))
            .collect();
        self.access(Op::Batch(writes)).await.map(drop)
    }

    /// Reads a request entry.
    pub(super) async fn request(&self, index: Index) -> Result<RequestEntry, Failure> {
        let request = &self.layout.request;
        let entry = self.at(self.layout.request_entry(index.slot()), request.entry_size);
        let bytes = self.access(Op::Read(entry)).await?.into_bytes();
        Ok(parse_request(&bytes, self.layout.ptr_width))
    }

    /// Puts a response into its queue. Does not wait: accesses are performed in the order of posting, and errors are reported by the
    /// memory.
    pub(super) fn put(&self, index: Index, response: Response) {
        let width = self.layout.ptr_width;
        let size = ResponseEntry::size(width);
        let mut bytes = [0; ResponseEntry::MAX_SIZE];
        response.entry(width).emit(&mut bytes, width);
        let entry = self.at(self.layout.response_entry(index.slot()), size as u64);
        let advance = self.at(self.layout.response.idx_p, 4);
        self.memory.post_writes(
            self.space,
            (entry, &bytes[..size]),
            (advance, index.next().0),
        );
    }

    /// Read of all words of the channel that firmware writes or may have written.
    pub(super) fn words(&self) -> WordsRead {
        let look = Watched::Handshake.look(&self.layout, &self.place);
        let op = Op::Read(look.segments.iter().cloned().collect());
        let space = self.space;
        WordsRead {
            access: AccessSegments { space, op },
            parse: Box::new(move |bytes| look.words(bytes)),
        }
    }

    /// Request queue's consumer index in memory.
    pub(super) async fn requests_taken(&self) -> Result<Index, Failure> {
        self.read(self.layout.request.idx_c).await
    }

    /// Sets the request queue's consumer index.
    pub(super) async fn set_requests_taken(&self, index: Index) -> Result<(), Failure> {
        let write = self.write(self.layout.request.idx_c, index.0);
        self.access(write).await.map(drop)
    }

    /// Response queue's producer index in memory.
    pub(super) async fn responses_put(&self) -> Result<Index, Failure> {
        self.read(self.layout.response.idx_p).await
    }

    /// Response queue's consumer index in memory, written by firmware.
    pub(super) async fn responses_taken(&self) -> Result<Index, Failure> {
        self.read(self.layout.response.idx_c).await
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
        part(&self.place, offset, len)
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
