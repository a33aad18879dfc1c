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
    /// Custom command; every number not listed here means the same.
    pub const OTHER: u32 = 0x8000_0000;
}

/// Values of a FILE request's first argument.
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
