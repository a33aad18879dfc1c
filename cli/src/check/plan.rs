//! Placement of images and mailboxes in the memories of their spaces, as a run would place them.

use std::sync::Arc;

use vhost::config::ChannelConfig;
use vhost::mem::{Image, MemoryMap, Placement, Segments, SpaceId, Write};
use vhost::messages::RTT_HEADER;
use vhost::messages::htif::WORD;
use vhost::messages::{Interface, MailboxPlace, RttPlace, SemihostingPlace};

/// Plan of a system that is not started.
pub(super) struct Plan<'a> {
    pub(super) map: &'a MemoryMap,
    pub(super) channels: &'a [ChannelConfig],
    /// Loads of images: one for each pair of image and space, also if several channels share it.
    pub(super) loads: Vec<Load<'a>>,
}

/// Load of an image into a space.
pub(super) struct Load<'a> {
    pub(super) image: &'a Arc<Image>,
    pub(super) space: SpaceId,
    /// True if zeros are written behind segments (`.bss`).
    zero_bss: bool,
    /// Channels with this image.
    pub(super) channels: Vec<&'a ChannelConfig>,
    pub(super) writes: Vec<PlannedWrite>,
    /// Bytes of the image inside and outside of memories.
    pub(super) placement: Placement,
}

/// Contiguous bytes of an image.
pub(super) struct PlannedWrite {
    pub(super) address: u64,
    pub(super) len: u64,
    pub(super) content: Content,
    /// Bytes of the write that are in memories.
    pub(super) place: Segments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Bytes,
    Zeros,
}

/// Address range with content.
pub(super) struct Range {
    pub(super) address: u64,
    pub(super) len: u64,
    pub(super) what: String,
}

impl<'a> Plan<'a> {
    pub(super) fn of(map: &'a MemoryMap, channels: &'a [ChannelConfig]) -> Self {
        let mut loads: Vec<Load<'a>> = Vec::new();
        for channel in channels {
            let Some(image) = &channel.load else { continue };
            let known = loads
                .iter_mut()
                .find(|load| load.space == channel.space && Arc::ptr_eq(load.image, image));
            match known {
                Some(load) => {
                    load.channels.push(channel);
                    load.zero_bss &= channel.zero_bss;
                }
                None => loads.push(Load {
                    image,
                    space: channel.space,
                    zero_bss: channel.zero_bss,
                    channels: vec![channel],
                    writes: writes(map, channel.space, image),
                    placement: Placement::default(),
                }),
            }
        }
        for load in &mut loads {
            load.placement = Placement::of(map, load.space, load.image, load.zero_bss);
            if !load.zero_bss {
                load.writes.retain(|write| write.content == Content::Bytes);
            }
        }
        Self {
            map,
            channels,
            loads,
        }
    }

    /// Served channels with mailboxes.
    pub(super) fn served(&self) -> impl Iterator<Item = (&'a ChannelConfig, MailboxPlace)> {
        let channels = self.channels.iter();
        channels.filter_map(|channel| Some((channel, channel.mailbox()?)))
    }

    /// Contents of a space, in address order.
    pub(super) fn contents(&self, space: SpaceId) -> Vec<Range> {
        let mailboxes = self.served().filter(|(channel, _)| channel.space == space);
        let mailboxes = mailboxes.map(|(channel, mailbox)| {
            let layout = &mailbox.layout;
            let line = match layout.cache_line.bytes() {
                0 => "no cache line".to_owned(),
                bytes => format!("cache line of {bytes} bytes"),
            };
            let bits = layout.ptr_width.bytes() * 8;
            Range {
                address: mailbox.address,
                len: layout.channel_size,
                what: format!(
                    "mailbox of `{}`: pointers of {bits} bits, {line}",
                    channel.name
                ),
            }
        });
        let loads = self.loads.iter().filter(|load| load.space == space);
        let writes = loads.flat_map(|load| {
            let file = load.image.file().display();
            load.writes.iter().map(move |write| Range {
                address: write.address,
                len: write.len,
                what: match write.content {
                    Content::Bytes => format!("bytes of {file}"),
                    Content::Zeros => format!("zeros of {file}"),
                },
            })
        });
        let channels = self.channels.iter();
        let channels = channels.filter(|channel| channel.space == space);
        let words = channels.flat_map(|channel| {
            let words = match &channel.interface {
                Some(Interface::Htif(htif)) => {
                    vec![
                        ("tohost", htif.tohost, WORD),
                        ("fromhost", htif.fromhost, WORD),
                    ]
                }
                Some(Interface::Rtt(RttPlace {
                    block: Some(block), ..
                })) => vec![("control block of RTT", *block, RTT_HEADER)],
                Some(Interface::Semihosting(SemihostingPlace {
                    stub: Some(stub), ..
                })) => {
                    let name = "code in place of traps";
                    vec![(name, *stub, SemihostingPlace::STUB_SIZE)]
                }
                _ => Vec::new(),
            };
            words.into_iter().map(|(name, address, len)| Range {
                address,
                len,
                what: format!("{name} of `{}`", channel.name),
            })
        });
        let mut contents: Vec<Range> = writes.chain(mailboxes).chain(words).collect();
        contents.sort_by_key(|range| range.address);
        contents
    }
}

fn writes(map: &MemoryMap, space: SpaceId, image: &Image) -> Vec<PlannedWrite> {
    let writes = image.writes().map(|write| {
        let (address, len, content) = match write {
            Write::Zero { address, len } => (address, len, Content::Zeros),
            Write::Bytes(segment) => (segment.address, segment.len, Content::Bytes),
        };
        PlannedWrite {
            address,
            len,
            content,
            place: map.mapped(space, address, len),
        }
    });
    writes.collect()
}
