//! Status of an HTIF channel: its state, the last progress, and recent commands.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::{CallText, OutcomeText};
use super::{Command, SystemCall};
use crate::messages::AwaitedOperation;
use crate::messages::StatusWords;
use crate::messages::front_end::ChannelState;

/// Status of one channel. `Display` writes one line about the pending step and the side that it
/// depends on, and indented lines for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HtifStatus {
    /// Name of the channel.
    pub channel: String,
    /// Tick of this snapshot.
    pub now: u64,
    /// Pending step.
    pub step: HtifStep,
    /// Tick of the last progress, in which `step` was entered.
    pub since: u64,
    /// Number of console reads that wait for a character.
    pub reads: usize,
    /// Completed commands, oldest first.
    pub recent: Vec<PastCommand>,
}

/// Pending step of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HtifStep {
    /// Firmware writes a command.
    Command {
        /// Address of `tohost`.
        tohost: u64,
    },
    /// The other half of a command may follow.
    Settle {
        /// Command, if it is whole.
        command: Command,
        /// Tick in which it is served, if the word does not change.
        until: u64,
    },
    /// Host serves a command.
    Serve {
        /// Command as firmware wrote it.
        command: Command,
        /// System call that the command asks for.
        call: Option<SystemCall>,
        /// Operation that the command waits for.
        awaits: AwaitedOperation,
    },
    /// Firmware takes a response: it sets `fromhost` to 0.
    Taken {
        /// Address of `fromhost`.
        fromhost: u64,
    },
    /// No further step: the channel has exited.
    Exited {
        /// Exit code.
        code: u32,
    },
    /// No further step: the channel has failed.
    Failed,
    /// A console read waits for a character, and firmware may write another command.
    Input {
        /// Address of `tohost`.
        tohost: u64,
        /// True if the standard input has ended, so that no character will come.
        is_over: bool,
    },
}

/// Completed command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCommand {
    /// Command as firmware wrote it.
    pub command: Command,
    /// System call that it asked for.
    pub call: Option<SystemCall>,
    /// Tick in which it was taken.
    pub from: u64,
    /// Tick in which it completed.
    pub to: u64,
    /// Result, as in [`CommandServed`](super::CommandServed).
    pub result: Option<i64>,
}

impl ChannelState for HtifStatus {
    fn is_open(&self) -> bool {
        !matches!(self.step, HtifStep::Exited { .. } | HtifStep::Failed)
    }

    /// A response in `fromhost` is for firmware to take, even if the channel waits for something
    /// else, too.
    fn show_words(&mut self, words: Option<StatusWords>) {
        let is_idle = matches!(self.step, HtifStep::Command { .. } | HtifStep::Input { .. });
        if let Some(StatusWords::Htif {
            fromhost,
            response: 1..,
        }) = words
            && is_idle
        {
            self.step = HtifStep::Taken { fromhost };
        }
    }
}

impl fmt::Display for HtifStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since;
        write!(f, "{}: ", self.channel)?;
        match &self.step {
            HtifStep::Command { tohost } => write!(
                f,
                "waits for firmware to write a command to tohost at {tohost:#x} since tick {since}"
            )?,
            HtifStep::Settle { command, until } => write!(
                f,
                "waits until tick {until} for the other half of a command: tohost is {:#x} since tick {since}",
                command.0
            )?,
            HtifStep::Serve {
                command,
                call,
                awaits,
            } => {
                awaits.describe(f, since, self.now)?;
                write!(f, "; tohost had {}", CallText(*command, *call))?;
            }
            HtifStep::Taken { fromhost } => write!(
                f,
                "waits for firmware to take a response, and to clear fromhost at {fromhost:#x}, since tick {since}"
            )?,
            HtifStep::Input { tohost, is_over } => {
                let over = if *is_over { ", which has ended," } else { "" };
                write!(
                    f,
                    "waits for more bytes of the standard input{over} or for a command in tohost at {tohost:#x}, since tick {since}"
                )?;
            }
            HtifStep::Exited { code } => write!(f, "exited with code {code} in tick {since}")?,
            HtifStep::Failed => write!(f, "service failed in tick {since}")?,
        }
        match self.reads {
            0 => {}
            1 => write!(f, "\n  a console read waits for a character")?,
            reads => write!(f, "\n  {reads} console reads wait for characters")?,
        }
        for past in &self.recent {
            write!(f, "\n  {past}")?;
        }
        Ok(())
    }
}

impl fmt::Display for PastCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            call,
            from,
            to,
            result,
        } = self;
        let text = CallText(*command, *call);
        write!(f, "tick {to}: {text}{}", OutcomeText(*result, *from))
    }
}
