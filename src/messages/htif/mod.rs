//! Messages to the HTIF server, and its events.

mod command;
mod status;
mod text;

use std::fmt::{self, Display};
use std::slice;

use mailbox_rs::{Errno, PtrWidth, RequestEntry};
use serde::{Deserialize, Serialize};

pub use command::{Command, Device, SystemCall};
pub use status::{HtifStatus, HtifStep, PastCommand};

use self::text::{CallText, OutcomeText};
use super::ChannelId;
use super::front_end::{self, Protocol};
use super::served::{HTIF_ACTION, ServedRequest, entry_of};
use crate::bus::{Endpoint, EndpointName};

/// Protocol HTIF.
#[derive(Debug)]
pub struct Htif;

impl Protocol for Htif {
    const ENDPOINT: Endpoint = Endpoint::new(&EndpointName::new("htif"));
    type Status = HtifStatus;
}

/// Name of this endpoint.
pub const ENDPOINT: Endpoint = <Htif as Protocol>::ENDPOINT;

/// All messages to the HTIF server.
pub(crate) type Inbox = front_end::Inbox<Htif>;

/// Number of bytes of `tohost`, and of `fromhost`.
pub const WORD: u64 = 8;

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
    /// Result of a system call, which is a negated error number if it failed, or payload of another
    /// response; `None` without a response.
    pub result: Option<i64>,
}

impl ServedRequest for CommandServed {
    fn channel(&self) -> ChannelId {
        self.channel
    }

    /// Name such as `"write"` or `"console write"`.
    fn kind(&self) -> &'static str {
        match &self.call {
            Some(call) => call.name(),
            None => self.command.kind(),
        }
    }

    /// Arguments of the system call, or else the word of the command.
    fn args(&self) -> &[u64] {
        match &self.call {
            Some(call) => &call.args,
            None => slice::from_ref(&self.command.0),
        }
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn value(&self) -> Option<u64> {
        u64::try_from(self.result?).ok()
    }

    fn error(&self) -> Option<Errno> {
        let result = self.result.filter(|result| *result < 0)?;
        Some(command::errno(result))
    }

    fn moved_bytes(&self) -> u64 {
        match (self.kind(), self.result) {
            ("read" | "write" | "pread" | "pwrite", Some(bytes @ 0..)) => bytes.unsigned_abs(),
            ("console read", Some(0..)) => 1,
            _ => 0,
        }
    }

    /// Entry with these arguments: the command's word, then number and arguments of the system
    /// call.
    fn entry(&self) -> RequestEntry {
        let Command(word) = self.command;
        let action = HTIF_ACTION | (word >> 48) as u32;
        match &self.call {
            None => entry_of(action, &[word]),
            Some(SystemCall { number, args }) => {
                let [a, b, c, d, e, f, g] = *args;
                entry_of(action, &[word, *number, a, b, c, d, e, f, g])
            }
        }
    }

    /// Result in two's complement of 64 bits.
    fn result(&self, _: PtrWidth) -> Option<u64> {
        self.result.map(i64::cast_unsigned)
    }

    fn request_text(&self) -> String {
        CallText(self.command, self.call).to_string()
    }

    fn outcome_text(&self) -> String {
        OutcomeText(self.result, self.since).to_string()
    }
}

/// Command and outcome.
impl Display for CommandServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, call, .. } = *self;
        let outcome = OutcomeText(self.result, self.since);
        write!(f, "{}{outcome}", CallText(command, call))
    }
}
