//! What is known of a system where something is attached to it.

use std::sync::Arc;

use mailbox_rs::Layout;

use super::findings::{Findings, Way};
use crate::config::ChannelConfig;
use crate::mem::{MemoryMap, Segments, SpaceId};
use crate::messages::ChannelId;

/// One channel that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub name: Arc<str>,
    /// Its space.
    pub space: SpaceId,
    /// Where its bytes lie.
    pub place: Segments,
    /// How they are used.
    pub layout: Layout,
}

/// The channels that are served, in the order of their ids.
pub fn channels(map: &MemoryMap, configured: &[ChannelConfig]) -> Arc<[Channel]> {
    let served = configured.iter().filter_map(|channel| {
        let mailbox = channel.mailbox?;
        let size = mailbox.layout.channel_size;
        // Its place was checked with the configuration.
        let place = map.resolve(channel.space, mailbox.address, size).ok()?;
        Some(Channel {
            name: channel.name.as_str().into(),
            space: channel.space,
            place,
            layout: mailbox.layout,
        })
    });
    served.collect()
}

/// What is known of a system where something is attached to it. It may be kept, and sent to other threads.
#[derive(Debug, Clone)]
pub struct Site {
    channels: Arc<[Channel]>,
    way: Way,
    moves: bool,
}

impl Site {
    /// `moves` for a system that moves between threads.
    pub(crate) fn new(channels: Arc<[Channel]>, way: Way, moves: bool) -> Self {
        Self {
            channels,
            way,
            moves,
        }
    }

    /// True in the system of the C ABI, which moves between threads.
    pub(super) fn moves(&self) -> bool {
        self.moves
    }

    /// The channels that are served, in the order of their ids.
    pub fn channels(&self) -> &Arc<[Channel]> {
        &self.channels
    }

    /// The name of a channel; its number where there is none of it.
    pub fn name_of(&self, channel: ChannelId) -> Arc<str> {
        name_of(&self.channels, channel)
    }

    /// For whoever has something to say to the user, under the name `id`.
    pub fn findings(&self, id: &str) -> Findings {
        Findings::new(id, &self.way)
    }
}

/// The name of a channel among these; its number where there is none of it.
pub(super) fn name_of(channels: &[Channel], ChannelId(number): ChannelId) -> Arc<str> {
    let known = usize::try_from(number).ok().and_then(|at| channels.get(at));
    known.map_or_else(|| format!("#{number}").into(), |known| known.name.clone())
}
