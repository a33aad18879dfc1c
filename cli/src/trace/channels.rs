//! Channels of a recording, from the mailbox configuration in its header.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use vhost::attach::{ChannelAttribution, channels};
use vhost::bus::Body;
use vhost::config;
use vhost::mem::MemoryMap;
use vhost::messages::{ChannelDescriptor, Clock};
use vhost::trace::{Entry, Header, Source};

/// Determines the channel of an entry. Without a readable configuration, channels have only
/// numbers.
pub(crate) struct Channels {
    map: Rc<MemoryMap>,
    attribution: ChannelAttribution,
}

impl Channels {
    pub(crate) fn of(header: &Header) -> Self {
        let map = map(header).unwrap_or_default();
        let served = served(header, &map).unwrap_or_default();
        Self {
            map: Rc::new(map),
            attribution: ChannelAttribution::new(served),
        }
    }

    /// Memory map of the recording.
    pub(crate) fn map(&self) -> &Rc<MemoryMap> {
        &self.map
    }

    /// Descriptions of the served channels.
    pub(crate) fn descriptors(&self) -> &[ChannelDescriptor] {
        self.attribution.channels()
    }

    /// Names of the served channels.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let channels = self.attribution.channels().iter();
        channels.map(|channel| &*channel.name)
    }

    /// Period of a tick in picoseconds, if all channels have the same one.
    pub(crate) fn period(&self) -> Option<u64> {
        let mut clocks = self
            .descriptors()
            .iter()
            .map(|channel| channel.services.clock);
        let first = clocks.next()?;
        match first {
            Clock::Ticks { picoseconds } if clocks.all(|other| other == first) => Some(picoseconds),
            _ => None,
        }
    }

    /// Channel of an entry. Entries must be passed in recorded order.
    pub(crate) fn channel_of(
        &mut self,
        entry: &Entry,
        body: Option<&dyn Body>,
    ) -> Option<Arc<str>> {
        self.attribution.channel_of(entry.passing(body))
    }
}

/// Memory map of a recording; `None` if its configuration can't be read.
pub(super) fn map(header: &Header) -> Option<MemoryMap> {
    let Source { file, text } = header.memories.as_ref()?;
    config::parse_memory_map(text, Path::new(file), header).ok()
}

fn served(header: &Header, map: &MemoryMap) -> Option<Arc<[ChannelDescriptor]>> {
    let Source { file, text } = header.mailboxes.as_ref()?;
    let configured = config::parse_mailboxes(text, Path::new(file), map, header).ok()?;
    Some(channels(map, &configured))
}
