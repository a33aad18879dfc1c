//! Messages to the mailbox server, and its events.

mod status;
mod text;

use std::fmt::{self, Display};

use mailbox_rs::{Errno, FileRequest, PtrWidth, QUEUE_LEN, Request, RequestEntry, Response};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

pub(crate) use status::CACHE_HINT;
pub use status::{ChannelStatus, MailboxStep, PastRequest, RecordedStatus, RequestEnd};

use self::text::{RequestText, ResponseText};
use super::ChannelId;
pub use super::channel_words::{ChannelWords, Handshake};
use super::front_end::{self, Protocol};
pub use super::front_end::{OutputFailed, StdinClose, StdinError, StdinWrite};
use super::served::ServedRequest;
use crate::bus::{Endpoint, EndpointName};
use crate::mem::AccessError;

/// Protocol of mailboxes.
#[derive(Debug)]
pub struct Mailbox;

impl Protocol for Mailbox {
    const ENDPOINT: Endpoint = Endpoint::new(&EndpointName::new("mailbox"));
    type Status = ChannelStatus;
}

/// Name of this endpoint.
pub const ENDPOINT: Endpoint = <Mailbox as Protocol>::ENDPOINT;

/// All messages to the mailbox server.
pub(crate) type Inbox = front_end::Inbox<Mailbox>;

/// Asks for the state of each channel with a mailbox.
pub type Status = front_end::Status<Mailbox>;

/// Event: a channel's doorbell rang. It wakes the channel's task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorbellRang {
    /// Channel of the doorbell.
    pub channel: ChannelId,
    /// Words that were read; `None` if they or the entries could not be read.
    pub words: Option<ChannelWords>,
    /// Entries of the new requests, before `request_producer`, read together with the words.
    #[serde(deserialize_with = "queued")]
    pub entries: Vec<RequestEntry>,
    /// Error of the read.
    pub read_error: Option<AccessError>,
}

/// Deserializes at most as many entries as a queue has. Without the limit, a list of 3 bytes per
/// entry could take 60 times its size in memory.
fn queued<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RequestEntry>, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<RequestEntry>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {QUEUE_LEN} entries")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = seq.next_element()? {
                if entries.len() == QUEUE_LEN as usize {
                    return Err(A::Error::invalid_length(entries.len() + 1, &self));
                }
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    from.deserialize_seq(Entries)
}

/// Event: a request was served. Its response, if it has one, is ready for the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Channel of the request.
    pub channel: ChannelId,
    /// Slot in the request queue.
    pub slot: u32,
    /// Request as firmware wrote it. `Request::try_from` gives its meaning, or an error if it is
    /// malformed.
    pub entry: RequestEntry,
    /// Tick in which the request was taken.
    pub since: u64,
    /// Response to firmware; `None` if the request has no response.
    pub response: Option<Response>,
}

impl Served {
    /// Returns the name of the request's kind, such as `"PRINT"`.
    pub fn kind(&self) -> &'static str {
        Request::try_from(&self.entry).map_or("malformed", |request| request.kind())
    }

    /// Displays the request in the terms of the protocol.
    pub fn request_text(&self) -> impl Display {
        RequestText(&self.entry)
    }

    /// Displays the outcome, as a suffix to the request: `; gives 0xc; slot 2, taken in tick 1290`.
    pub fn outcome_text(&self) -> impl Display {
        OutcomeText(self)
    }
}

impl ServedRequest for Served {
    fn channel(&self) -> ChannelId {
        self.channel
    }

    fn kind(&self) -> &'static str {
        Served::kind(self)
    }

    fn args(&self) -> &[u64] {
        self.entry.counted_args()
    }

    fn slot(&self) -> Option<u32> {
        Some(self.slot)
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn value(&self) -> Option<u64> {
        match self.response {
            Some(Response::Value(value)) => Some(value),
            None | Some(Response::Empty | Response::Error(_)) => None,
        }
    }

    fn error(&self) -> Option<Errno> {
        match self.response {
            Some(Response::Error(errno)) => Some(errno),
            None | Some(Response::Empty | Response::Value(_)) => None,
        }
    }

    fn moved_bytes(&self) -> u64 {
        match (Request::try_from(&self.entry), self.response) {
            (Err(_), _) | (_, Some(Response::Error(_))) => 0,
            (
                Ok(
                    Request::MemMove { len, .. }
                    | Request::MemSet { len, .. }
                    | Request::MemCmp { len, .. },
                ),
                _,
            ) => len,
            (
                Ok(Request::File(
                    FileRequest::Read { .. }
                    | FileRequest::Write { .. }
                    | FileRequest::Readdir { .. }
                    | FileRequest::Random { .. },
                )),
                Some(Response::Value(bytes)),
            ) => bytes,
            _ => 0,
        }
    }

    fn entry(&self) -> RequestEntry {
        self.entry
    }

    fn result(&self, width: PtrWidth) -> Option<u64> {
        let response = self.response?;
        Some(response.entry(width).rets)
    }

    fn request_text(&self) -> String {
        RequestText(&self.entry).to_string()
    }

    fn outcome_text(&self) -> String {
        OutcomeText(self).to_string()
    }
}

/// Request and outcome in the terms of the protocol.
impl Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", RequestText(&self.entry), OutcomeText(self))
    }
}

struct OutcomeText<'a>(&'a Served);

impl Display for OutcomeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(served) = self;
        if let Some(response) = served.response {
            write!(f, "; {}", ResponseText(response))?;
        }
        write!(f, "; slot {}, taken in tick {}", served.slot, served.since)
    }
}
