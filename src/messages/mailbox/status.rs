//! How a channel stands: who owes the next step, since when, and what came before.

use std::fmt;

use mailbox_rs::{RequestEntry, Response, State};
use serde::{Deserialize, Serialize};

use super::{Asked, Sight, Told};
use crate::messages::rpc::{Callee, Target};

/// How one channel stands. Shown, it is a line that says who owes the next step, and indented lines for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// Its name.
    pub channel: String,
    /// The tick in which this was so.
    pub now: u64,
    /// What comes next.
    pub step: Step,
    /// The tick in which it came to that: the last progress that it made.
    pub since: u64,
    /// The words of the channel as they are in memory; none where nobody looked, or could.
    pub words: Option<Sight>,
    /// How many requests the host has taken.
    pub taken: u32,
    /// How many responses the host has put.
    pub put: u32,
    /// The requests before, the oldest first.
    pub recent: Vec<Past>,
}

/// What a channel does next, or waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one a channel, and a box would be an allocation a request"
)]
pub enum Step {
    /// Firmware asks for a handshake.
    Handshake {
        /// Where the channel is.
        address: u64,
    },
    /// Firmware writes a request.
    Request,
    /// A request is served.
    Serve {
        /// The slot that it was in.
        slot: u32,
        /// The request as firmware wrote it.
        entry: RequestEntry,
        /// What it waits for.
        task: Task,
    },
    /// Firmware takes a response: the queue is full.
    Room,
    /// Nothing: the channel has exited.
    Exited {
        /// With which code.
        code: u32,
    },
    /// Nothing: the channel can't be served.
    GivenUp,
}

/// What a request waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Nobody but the host.
    Host,
    /// An access to memory.
    Memory,
    /// A file.
    File,
    /// The answer to a call.
    Call(PendingCall),
}

/// A call that has no result yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingCall {
    /// What is called.
    pub target: Target,
    /// Who said that it is pending; none before the first answer.
    pub by: Option<Callee>,
    /// How many times that was said.
    pub answers: u64,
    /// The tick of the last question; one that follows upon an answer is put on the next.
    pub tick: u64,
}

/// A request that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The slot that it was in.
    pub slot: u32,
    /// The request as firmware wrote it.
    pub entry: RequestEntry,
    /// The tick in which it was taken.
    pub from: u64,
    /// The tick in which it was over.
    pub to: u64,
    /// How it ended.
    pub end: End,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// With a response.
    Answered(Response),
    /// Without: it has none.
    Silent,
    /// Firmware has reset the channel.
    Reset,
}

impl fmt::Display for ChannelStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.channel)?;
        match &self.step {
            Step::Handshake { address } => self.handshake(f, *address)?,
            Step::Request => self.request(f)?,
            Step::Serve { slot, entry, task } => {
                self.task(f, task)?;
                write!(f, "; slot {slot} has {}", Asked(entry))?;
            }
            Step::Room => write!(
                f,
                "waits for firmware to take a response since tick {}: the queue is full",
                self.since
            )?,
            Step::Exited { code } => write!(f, "exited with code {code} in tick {}", self.since)?,
            Step::GivenUp => write!(f, "was given up in tick {}", self.since)?,
        }
        if matches!(self.step, Step::Request | Step::Serve { .. } | Step::Room) {
            self.indices(f)?;
        }
        for past in &self.recent {
            write!(f, "\n  {past}")?;
        }
        Ok(())
    }
}

impl ChannelStatus {
    fn handshake(&self, f: &mut fmt::Formatter<'_>, address: u64) -> fmt::Result {
        let since = self.since;
        if let Some(version) = self.words.and_then(|words| words.asks_for_handshake()) {
            return write!(
                f,
                "waits for a tick: firmware of version {version:#x} asks for a handshake at {address:#x}"
            );
        }
        write!(
            f,
            "waits for firmware's handshake at {address:#x} since tick {since}"
        )?;
        let Some(Sight {
            state,
            request_put,
            handshake: Some(words),
            response_taken: Some(response_taken),
        }) = self.words
        else {
            return Ok(());
        };
        write!(
            f,
            ": that takes a version, INIT and indices of 0; there are version {:#x}, {}, and indices {request_put:#x} \
             {:#x} {:#x} {response_taken:#x}",
            words.version,
            State(state),
            words.request_taken,
            words.response_put,
        )
    }

    fn request(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since;
        match self.words {
            Some(words) if words.state != State::READY.0 => {
                f.write_str("waits for a tick: firmware has reset the channel")
            }
            Some(words) if words.request_put != self.taken => {
                f.write_str("waits for a tick: a request is not taken")
            }
            Some(words) if words.response_taken.is_some_and(|taken| taken != self.put) => {
                write!(
                    f,
                    "waits for firmware to take a response, or to write a request, since tick {since}"
                )
            }
            _ => write!(
                f,
                "waits for firmware to write a request since tick {since}"
            ),
        }
    }

    fn task(&self, f: &mut fmt::Formatter<'_>, task: &Task) -> fmt::Result {
        let since = self.since;
        let asked = match task {
            Task::Host => return write!(f, "serves a request since tick {since}"),
            Task::Memory => return write!(f, "waits for memory since tick {since}"),
            Task::File => return write!(f, "waits for a file since tick {since}"),
            Task::Call(asked) => asked,
        };
        let PendingCall {
            target,
            by,
            answers,
            tick,
        } = asked;
        let Some(by) = by else {
            return write!(f, "is asking for {target} since tick {since}");
        };
        write!(
            f,
            "waits for {by}: {target} is pending since tick {since}, as it said "
        )?;
        match answers {
            1 => f.write_str("once")?,
            answers => write!(f, "{answers} times")?,
        }
        if *tick < self.now {
            f.write_str(", and is being asked again")?;
        }
        Ok(())
    }

    fn indices(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken, put, .. } = self;
        match self.words {
            Some(Sight {
                request_put,
                response_taken: Some(response_taken),
                ..
            }) => write!(
                f,
                "\n  requests: {request_put} put, {taken} taken; responses: {put} put, {response_taken} taken"
            ),
            _ => write!(
                f,
                "\n  requests: {taken} taken; responses: {put} put; firmware's indices can't be read"
            ),
        }
    }
}

impl fmt::Display for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            slot,
            entry,
            from,
            to,
            end,
        } = self;
        write!(f, "slot {slot}, tick {from}")?;
        if to != from {
            write!(f, " to {to}")?;
        }
        write!(f, ": {}; {end}", Asked(entry))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(response) => Told(*response).fmt(f),
            Self::Silent => f.write_str("done"),
            Self::Reset => f.write_str("dropped by a reset"),
        }
    }
}
