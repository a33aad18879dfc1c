//! Messages to the mailbox server, and its events.

mod status;

use std::fmt::{self, Display};

use bytes::Bytes;
use mailbox_rs::{Errno, QUEUE_LEN, Request, RequestEntry, Response, State};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

pub(crate) use status::CACHE_HINT;
pub use status::{ChannelStatus, End, Past, PendingCall, Step, Task};

use super::ChannelId;
use crate::bus::{Attributes, inbox};
use crate::mem::AccessError;

/// Event: a channel's doorbell rang. It wakes the channel's task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorbellRang {
    /// Channel of the doorbell.
    pub channel: ChannelId,
    /// Words that were read; `None` if they, or the entries, could not be read.
    pub words: Option<ChannelWords>,
    /// Entries of the requests before `request_put` that were put since the last ring, read together with the words.
    #[serde(deserialize_with = "queued")]
    pub entries: Vec<RequestEntry>,
    /// Error of the read.
    pub read_error: Option<AccessError>,
}

/// Deserializes at most as many entries as a queue has: one of 3 bytes takes 60 times as many in memory.
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

/// Words of a channel that firmware writes, as last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelWords {
    /// State of the channel.
    pub state: u32,
    /// Producer index of the request queue.
    pub request_put: u32,
    /// Further words, read only for a handshake.
    pub handshake: Option<Handshake>,
    /// Consumer index of the response queue, read only for a handshake and while the queue is full.
    pub response_taken: Option<u32>,
}

/// Words that are needed only for a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Protocol version of the firmware.
    pub version: u32,
    /// Consumer index of the request queue.
    pub request_taken: u32,
    /// Producer index of the response queue.
    pub response_put: u32,
}

impl ChannelWords {
    /// Initial value, before the first read.
    pub const UNREAD: Self = Self {
        state: 0,
        request_put: 0,
        handshake: None,
        response_taken: None,
    };

    /// Returns firmware's protocol version if the words request a handshake (protocol, section *Handshake and reset*).
    pub fn asks_for_handshake(&self) -> Option<u32> {
        let handshake = self.handshake?;
        let indices = [
            self.request_put,
            handshake.request_taken,
            handshake.response_put,
            self.response_taken.unwrap_or_default(),
        ];
        let asks = handshake.version != 0 && self.state == State::INIT.0 && indices == [0; 4];
        asks.then_some(handshake.version)
    }
}

/// Asks for the state of each channel, in the order of the configuration. The reply does not contain the words of the channels: the
/// requester reads them itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status;

/// Adds bytes to the standard input of a channel whose source is the testbench. The reply has the number of bytes taken, fewer than
/// given if the input has no room for more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdinWrite {
    /// Channel of the input.
    pub channel: ChannelId,
    /// Bytes to add.
    pub data: Bytes,
}

/// Ends the standard input of a channel: a read behind the last byte finds the end of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdinClose {
    /// Channel of the input.
    pub channel: ChannelId,
}

/// Error of a write to a channel's standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum StdinError {
    /// The testbench is not the source.
    #[error(
        "its standard input does not come from the testbench; configure `stdio: {{stdin: testbench}}`"
    )]
    NotTestbench,
    /// The input has ended.
    #[error("its standard input was closed")]
    Closed,
    /// There is no such channel.
    #[error("there is no such channel")]
    NoChannel,
}

/// Event: a request was served. Its response, if it has one, is ready for the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Channel of the request.
    pub channel: ChannelId,
    /// Slot in the request queue.
    pub slot: u32,
    /// Request as firmware wrote it. `Request::try_from` gives its meaning, or the reason why it is malformed.
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

/// Request and outcome in the terms of the protocol.
impl Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.request_text(), self.outcome_text())
    }
}

struct RequestText<'a>(&'a RequestEntry);

impl Display for RequestText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Request::try_from(self.0) {
            Ok(request) => write!(f, "{request}"),
            Err(problem) => write!(f, "{}: {problem}", self.0),
        }
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

/// Displays a response.
struct ResponseText(Response);

impl Display for ResponseText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Response::Empty => f.write_str("done"),
            Response::Value(value) => write!(f, "gives {value:#x}"),
            Response::Error(errno) => write!(f, "fails: {errno}"),
        }
    }
}

impl Attributes for Vec<ChannelStatus> {}

/// Says that text of a channel could not be written. The console sends it for each attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFailed {
    /// Source of the text.
    pub channel: ChannelId,
    /// True if it was to go to the output of standard error.
    pub is_error: bool,
    /// Error of the write.
    pub errno: Errno,
}

inbox! {
    /// All messages to the mailbox server.
    "mailbox" {
        Status -> Vec<ChannelStatus> { channel: none, payload: none },
        StdinWrite -> Result<u64, StdinError> { channel: channel, payload: data },
        StdinClose -> Result<(), StdinError> { channel: channel, payload: none },
        OutputFailed -> () { channel: channel, payload: none },
    }
}
