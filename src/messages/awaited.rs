//! Operation that a request of any front end waits for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rpc::{Provider, Target};

/// Operation that a request waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AwaitedOperation {
    /// Processing in the mailbox server.
    Host,
    /// Access to memory.
    Memory,
    /// File operation.
    File,
    /// Result of a call.
    Call(PendingCall),
    /// Bytes of the standard input.
    Input,
    /// End of an injected delay.
    Delay {
        /// First tick in which the response may be written.
        until: u64,
    },
}

/// Call without a result so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingCall {
    /// Target of the call.
    pub target: Target,
    /// Callee that replied that the call is pending; `None` before the first reply.
    pub by: Option<Provider>,
    /// Number of such replies.
    pub answers: u64,
    /// Tick of the last reply, or of the first poll before there is one. The next poll is in the
    /// tick after it.
    pub tick: u64,
}

impl AwaitedOperation {
    /// Writes the operation, of a request taken in tick `since`, as of tick `now`.
    pub(in crate::messages) fn describe(
        &self,
        f: &mut fmt::Formatter<'_>,
        since: u64,
        now: u64,
    ) -> fmt::Result {
        let asked = match self {
            Self::Host => return write!(f, "serves a request since tick {since}"),
            Self::Memory => return write!(f, "waits for memory since tick {since}"),
            Self::File => return write!(f, "waits for a file since tick {since}"),
            Self::Input => {
                return write!(
                    f,
                    "waits for more bytes of the standard input since tick {since}"
                );
            }
            Self::Delay { until } => {
                return write!(
                    f,
                    "holds a response back until tick {until}, as `faults.delay` asks for"
                );
            }
            Self::Call(asked) => asked,
        };
        let PendingCall {
            target,
            by,
            answers,
            tick,
        } = asked;
        let Some(by) = by else {
            return write!(f, "is calling {target} since tick {since}");
        };
        write!(
            f,
            "waits for {by}: {target} is pending since tick {since} (polled "
        )?;
        match answers {
            1 => f.write_str("once)")?,
            answers => write!(f, "{answers} times)")?,
        }
        if *tick < now {
            f.write_str(", being polled now")?;
        }
        Ok(())
    }
}
