//! What the mailbox server is sent.

mod status;

use std::fmt::{self, Display};

use mailbox_rs::{Request, RequestEntry, Response, State};
use serde::{Deserialize, Serialize};

pub use status::{ChannelStatus, End, Past, PendingCall, Step, Task};

use super::ChannelId;
use crate::bus::inbox;
use crate::mem::AccessError;

/// A channel's doorbell rang. It is announced to taps, and sent to nobody: it wakes the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rang {
    /// Channel of the doorbell.
    pub channel: ChannelId,
    /// Words that were read; `None` where they, or the entries, could not be read.
    pub sight: Option<Sight>,
    /// Entries of the requests up to `request_put`, read together with the words: those since the last ring.
    pub entries: Vec<RequestEntry>,
    /// Error of the read.
    pub blind: Option<AccessError>,
}

/// The words of a channel that firmware writes, as far as they were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// State of the channel.
    pub state: u32,
    /// Put index of the request queue.
    pub request_put: u32,
    /// The rest, which only a handshake needs.
    pub handshake: Option<Handshake>,
    /// Take index of the response queue: for a handshake, and while the queue is full.
    pub response_taken: Option<u32>,
}

/// The words that only a handshake needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Protocol version of the firmware.
    pub version: u32,
    /// Take index of the request queue.
    pub request_taken: u32,
    /// Put index of the response queue.
    pub response_put: u32,
}

impl Sight {
    /// Before anything was seen.
    pub const NOTHING: Self = Self {
        state: 0,
        request_put: 0,
        handshake: None,
        response_taken: None,
    };

    /// The version of the firmware, where it asks for a handshake (protocol, section *Handshake and reset*).
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

/// State of each channel, in the order of the configuration. Whoever asks reads the words of channels itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status;

/// A request was served, and its response, where it has one, is ready for the queue. It is announced to taps, and sent to
/// nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Whose.
    pub channel: ChannelId,
    /// The slot of the request queue that it was in.
    pub slot: u32,
    /// The request as firmware wrote it; `Request::try_from` says what it means, or why it means nothing.
    pub entry: RequestEntry,
    /// When it was taken, in ticks.
    pub since: u64,
    /// What firmware is told; none where the request has no response.
    pub response: Option<Response>,
}

impl Served {
    /// The name of the request's kind, such as `"PRINT"`.
    pub fn kind(&self) -> &'static str {
        Request::try_from(&self.entry).map_or("malformed", |request| request.kind())
    }

    /// The request, in the words of the protocol.
    pub fn asked(&self) -> impl Display {
        Asked(&self.entry)
    }

    /// What came of it, as it follows after the request: `; gives 0xc; slot 2, taken in tick 1290`.
    pub fn answered(&self) -> impl Display {
        Answered(self)
    }
}

/// Request and response, in the words of the protocol.
impl Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.asked(), self.answered())
    }
}

struct Asked<'a>(&'a RequestEntry);

impl Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Request::try_from(self.0) {
            Ok(request) => write!(f, "{request}"),
            Err(problem) => write!(f, "{}: {problem}", self.0),
        }
    }
}

struct Answered<'a>(&'a Served);

impl Display for Answered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(served) = self;
        if let Some(response) = served.response {
            write!(f, "; {}", Told(response))?;
        }
        write!(f, "; slot {}, taken in tick {}", served.slot, served.since)
    }
}

/// What firmware is told.
struct Told(Response);

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Response::Empty => f.write_str("done"),
            Response::Value(value) => write!(f, "gives {value:#x}"),
            Response::Error(errno) => write!(f, "fails: {errno}"),
        }
    }
}

inbox! {
    /// All that the mailbox server is sent.
    "mailbox" {
        Status -> Vec<ChannelStatus>,
    }
}
