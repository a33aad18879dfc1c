//! Protocols of images that no channel serves.

use std::path::Path;

use super::channel::ChannelConfig;
use super::diagnostic::{DiagnosticKind, Unserved};
use super::error::{ChannelProblem, ConfigProblem};
use super::file_context::FileContext;
use super::found_traps;
use super::further_protocols::may_serve;
use super::htif::HtifSymbols;
use super::rtt;
use crate::channel::Interface;
use crate::mem::Image;

/// Reports the protocols of images that no channel serves, once for each image.
pub(super) fn note(
    context: FileContext<'_>,
    channels: &[ChannelConfig],
) -> Result<(), ConfigProblem> {
    let mut noted: Vec<&Path> = Vec::new();
    for channel in channels {
        let Some(image) = channel.image.as_deref() else {
            continue;
        };
        if channel.interface.is_none() || noted.contains(&image.file()) {
            continue;
        }
        noted.push(image.file());
        let found = found(context, channel, image);
        let found = found.map_err(|problem| ConfigProblem::Channel {
            channel: channel.name.clone(),
            problem,
        })?;
        for unserved in found {
            // A channel of the same image in another space may have the same memory.
            let is_served = channels.iter().any(|other| {
                let is_same = other.image.as_deref().map(Image::file) == Some(image.file());
                let may_serve = is_same || may_serve(other, channel);
                let interface = other.interface.as_ref();
                may_serve && interface.is_some_and(|it| is_of(it, &unserved))
            });
            if !is_served {
                context.report(DiagnosticKind::Unserved {
                    channel: channel.name.clone(),
                    image: image.file().to_path_buf(),
                    unserved,
                });
            }
        }
    }
    Ok(())
}

/// True for a channel of this protocol.
fn is_of(interface: &Interface, unserved: &Unserved) -> bool {
    matches!(
        (unserved, interface),
        (Unserved::Mailbox { .. }, Interface::Mailbox(_))
            | (Unserved::Htif { .. }, Interface::Htif(_))
            | (Unserved::Rtt { .. }, Interface::Rtt(_))
            | (Unserved::Semihosting { .. }, Interface::Semihosting(_))
    )
}

/// Protocols of an image.
fn found(
    context: FileContext<'_>,
    channel: &ChannelConfig,
    image: &Image,
) -> Result<Vec<Unserved>, ChannelProblem> {
    let section = image.mailbox();
    let mailbox = section.map(|section| Unserved::Mailbox {
        section: section.address,
    });
    let words = HtifSymbols::of(Some(image))?.words();
    let htif = words.map(|(tohost, fromhost)| Unserved::Htif { tohost, fromhost });
    let [block] = image.symbols([rtt::SYMBOL])?;
    let rtt = block.map(|block| Unserved::Rtt { block: block.value });
    let count = found_traps::count(context, &channel.name, image)?;
    let semihosting = (count > 0).then_some(Unserved::Semihosting { count });
    let all = [mailbox, htif, rtt, semihosting];
    Ok(all.into_iter().flatten().collect())
}
