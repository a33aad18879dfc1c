//! Messages to the files actor.

use bytes::Bytes;
use mailbox_rs::{AccessMode, Errno, FileStatus, FileType, OpenFlags, PosixFlags, Whence};
use serde::{Deserialize, Serialize};

use super::ChannelId;
use super::checkpoint::{FileChangeReport, SavedFiles};
use crate::bus::{Attributes, Body, inbox};

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

/// Path in a message as firmware gives it; `None` for a message without one.
pub fn path_of(message: &dyn Body) -> Option<&Bytes> {
    let open = message.downcast_ref().map(|it: &Open| &it.path);
    open.or_else(|| message.downcast_ref().map(|it: &PosixOpen| &it.path))
        .or_else(|| message.downcast_ref().map(|it: &PathStatus| &it.path))
        .or_else(|| message.downcast_ref().map(|it: &ActOnPath| &it.path))
}

/// New path in a message that renames a file, as firmware gives it.
pub fn new_path_of(message: &dyn Body) -> Option<&Bytes> {
    let act: &ActOnPath = message.downcast_ref()?;
    match &act.action {
        PathAction::Rename { to } => Some(to),
        PathAction::Access(_)
        | PathAction::Unlink
        | PathAction::MakeDirectory { .. }
        | PathAction::RemoveDirectory => None,
    }
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

/// Reads at the current position. The reply may have fewer bytes than requested, and at most
/// [`READ_MAX`]. It is empty only at the end of the file, or if no bytes were requested.
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

/// Closes all files that a channel has opened. Sent at the start of a new session, and after the
/// last channel's exit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseAll {
    /// Channel that opened the files.
    pub channel: ChannelId,
}

/// Takes the reason why a channel's last operation was refused. `None` if the error number says
/// enough, or if the reason was already taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// Channel of the operation.
    pub channel: ChannelId,
}

/// Opens a file or a directory for a channel, with POSIX's flags. The reply has its descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PosixOpen {
    /// Channel that opens it. Every channel may use the descriptor.
    pub channel: ChannelId,
    /// Path. Variables in it are expanded.
    pub path: Bytes,
    /// Open flags.
    pub flags: PosixFlags,
    /// Permission bits of a created file.
    pub mode: u32,
}

/// Writes `data` at the current position, or the part of it for which the file has room. The reply
/// has the number of bytes, which is 0 only for empty data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteSome {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor to write to.
    pub fd: u64,
    /// Bytes to write.
    pub data: Bytes,
}

/// Moves the position. The reply has the new position, in bytes from the start. The position in a
/// directory counts entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lseek {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor to seek in.
    pub fd: u64,
    /// Origin of the offset.
    pub whence: Whence,
    /// Offset in bytes.
    pub offset: i64,
}

/// Asks for the status of an open file or directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptorStatus {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor of the file.
    pub fd: u64,
}

/// Asks for the status of a path. Symbolic links are followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStatus {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Path. Variables in it are expanded.
    pub path: Bytes,
}

/// Acts on a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActOnPath {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Path. Variables in it are expanded.
    pub path: Bytes,
    /// The action.
    pub action: PathAction,
}

/// Action on a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathAction {
    /// Checks permissions. Symbolic links are followed.
    Access(AccessMode),
    /// Removes a file or a symbolic link.
    Unlink,
    /// Renames a file, a symbolic link or a directory.
    Rename {
        /// New path. Variables in it are expanded.
        to: Bytes,
    },
    /// Creates a directory.
    MakeDirectory {
        /// Permission bits.
        mode: u32,
    },
    /// Removes an empty directory.
    RemoveDirectory,
}

/// Reads the next entries of a directory. The reply has whole records of the protocol, in the order
/// of their names, in total at most `len` bytes and at most [`READ_MAX`]. It is empty after the
/// last entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadDirectory {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor of the directory.
    pub fd: u64,
    /// Maximum number of bytes.
    pub len: u64,
}

/// Sets the length of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLength {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor of the file.
    pub fd: u64,
    /// New length in bytes.
    pub len: u64,
}

/// Writes a file's data to its device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// Requesting channel.
    pub channel: ChannelId,
    /// Descriptor of the file.
    pub fd: u64,
}

/// Entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// Name in the directory.
    pub name: Bytes,
    /// Serial number of the file.
    pub inode: u64,
    /// Type of the file.
    pub file_type: FileType,
}

/// Asks for the open descriptors, for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save;

/// Closes all descriptors, and opens those of a checkpoint. The reply has the changes of files
/// since the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Descriptors of the checkpoint.
    pub files: SavedFiles,
}

impl Attributes for FileStatus {}

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
        PosixOpen -> Result<u64, Errno> { channel: channel, payload: none },
        WriteSome -> Result<u64, Errno> { channel: channel, payload: data },
        Lseek -> Result<u64, Errno> { channel: channel, payload: none },
        DescriptorStatus -> Result<FileStatus, Errno> { channel: channel, payload: none },
        PathStatus -> Result<FileStatus, Errno> { channel: channel, payload: none },
        ActOnPath -> Result<(), Errno> { channel: channel, payload: none },
        ReadDirectory -> Result<Bytes, Errno> { channel: channel, payload: none },
        SetLength -> Result<(), Errno> { channel: channel, payload: none },
        Sync -> Result<(), Errno> { channel: channel, payload: none },
        Save -> SavedFiles { channel: none, payload: none },
        Restore -> Vec<FileChangeReport> { channel: none, payload: none },
    }
}
