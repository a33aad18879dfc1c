//! Channels, and how messages refer to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use mailbox_rs::{Layout, PtrWidth};
use serde::{Deserialize, Serialize};

use super::{ChannelServices, Name};
use crate::bus::{Topic, TopicField};
use crate::mem::{Segments, SpaceId};

/// Number of a channel: its position among the served channels, in the order of the mailbox configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId(pub u32);

/// Description of a served channel. Its [`ChannelId`] is its position in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDescriptor {
    /// Name of the channel.
    pub name: Name,
    /// Address space of the channel's words and of firmware's pointers.
    pub space: SpaceId,
    /// Protocol of the channel, and the addresses of its words.
    pub interface: Interface,
    /// Location of the channel's words in memory.
    pub place: Segments,
    /// Configured services.
    pub services: Arc<ChannelServices>,
    /// Channel whose exit also ends this one: the first channel of the same firmware that has an
    /// exit, or the channel itself.
    pub firmware: ChannelId,
}

/// Protocol between firmware and the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interface {
    /// Queues of requests and responses.
    Mailbox(MailboxPlace),
    /// The words `tohost` and `fromhost`.
    Htif(HtifPlace),
    /// Ring buffers of RTT.
    Rtt(RttPlace),
    /// Traps that the testbench observes, or that are replaced by jumps.
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
    /// Number of ticks without a change after which the first half of a command counts as a whole
    /// command.
    pub settle: u64,
    /// Signature to write at the exit.
    pub signature: Option<Signature>,
}

/// Place of semihosting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemihostingPlace {
    /// Width of the registers.
    pub ptr_width: PtrWidth,
    /// Address of the code that replaces traps; `None` if the testbench observes them.
    pub stub: Option<u64>,
}

/// Size of RTT's control block before its buffer descriptors, in bytes: its magic text and two
/// counts.
pub const RTT_HEADER: u64 = 24;

/// Location of RTT's control block, and targets of its up channels.
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
    /// Modes that the host sets in the lowest two bits of the flags, by names or numbers of up
    /// channels.
    pub modes: BTreeMap<String, u8>,
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
    /// Clients of a TCP socket with this port; 0 selects a free port.
    Socket(u16),
    /// Method that is called with each chunk of bytes.
    Method(Name),
    /// Decoder of defmt's frames, which become reports.
    Defmt,
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
}

impl ChannelDescriptor {
    /// Place of the mailbox, if the channel has one.
    pub fn mailbox(&self) -> Option<MailboxPlace> {
        match self.interface {
            Interface::Mailbox(place) => Some(place),
            Interface::Htif(_) | Interface::Rtt(_) | Interface::Semihosting(_) => None,
        }
    }
}

impl TopicField for ChannelId {
    fn topic(&self) -> Option<Topic<'_>> {
        Some(Topic::Id(self.0))
    }
}

impl TopicField for Option<ChannelId> {
    fn topic(&self) -> Option<Topic<'_>> {
        self.as_ref()?.topic()
    }
}
