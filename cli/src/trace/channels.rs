//! Whose a message is. It says so itself; or it answers one that does; or it is an access to a channel's mailbox, or one of the
//! mailbox server's to a space that no other channel has.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use vhost::bus::Body;
use vhost::config;
use vhost::mem::{MemoryMap, Segment, Segments, SpaceId};
use vhost::messages::ChannelId;
use vhost::messages::foreign::{self, Report};
use vhost::messages::memory::{Access, AccessAt, Extent, Locate};
use vhost::trace::{ChannelRef, Entry, Header, Said, Source, channel_of};

/// The channels of a recording, and the messages that wait for an answer.
pub(super) struct Channels {
    map: Rc<MemoryMap>,
    /// Those that are served.
    known: Vec<Known>,
    /// Whose messages are that are not answered yet, by their numbers.
    open: HashMap<u64, Rc<str>>,
}

struct Known {
    name: Rc<str>,
    space: SpaceId,
    /// Where its mailbox is.
    place: Segments,
}

impl Channels {
    /// As the configuration says that was recorded. Where it can't be read, channels have numbers only.
    pub(super) fn of(header: &Header) -> Self {
        let map = map(header).unwrap_or_default();
        Self {
            known: known(header, &map).unwrap_or_default(),
            map: Rc::new(map),
            open: HashMap::new(),
        }
    }

    /// The memories that they are in.
    pub(super) fn map(&self) -> &Rc<MemoryMap> {
        &self.map
    }

    /// The names of those that are served.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|channel| &*channel.name)
    }

    /// The channel of an entry. Entries are to come in their order.
    pub(super) fn whose(&mut self, entry: &Entry, body: Option<&dyn Body>) -> Option<Rc<str>> {
        if !matches!(entry.said, Said::Message { .. }) {
            return self.open.remove(&entry.sequence);
        }
        let by_body = |body| {
            let own = self.named(body).or_else(|| self.reached(body));
            let serves = entry.kind.from == "mailbox";
            own.or_else(|| serves.then(|| self.alone_in_space(body)).flatten())
        };
        let whose = body
            .and_then(by_body)
            .or_else(|| self.open.get(&entry.root).cloned())?;
        if entry.kind.to != "nobody" {
            self.open.insert(entry.sequence, whose.clone());
        }
        Some(whose)
    }

    fn named(&self, body: &dyn Body) -> Option<Rc<str>> {
        if let Some(report) = body.as_any().downcast_ref::<Report>() {
            // Others than channels report, too.
            let mut known = self.known.iter();
            return known
                .find(|channel| *channel.name == *report.id)
                .map(|channel| channel.name.clone());
        }
        match channel_of(body)? {
            ChannelRef::Id(id) => Some(self.name_of(id)),
            ChannelRef::Name(name) => Some(name.into()),
        }
    }

    fn name_of(&self, ChannelId(number): ChannelId) -> Rc<str> {
        let known = usize::try_from(number)
            .ok()
            .and_then(|at| self.known.get(at));
        known.map_or_else(|| format!("#{number}").into(), |known| known.name.clone())
    }

    /// The channel whose mailbox an access is to, and nothing else.
    fn reached(&self, body: &dyn Body) -> Option<Rc<str>> {
        let any = body.as_any();
        let at = any.downcast_ref::<AccessAt>().map(|ask| &ask.op);
        let op = at.or_else(|| any.downcast_ref::<foreign::Access>().map(|ask| &ask.op))?;
        let mut known = self.known.iter();
        let reached =
            known.find(|channel| op.all_places(&|place| is_within(place, &channel.place)))?;
        Some(reached.name.clone())
    }

    /// The one channel of the space that a message to memory is about.
    fn alone_in_space(&self, body: &dyn Body) -> Option<Rc<str>> {
        let any = body.as_any();
        let access = any.downcast_ref().map(|ask: &Access| ask.space);
        let locate = || any.downcast_ref().map(|ask: &Locate| ask.space);
        let extent = || any.downcast_ref().map(|ask: &Extent| ask.space);
        let space = access.or_else(locate).or_else(extent)?;
        let mut there = self.known.iter().filter(|channel| channel.space == space);
        let channel = there.next()?;
        there.next().is_none().then(|| channel.name.clone())
    }
}

fn map(header: &Header) -> Option<MemoryMap> {
    let Source { file, text } = header.memories.as_ref()?;
    config::parse_memory_map(text, Path::new(file), header).ok()
}

fn known(header: &Header, map: &MemoryMap) -> Option<Vec<Known>> {
    let Source { file, text } = header.mailboxes.as_ref()?;
    let channels = config::parse_mailboxes(text, Path::new(file), map, header).ok()?;
    let served = channels.iter().filter_map(|channel| {
        let mailbox = channel.mailbox?;
        let size = mailbox.layout.channel_size;
        Some(Known {
            name: channel.name.as_str().into(),
            space: channel.space,
            place: map.resolve(channel.space, mailbox.address, size).ok()?,
        })
    });
    Some(served.collect())
}

/// Whether all bytes of one place are bytes of the other.
fn is_within(one: &[Segment], other: &[Segment]) -> bool {
    let within = |a: &Segment, b: &Segment| {
        let skipped = a.offset.checked_sub(b.offset);
        let left = skipped.and_then(|skipped| b.len.checked_sub(skipped));
        a.memory == b.memory && left.is_some_and(|left| a.len <= left)
    };
    one.iter().all(|a| other.iter().any(|b| within(a, b)))
}
