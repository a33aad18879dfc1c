//! Description of a system for its attachments.

use std::sync::Arc;

use super::channel_services::services;
use super::findings::{FindingRecipient, Findings};
use crate::config::ChannelConfig;
use crate::mem::MemoryMap;
use crate::messages::{ChannelDescriptor, ChannelId};

/// Served channels, in the order of their ids.
pub fn channels(map: &MemoryMap, configured: &[ChannelConfig]) -> Arc<[ChannelDescriptor]> {
    let served = configured.iter().filter_map(|channel| {
        let mailbox = channel.mailbox?;
        let size = mailbox.layout.channel_size;
        // Validated with the configuration.
        let place = map.resolve(channel.space, mailbox.address, size).ok()?;
        Some(ChannelDescriptor {
            name: channel.name.as_str().into(),
            space: channel.space,
            address: mailbox.address,
            layout: mailbox.layout,
            place,
            services: Arc::new(services(&channel.services)),
        })
    });
    served.collect()
}

/// Description of a system for its attachments. It is `Send` and may be kept.
#[derive(Debug, Clone)]
pub struct AttachContext {
    channels: Arc<[ChannelDescriptor]>,
    way: FindingRecipient,
    moves: bool,
}

impl AttachContext {
    /// Creates a description. `moves` is true if the system moves between threads.
    pub(crate) fn new(
        channels: Arc<[ChannelDescriptor]>,
        way: FindingRecipient,
        moves: bool,
    ) -> Self {
        Self {
            channels,
            way,
            moves,
        }
    }

    /// True for the system of the C ABI, which moves between threads.
    pub(super) fn moves(&self) -> bool {
        self.moves
    }

    /// Served channels, in the order of their ids.
    pub fn channels(&self) -> &Arc<[ChannelDescriptor]> {
        &self.channels
    }

    /// Name of a channel; its number if unknown.
    pub fn name_of(&self, channel: ChannelId) -> Arc<str> {
        name_of(&self.channels, channel)
    }

    /// Sink of findings under the name `id`.
    pub fn findings(&self, id: &str) -> Findings {
        Findings::new(id, &self.way)
    }
}

/// Name of one of these channels; its number if unknown.
pub(super) fn name_of(channels: &[ChannelDescriptor], ChannelId(number): ChannelId) -> Arc<str> {
    let known = usize::try_from(number).ok().and_then(|at| channels.get(at));
    known.map_or_else(|| format!("#{number}").into(), |known| known.name.clone())
}
