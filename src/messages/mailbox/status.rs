//! Status of a channel: its state, the last progress, and recent requests.

use std::fmt;

use mailbox_rs::{RequestEntry, Response, State};
use serde::{Deserialize, Serialize};

use super::ChannelWords;
use super::text::{RequestText, ResponseText};
use crate::messages::front_end::ChannelState;
use crate::messages::{AwaitedOperation, StatusWords};

/// Status of one channel. `Display` writes one line about the pending step and the side that it
/// depends on, and indented lines for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// Name of the channel.
    pub channel: String,
    /// Tick of this snapshot.
    pub now: u64,
    /// Current state.
    pub step: MailboxStep,
    /// Tick of the last progress, in which `step` was entered.
    pub since: u64,
    /// Words of the channel in memory; `None` if they were not read or could not be read.
    pub words: Option<ChannelWords>,
    /// Consumer index of the request queue: requests that the host has taken.
    pub request_consumer: u32,
    /// Producer index of the response queue: responses that the host has put.
    pub response_producer: u32,
    /// Completed requests, oldest first.
    pub recent: Vec<PastRequest>,
}

/// Pending step of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one a channel, and a box would be an allocation a request"
)]
pub enum MailboxStep {
    /// Firmware requests a handshake.
    Handshake {
        /// Address of the channel.
        address: u64,
    },
    /// Firmware writes a request.
    Request,
    /// Host serves a request.
    Serve {
        /// Slot in the request queue.
        slot: u32,
        /// Request as firmware wrote it.
        entry: RequestEntry,
        /// Operation that the request waits for.
        awaits: AwaitedOperation,
    },
    /// Firmware takes a response; the response queue is full.
    ResponseQueueFull,
    /// No further step: the channel has exited.
    Exited {
        /// Exit code.
        code: u32,
    },
    /// No further step: the channel has failed.
    Failed,
}

/// Completed request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRequest {
    /// Slot in the request queue.
    pub slot: u32,
    /// Request as firmware wrote it.
    pub entry: RequestEntry,
    /// Tick in which the request was taken.
    pub from: u64,
    /// Tick in which the request completed.
    pub to: u64,
    /// Outcome of the request.
    pub end: RequestEnd,
}

/// Outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestEnd {
    /// Completed with a response.
    Answered(Response),
    /// Completed; the request has no response.
    Silent,
    /// Dropped because firmware has reset the channel.
    Reset,
}

/// Hint of a possible cause that memory does not show: firmware's CPU has other data in its cache.
pub(crate) const CACHE_HINT: &str = "stale or dirty cache line?";

impl ChannelState for ChannelStatus {
    fn is_open(&self) -> bool {
        !matches!(self.step, MailboxStep::Exited { .. } | MailboxStep::Failed)
    }

    fn show_words(&mut self, words: Option<StatusWords>) {
        self.words = match words {
            Some(StatusWords::Mailbox(words)) => Some(words),
            _ => None,
        };
    }
}

impl fmt::Display for ChannelStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "firmware's indices can't be read")
    }
}

/// Status from a recording. `Display` omits the words of the channel, because the host reads them
/// after the status.
#[derive(Debug, Clone, Copy)]
pub struct RecordedStatus<'a>(pub &'a ChannelStatus);

impl fmt::Display for RecordedStatus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .write(f, "firmware's indices are not recorded with the status")
    }
}

impl ChannelStatus {
    /// Writes the status. `unread` is the text in place of firmware's indices if the words are
    /// missing.
    fn write(&self, f: &mut fmt::Formatter<'_>, unread: &str) -> fmt::Result {
        write!(f, "{}: ", self.channel)?;
        match &self.step {
            MailboxStep::Handshake { address } => self.handshake(f, *address)?,
            MailboxStep::Request => self.request(f)?,
            MailboxStep::Serve {
                slot,
                entry,
                awaits,
            } => {
                awaits.describe(f, self.since, self.now)?;
                write!(f, "; slot {slot} has {}", RequestText(entry))?;
            }
            MailboxStep::ResponseQueueFull => write!(
                f,
                "waits for firmware to take a response since tick {}: the queue is full; {CACHE_HINT}",
                self.since
            )?,
            MailboxStep::Exited { code } => {
                write!(f, "exited with code {code} in tick {}", self.since)?
            }
            MailboxStep::Failed => write!(f, "service failed in tick {}", self.since)?,
        }
        if matches!(
            self.step,
            MailboxStep::Request | MailboxStep::Serve { .. } | MailboxStep::ResponseQueueFull
        ) {
            self.indices(f, unread)?;
        }
        for past in &self.recent {
            write!(f, "\n  {past}")?;
        }
        Ok(())
    }

    fn handshake(&self, f: &mut fmt::Formatter<'_>, address: u64) -> fmt::Result {
        let since = self.since;
        if let Some(version) = self.words.and_then(|words| words.asks_for_handshake()) {
            return write!(
                f,
                "waits for a tick: firmware of version {version:#x} requests a handshake at \
                 {address:#x}"
            );
        }
        write!(
            f,
            "waits for firmware's handshake at {address:#x} since tick {since}"
        )?;
        let Some(ChannelWords {
            state,
            request_producer,
            handshake: Some(words),
            response_consumer: Some(response_consumer),
        }) = self.words
        else {
            return Ok(());
        };
        write!(
            f,
            ": requires a version, INIT and indices of 0; found version {:#x}, {}, and indices \
             {request_producer:#x} {:#x} {:#x} {response_consumer:#x}",
            words.version,
            State(state),
            words.request_consumer,
            words.response_producer,
        )?;
        // Before the first tick, firmware has had no time to run.
        if self.now > since {
            write!(f, "; {CACHE_HINT}")?;
        }
        Ok(())
    }

    /// Indices of the host in memory, if firmware has overwritten them: consumer index of requests,
    /// producer index of responses. They are compared only in an idle step: during a request,
    /// memory may have older ones.
    fn overwritten(&self) -> Option<(u32, u32)> {
        let words = self
            .words
            .filter(|words| words.state == State::READY.0)?
            .handshake?;
        let is_idle = matches!(
            self.step,
            MailboxStep::Request | MailboxStep::ResponseQueueFull
        );
        let found = (words.request_consumer, words.response_producer);
        (is_idle && found != (self.request_consumer, self.response_producer)).then_some(found)
    }

    fn request(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since;
        match self.words {
            Some(words) if words.state != State::READY.0 => {
                f.write_str("waits for a tick: firmware has reset the channel")
            }
            Some(words) if words.request_producer != self.request_consumer => {
                f.write_str("waits for a tick: a request is not yet taken")
            }
            Some(words)
                if words
                    .response_consumer
                    .is_some_and(|consumer| consumer != self.response_producer) =>
            {
                write!(
                    f,
                    "waits for firmware to take a response, or to write a request, since tick {since}; {CACHE_HINT}"
                )
            }
            _ => write!(
                f,
                "waits for firmware to write a request since tick {since}"
            ),
        }
    }

    fn indices(&self, f: &mut fmt::Formatter<'_>, unread: &str) -> fmt::Result {
        let Self {
            request_consumer,
            response_producer,
            ..
        } = self;
        match self.words {
            Some(ChannelWords {
                request_producer,
                response_consumer: Some(response_consumer),
                ..
            }) => write!(
                f,
                "\n  requests: {request_producer} put, {request_consumer} taken; responses: {response_producer} put, {response_consumer} taken"
            ),
            _ => write!(
                f,
                "\n  requests: {request_consumer} taken; responses: {response_producer} put; {unread}"
            ),
        }?;
        if let Some((consumer, producer)) = self.overwritten() {
            write!(
                f,
                "\n  firmware has overwritten the host's indices, which are {consumer} taken and {producer} put in memory; \
                 {CACHE_HINT}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for PastRequest {
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
        write!(f, ": {}; {end}", RequestText(entry))
    }
}

impl fmt::Display for RequestEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(response) => ResponseText(*response).fmt(f),
            Self::Silent => f.write_str("done"),
            Self::Reset => f.write_str("dropped by a reset"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Handshake;
    use super::*;

    fn status(step: MailboxStep, words: ChannelWords) -> String {
        ChannelStatus {
            channel: "cpu".to_owned(),
            now: 9,
            step,
            since: 4,
            words: Some(words),
            request_consumer: 2,
            response_producer: 2,
            recent: Vec::new(),
        }
        .to_string()
    }

    fn words(
        response_consumer: u32,
        request_consumer: u32,
        response_producer: u32,
    ) -> ChannelWords {
        ChannelWords {
            state: State::READY.0,
            request_producer: 2,
            response_consumer: Some(response_consumer),
            handshake: Some(Handshake {
                version: 2,
                request_consumer,
                response_producer,
            }),
        }
    }

    #[test]
    fn a_cache_line_is_suspected_where_the_next_step_is_firmwares_and_unseen() {
        let step = |step: &MailboxStep, words| status(step.clone(), words);
        let room = MailboxStep::ResponseQueueFull;
        let handshake = MailboxStep::Handshake { address: 0x100 };
        // A response that is not taken, a full queue, and a handshake.
        assert!(step(&MailboxStep::Request, words(1, 2, 2)).contains(CACHE_HINT));
        assert!(step(&room, words(1, 2, 2)).contains(CACHE_HINT));
        assert!(step(&handshake, words(0, 0, 0)).contains(CACHE_HINT));
        // Firmware computes.
        assert!(!step(&MailboxStep::Request, words(2, 2, 2)).contains(CACHE_HINT));
        let text = step(&MailboxStep::Request, words(2, 2, 1));
        let expected = "firmware has overwritten the host's indices, which are 2 taken and 1 put in memory; stale or dirty cache line?";
        assert!(text.ends_with(expected), "{text}");
        let text = step(&MailboxStep::Request, words(2, 0, 2));
        assert!(text.contains("which are 0 taken and 2 put"), "{text}");
        // The host may be about to write them.
        let serve = MailboxStep::Serve {
            slot: 1,
            entry: RequestEntry::from(&mailbox_rs::Request::Exit { code: 0 }),
            awaits: AwaitedOperation::Memory,
        };
        assert!(!step(&serve, words(2, 1, 2)).contains(CACHE_HINT));
    }
}
