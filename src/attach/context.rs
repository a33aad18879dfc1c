//! Description of a system for its attachments.

use std::fmt;
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;

use super::findings::{FindingRecipient, Findings, FoundErrors};
use crate::config::{ChannelConfig, same_firmware};
use crate::mem::{MemoryMap, Segments};
use crate::messages::RTT_HEADER;
use crate::messages::checkpoint::SavedStatistics;
use crate::messages::htif::WORD;
use crate::messages::semihosting::{STUB_LOCK, STUB_LOCK_LEN, STUB_WORDS};
use crate::messages::{ChannelDescriptor, ChannelId, Interface, MailboxPlace, SemihostingPlace};

/// Served channels, in the order of their ids.
pub fn channels(map: &MemoryMap, configured: &[ChannelConfig]) -> Arc<[ChannelDescriptor]> {
    // Already validated with the configuration.
    let placed = configured
        .iter()
        .filter_map(|channel| Some((channel, interface(map, channel)?)));
    let placed: Vec<_> = placed.collect();
    let ids = || (0..).map(ChannelId);
    let served = ids()
        .zip(&placed)
        .map(|(id, (channel, (interface, place)))| {
            // Mailboxes of one image belong to several cores, each with firmware of its own.
            let is_same = |other: &(&ChannelConfig, (Interface, Segments))| {
                let (other, (other_interface, _)) = other;
                let is_other = mem::discriminant(other_interface) != mem::discriminant(interface);
                is_other && other_interface.has_exit() && same_firmware(other, channel)
            };
            let mut mailboxes = ids()
                .zip(&placed)
                .filter(|(_, (_, (other, _)))| matches!(other, Interface::Mailbox(_)));
            let mut others = ids().zip(&placed).take_while(|(other, _)| *other != id);
            // A mailbox at any position comes first, so that the order of the channels has no
            // effect.
            let first = match interface {
                Interface::Mailbox(_) => None,
                _ => mailboxes
                    .find(|(_, other)| is_same(other))
                    .or_else(|| others.find(|(_, other)| is_same(other))),
            };
            ChannelDescriptor {
                name: channel.name.as_str().into(),
                space: channel.space,
                interface: interface.clone(),
                place: place.clone(),
                services: channel.services.clone(),
                firmware: first.map_or(id, |(first, _)| first),
            }
        });
    served.collect()
}

/// Interface of a channel, and the location of its words; `None` for a channel that is not served.
fn interface(map: &MemoryMap, channel: &ChannelConfig) -> Option<(Interface, Segments)> {
    let located = |address, len| map.resolve(channel.space, address, len).ok();
    let interface = channel.interface.clone()?;
    let place = match &interface {
        Interface::Mailbox(MailboxPlace { address, layout }) => {
            located(*address, layout.channel_size)?
        }
        Interface::Htif(htif) => {
            let words = [htif.tohost, htif.fromhost].map(|address| located(address, WORD));
            words.into_iter().flatten().flatten().collect()
        }
        Interface::Semihosting(SemihostingPlace { stub, .. }) => {
            // The lock follows the words that are polled.
            let parts = stub.map(|stub| [(stub, STUB_WORDS), (stub + STUB_LOCK, STUB_LOCK_LEN)]);
            let parts = parts.into_iter().flatten();
            let place = parts.filter_map(|(at, len)| located(at, len)).flatten();
            place.collect()
        }
        Interface::Rtt(rtt) => {
            // A range to search has accesses of others, too.
            let place = rtt.block.and_then(|block| located(block, RTT_HEADER));
            place.unwrap_or_default()
        }
    };
    Some((interface, place))
}

/// Description of a system for its attachments. It is `Send` and may be kept.
#[derive(Debug, Clone)]
pub struct AttachContext {
    channels: Arc<[ChannelDescriptor]>,
    way: FindingRecipient,
    found: Arc<FoundErrors>,
    moves: bool,
    counts: Arc<Mutex<Vec<Arc<dyn Counts>>>>,
}

/// Counts that a checkpoint keeps. The event
/// [`RestoreBegun`](crate::messages::events::RestoreBegun) brings them back.
pub(crate) trait Counts: fmt::Debug + Send + Sync {
    /// Present counts.
    fn saved(&self) -> SavedStatistics;
}

impl AttachContext {
    /// Creates a description. `found` counts the findings that are reported through `way`. `moves`
    /// is true if the system moves between threads.
    pub(crate) fn new(
        channels: Arc<[ChannelDescriptor]>,
        way: FindingRecipient,
        found: Arc<FoundErrors>,
        moves: bool,
    ) -> Self {
        Self {
            channels,
            way,
            found,
            moves,
            counts: Arc::default(),
        }
    }

    /// Has checkpoints keep these counts. Returns their position in
    /// [`RestoreBegun`](crate::messages::events::RestoreBegun).
    pub(super) fn keep(&self, counts: Arc<dyn Counts>) -> usize {
        let mut all = self.counts.lock();
        all.push(counts);
        all.len() - 1
    }

    /// Present counts of all attached statistics.
    pub(crate) fn counts(&self) -> Vec<SavedStatistics> {
        let all = self.counts.lock();
        all.iter().map(|counts| counts.saved()).collect()
    }

    /// Count of errors among the findings so far.
    pub(crate) fn found(&self) -> &FoundErrors {
        &self.found
    }

    /// True for the system of the C ABI, which moves between threads.
    pub(super) fn moves(&self) -> bool {
        self.moves
    }

    /// Served channels, in the order of their ids.
    pub fn channels(&self) -> &Arc<[ChannelDescriptor]> {
        &self.channels
    }

    /// Name of a channel; its number for an unknown one.
    pub fn name_of(&self, channel: ChannelId) -> Arc<str> {
        name_of(&self.channels, channel)
    }

    /// Sink of findings under the name `id`.
    pub fn findings(&self, id: &str) -> Findings {
        Findings::new(id, &self.way)
    }
}

/// Name of one of these channels; its number for an unknown one.
pub(super) fn name_of(channels: &[ChannelDescriptor], ChannelId(number): ChannelId) -> Arc<str> {
    let known = usize::try_from(number).ok().and_then(|at| channels.get(at));
    known.map_or_else(|| format!("#{number}").into(), |known| known.name.clone())
}
