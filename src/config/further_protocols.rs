//! Further protocols of an image, in addition to its channel's: `abi: auto` serves all that the
//! image has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::channel::ChannelConfig;
use super::diagnostic::DiagnosticKind;
use super::error::ChannelProblem;
use super::file_context::FileContext;
use super::found_traps;
use super::htif::Place;
use super::rtt;
use crate::channel::{Interface, OutputTarget, RTT_HEADER, RttPlace, SemihostingPlace};
use crate::mem::{Image, ImageError, MemoryMap};

/// Suffixes of the names of channels for further protocols.
const RTT: &str = "rtt";
const SEMIHOSTING: &str = "semihosting";

/// Configuration whose channels may have images with more.
pub(super) struct FurtherProtocols<'a> {
    pub(super) map: &'a MemoryMap,
    pub(super) context: FileContext<'a>,
}

impl FurtherProtocols<'_> {
    /// Channels of the protocols of a channel's image that none of `channels` serves, each after a
    /// note.
    ///
    /// - RTT, by the symbol of its control block, if that is in memory.
    /// - Semihosting, by its traps, if the image is loaded. Not in addition to a mailbox: such
    ///   firmware does not need it, and its traps may be in a library that it does not use.
    pub(super) fn of(
        &self,
        main: &ChannelConfig,
        channels: &[ChannelConfig],
    ) -> Result<Vec<ChannelConfig>, ChannelProblem> {
        let (Some(image), Some(interface)) = (&main.image, &main.interface) else {
            return Ok(Vec::new());
        };
        let served = |is_one: fn(&Interface) -> bool| {
            let mut others = channels.iter().filter(|it| may_serve(it, main));
            others.any(|it| it.interface.as_ref().is_some_and(is_one))
        };
        let mut added = Vec::new();
        if !served(|it| matches!(it, Interface::Rtt(_)))
            && let Some(name) = free_name(main, RTT, channels)
            && let Some(block) = self.block(main, image)?
            && !self.is_served(main, block, channels)
        {
            self.context.report(DiagnosticKind::RttBeside {
                channel: main.name.clone(),
                image: image.file().to_path_buf(),
                block,
                added: name.clone(),
            });
            let rtt = RttPlace {
                block: Some(block),
                search: vec![],
                ptr_width: Image::ptr_width(image),
                up: BTreeMap::new(),
                modes: BTreeMap::new(),
            };
            added.push(channel(main, name, Interface::Rtt(rtt)));
        }
        if !matches!(interface, Interface::Mailbox(_))
            && !served(|it| matches!(it, Interface::Semihosting(_)))
            && main.load.is_some()
            && let Some(name) = free_name(main, SEMIHOSTING, channels)
        {
            let count = found_traps::count(self.context, &main.name, image)?;
            if count > 0 {
                self.context.report(DiagnosticKind::SemihostingBeside {
                    channel: main.name.clone(),
                    image: image.file().to_path_buf(),
                    count,
                    added: name.clone(),
                });
                let semihosting = SemihostingPlace {
                    ptr_width: Image::ptr_width(image),
                    stub: None,
                    harts: 1,
                    flush: None,
                };
                added.push(channel(main, name, Interface::Semihosting(semihosting)));
            }
        }
        Ok(added)
    }

    /// True if a channel serves the control block at an address. A channel in another space with
    /// the same memory counts, because it would take the same bytes.
    fn is_served(&self, main: &ChannelConfig, block: u64, channels: &[ChannelConfig]) -> bool {
        let place = |space, address| self.map.resolve(space, address, RTT_HEADER).ok();
        let here = place(main.space, block);
        channels.iter().any(|other| match &other.interface {
            Some(Interface::Rtt(RttPlace {
                block: Some(there), ..
            })) => here.is_some() && place(other.space, *there) == here,
            _ => false,
        })
    }

    /// Address of RTT's control block, if it is in memory. A recording has the result.
    fn block(&self, main: &ChannelConfig, image: &Image) -> Result<Option<u64>, ImageError> {
        let find = || {
            let [symbol] = image.symbols([rtt::SYMBOL])?;
            let (map, space) = (self.map, main.space);
            let place = Place {
                map,
                space,
                image: Some(image),
            };
            let address = symbol.map(|symbol| place.address(symbol.value, RTT_HEADER));
            let is_there = |address: &u64| map.resolve(space, *address, RTT_HEADER).is_ok();
            Ok(address
                .filter(is_there)
                .map_or_else(String::new, |it| it.to_string()))
        };
        let what = format!("rtt beside {}", main.name);
        let decided = self.context.outside.decide(&what, &find)?;
        Ok(decided.parse().ok())
    }
}

/// True for channels of one firmware: they have the same space and image.
pub(crate) fn same_firmware(a: &ChannelConfig, b: &ChannelConfig) -> bool {
    let same_file = |a: &Arc<Image>, b: &Arc<Image>| a.file() == b.file();
    let images = a.image.as_ref().zip(b.image.as_ref());
    a.space == b.space && images.is_some_and(|(a, b)| same_file(a, b))
}

/// True for a channel that may serve the firmware of another one: in the same space, and with the
/// same image or none.
pub(super) fn may_serve(channel: &ChannelConfig, main: &ChannelConfig) -> bool {
    let is_without = channel.image.is_none() && channel.space == main.space;
    is_without || same_firmware(channel, main)
}

/// Image of a channel, if this channel or another one of the same firmware loads it.
pub fn loaded_image<'a>(
    channels: &'a [ChannelConfig],
    channel: &ChannelConfig,
) -> Option<&'a Arc<Image>> {
    let mut same = channels.iter().filter(|it| same_firmware(it, channel));
    same.find_map(|it| it.load.as_ref())
}

/// Name of a further channel; `None` if another channel has it.
fn free_name(main: &ChannelConfig, end: &str, channels: &[ChannelConfig]) -> Option<String> {
    let name = format!("{}.{end}", main.name);
    let is_free = channels.iter().all(|it| it.name != name);
    is_free.then_some(name)
}

/// Channel of a further protocol, with the services of the first one. A file has one writer:
/// further output goes to the console.
fn channel(main: &ChannelConfig, name: String, interface: Interface) -> ChannelConfig {
    let mut services = (*main.services).clone();
    for output in [&mut services.stdout, &mut services.stderr] {
        if matches!(output, OutputTarget::File(_)) {
            *output = OutputTarget::Console;
        }
    }
    ChannelConfig {
        name,
        space: main.space,
        load: None,
        zero_bss: main.zero_bss,
        image: main.image.clone(),
        interface: Some(interface),
        services: Arc::new(services),
    }
}
