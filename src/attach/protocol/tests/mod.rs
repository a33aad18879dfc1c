//! Messages that follow each rule, messages that violate it, and random messages.

mod hostile;
mod htif;
mod rtt;
mod semihosting;

use std::sync::Arc;

use bytes::Bytes;

use super::AllRules;
use crate::bus::{Content, Endpoint, Inbox, Message, Observation, Ticket};
use crate::mem::{
    AccessError, MapError, MemoryId, Op, OpOutcome, Segment, Segments, SpaceId, Span,
};
use crate::messages::events::{self, SystemStarted, WordsRang};
use crate::messages::memory::{self, Access, Resolve};
use crate::messages::{ChannelDescriptor, ChannelId, ChannelServices, Interface};

const SPACE: SpaceId = SpaceId(0);
const CHANNEL: ChannelId = ChannelId(0);

/// Channel under check, with the state of its mock server.
struct Kit {
    rules: AllRules,
    server: Endpoint,
    sequence: u64,
    found: Vec<String>,
}

/// Segment of `len` bytes in the only memory, which starts at address 0.
fn segments(address: u64, len: u64) -> Segments {
    let memory = MemoryId(0);
    let offset = address;
    Segments::from(Segment {
        memory,
        offset,
        len,
    })
}

fn span(address: u64, len: u64) -> Span {
    Span { address, len }
}

fn channel(name: &str, interface: Interface, place: Segments) -> ChannelDescriptor {
    ChannelDescriptor {
        name: name.into(),
        space: SPACE,
        interface,
        place,
        services: Arc::new(ChannelServices::default()),
        firmware: CHANNEL,
    }
}

impl Kit {
    /// Creates the only channel, `cpu`, of a server at the start of the system.
    fn new(server: Endpoint, interface: Interface, place: Segments) -> Self {
        let mut kit = Self::attached_late(server, interface, place);
        kit.event(&SystemStarted);
        kit
    }

    fn attached_late(server: Endpoint, interface: Interface, place: Segments) -> Self {
        Self::of(server, vec![channel("cpu", interface, place)])
    }

    fn of(server: Endpoint, channels: Vec<ChannelDescriptor>) -> Self {
        Self {
            rules: AllRules::new(channels.into()),
            server,
            sequence: 0,
            found: Vec::new(),
        }
    }

    fn see<I: Inbox, M: Message>(&mut self, sequence: u64, from: Endpoint, content: Content<'_>) {
        let seen = Observation {
            ticket: Ticket::of::<I, M>(sequence, from),
            tick: 0,
            awaited: true,
            content,
        };
        self.found.extend(self.rules.check(&seen));
    }

    /// Shows a message. Returns its sequence number.
    fn post<I: Inbox, M: Message>(&mut self, from: Endpoint, message: &M) -> u64 {
        self.sequence += 1;
        self.see::<I, M>(self.sequence, from, Content::Message(message));
        self.sequence
    }

    /// Shows an event of the server.
    fn event<M: Message>(&mut self, event: &M) {
        self.post::<events::Inbox, M>(self.server, event);
    }

    /// Shows the poll of words at a place.
    fn polls(&mut self, segments: Segments, words: &[u8]) {
        self.event(&WordsRang {
            channel: CHANNEL,
            segments,
            words: Some(Bytes::copy_from_slice(words)),
            read_error: None,
        });
    }

    /// Shows an access of the server, and its outcome.
    fn access(&mut self, op: Op<Span>, outcome: Result<OpOutcome, AccessError>) {
        let access = Access { space: SPACE, op };
        let sequence = self.post::<memory::Inbox, _>(self.server, &access);
        self.see::<memory::Inbox, Access>(sequence, self.server, Content::Reply(&outcome));
    }

    fn reads(&mut self, at: Span, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.access(Op::Read(at), Ok(OpOutcome::Bytes(bytes)));
    }

    fn writes(&mut self, op: Op<Span>) {
        self.access(op, Ok(OpOutcome::Done));
    }

    fn locates(&mut self, span: Span) {
        let ask = Resolve { space: SPACE, span };
        let sequence = self.post::<memory::Inbox, _>(self.server, &ask);
        let place: Result<Segments, AccessError> = Ok(segments(span.address, span.len));
        self.see::<memory::Inbox, Resolve>(sequence, self.server, Content::Reply(&place));
    }

    /// Findings since the last call, without the name of the channel.
    fn found(&mut self) -> Vec<String> {
        let found = std::mem::take(&mut self.found);
        let found = found.iter().map(|it| it.strip_prefix("channel `cpu`: "));
        found.map(|it| it.expect("name").to_owned()).collect()
    }

    #[track_caller]
    fn finds_nothing(&mut self) {
        assert_eq!(self.found(), [""; 0]);
    }

    /// The only finding.
    #[track_caller]
    fn finds(&mut self, text: &str) {
        assert_eq!(self.found(), [text]);
    }
}

fn outside(address: u64) -> AccessError {
    AccessError::Map(MapError::Outside {
        space: "cpu".into(),
        address,
        len: 4,
        outside: address,
    })
}
