//! Protocol of a channel, and the addresses of its words.

use mailbox_rs::{Layout, PtrWidth};

use super::flush::Flush;
use super::rtt::RttPlace;

/// Protocol between firmware and the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interface {
    /// Queues of requests and responses.
    Mailbox(MailboxPlace),
    /// The words `tohost` and `fromhost`.
    Htif(HtifPlace),
    /// Ring buffers of RTT.
    Rtt(RttPlace),
    /// Traps that the testbench detects, or that are replaced by jumps.
    Semihosting(SemihostingPlace),
}

/// Address and layout of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxPlace {
    /// Base address of the channel.
    pub address: u64,
    /// Offsets of the channel's words.
    pub layout: Layout,
}

/// Addresses of HTIF's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtifPlace {
    /// Address of the word with firmware's command.
    pub tohost: u64,
    /// Address of the word with the host's response.
    pub fromhost: u64,
    /// Ticks without a change after which a command of one half counts as complete.
    pub settle: u64,
    /// Signature to write at the exit.
    pub signature: Option<Signature>,
}

/// Place of semihosting, and properties of the code in place of its traps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemihostingPlace {
    /// Width of the registers.
    pub ptr_width: PtrWidth,
    /// Address of the code that replaces traps; `None` if the testbench detects them.
    pub stub: Option<u64>,
    /// Number of harts that firmware runs on.
    pub harts: u64,
    /// Instructions that write back and drop the data cache; `None` for a CPU without one.
    pub flush: Option<Flush>,
}

/// Memory that is written to a file at firmware's exit, for comparison with a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// File below the root.
    pub file: String,
    /// Address of its first byte.
    pub begin: u64,
    /// Address behind its last byte.
    pub end: u64,
    /// Number of bytes in a line of the file.
    pub granularity: u64,
}

impl Interface {
    /// True if firmware ends the channel by an exit.
    pub fn has_exit(&self) -> bool {
        !matches!(self, Self::Rtt(_))
    }

    /// Place of the mailbox; `None` for another protocol.
    pub fn mailbox(&self) -> Option<MailboxPlace> {
        match self {
            Self::Mailbox(place) => Some(*place),
            Self::Htif(_) | Self::Rtt(_) | Self::Semihosting(_) => None,
        }
    }
}
