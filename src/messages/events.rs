//! Events: reported to taps, sent to no receiver.
//!
//! Inputs from outside that are no message, such as the result of reading a file, are recorded as
//! events. A replay takes them from there.

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, OpenFlags, Version};
use serde::{Deserialize, Serialize};

use super::checkpoint::{SavedStatistics, SavedSystem};
use super::files::DirectoryEntry;
pub use super::front_end::WordsRang;
pub use super::htif::CommandServed;
pub use super::mailbox::{DoorbellRang, Served};
pub use super::rtt::{FrameDecoded, Transferred};
pub use super::semihosting::OperationServed;
use super::sockets::OsError;
use super::{ChannelId, Name};
use crate::bus::{Payload, Redaction, inbox};

/// Memories have their initial content; the host serves channels from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemStarted;

/// Notification of a write to a mailbox: the next tick polls all doorbells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified;

/// Start of a restore: simulated time becomes that of the checkpoint, and the state of the actors
/// follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreBegun {
    /// Number of ticks at the checkpoint.
    pub tick: u64,
    /// Counts of attached statistics, in the order of their attachment.
    pub statistics: Vec<SavedStatistics>,
}

/// Start of a recording that was cut out of a longer one: state of the system at this place.
///
/// A replay restores the state from it, without a message to the actors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Number of ticks.
    pub tick: u64,
    /// State of the actors, in the form of a checkpoint.
    pub state: SavedSystem,
    /// Words of the channels, as last read: number of the memory, offset in bytes, content.
    pub words: Vec<(u32, u64, Bytes)>,
    /// True if the next tick calls every doorbell's callback.
    pub is_notified: bool,
    /// Calls by which the testbench is notified.
    pub observed: ObserveFlags,
    /// One entry for each message without a reply, all of which follow in the recording: the
    /// channel of a call that is polled in the next tick; `None` for another message.
    pub open: Vec<Option<Name>>,
}

/// Selection of the notifications that the testbench gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObserveFlags {
    /// True if served requests are reported.
    pub served: bool,
    /// True if writes to memory are reported.
    pub written: bool,
}

/// End of a channel's wait for a tick. A replay of its server alone wakes the channel here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitOver {
    /// The channel.
    pub channel: ChannelId,
}

/// Attempt to open a file below the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOpened {
    /// Path, relative to the root.
    pub path: String,
    /// Open flags.
    pub flags: OpenFlags,
    /// Result of the open.
    pub opened: Result<(), Errno>,
}

/// Reason of a [`FileOpened`] that failed, if the error number does not say enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRefused {
    /// Clause about the path.
    pub reason: String,
}

/// Read of a file below the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRead {
    /// Bytes read, or the error.
    pub read: Result<Bytes, Errno>,
}

/// Write to a file below the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWritten {
    /// Number of bytes written, or the error.
    pub written: Result<u64, Errno>,
}

/// Seek in a file below the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSeeked {
    /// New position in bytes from the start, or the error.
    pub sought: Result<u64, Errno>,
}

/// Result of an operation of protocol 0.3 on a path or a file below the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAnswered {
    /// Result, or the error.
    pub answer: Result<FileAnswer, Errno>,
}

/// Result of a [`FileAnswered`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileAnswer {
    /// Success without a value.
    Done,
    /// Number of bytes, or a position.
    Count(u64),
    /// Status of a file.
    Status(FileStatus),
    /// A file was opened.
    File,
    /// A directory was opened, with these entries.
    Directory(Vec<DirectoryEntry>),
}

/// Write of text to the console's output that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRefused {
    /// True for text of standard error.
    pub is_error: bool,
    /// Error of the write.
    pub errno: Errno,
}

/// Version of the protocol that firmware offers in a handshake, if it offers one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionOffered {
    /// Channel of the handshake.
    pub channel: ChannelId,
    /// Offered version.
    pub version: Version,
}

/// Result of a network operation of the socket manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkResult {
    /// Port of the new listening socket.
    Listen(Result<u16, OsError>),
    /// True if a client was accepted.
    Accept(Result<bool, OsError>),
    /// Number of bytes sent; `None` if none can be sent now.
    Send(Result<Option<usize>, OsError>),
    /// Bytes received, empty at the end of the stream; `None` if none are available.
    Receive(Result<Option<Bytes>, OsError>),
}

impl Payload for NetworkResult {
    fn redact(&mut self, with: Redaction<'_>) {
        match self {
            Self::Receive(received) => received.redact(with),
            Self::Listen(_) | Self::Accept(_) | Self::Send(_) => {}
        }
    }
}

inbox! {
    /// All events. No actor has this inbox; recordings are decoded by its list of types.
    "nobody" {
        SystemStarted -> () { channel: none, payload: none },
        Notified -> () { channel: none, payload: none },
        ObserveFlags -> () { channel: none, payload: none },
        DoorbellRang -> () { channel: channel, payload: none },
        Served -> () { channel: channel, payload: none },
        FileOpened -> () { channel: none, payload: none },
        FileRead -> () { channel: none, payload: read },
        FileWritten -> () { channel: none, payload: none },
        FileSeeked -> () { channel: none, payload: none },
        NetworkResult -> () { channel: none, payload: self },
        FileRefused -> () { channel: none, payload: none },
        FileAnswered -> () { channel: none, payload: none },
        VersionOffered -> () { channel: channel, payload: none },
        WaitOver -> () { channel: channel, payload: none },
        WordsRang -> () { channel: channel, payload: none },
        Transferred -> () { channel: channel, payload: none },
        FrameDecoded -> () { channel: channel, payload: frame },
        OperationServed -> () { channel: channel, payload: none },
        CommandServed -> () { channel: channel, payload: none },
        TextRefused -> () { channel: none, payload: none },
        RestoreBegun -> () { channel: none, payload: none },
        Resumed -> () { channel: none, payload: none },
    }
}
