//! Request numbers on the wire.
//!
//! Source: protocol, section *Requests*.

use core::fmt;

/// Values of a request entry's `action`.
pub mod action {
    /// Idle: a zeroed entry, malformed.
    pub const IDLE: u32 = 0;
    /// End of firmware.
    pub const EXIT: u32 = 1;
    /// Print bytes.
    pub const PRINT: u32 = 2;
    /// Print as C's `printf` does.
    pub const CPRINT: u32 = 3;
    /// Copy memory.
    pub const MEMMOVE: u32 = 4;
    /// Fill memory.
    pub const MEMSET: u32 = 5;
    /// Compare memory.
    pub const MEMCMP: u32 = 6;
    /// Call a method of the testbench.
    pub const CALL: u32 = 7;
    /// File operation, see [`operation`](super::operation).
    pub const FILE: u32 = 8;
    /// Custom command. All numbers that are not listed here have the same meaning.
    pub const OTHER: u32 = 0x8000_0000;
}

/// Values of a FILE request's first argument. Those from [`POSIX_OPEN`](operation::POSIX_OPEN)
/// exist only in protocol 0.3.
pub mod operation {
    /// Open a file.
    pub const OPEN: u64 = 0;
    /// Close a descriptor.
    pub const CLOSE: u64 = 1;
    /// Read from a descriptor.
    pub const READ: u64 = 2;
    /// Write to a descriptor.
    pub const WRITE: u64 = 3;
    /// Move a descriptor's position.
    pub const SEEK: u64 = 4;
    /// Open a file or a directory with POSIX's flags.
    pub const POSIX_OPEN: u64 = 5;
    /// Close a descriptor, with a response.
    pub const CHECKED_CLOSE: u64 = 6;
    /// Move a descriptor's position from the start, the position or the end.
    pub const LSEEK: u64 = 7;
    /// Read the status of a descriptor.
    pub const FSTAT: u64 = 8;
    /// Read the status of a path.
    pub const STAT: u64 = 9;
    /// Check permissions of a path.
    pub const ACCESS: u64 = 10;
    /// Remove a file.
    pub const UNLINK: u64 = 11;
    /// Rename a file or a directory.
    pub const RENAME: u64 = 12;
    /// Create a directory.
    pub const MKDIR: u64 = 13;
    /// Remove an empty directory.
    pub const RMDIR: u64 = 14;
    /// Read entries of a directory.
    pub const READDIR: u64 = 15;
    /// Set the length of a file.
    pub const FTRUNCATE: u64 = 16;
    /// Write a file's data to its device.
    pub const FSYNC: u64 = 17;
    /// Read the program's arguments.
    pub const ARGV: u64 = 18;
    /// Read the program's environment.
    pub const ENV: u64 = 19;
    /// Read the time.
    pub const TIME: u64 = 20;
    /// Fill memory with random bytes.
    pub const RANDOM: u64 = 21;

    /// Highest operation of protocol 0.2.
    pub const LAST_OF_0_2: u64 = SEEK;
    /// Highest operation of protocol 0.3.
    pub const LAST: u64 = RANDOM;
}

/// Name of a request, for messages.
pub(super) const fn action_name(action: u32) -> &'static str {
    match action {
        action::IDLE => "IDLE",
        action::EXIT => "EXIT",
        action::PRINT => "PRINT",
        action::CPRINT => "CPRINT",
        action::MEMMOVE => "MEMMOVE",
        action::MEMSET => "MEMSET",
        action::MEMCMP => "MEMCMP",
        action::CALL => "CALL",
        action::FILE => "FILE",
        _ => "OTHER",
    }
}

/// Words as a list in hex, for messages.
pub(super) struct Hex<'a>(pub(super) &'a [u64]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, word) in self.0.iter().enumerate() {
            write!(f, "{}{word:#x}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}
