//! Messages to the semihosting server, and its events.

use std::fmt::{self, Display};

use mailbox_rs::{Errno, PtrWidth, RequestEntry};
use serde::{Deserialize, Serialize};

use super::AwaitedOperation;
use super::ChannelId;
use super::channel_words::StatusWords;
use super::front_end::{self, ChannelState, Protocol};
use super::mailbox::CACHE_HINT;
use super::served::{SEMIHOSTING_ACTION, ServedRequest, entry_of};
use crate::bus::{Endpoint, EndpointName};

/// Protocol of semihosting.
#[derive(Debug)]
pub struct Semihosting;

impl Protocol for Semihosting {
    const ENDPOINT: Endpoint = Endpoint::new(&EndpointName::new("semihosting"));
    type Status = SemihostingStatus;
}

/// Name of this endpoint.
pub const ENDPOINT: Endpoint = <Semihosting as Protocol>::ENDPOINT;

/// All messages to the semihosting server.
pub(crate) type Inbox = front_end::Inbox<Semihosting>;

/// Number of an operation, as firmware gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Operation(pub u64);

/// Numbers of the operations, their names, and the numbers of words in their parameter blocks.
const OPERATIONS: [(u64, &str, usize); 24] = [
    (0x01, "open", 3),
    (0x02, "close", 1),
    (0x03, "writec", 0),
    (0x04, "write0", 0),
    (0x05, "write", 3),
    (0x06, "read", 3),
    (0x07, "readc", 0),
    (0x08, "iserror", 1),
    (0x09, "istty", 1),
    (0x0a, "seek", 2),
    (0x0c, "flen", 1),
    (0x0d, "tmpnam", 3),
    (0x0e, "remove", 2),
    (0x0f, "rename", 4),
    (0x10, "clock", 0),
    (0x11, "time", 0),
    (0x12, "system", 2),
    (0x13, "errno", 0),
    (0x15, "get_cmdline", 2),
    (0x16, "heapinfo", 1),
    (0x18, "exit", 0),
    (0x20, "exit_extended", 2),
    (0x30, "elapsed", 0),
    (0x31, "tickfreq", 0),
];

/// Number of harts with words of their own.
pub const STUB_HARTS: u64 = 8;

/// Number of bytes that a poll of the words reads: a flag of 32 bits for each hart, and one for
/// harts without words of their own. A flag is set while an operation waits for the host.
pub const STUB_WORDS: u64 = STUB_OTHER + 4;

/// Offset of the flag for harts without words of their own: 1, or the number of the hart plus 1.
pub const STUB_OTHER: u64 = 4 * STUB_HARTS;

/// Offset of the lock for harts that share the words of the first hart. The host writes nothing in
/// its cache line.
pub const STUB_LOCK: u64 = 192;

/// Bytes of the lock.
pub const STUB_LOCK_LEN: u64 = 4;

/// Offset of the first hart's `a0` and `a1`, with 64 bits each. Those of further harts follow. The
/// host writes the result to the place of `a0`, and clears the flag.
pub const STUB_ARGUMENTS: u64 = 64;

/// Bytes of a hart's `a0` and `a1`.
pub const STUB_ARGUMENTS_LEN: u64 = 16;

impl Operation {
    /// Name without `SYS_`, in lower case; `unknown` for an unknown number.
    pub fn name(self) -> &'static str {
        self.known().map_or("unknown", |(_, name, _)| name)
    }

    /// Number of words in the parameter block.
    pub fn words(self) -> usize {
        self.known().map_or(0, |(_, _, words)| words)
    }

    fn known(self) -> Option<(u64, &'static str, usize)> {
        OPERATIONS
            .into_iter()
            .find(|(number, _, _)| *number == self.0)
    }
}

/// Event: an operation was executed, or has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationServed {
    /// Channel of the operation.
    pub channel: ChannelId,
    /// Number of the hart.
    pub hart: u32,
    /// Operation that firmware asks for.
    pub operation: Operation,
    /// Argument, followed by the words of the parameter block that could be read.
    pub args: Vec<u64>,
    /// Tick in which firmware asked for the operation.
    pub since: u64,
    /// Result for firmware; `None` for an exit.
    pub result: Option<u64>,
    /// Error of a failed operation.
    pub error: Option<Errno>,
}

impl ServedRequest for OperationServed {
    fn channel(&self) -> ChannelId {
        self.channel
    }

    fn kind(&self) -> &'static str {
        self.operation.name()
    }

    fn args(&self) -> &[u64] {
        &self.args
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn value(&self) -> Option<u64> {
        self.result.filter(|_| self.error.is_none())
    }

    fn error(&self) -> Option<Errno> {
        self.error
    }

    /// Transfers have the number of remaining bytes as their result.
    fn moved_bytes(&self) -> u64 {
        match (self.operation.0, &self.args[..], self.value()) {
            (0x05 | 0x06, [_, _, _, len], Some(rest)) => len.saturating_sub(rest),
            // One character.
            (0x07, _, Some(_)) => 1,
            _ => 0,
        }
    }

    fn entry(&self) -> RequestEntry {
        let action = SEMIHOSTING_ACTION | (self.operation.0 & 0xffff) as u32;
        entry_of(action, &self.args)
    }

    fn result(&self, width: PtrWidth) -> Option<u64> {
        self.result.map(|result| width.truncate(result))
    }

    fn request_text(&self) -> String {
        OperationText(self.operation, &self.args).to_string()
    }

    fn outcome_text(&self) -> String {
        let since = self.since;
        match (self.error, self.result) {
            (Some(errno), _) => format!("; fails: {errno}; taken in tick {since}"),
            (None, Some(result)) => format!("; gives {result:#x}; taken in tick {since}"),
            (None, None) => format!("; taken in tick {since}"),
        }
    }
}

/// Format: `write(0x1, 0x80001000, 0xc)`. Has the words of the parameter block, or the argument if
/// there is no block.
pub(crate) struct OperationText<'a>(pub(crate) Operation, pub(crate) &'a [u64]);

impl Display for OperationText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(operation, args) = self;
        match operation.name() {
            "unknown" => write!(f, "operation {:#x}", operation.0)?,
            name => f.write_str(name)?,
        }
        let words = match args.len() {
            0 | 1 => args,
            _ => &args[1..],
        };
        f.write_str("(")?;
        for (at, word) in words.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{word:#x}")?;
        }
        f.write_str(")")
    }
}

/// Status of a channel with semihosting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SemihostingStatus {
    /// Name of the channel.
    pub channel: String,
    /// Tick of this snapshot.
    pub now: u64,
    /// Pending step.
    pub step: SemihostingStep,
    /// Tick of the last progress, in which `step` was entered.
    pub since: u64,
    /// Completed operations, oldest first.
    pub recent: Vec<OperationServed>,
}

/// Pending step of a channel with semihosting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SemihostingStep {
    /// Firmware asks for an operation, and the testbench observes its trap.
    Trap,
    /// Host executes an operation.
    Serve {
        /// Number of the hart.
        hart: u32,
        /// Operation that firmware asks for.
        operation: Operation,
        /// Argument of the operation.
        argument: u64,
        /// Operation in progress that it waits for.
        awaits: AwaitedOperation,
    },
    /// No further step: the channel has exited.
    Exited {
        /// Exit code.
        code: u32,
    },
    /// No further step: the channel has failed.
    Failed,
    /// Firmware asks for an operation through the code that replaces traps.
    Code,
    /// The same, while that code's lock is held.
    Locked,
}

impl ChannelState for SemihostingStatus {
    fn is_open(&self) -> bool {
        !matches!(
            self.step,
            SemihostingStep::Exited { .. } | SemihostingStep::Failed
        )
    }

    fn show_words(&mut self, words: Option<StatusWords>) {
        if let Some(StatusWords::Semihosting { lock: 1.. }) = words
            && self.step == SemihostingStep::Code
        {
            self.step = SemihostingStep::Locked;
        }
    }
}

impl Display for SemihostingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since;
        write!(f, "{}: ", self.channel)?;
        match &self.step {
            SemihostingStep::Trap => write!(
                f,
                "waits for firmware's next operation of semihosting since tick {since}: a trap that the testbench (mb_semihost) or `vhost run` sees"
            )?,
            SemihostingStep::Code => write!(
                f,
                "waits for firmware's next operation of semihosting since tick {since}; {CACHE_HINT}"
            )?,
            SemihostingStep::Locked => write!(
                f,
                "waits for firmware's next operation of semihosting since tick {since}; the lock of the code in place of traps is held: by a \
                 hart in an operation, or by one whose operation was interrupted by a handler that asks for another, which never ends; \
                 {CACHE_HINT}"
            )?,
            SemihostingStep::Serve {
                hart,
                operation,
                argument,
                awaits,
            } => {
                awaits.describe(f, since, self.now)?;
                let args = [*argument];
                write!(
                    f,
                    "; hart {hart} asks for {}",
                    OperationText(*operation, &args)
                )?;
            }
            SemihostingStep::Exited { code } => {
                write!(f, "exited with code {code} in tick {since}")?;
            }
            SemihostingStep::Failed => write!(f, "service failed in tick {since}")?,
        }
        for past in &self.recent {
            let (request, outcome) = (past.request_text(), past.outcome_text());
            write!(f, "\n  hart {}: {request}{outcome}", past.hart)?;
        }
        Ok(())
    }
}
