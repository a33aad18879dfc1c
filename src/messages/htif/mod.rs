//! Messages to the HTIF server, and its events.

mod command;
mod status;

use std::fmt::{self, Display};

use bytes::Bytes;
use mailbox_rs::Errno;
use serde::{Deserialize, Serialize};

pub use command::{Command, Device, SystemCall};
pub use status::{HtifStatus, HtifStep, PastCommand};

use super::ChannelId;
use super::mailbox::StdinError;
use crate::bus::{Attributes, inbox};
use crate::mem::AccessError;

/// Number of bytes of `tohost`, and of `fromhost`.
pub const WORD: u64 = 8;

/// Event: a doorbell on the words of HTIF rang. It wakes the channel's task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TohostRang {
    /// Channel of the doorbell.
    pub channel: ChannelId,
    /// Words that were read; `None` if they could not be read.
    pub words: Option<HostWords>,
    /// Error of the read.
    pub read_error: Option<AccessError>,
}

/// Words of HTIF, as last read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostWords {
    /// Command of firmware; 0 for none.
    pub tohost: u64,
    /// Response that firmware has not taken, read only while the host has another one; 0 for none.
    pub fromhost: Option<u64>,
}

/// Asks for the state of each HTIF channel, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status;

/// Adds bytes to the standard input of a channel whose source is the testbench. The reply has the number of bytes taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdinWrite {
    /// Channel of the input.
    pub channel: ChannelId,
    /// Bytes to add.
    pub data: Bytes,
}

/// Ends the standard input of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdinClose {
    /// Channel of the input.
    pub channel: ChannelId,
}

/// Event: a command was served, valid or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandServed {
    /// Channel of the command.
    pub channel: ChannelId,
    /// Command as firmware wrote it.
    pub command: Command,
    /// System call that the command asked for, if it could be read.
    pub call: Option<SystemCall>,
    /// Tick in which the command was taken.
    pub since: u64,
    /// Result of a system call, a negated error number if it failed; payload of another response; `None` without a response.
    pub result: Option<i64>,
}

impl CommandServed {
    /// Name of the command's kind, such as `"write"` or `"console write"`.
    pub fn kind(&self) -> &'static str {
        match &self.call {
            Some(call) => call.name(),
            None => self.command.kind(),
        }
    }

    /// Displays the command.
    pub fn request_text(&self) -> impl Display {
        CallText(self.command, self.call)
    }

    /// Displays the outcome, as a suffix to the command: `; gives 0xc; taken in tick 1290`.
    pub fn outcome_text(&self) -> impl Display {
        OutcomeText(self.result, self.since)
    }

    /// Error of a system call that failed.
    pub fn error(&self) -> Option<Errno> {
        let result = self.result.filter(|result| *result < 0)?;
        Some(command::errno(result))
    }

    /// True for a system call that failed.
    pub fn is_failed(&self) -> bool {
        self.result.is_some_and(|result| result < 0)
    }
}

/// Command and outcome.
impl Display for CommandServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.request_text(), self.outcome_text())
    }
}

/// Displays a command, with its system call if that is known.
struct CallText(Command, Option<SystemCall>);

impl Display for CallText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Some(call) => call.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

struct OutcomeText(Option<i64>, u64);

impl Display for OutcomeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(result, since) = self;
        match result {
            None => {}
            Some(result) if *result < 0 => write!(f, "; fails: {}", command::errno(*result))?,
            Some(result) => write!(f, "; gives {result:#x}")?,
        }
        write!(f, "; taken in tick {since}")
    }
}

impl Attributes for Vec<HtifStatus> {}

/// Says that text of a channel could not be written, as [`mailbox::OutputFailed`](super::mailbox::OutputFailed) does.
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
    /// All messages to the HTIF server.
    "htif" {
        Status -> Vec<HtifStatus> { channel: none, payload: none },
        StdinWrite -> Result<u64, StdinError> { channel: channel, payload: data },
        StdinClose -> Result<(), StdinError> { channel: channel, payload: none },
        OutputFailed -> () { channel: channel, payload: none },
    }
}
