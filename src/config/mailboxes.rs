//! The mailbox configuration: one channel per top-level key.

use std::sync::Arc;

use mailbox_rs::{CacheLine, Layout, PtrWidth};
use serde_yaml::Value;

use super::channel::ChannelConfig;
use super::channel_services;
use super::claims::Claims;
use super::diagnostic::DiagnosticKind;
use super::error::{ChannelProblem, ConfigProblem, HtifProblem, RttProblem, SemihostingProblem};
use super::external_inputs::ConfigEnvironment;
use super::file_context::FileContext;
use super::flag::Flag;
use super::found_traps;
use super::further_protocols::{FurtherProtocols, loaded_image};
use super::htif::{self, HtifSymbols, Place};
use super::images::Images;
use super::key_path::DOCUMENT;
use super::mailbox_address::{address, agree};
use super::name::named;
use super::nearest::nearest;
use super::rtt;
use super::schema::{self, RawChannel};
use super::semihosting;
use super::stub_place::Surroundings;
use super::unserved;
use crate::channel::{HtifPlace, Interface, MailboxPlace, RttPlace, SemihostingPlace};
use crate::mem::{Image, MemoryMap, SpaceId};

/// Values of `abi`: the protocols, and `auto` for a choice by the image.
const ABIS: [&str; 5] = ["auto", "mailbox", "htif", "rtt", "semihosting"];

/// Validates the tree of a mailbox configuration. Channels keep the order of the text. An empty
/// text has none.
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
        images: Images::default(),
        claims: Claims::default(),
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
    reader.images.warn(context);
    reader.add_beside(&decided_by_image, &mut validated)?;
    unserved::note(context, &validated)?;
    reader.place_stubs(&mut validated)?;
    Ok(validated)
}

struct Reader<'a> {
    map: &'a MemoryMap,
    context: FileContext<'a>,
    outside: &'a dyn ConfigEnvironment,
    images: Images,
    claims: Claims,
    /// Channels that still need a place for the code that replaces traps.
    without_place: Vec<String>,
}

/// Served channel whose protocol is to be determined.
struct Served<'a> {
    name: &'a str,
    space: SpaceId,
    raw: &'a RawChannel,
    /// Value of `abi`.
    abi: &'static str,
    image: Option<&'a Image>,
    /// Pointer width of the configuration, the image, or the default.
    ptr_width: Option<PtrWidth>,
}

impl Served<'_> {
    /// True if the image may decide for a protocol other than the mailbox.
    fn may_be_without_mailbox(&self) -> bool {
        let has_mailbox =
            self.raw.base.is_some() || self.image.is_some_and(|image| image.mailbox().is_some());
        self.abi == "auto" && !has_mailbox
    }
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
            Some(file) if load || serve => Some(self.images.read(file, load, self.outside)?),
            _ => None,
        };
        let interface = match serve {
            true => {
                let ptr_width = ptr_width.or(image.as_deref().map(Image::ptr_width));
                let served = Served {
                    name,
                    space,
                    abi: abi(&raw)?,
                    raw: &raw,
                    image: image.as_deref(),
                    ptr_width: ptr_width.or(self.outside.defaults().ptr_width),
                };
                Some(self.interface(&served, cache_line)?)
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

    /// Protocol of a served channel. Without `abi` the image decides: HTIF if it has the words, and
    /// nothing of a mailbox is given; else RTT if it has a control block.
    fn interface(
        &mut self,
        served: &Served<'_>,
        cache_line: CacheLine,
    ) -> Result<Interface, ChannelProblem> {
        let raw = served.raw;
        if let Some(htif) = self.htif(served)? {
            return Ok(Interface::Htif(htif));
        }
        if let Some(key) = htif::first_key(raw) {
            return Err(HtifProblem::KeyOfHtif { key }.into());
        }
        if let Some(semihosting) = self.semihosting(served)? {
            return Ok(Interface::Semihosting(semihosting));
        }
        refuse_semihosting(raw)?;
        if let Some(rtt) = self.rtt(served)? {
            return Ok(Interface::Rtt(rtt));
        }
        if raw.rtt.is_some() {
            return Err(RttProblem::KeyOfRtt.into());
        }
        self.mailbox(served, cache_line).map(Interface::Mailbox)
    }

    /// HTIF of a channel; `None` if the channel has another protocol.
    fn htif(&mut self, served: &Served<'_>) -> Result<Option<HtifPlace>, ChannelProblem> {
        let Served {
            name,
            space,
            raw,
            image,
            ..
        } = *served;
        let is_chosen = served.abi == "htif";
        if !is_chosen && !served.may_be_without_mailbox() {
            return Ok(None);
        }
        let symbols = HtifSymbols::of(image)?;
        let is_given = raw.tohost.is_some() && raw.fromhost.is_some();
        if !(is_chosen || is_given || symbols.has_words()) {
            return Ok(None);
        }
        if raw.rtt.is_some() {
            return Err(RttProblem::KeyOfRtt.into());
        }
        refuse_semihosting(raw)?;
        let place = self.place(space, image);
        let htif = htif::validate(raw, &place, &symbols)?;
        for address in [htif.tohost, htif.fromhost] {
            self.claims
                .take(self.map, name, space, address, htif::WORD, 4)?;
        }
        if let (Some(image), false) = (image, is_chosen || is_given) {
            self.context.report(DiagnosticKind::HtifFound {
                channel: name.to_owned(),
                image: image.file().to_path_buf(),
                tohost: htif.tohost,
                fromhost: htif.fromhost,
            });
        }
        Ok(Some(htif))
    }

    /// Semihosting of a channel; `None` if the channel has another protocol.
    fn semihosting(
        &mut self,
        served: &Served<'_>,
    ) -> Result<Option<SemihostingPlace>, ChannelProblem> {
        let Served {
            name, raw, image, ..
        } = *served;
        let is_counted = served.may_be_without_mailbox() && raw.rtt.is_none();
        let traps = image.filter(|_| is_counted);
        let traps = traps.map(|image| found_traps::count(self.context, name, image));
        let traps = traps.transpose()?;
        if served.abi != "semihosting" && traps.is_none_or(|count| count == 0) {
            return Ok(None);
        }
        if raw.rtt.is_some() {
            return Err(RttProblem::KeyOfRtt.into());
        }
        if let (Some(image), Some(count)) = (image, traps) {
            self.context.report(DiagnosticKind::SemihostingFound {
                channel: name.to_owned(),
                image: image.file().to_path_buf(),
                count,
            });
            if !image.has_symbols() {
                self.context.report(DiagnosticKind::NoSymbols {
                    channel: name.to_owned(),
                    image: image.file().to_path_buf(),
                });
            }
        }
        let place = self.place(served.space, image);
        let validated = semihosting::validate(raw, &place, served.ptr_width)?;
        if validated.searches {
            self.without_place.push(name.to_owned());
        }
        Ok(Some(validated.config))
    }

    /// RTT of a channel; `None` if the channel has a mailbox.
    fn rtt(&self, served: &Served<'_>) -> Result<Option<RttPlace>, ChannelProblem> {
        let Served { raw, image, .. } = *served;
        if served.abi != "rtt" && !served.may_be_without_mailbox() {
            return Ok(None);
        }
        let symbol = rtt_symbol(image)?;
        let is_auto = served.abi == "auto";
        if is_auto && raw.rtt.is_none() && symbol.is_none() {
            return Ok(None);
        }
        let place = self.place(served.space, image);
        let rtt = rtt::validate(raw, &place, served.ptr_width, symbol)?;
        if let (Some(image), Some(block), true) = (image, rtt.block, is_auto) {
            self.context.report(DiagnosticKind::RttFound {
                channel: served.name.to_owned(),
                image: image.file().to_path_buf(),
                block,
            });
        }
        Ok(Some(rtt))
    }

    /// Mailbox of a channel.
    fn mailbox(
        &mut self,
        served: &Served<'_>,
        cache_line: CacheLine,
    ) -> Result<MailboxPlace, ChannelProblem> {
        let Served {
            name,
            space,
            raw,
            image,
            ..
        } = *served;
        let ptr_width = served.ptr_width.ok_or(ChannelProblem::NoPtr)?;
        let layout = Layout::new(ptr_width, cache_line);
        if let Some(image) = image {
            let mb_id = raw.mb_id.as_ref().map_or(0, |mb_id| mb_id.0);
            agree(image, &layout, mb_id)?;
        }
        let address = address((self.map, self.context), name, space, raw, image, &layout)?;
        self.claims.take(
            self.map,
            name,
            space,
            address,
            layout.channel_size,
            layout.channel_align,
        )?;
        Ok(MailboxPlace { address, layout })
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
            let surroundings = Surroundings {
                map: self.map,
                space,
                images: of_space.filter_map(|it| it.image.as_deref()).collect(),
                taken: self.claims.ranges(),
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
