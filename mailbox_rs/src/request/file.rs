//! File operations: arguments of a FILE request and their meaning.
//!
//! Source: protocol, sections *Requests* and *Operations of version 0.3*.

use core::fmt;

use super::codes::operation;
use super::{AccessMode, Args, Malformed, OpenFlags, PosixFlags, Whence};
use crate::header::{NEWEST, VERSION, Version};
use crate::layout::REQUEST_ARGS;

/// Maximum number of a FILE request's words, the operation included.
pub const FILE_WORDS: usize = 6;

/// File operation. Those from [`PosixOpen`](Self::PosixOpen) exist only in protocol 0.3. Paths are
/// addresses of NUL-terminated strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FileRequest {
    /// Open a file. The response is a descriptor, which is at least 10.
    Open {
        /// Path, a NUL-terminated string.
        path: u64,
        /// Open flags.
        flags: OpenFlags,
    },
    /// Close a descriptor. No response.
    Close {
        /// File descriptor.
        fd: u64,
    },
    /// Read into memory. The response is the number of bytes read.
    Read {
        /// File descriptor.
        fd: u64,
        /// Destination address.
        ptr: u64,
        /// Maximum length in bytes; 0 for the rest of the file.
        len: u64,
    },
    /// Write from memory. The response is the number of bytes written.
    Write {
        /// File descriptor.
        fd: u64,
        /// Source address.
        ptr: u64,
        /// Length in bytes.
        len: u64,
    },
    /// Set the position. The response is the new position.
    Seek {
        /// File descriptor.
        fd: u64,
        /// Position in bytes from the start.
        position: u64,
    },
    /// Open a file or a directory with POSIX's flags. The response is a descriptor, which is at
    /// least 10.
    PosixOpen {
        /// Path, a NUL-terminated string.
        path: u64,
        /// Open flags.
        flags: PosixFlags,
        /// Permission bits of a created file. The host's `umask` limits them.
        mode: u32,
    },
    /// Close a descriptor, with a response.
    CheckedClose {
        /// File descriptor.
        fd: u64,
    },
    /// Set the position. The new one is written to memory, in 8 bytes.
    Lseek {
        /// File descriptor.
        fd: u64,
        /// Origin of the offset.
        whence: Whence,
        /// Offset in bytes. Two words, the lower one first.
        offset: i64,
        /// Address of the new position.
        result: u64,
    },
    /// Write the status of a descriptor to memory, as a [`FileStatus`](crate::FileStatus).
    Fstat {
        /// File descriptor.
        fd: u64,
        /// Address of the status.
        result: u64,
    },
    /// Write the status of a path to memory, as a [`FileStatus`](crate::FileStatus). A symbolic
    /// link is followed.
    Stat {
        /// Path, a NUL-terminated string.
        path: u64,
        /// Address of the status.
        result: u64,
    },
    /// Check permissions of a path.
    Access {
        /// Path, a NUL-terminated string.
        path: u64,
        /// Permissions to check.
        mode: AccessMode,
    },
    /// Remove a file or a symbolic link.
    Unlink {
        /// Path, a NUL-terminated string.
        path: u64,
    },
    /// Rename a file or a directory. An existing file is replaced.
    Rename {
        /// Path, a NUL-terminated string.
        from: u64,
        /// New path.
        to: u64,
    },
    /// Create a directory.
    Mkdir {
        /// Path, a NUL-terminated string.
        path: u64,
        /// Permission bits. The host's `umask` limits them.
        mode: u32,
    },
    /// Remove an empty directory.
    Rmdir {
        /// Path, a NUL-terminated string.
        path: u64,
    },
    /// Write entries of an open directory to memory, as
    /// [`DirectoryRecord`](crate::DirectoryRecord)s. The response is the number of bytes written, 0
    /// after the last entry.
    Readdir {
        /// File descriptor.
        fd: u64,
        /// Destination address.
        ptr: u64,
        /// Size of the destination in bytes.
        len: u64,
    },
    /// Set the length of a file.
    Ftruncate {
        /// File descriptor.
        fd: u64,
        /// New length in bytes. Two words, the lower one first.
        len: u64,
    },
    /// Write a file's data to its device.
    Fsync {
        /// File descriptor.
        fd: u64,
    },
    /// Write the program's arguments to memory, each with its NUL. The response is the number of
    /// bytes of all arguments, of which those that fit are written.
    Argv {
        /// Destination address.
        ptr: u64,
        /// Size of the destination in bytes.
        len: u64,
    },
    /// Write the program's environment to memory, as `NAME=value`, each with its NUL. The response
    /// is as for [`Argv`](Self::Argv).
    Env {
        /// Destination address.
        ptr: u64,
        /// Size of the destination in bytes.
        len: u64,
    },
    /// Write the time to memory, as a [`Timestamp`](crate::Timestamp).
    Time {
        /// Address of the time.
        result: u64,
    },
    /// Fill memory with random bytes. The response is their number.
    Random {
        /// Destination address.
        ptr: u64,
        /// Length in bytes.
        len: u64,
    },
}

impl FileRequest {
    /// Name of the request: `"FILE READ"`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Open { .. } => "FILE OPEN",
            Self::Close { .. } => "FILE CLOSE",
            Self::Read { .. } => "FILE READ",
            Self::Write { .. } => "FILE WRITE",
            Self::Seek { .. } => "FILE SEEK",
            Self::PosixOpen { .. } => "FILE POSIX_OPEN",
            Self::CheckedClose { .. } => "FILE CHECKED_CLOSE",
            Self::Lseek { .. } => "FILE LSEEK",
            Self::Fstat { .. } => "FILE FSTAT",
            Self::Stat { .. } => "FILE STAT",
            Self::Access { .. } => "FILE ACCESS",
            Self::Unlink { .. } => "FILE UNLINK",
            Self::Rename { .. } => "FILE RENAME",
            Self::Mkdir { .. } => "FILE MKDIR",
            Self::Rmdir { .. } => "FILE RMDIR",
            Self::Readdir { .. } => "FILE READDIR",
            Self::Ftruncate { .. } => "FILE FTRUNCATE",
            Self::Fsync { .. } => "FILE FSYNC",
            Self::Argv { .. } => "FILE ARGV",
            Self::Env { .. } => "FILE ENV",
            Self::Time { .. } => "FILE TIME",
            Self::Random { .. } => "FILE RANDOM",
        }
    }

    /// Name of the operation in a host's configuration.
    pub(super) const fn operation_name(&self) -> &'static str {
        match self {
            Self::Open { .. } | Self::PosixOpen { .. } => "open",
            Self::Close { .. } | Self::CheckedClose { .. } => "close",
            Self::Read { .. } => "read",
            Self::Write { .. } => "write",
            Self::Seek { .. } | Self::Lseek { .. } => "seek",
            Self::Fstat { .. } | Self::Stat { .. } => "stat",
            Self::Access { .. } => "access",
            Self::Unlink { .. } => "unlink",
            Self::Rename { .. } => "rename",
            Self::Mkdir { .. } => "mkdir",
            Self::Rmdir { .. } => "rmdir",
            Self::Readdir { .. } => "readdir",
            Self::Ftruncate { .. } => "truncate",
            Self::Fsync { .. } => "sync",
            Self::Argv { .. } => "args",
            Self::Env { .. } => "env",
            Self::Time { .. } => "time",
            Self::Random { .. } => "random",
        }
    }

    /// Number of the operation on the wire.
    #[must_use]
    pub const fn operation(&self) -> u64 {
        match self {
            Self::Open { .. } => operation::OPEN,
            Self::Close { .. } => operation::CLOSE,
            Self::Read { .. } => operation::READ,
            Self::Write { .. } => operation::WRITE,
            Self::Seek { .. } => operation::SEEK,
            Self::PosixOpen { .. } => operation::POSIX_OPEN,
            Self::CheckedClose { .. } => operation::CHECKED_CLOSE,
            Self::Lseek { .. } => operation::LSEEK,
            Self::Fstat { .. } => operation::FSTAT,
            Self::Stat { .. } => operation::STAT,
            Self::Access { .. } => operation::ACCESS,
            Self::Unlink { .. } => operation::UNLINK,
            Self::Rename { .. } => operation::RENAME,
            Self::Mkdir { .. } => operation::MKDIR,
            Self::Rmdir { .. } => operation::RMDIR,
            Self::Readdir { .. } => operation::READDIR,
            Self::Ftruncate { .. } => operation::FTRUNCATE,
            Self::Fsync { .. } => operation::FSYNC,
            Self::Argv { .. } => operation::ARGV,
            Self::Env { .. } => operation::ENV,
            Self::Time { .. } => operation::TIME,
            Self::Random { .. } => operation::RANDOM,
        }
    }

    /// Lowest protocol version that has the operation.
    #[must_use]
    pub const fn since(&self) -> Version {
        if self.operation() > operation::LAST_OF_0_2 {
            NEWEST
        } else {
            VERSION
        }
    }

    /// Number of argument words, the operation included.
    #[must_use]
    pub const fn needed_words(&self) -> u32 {
        match self {
            Self::Close { .. }
            | Self::CheckedClose { .. }
            | Self::Unlink { .. }
            | Self::Rmdir { .. }
            | Self::Fsync { .. }
            | Self::Time { .. } => 2,
            Self::Open { .. }
            | Self::Seek { .. }
            | Self::Fstat { .. }
            | Self::Stat { .. }
            | Self::Access { .. }
            | Self::Rename { .. }
            | Self::Mkdir { .. }
            | Self::Argv { .. }
            | Self::Env { .. }
            | Self::Random { .. } => 3,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::PosixOpen { .. }
            | Self::Readdir { .. }
            | Self::Ftruncate { .. } => 4,
            Self::Lseek { .. } => FILE_WORDS as u32,
        }
    }

    /// Operation in a FILE entry's arguments. Fields narrower than a word are taken from its low
    /// end.
    pub(super) const fn of_args(args: &[u64; REQUEST_ARGS]) -> Result<Self, Malformed> {
        let [operation, a, b, c, d, e, ..] = *args;
        Ok(match operation {
            operation::OPEN => Self::Open {
                path: a,
                flags: OpenFlags(b as u32),
            },
            operation::CLOSE => Self::Close { fd: a },
            operation::READ => Self::Read {
                fd: a,
                ptr: b,
                len: c,
            },
            operation::WRITE => Self::Write {
                fd: a,
                ptr: b,
                len: c,
            },
            operation::SEEK => Self::Seek { fd: a, position: b },
            operation::POSIX_OPEN => Self::PosixOpen {
                path: a,
                flags: PosixFlags(b as u32),
                mode: c as u32,
            },
            operation::CHECKED_CLOSE => Self::CheckedClose { fd: a },
            operation::LSEEK => Self::Lseek {
                fd: a,
                whence: Whence::of(b),
                offset: join(c, d) as i64,
                result: e,
            },
            operation::FSTAT => Self::Fstat { fd: a, result: b },
            operation::STAT => Self::Stat { path: a, result: b },
            operation::ACCESS => Self::Access {
                path: a,
                mode: AccessMode(b as u32),
            },
            operation::UNLINK => Self::Unlink { path: a },
            operation::RENAME => Self::Rename { from: a, to: b },
            operation::MKDIR => Self::Mkdir {
                path: a,
                mode: b as u32,
            },
            operation::RMDIR => Self::Rmdir { path: a },
            operation::READDIR => Self::Readdir {
                fd: a,
                ptr: b,
                len: c,
            },
            operation::FTRUNCATE => Self::Ftruncate {
                fd: a,
                len: join(b, c),
            },
            operation::FSYNC => Self::Fsync { fd: a },
            operation::ARGV => Self::Argv { ptr: a, len: b },
            operation::ENV => Self::Env { ptr: a, len: b },
            operation::TIME => Self::Time { result: a },
            operation::RANDOM => Self::Random { ptr: a, len: b },
            operation => return Err(Malformed::UnknownFileOperation { operation }),
        })
    }

    /// Words of the request, the operation first.
    pub(super) fn args(&self) -> Args<FILE_WORDS> {
        let operation = self.operation();
        match *self {
            Self::Open { path, flags } => [operation, path, flags.0.into()].into(),
            Self::PosixOpen { path, flags, mode } => {
                [operation, path, flags.0.into(), mode.into()].into()
            }
            Self::Close { fd } | Self::CheckedClose { fd } | Self::Fsync { fd } => {
                [operation, fd].into()
            }
            Self::Read { fd, ptr, len }
            | Self::Write { fd, ptr, len }
            | Self::Readdir { fd, ptr, len } => [operation, fd, ptr, len].into(),
            Self::Seek { fd, position } => [operation, fd, position].into(),
            Self::Lseek {
                fd,
                whence,
                offset,
                result,
            } => {
                let (low, high) = split(offset as u64);
                [operation, fd, whence.number(), low, high, result].into()
            }
            Self::Fstat { fd: of, result } | Self::Stat { path: of, result } => {
                [operation, of, result].into()
            }
            Self::Access { path, mode } => [operation, path, mode.0.into()].into(),
            Self::Mkdir { path, mode } => [operation, path, mode.into()].into(),
            Self::Unlink { path } | Self::Rmdir { path } => [operation, path].into(),
            Self::Rename { from, to } => [operation, from, to].into(),
            Self::Ftruncate { fd, len } => {
                let (low, high) = split(len);
                [operation, fd, low, high].into()
            }
            Self::Argv { ptr, len } | Self::Env { ptr, len } | Self::Random { ptr, len } => {
                [operation, ptr, len].into()
            }
            Self::Time { result } => [operation, result].into(),
        }
    }
}

/// Number of 64 bits from the lower 32 bits of two words.
const fn join(low: u64, high: u64) -> u64 {
    low as u32 as u64 | high << 32
}

/// Low and high 32 bits of a number.
const fn split(number: u64) -> (u64, u64) {
    (number as u32 as u64, number >> 32)
}

/// Format: the fields with their names; addresses and bits in hex.
impl fmt::Display for FileRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Open { path, flags } => write!(f, " path {path:#x} flags {:#x}", flags.0),
            Self::Close { fd } | Self::CheckedClose { fd } | Self::Fsync { fd } => {
                write!(f, " fd {fd}")
            }
            Self::Read { fd, ptr, len }
            | Self::Write { fd, ptr, len }
            | Self::Readdir { fd, ptr, len } => write!(f, " fd {fd} ptr {ptr:#x} len {len}"),
            Self::Seek { fd, position } => write!(f, " fd {fd} position {position}"),
            Self::PosixOpen { path, flags, mode } => {
                write!(f, " path {path:#x} flags {:#x} mode {mode:#o}", flags.0)
            }
            Self::Lseek {
                fd,
                whence,
                offset,
                result,
            } => write!(
                f,
                " fd {fd} whence {} offset {offset} result {result:#x}",
                whence.number()
            ),
            Self::Fstat { fd, result } => write!(f, " fd {fd} result {result:#x}"),
            Self::Stat { path, result } => write!(f, " path {path:#x} result {result:#x}"),
            Self::Access { path, mode } => write!(f, " path {path:#x} mode {:#x}", mode.0),
            Self::Unlink { path } | Self::Rmdir { path } => write!(f, " path {path:#x}"),
            Self::Rename { from, to } => write!(f, " from {from:#x} to {to:#x}"),
            Self::Mkdir { path, mode } => write!(f, " path {path:#x} mode {mode:#o}"),
            Self::Ftruncate { fd, len } => write!(f, " fd {fd} len {len}"),
            Self::Argv { ptr, len } | Self::Env { ptr, len } | Self::Random { ptr, len } => {
                write!(f, " ptr {ptr:#x} len {len}")
            }
            Self::Time { result } => write!(f, " result {result:#x}"),
        }
    }
}
