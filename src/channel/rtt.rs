//! RTT of a channel: place of the control block, targets and modes of up channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use mailbox_rs::PtrWidth;

/// Length of the header of RTT's control block, in bytes: its identifier, and two numbers of
/// buffers.
pub const RTT_HEADER: u64 = 24;

/// Place of RTT's control block, and targets of its up channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RttPlace {
    /// Address of the control block; `None` if the host searches for it.
    pub block: Option<u64>,
    /// Ranges to search: first address, and the address behind the last byte.
    pub search: Vec<(u64, u64)>,
    /// Width of the control block's pointers.
    pub ptr_width: PtrWidth,
    /// Targets of up channels, by their names or numbers.
    pub up: BTreeMap<String, UpTarget>,
    /// Modes that the host sets, by names or numbers of up channels.
    pub modes: BTreeMap<String, RttMode>,
}

/// Target of the bytes of an up channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpTarget {
    /// Standard output of the channel, unchanged.
    Console,
    /// Lines of the console, each with the name of the up channel.
    Lines,
    /// No target: the bytes are dropped.
    Nothing,
    /// File below the root, by its path.
    File(String),
    /// Clients of a TCP socket on 127.0.0.1 with this port; 0 is a free one.
    Socket(u16),
    /// Method that is called with each piece.
    Method(Arc<str>),
    /// Reports from frames of defmt.
    Defmt,
}

/// Mode of firmware for a full up buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RttMode {
    /// The text is dropped as a whole.
    Skip,
    /// The rest of the text is dropped.
    Trim,
    /// Firmware waits for room.
    Block,
}

impl RttMode {
    /// Lowest two bits of the flags of an up buffer.
    pub(crate) fn bits(self) -> u8 {
        match self {
            Self::Skip => 0,
            Self::Trim => 1,
            Self::Block => 2,
        }
    }
}
