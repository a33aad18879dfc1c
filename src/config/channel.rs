//! Validated channel of the mailbox configuration.

use std::sync::Arc;

use mailbox_rs::Layout;

use super::channel_services::ServicesConfig;
use super::htif::HtifConfig;
use super::rtt::RttConfig;
use super::semihosting::SemihostingConfig;
use crate::mem::{Image, SpaceId};

/// A channel of the mailbox configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Key of the channel in the configuration.
    pub name: String,
    /// Address space of the channel's firmware.
    pub space: SpaceId,
    /// Image to load; `None` for `load: false` or without `elf`. Channels with the same file share one image.
    pub load: Option<Arc<Image>>,
    /// True if the image's segments are padded with zeros from their size in the file to their size in memory (NOBITS sections such as
    /// `.bss`). `zero_bss: false` leaves those bytes unchanged.
    pub zero_bss: bool,
    /// Image of the channel, loaded or not; `None` without `elf`, and for a channel that is neither loaded nor served.
    pub image: Option<Arc<Image>>,
    /// Protocol to serve; `None` for `server: false`.
    pub front_end: Option<FrontEnd>,
    /// Services of the channel.
    pub services: ServicesConfig,
}

impl ChannelConfig {
    /// Mailbox to serve; `None` for another protocol, and for `server: false`.
    pub fn mailbox(&self) -> Option<Mailbox> {
        match self.front_end {
            Some(FrontEnd::Mailbox(mailbox)) => Some(mailbox),
            Some(FrontEnd::Htif(_) | FrontEnd::Rtt(_) | FrontEnd::Semihosting(_)) | None => None,
        }
    }
}

/// Protocol between firmware and the host, and the location of its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrontEnd {
    /// Queues of requests and responses.
    Mailbox(Mailbox),
    /// The words `tohost` and `fromhost`.
    Htif(HtifConfig),
    /// Ring buffers of RTT.
    Rtt(RttConfig),
    /// Traps that the testbench observes, or that are replaced by jumps.
    Semihosting(SemihostingConfig),
}

/// Address and layout of a channel in memories of its space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mailbox {
    /// Base address.
    pub address: u64,
    /// Layout of the channel's fields.
    pub layout: Layout,
}
