//! Messages to the RTT server, and its events.

use std::fmt::{self, Display};

use mailbox_rs::{Errno, PtrWidth, RequestEntry};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ChannelId;
use super::front_end::{self, ChannelState, Protocol};
pub use super::rtt_buffer::{BufferName, Direction};
use super::served::{RTT_ACTION, ServedRequest, entry_of};
use crate::bus::{Endpoint, EndpointName, Payload, Redaction};

/// Protocol RTT.
#[derive(Debug)]
pub struct Rtt;

impl Protocol for Rtt {
    const ENDPOINT: Endpoint = Endpoint::new(&EndpointName::new("rtt"));
    type Status = RttStatus;
}

/// Name of this endpoint.
pub const ENDPOINT: Endpoint = <Rtt as Protocol>::ENDPOINT;

/// All messages to the RTT server.
pub(crate) type Inbox = front_end::Inbox<Rtt>;

/// Event: bytes of a buffer were transferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transferred {
    /// Channel of the control block.
    pub channel: ChannelId,
    /// Direction of the bytes.
    pub direction: Direction,
    /// Number and name of the buffer.
    pub buffer: BufferName,
    /// Number of bytes.
    pub bytes: u64,
    /// Tick of the transfer.
    pub since: u64,
    /// Error of the target of the bytes.
    pub error: Option<Errno>,
    args: [u64; 2],
}

impl Transferred {
    /// Event of a transfer.
    pub(crate) fn new(
        channel: ChannelId,
        direction: Direction,
        buffer: BufferName,
        bytes: u64,
        since: u64,
        error: Option<Errno>,
    ) -> Self {
        let args = [u64::from(buffer.number), bytes];
        Self {
            channel,
            direction,
            buffer,
            bytes,
            since,
            error,
            args,
        }
    }
}

impl ServedRequest for Transferred {
    fn channel(&self) -> ChannelId {
        self.channel
    }

    fn kind(&self) -> &'static str {
        match self.direction {
            Direction::Up => "rtt up",
            Direction::Down => "rtt down",
        }
    }

    /// Number of the buffer, and number of bytes.
    fn args(&self) -> &[u64] {
        &self.args
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn value(&self) -> Option<u64> {
        self.error.is_none().then_some(self.bytes)
    }

    fn error(&self) -> Option<Errno> {
        self.error
    }

    fn moved_bytes(&self) -> u64 {
        self.bytes
    }

    fn entry(&self) -> RequestEntry {
        let down = u32::from(self.direction == Direction::Down);
        entry_of(RTT_ACTION | down, &self.args)
    }

    fn result(&self, _: PtrWidth) -> Option<u64> {
        self.value()
    }

    fn request_text(&self) -> String {
        format!("{} {}, {} bytes", self.kind(), self.buffer, self.bytes)
    }

    fn outcome_text(&self) -> String {
        match self.error {
            Some(errno) => format!("; fails: {errno}; taken in tick {}", self.since),
            None => format!("; taken in tick {}", self.since),
        }
    }
}

/// Event: a frame of defmt was decoded, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameDecoded {
    /// Channel of the control block.
    pub channel: ChannelId,
    /// Number of the up buffer.
    pub number: u32,
    /// The frame.
    pub frame: Result<DefmtFrame, DefmtFrameError>,
}

/// Frame of defmt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefmtFrame {
    /// Level; `None` for `defmt::println!`.
    pub level: Option<DefmtLevel>,
    /// Timestamp, if firmware defines one.
    pub timestamp: Option<String>,
    /// Message of the program.
    pub text: String,
    /// Source file, if the image has debug information.
    pub file: Option<String>,
    /// Line in the source file.
    pub line: Option<u64>,
}

impl Payload for DefmtFrame {
    fn redact(&mut self, with: Redaction<'_>) {
        Payload::redact(&mut self.text, with);
    }
}

/// Level of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DefmtLevel {
    /// `defmt::trace!`
    Trace,
    /// `defmt::debug!`
    Debug,
    /// `defmt::info!`
    Info,
    /// `defmt::warn!`
    Warn,
    /// `defmt::error!`
    Error,
}

impl DefmtLevel {
    /// Name, in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// Error of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum DefmtFrameError {
    /// No format strings in the image.
    #[error("frames can't be decoded: {0}")]
    NoTable(String),
    /// Bytes that are not a frame of the image.
    #[error(
        "a frame can't be decoded, and is skipped: the image may be another than the loaded one"
    )]
    Malformed,
    /// A frame without an end.
    #[error("a frame has no end within 64 KiB, and is skipped")]
    TooLong,
}

/// `INFO 12 us: message; src/main.rs:30`
impl Display for DefmtFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            level,
            timestamp,
            text,
            file,
            line,
        } = self;
        if let Some(level) = level {
            f.write_str(level.name())?;
            f.write_str(if timestamp.is_some() { " " } else { ": " })?;
        }
        if let Some(timestamp) = timestamp {
            write!(f, "{timestamp}: ")?;
        }
        f.write_str(text)?;
        match (file, line) {
            (Some(file), Some(line)) => write!(f, "; {file}:{line}"),
            _ => Ok(()),
        }
    }
}

/// Status of a channel with RTT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RttStatus {
    /// Name of the channel.
    pub channel: String,
    /// Tick of this snapshot.
    pub now: u64,
    /// Pending step.
    pub step: RttStep,
    /// Tick of the last progress, in which `step` was entered.
    pub since: u64,
    /// Buffers that have transferred bytes, with their numbers of bytes.
    pub buffers: Vec<(Direction, BufferName, u64)>,
}

/// Pending step of a channel with RTT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RttStep {
    /// Firmware sets up the control block.
    Block {
        /// Address of the control block; `None` while it is searched.
        address: Option<u64>,
    },
    /// Firmware writes to an up buffer.
    Bytes {
        /// Address of the control block.
        address: u64,
    },
    /// Host handles the bytes of an up buffer.
    Deliver {
        /// Buffer of the bytes.
        buffer: BufferName,
    },
    /// No further step: the channel has failed.
    Failed,
    /// Firmware takes bytes of the first down buffer, which has no room for more of the standard
    /// input, or writes to an up buffer.
    Room {
        /// Address of the control block.
        address: u64,
    },
}

impl ChannelState for RttStatus {
    fn is_open(&self) -> bool {
        self.step != RttStep::Failed
    }
}

impl Display for RttStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since;
        write!(f, "{}: ", self.channel)?;
        match &self.step {
            RttStep::Block { address: None } => {
                write!(f, "searches for a control block of RTT since tick {since}")?;
            }
            RttStep::Block {
                address: Some(address),
            } => write!(
                f,
                "waits for firmware to set up RTT's control block at {address:#x} since tick {since}"
            )?,
            RttStep::Bytes { address } => write!(
                f,
                "waits for firmware to write to RTT since tick {since}; control block at {address:#x}"
            )?,
            RttStep::Room { address } => write!(
                f,
                "waits for firmware to take bytes of down channel 0, which has no room for more of the standard input, or to write to RTT, \
                 since tick {since}; control block at {address:#x}"
            )?,
            RttStep::Deliver { buffer } => {
                write!(
                    f,
                    "delivers bytes of up channel {buffer} since tick {since}"
                )?;
            }
            RttStep::Failed => write!(f, "service failed in tick {since}")?,
        }
        for (direction, buffer, bytes) in &self.buffers {
            let direction = direction.name();
            write!(f, "\n  {direction} {buffer}: {bytes} bytes")?;
        }
        Ok(())
    }
}
