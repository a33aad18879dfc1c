//! Validated channel of the mailbox configuration.

use std::sync::Arc;

use crate::channel::{ChannelServices, Interface, MailboxPlace};
use crate::mem::{Image, SpaceId};

/// A channel of the mailbox configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Key of the channel in the configuration.
    pub name: String,
    /// Address space of the channel's firmware.
    pub space: SpaceId,
    /// Image to load; `None` for `load: false` or without `elf`. Channels with the same file share
    /// one image.
    pub load: Option<Arc<Image>>,
    /// True if the image's segments are padded with zeros from their size in the file to their size
    /// in memory (NOBITS sections such as `.bss`). `zero_bss: false` leaves those bytes unchanged.
    pub zero_bss: bool,
    /// Image of the channel, loaded or not; `None` without `elf`, and for a channel that is neither
    /// loaded nor served.
    pub image: Option<Arc<Image>>,
    /// Protocol to serve; `None` for `server: false`.
    pub interface: Option<Interface>,
    /// Services of the channel.
    pub services: Arc<ChannelServices>,
}

impl ChannelConfig {
    /// Mailbox to serve; `None` for another protocol, and for `server: false`.
    pub fn mailbox(&self) -> Option<MailboxPlace> {
        self.interface.as_ref()?.mailbox()
    }
}
