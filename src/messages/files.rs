//! What the files actor is sent.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};
use serde::{Deserialize, Serialize};

use super::ChannelId;
use crate::bus::inbox;

/// Opens a file for a channel and gives its descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Channel that opens it. Every channel may use it.
    pub channel: ChannelId,
    /// Path, in which variables are expanded.
    pub path: Bytes,
    /// How.
    pub flags: OpenFlags,
}

/// Closes a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// Channel that asks.
    pub channel: ChannelId,
    /// The descriptor.
    pub fd: u64,
}

/// The most bytes that one [`Read`] gives. A longer read takes several.
pub const READ_MAX: u64 = 64 * 1024;

/// Reads from where the file stands. It may give fewer bytes than asked, never more than
/// [`READ_MAX`]; none only at the end of the file, or if none were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Channel that asks.
    pub channel: ChannelId,
    /// The descriptor.
    pub fd: u64,
    /// The most bytes to give.
    pub len: u64,
}

/// Writes where the file stands, all of it, and gives the number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Channel that asks.
    pub channel: ChannelId,
    /// The descriptor.
    pub fd: u64,
    /// What to write.
    pub data: Bytes,
}

/// Moves to a position from the start, and gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seek {
    /// Channel that asks.
    pub channel: ChannelId,
    /// The descriptor.
    pub fd: u64,
    /// Bytes from the start.
    pub position: u64,
}

/// Closes all that a channel has opened: it starts anew, or the last channel has exited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseAll {
    /// Channel that opened it.
    pub channel: ChannelId,
}

/// Asks for the reason of a channel's last operation, which was refused; none where the error number says all. Given once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// Channel whose operation it was.
    pub channel: ChannelId,
}

inbox! {
    /// All that the files actor is sent.
    "files" {
        Open -> Result<u64, Errno>,
        Close -> Result<(), Errno>,
        Read -> Result<Bytes, Errno>,
        Write -> Result<u64, Errno>,
        Seek -> Result<u64, Errno>,
        CloseAll -> (),
        Explain -> Option<String>,
    }
}
