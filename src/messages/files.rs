//! Messages to the files actor.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};
use serde::{Deserialize, Serialize};

use super::ChannelId;
use crate::bus::inbox;

/// Opens a file for a channel. The reply has its descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Channel that opens it. Every channel may use the descriptor.
    pub channel: ChannelId,
    /// Path. Variables in it are expanded.
    pub path: Bytes,
    /// Open flags.
    pub flags: OpenFlags,
}

/// Closes a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor to close.
    pub fd: u64,
}

/// Maximum number of bytes in the reply to one [`Read`]. A longer read takes several messages.
pub const READ_MAX: u64 = 64 * 1024;

/// Reads at the current position. The reply may have fewer bytes than requested, and at most [`READ_MAX`]. It is empty only at the end of
/// the file, or if no bytes were requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor to read from.
    pub fd: u64,
    /// Maximum number of bytes to read.
    pub len: u64,
}

/// Writes all of `data` at the current position. The reply has the number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor to write to.
    pub fd: u64,
    /// Bytes to write.
    pub data: Bytes,
}

/// Sets the position. The reply has the new position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seek {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor to seek in.
    pub fd: u64,
    /// Position in bytes from the start.
    pub position: u64,
}

/// Closes all files that a channel has opened: it begins a new session, or the last channel has exited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseAll {
    /// Channel that opened the files.
    pub channel: ChannelId,
}

/// Takes the reason for the refusal of a channel's last operation. `None` if the error number is sufficient, or if the reason was already
/// taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// Channel of the operation.
    pub channel: ChannelId,
}

inbox! {
    /// All messages to the files actor.
    "files" {
        Open -> Result<u64, Errno> { channel: channel, payload: none },
        Close -> Result<(), Errno> { channel: channel, payload: none },
        Read -> Result<Bytes, Errno> { channel: channel, payload: none },
        Write -> Result<u64, Errno> { channel: channel, payload: data },
        Seek -> Result<u64, Errno> { channel: channel, payload: none },
        CloseAll -> () { channel: channel, payload: none },
        Explain -> Option<String> { channel: channel, payload: none },
    }
}
