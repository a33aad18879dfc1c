//! The mailbox configuration: one channel per top-level key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use mailbox_rs::{CacheLine, Layout, NEWEST, PtrWidth, VERSION};
use serde_yaml::Value;

use super::channel::ChannelConfig;
use super::channel_services;
use super::error::{ChannelProblem, ConfigProblem, HtifProblem, RttProblem, SemihostingProblem};
use super::expand::expand;
use super::external_inputs::ConfigEnvironment;
use super::file_context::FileContext;
use super::flag::Flag;
use super::found_traps;
use super::further_protocols::{FurtherProtocols, loaded_image};
use super::htif::{self, HtifSymbols, Place};
use super::key_path::DOCUMENT;
use super::name::named;
use super::nearest::nearest;
use super::rtt;
use super::schema::{self, RawChannel};
use super::semihosting;
use super::stub_place::{Range, Surroundings};
use super::unserved;
use super::warning::{Doubt, Used};
use crate::channel::{Interface, MailboxPlace};
use crate::mem::{Image, ImageDoubt, MemoryId, MemoryMap, Section, Segment, SpaceId};

/// Values of `abi`: the protocols, and `auto` for a choice by the image.
const ABIS: [&str; 5] = ["auto", "mailbox", "htif", "rtt", "semihosting"];

/// Validates the tree of a mailbox configuration. Channels keep the order of the text. An empty text has none.
pub(super) fn validate(
    document: Value,
    map: &MemoryMap,
    context: FileContext<'_>,
) -> Result<Vec<ChannelConfig>, ConfigProblem> {
    let channels = match document {
        Value::Null => return Ok(Vec::new()),
        Value::Mapping(channels) => channels,
        _ => {
            return Err(ConfigProblem::Form {
                key: DOCUMENT.to_owned(),
                wanted: "must be a map of channels",
            });
        }
    };
    let mut reader = Reader {
        map,
        context,
        outside: context.outside,
        images: BTreeMap::new(),
        taken: BTreeMap::new(),
        without_place: Vec::new(),
    };
    let mut validated = Vec::new();
    let mut decided_by_image = Vec::new();
    for (name, keys) in channels {
        // All keys of a parsed tree are strings.
        let Value::String(name) = name else { continue };
        if name.trim().is_empty() {
            let of = "a channel".to_owned();
            return Err(ConfigProblem::NoName { of });
        }
        let channel = schema::read(keys, schema::CHANNEL_KEYS, context.outside)
            .map_err(Into::into)
            .and_then(|read| {
                context.warn_of_keys(&format!("channel `{name}`"), read.unknown);
                let is_auto = abi(&read.keys)? == "auto";
                let channel = reader.channel(&name, read.keys)?;
                decided_by_image.extend(is_auto.then(|| name.clone()));
                Ok(channel)
            });
        match channel {
            Ok(channel) => validated.push(channel),
            Err(problem) => {
                return Err(ConfigProblem::Channel {
                    channel: name,
                    problem,
                });
            }
        }
    }
    reader.warn_of_images(context);
    reader.add_beside(&decided_by_image, &mut validated)?;
    unserved::note(context, &validated)?;
    reader.place_stubs(&mut validated)?;
    Ok(validated)
}

/// Compares the note of an image with the configuration of one of its channels.
fn agree(image: &Image, layout: &Layout, mb_id: u64) -> Result<(), ChannelProblem> {
    let Some(note) = image.note() else {
        return Ok(());
    };
    let file = || image.file().to_path_buf();
    if note.version.major != NEWEST.major || note.version < VERSION {
        return Err(ChannelProblem::ImageVersion {
            file: file(),
            version: note.version,
        });
    }
    if note.ptr_width != layout.ptr_width {
        return Err(ChannelProblem::ImagePtr {
            bits: 8 * layout.ptr_width.bytes(),
            file: file(),
            image_bits: 8 * note.ptr_width.bytes(),
        });
    }
    if note.cache_line != layout.cache_line {
        return Err(ChannelProblem::ImageCacheLine {
            bytes: layout.cache_line.bytes(),
            file: file(),
            image_bytes: note.cache_line.bytes(),
        });
    }
    if mb_id >= note.channels.into() && image.mailbox().is_some() {
        return Err(ChannelProblem::ImageChannels {
            mb_id,
            file: file(),
            channels: note.channels,
        });
    }
    Ok(())
}

struct Reader<'a> {
    map: &'a MemoryMap,
    context: FileContext<'a>,
    outside: &'a dyn ConfigEnvironment,
    /// Images read so far, by the canonical names of their files.
    images: BTreeMap<PathBuf, Read>,
    /// Ranges of the channels so far, by start: exclusive end, and channel.
    taken: BTreeMap<(MemoryId, u64), (u64, Rc<Taker>)>,
    /// Channels that still need a place for the code that replaces traps.
    without_place: Vec<String>,
}

/// Image that was read.
struct Read {
    image: Arc<Image>,
    /// True if a channel loads it.
    loaded: bool,
}

/// Served channel that owns a range.
struct Taker {
    name: String,
    address: u64,
}

impl Reader<'_> {
    fn channel(&mut self, name: &str, raw: RawChannel) -> Result<ChannelConfig, ChannelProblem> {
        let space = self
            .map
            .space_named(named("space", &raw.space)?)
            .ok_or_else(|| ChannelProblem::UnknownSpace {
                name: raw.space.clone(),
                known_names: self
                    .map
                    .spaces
                    .iter()
                    .map(|space| space.name.clone())
                    .collect(),
            })?;
        let adopts = match &raw.adopt {
            Some(adopt) => adopt.value_or(false, "adopt", self.outside)?,
            None => false,
        };
        let load = match &raw.load {
            Some(load) => load.value("load", self.outside)?,
            // Loading the image would overwrite the memory of the adopted firmware.
            None => !adopts,
        };
        if adopts && load {
            return Err(ChannelProblem::AdoptsLoaded);
        }
        let zero_bss = self.flag(raw.zero_bss.as_ref(), "zero_bss")?;
        let serve = self.flag(raw.server.as_ref(), "server")?;
        // Values are validated even if they are unused.
        let ptr_width = raw.ptr.as_ref().map(|bits| ptr_width(bits.0));
        let ptr_width = ptr_width.transpose()?;
        let cache_line = raw
            .cache_line
            .as_ref()
            .map(|bytes| cache_line(bytes.0))
            .transpose()?
            .unwrap_or(self.outside.defaults().cache_line);
        let image = match &raw.elf {
            Some(file) if load || serve => Some(self.image(file, load)?),
            _ => None,
        };
        let interface = match serve {
            true => {
                Some(self.interface(name, space, &raw, image.as_deref(), ptr_width, cache_line)?)
            }
            false => {
                abi(&raw)?;
                None
            }
        };
        Ok(ChannelConfig {
            name: name.to_owned(),
            space,
            load: image.clone().filter(|_| load),
            zero_bss,
            image,
            interface,
            services: Arc::new(channel_services::validate(name, raw, self.outside)?),
        })
    }

    /// Protocol of a served channel. Without `abi` the image decides: HTIF if it has the words, and nothing of a mailbox is given; else RTT
    /// if it has a control block.
    fn interface(
        &mut self,
        name: &str,
        space: SpaceId,
        raw: &RawChannel,
        image: Option<&Image>,
        ptr_width: Option<PtrWidth>,
        cache_line: CacheLine,
    ) -> Result<Interface, ChannelProblem> {
        let ptr_width = ptr_width.or(image.map(Image::ptr_width));
        let ptr_width = ptr_width.or(self.outside.defaults().ptr_width);
        let abi = abi(raw)?;
        let has_mailbox =
            raw.base.is_some() || image.is_some_and(|image| image.mailbox().is_some());
        let may_be_htif = abi == "htif" || (abi == "auto" && !has_mailbox);
        if may_be_htif {
            let symbols = HtifSymbols::of(image)?;
            let is_given = raw.tohost.is_some() && raw.fromhost.is_some();
            if abi == "htif" || is_given || symbols.has_words() {
                if raw.rtt.is_some() {
                    return Err(RttProblem::KeyOfRtt.into());
                }
                refuse_semihosting(raw)?;
                let place = self.place(space, image);
                let htif = htif::validate(raw, &place, &symbols)?;
                for address in [htif.tohost, htif.fromhost] {
                    self.take(name, space, address, htif::WORD, 4)?;
                }
                if let (Some(image), false) = (image, abi == "htif" || is_given) {
                    self.context.warn(Doubt::HtifFound {
                        channel: name.to_owned(),
                        image: image.file().to_path_buf(),
                        tohost: htif.tohost,
                        fromhost: htif.fromhost,
                    });
                }
                return Ok(Interface::Htif(htif));
            }
        }
        if let Some(key) = htif::first_key(raw) {
            return Err(HtifProblem::KeyOfHtif { key }.into());
        }
        let may_be_semihosting = abi == "auto" && !has_mailbox && raw.rtt.is_none();
        let traps = image.filter(|_| may_be_semihosting);
        let traps = traps.map(|image| found_traps::count(self.context, name, image));
        let traps = traps.transpose()?;
        if abi == "semihosting" || traps.is_some_and(|count| count > 0) {
            if raw.rtt.is_some() {
                return Err(RttProblem::KeyOfRtt.into());
            }
            if let (Some(image), Some(count)) = (image, traps) {
                self.context.warn(Doubt::SemihostingFound {
                    channel: name.to_owned(),
                    image: image.file().to_path_buf(),
                    count,
                });
                if !image.has_symbols() {
                    self.context.warn(Doubt::NoSymbols {
                        channel: name.to_owned(),
                        image: image.file().to_path_buf(),
                    });
                }
            }
            let place = self.place(space, image);
            let validated = semihosting::validate(raw, &place, ptr_width)?;
            if validated.searches {
                self.without_place.push(name.to_owned());
            }
            return Ok(Interface::Semihosting(validated.config));
        }
        refuse_semihosting(raw)?;
        if abi == "rtt" || (abi == "auto" && !has_mailbox) {
            let symbol = rtt_symbol(image)?;
            let is_auto = abi == "auto";
            if !is_auto || raw.rtt.is_some() || symbol.is_some() {
                let rtt = rtt::validate(raw, &self.place(space, image), ptr_width, symbol)?;
                if let (Some(image), Some(block), true) = (image, rtt.block, is_auto) {
                    self.context.warn(Doubt::RttFound {
                        channel: name.to_owned(),
                        image: image.file().to_path_buf(),
                        block,
                    });
                }
                return Ok(Interface::Rtt(rtt));
            }
        }
        if raw.rtt.is_some() {
            return Err(RttProblem::KeyOfRtt.into());
        }
        let ptr_width = ptr_width.ok_or(ChannelProblem::NoPtr)?;
        let layout = Layout::new(ptr_width, cache_line);
        if let Some(image) = image {
            let mb_id = raw.mb_id.as_ref().map_or(0, |mb_id| mb_id.0);
            agree(image, &layout, mb_id)?;
        }
        let address = self.address(name, space, raw, image, &layout)?;
        self.take(
            name,
            space,
            address,
            layout.channel_size,
            layout.channel_align,
        )?;
        Ok(Interface::Mailbox(MailboxPlace { address, layout }))
    }

    fn place<'a>(&'a self, space: SpaceId, image: Option<&'a Image>) -> Place<'a> {
        let map = self.map;
        Place { map, space, image }
    }

    /// Adds channels for further protocols of images, if the image has selected its channel's
    /// protocol.
    fn add_beside(
        &mut self,
        names: &[String],
        channels: &mut Vec<ChannelConfig>,
    ) -> Result<(), ConfigProblem> {
        let beside = FurtherProtocols {
            map: self.map,
            context: self.context,
        };
        for name in names {
            let Some(main) = channels.iter().find(|channel| channel.name == *name) else {
                continue;
            };
            let added = beside.of(main, channels);
            let added = added.map_err(|problem| ConfigProblem::Channel {
                channel: name.clone(),
                problem,
            })?;
            let semihosting = added
                .iter()
                .filter(|it| matches!(it.interface, Some(Interface::Semihosting(_))));
            self.without_place
                .extend(semihosting.map(|it| it.name.clone()));
            channels.extend(added);
        }
        Ok(())
    }

    /// Finds places for the code that replaces traps, after all channels have theirs. Images that
    /// are not loaded keep their traps.
    fn place_stubs(&self, channels: &mut [ChannelConfig]) -> Result<(), ConfigProblem> {
        for name in &self.without_place {
            let Some(at) = channels.iter().position(|channel| channel.name == *name) else {
                continue;
            };
            let space = channels[at].space;
            let Some(image) = loaded_image(channels, &channels[at]).cloned() else {
                continue;
            };
            let of_space = channels.iter().filter(|it| it.space == space);
            let taken = self.taken.iter().map(|((memory, start), (end, _))| {
                let (start, end) = (*start, *end);
                (*memory, Range { start, end })
            });
            let surroundings = Surroundings {
                map: self.map,
                space,
                images: of_space.filter_map(|it| it.image.as_deref()).collect(),
                taken: taken.collect(),
            };
            let found = found_traps::place(self.context, name, &image, &surroundings);
            let found = found.map_err(|error| ConfigProblem::Channel {
                channel: name.clone(),
                problem: error.into(),
            })?;
            if let Some(Interface::Semihosting(semihosting)) = &mut channels[at].interface {
                semihosting.stub = found;
            }
        }
        Ok(())
    }

    /// Value of a flag after expansion; true if it is missing.
    fn flag(&self, flag: Option<&Flag>, key: &'static str) -> Result<bool, ChannelProblem> {
        flag.map_or(Ok(true), |flag| flag.value(key, self.outside))
    }

    fn image(&mut self, file: &str, load: bool) -> Result<Arc<Image>, ChannelProblem> {
        let file = PathBuf::from(named("elf", expand(file, "elf", self.outside)?)?);
        let real = self.outside.real_name(&file);
        if let Some(read) = self.images.get_mut(&real) {
            read.loaded |= load;
            return Ok(Arc::clone(&read.image));
        }
        let image = Arc::new(self.outside.image(&file)?);
        let read = Read {
            image: Arc::clone(&image),
            loaded: load,
        };
        self.images.insert(real, read);
        Ok(image)
    }

    /// Warns of doubtful images. For an image that is not loaded, only its mailbox section matters.
    fn warn_of_images(&self, context: FileContext<'_>) {
        for Read { image, loaded } in self.images.values() {
            for doubt in image.doubts() {
                if *loaded || doubt.is_of_mailbox() {
                    context.warn(Doubt::Image {
                        image: image.file().to_path_buf(),
                        doubt: doubt.clone(),
                    });
                }
            }
        }
    }

    /// Address of the channel, from the image's section `.mailbox` or from `base`. If both are
    /// given, the image takes precedence, because firmware was linked for it. `base` takes
    /// precedence if the section's virtual address differs from its load address, or is not in
    /// memory. Without `base`, the address that is in memory is used.
    fn address(
        &self,
        name: &str,
        space: SpaceId,
        raw: &RawChannel,
        image: Option<&Image>,
        layout: &Layout,
    ) -> Result<u64, ChannelProblem> {
        let base = raw.base.as_ref().map(|base| base.0);
        let mb_id = raw.mb_id.as_ref().map_or(0, |mb_id| mb_id.0);
        let Some((image, section)) = image.and_then(|image| Some((image, image.mailbox()?))) else {
            let address = base.ok_or_else(|| match image {
                None => ChannelProblem::NoAddress,
                Some(image) => ChannelProblem::NoMailbox {
                    file: image.file().to_path_buf(),
                    is_auto: raw.abi.as_deref().is_none_or(|abi| abi == "auto"),
                    has_symbols: image.has_symbols(),
                },
            })?;
            return match mb_id {
                0 => Ok(address),
                _ => Err(ChannelProblem::NothingToCount { mb_id }),
            };
        };
        let (address, physical) =
            in_section(&section, mb_id, layout).ok_or_else(|| ChannelProblem::PastSection {
                mb_id,
                channel_size: layout.channel_size,
                section: section.address,
                section_size: section.size,
                file: image.file().to_path_buf(),
            })?;
        let note = |used| {
            let channel = name.to_owned();
            self.context.warn(Doubt::TwoAddresses { channel, used });
        };
        let file = image.file().to_path_buf();
        let resolve = |address| self.map.resolve(space, address, layout.channel_size);
        if let Some(base) = base
            && (address != physical || resolve(address).is_err())
        {
            note(Used::Base {
                image: file,
                base,
                linked: address,
                loaded: physical,
            });
            return Ok(base);
        }
        let address = match resolve(address) {
            Ok(_) => address,
            Err(_) if resolve(physical).is_ok() => physical,
            Err(cause) => {
                return Err(ChannelProblem::SectionNotInMemory {
                    file,
                    address,
                    physical,
                    cause,
                    allocated: !image
                        .doubts()
                        .iter()
                        .any(|doubt| matches!(doubt, ImageDoubt::MailboxNotAllocated { .. })),
                });
            }
        };
        if let Some(base) = base.filter(|base| *base != address) {
            note(Used::Image {
                image: file,
                address,
                base,
            });
        }
        Ok(address)
    }

    /// Reserves a channel's range, which must be mapped, aligned and unused.
    fn take(
        &mut self,
        name: &str,
        space: SpaceId,
        address: u64,
        len: u64,
        align: u64,
    ) -> Result<(), ChannelProblem> {
        if !address.is_multiple_of(align) {
            return Err(ChannelProblem::Misaligned { address, align });
        }
        let taker = Rc::new(Taker {
            name: name.to_owned(),
            address,
        });
        for segment in self.map.resolve(space, address, len)? {
            if let Some(first) = self.taker(&segment) {
                return Err(ChannelProblem::Overlap {
                    address,
                    first: first.name.clone(),
                    first_address: first.address,
                });
            }
            let end = segment.offset + segment.len;
            self.taken
                .insert((segment.memory, segment.offset), (end, taker.clone()));
        }
        Ok(())
    }

    /// Owner of any of these bytes. Reserved ranges don't overlap, so only the last one that starts
    /// before the segment's end can overlap it.
    fn taker(&self, segment: &Segment) -> Option<&Taker> {
        let Segment {
            memory,
            offset,
            len,
        } = *segment;
        let before = self.taken.range((memory, 0)..(memory, offset + len));
        let (_, (end, taker)) = before.last()?;
        (*end > offset).then_some(taker)
    }
}

/// Virtual and physical address of a channel in a section; `None` if the channel ends behind the
/// section.
fn in_section(section: &Section, mb_id: u64, layout: &Layout) -> Option<(u64, u64)> {
    let offset = mb_id.checked_mul(layout.channel_size)?;
    let end = offset.checked_add(layout.channel_size)?;
    (end <= section.size).then_some(())?;
    let at = |first: u64| first.checked_add(offset);
    Some((at(section.address)?, at(section.physical)?))
}

/// Address of RTT's control block, from its symbol.
fn rtt_symbol(image: Option<&Image>) -> Result<Option<u64>, ChannelProblem> {
    let Some(image) = image else {
        return Ok(None);
    };
    let [symbol] = image.symbols([rtt::SYMBOL])?;
    Ok(symbol.map(|symbol| symbol.value))
}

/// Refuses keys of semihosting in a channel of another protocol.
fn refuse_semihosting(raw: &RawChannel) -> Result<(), SemihostingProblem> {
    match semihosting::first_key(raw) {
        Some(key) => Err(SemihostingProblem::KeyOfSemihosting { key }),
        None => Ok(()),
    }
}

/// Protocol by its name in the configuration.
fn abi(raw: &RawChannel) -> Result<&'static str, ChannelProblem> {
    let Some(text) = &raw.abi else {
        return Ok("auto");
    };
    let found = ABIS.into_iter().find(|known| known == text);
    found.ok_or_else(|| ChannelProblem::Abi {
        meant: nearest(text, ABIS),
        text: text.clone(),
    })
}

fn ptr_width(bits: u64) -> Result<PtrWidth, ChannelProblem> {
    u32::try_from(bits)
        .ok()
        .and_then(PtrWidth::from_bits)
        .ok_or(ChannelProblem::Ptr { bits })
}

fn cache_line(bytes: u64) -> Result<CacheLine, ChannelProblem> {
    CacheLine::from_bytes(bytes).ok_or(ChannelProblem::CacheLine { bytes })
}
