//! Address of a mailbox: from the image of its channel, or from `base`.

use mailbox_rs::{Layout, NEWEST, VERSION};

use super::diagnostic::{DiagnosticKind, Used};
use super::error::ChannelProblem;
use super::file_context::FileContext;
use super::schema::RawChannel;
use crate::mem::{Image, ImageWarning, MemoryMap, Section, SpaceId};

/// Address of the channel, from the image's section `.mailbox` or from `base`. If both are
/// given, the image takes precedence, because firmware was linked for it. `base` takes
/// precedence if the section's virtual address differs from its load address, or is not in
/// memory. Without `base`, the address that is in memory is used.
pub(super) fn address(
    (map, context): (&MemoryMap, FileContext<'_>),
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
        context.report(DiagnosticKind::TwoAddresses { channel, used });
    };
    let file = image.file().to_path_buf();
    let resolve = |address| map.resolve(space, address, layout.channel_size);
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
                    .warnings()
                    .iter()
                    .any(|warning| matches!(warning, ImageWarning::MailboxNotAllocated { .. })),
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

/// Compares the note of an image with the configuration of one of its channels.
pub(super) fn agree(image: &Image, layout: &Layout, mb_id: u64) -> Result<(), ChannelProblem> {
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

/// Virtual and physical address of a channel in a section; `None` if the channel ends behind the
/// section.
fn in_section(section: &Section, mb_id: u64, layout: &Layout) -> Option<(u64, u64)> {
    let offset = mb_id.checked_mul(layout.channel_size)?;
    let end = offset.checked_add(layout.channel_size)?;
    (end <= section.size).then_some(())?;
    let at = |first: u64| first.checked_add(offset);
    Some((at(section.address)?, at(section.physical)?))
}
