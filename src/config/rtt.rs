//! RTT of a channel: location of the control block, and targets of the up channels.

use super::error::{ChannelProblem, RttProblem};
use super::htif::Place;
use super::rtt_schema::{RawSearch, RawUp};
use super::schema::RawChannel;
use crate::channel::{RTT_HEADER, RttMode, RttPlace, UpTarget};
use crate::mem::Image;
use mailbox_rs::PtrWidth;

/// Symbol of the control block.
pub(super) const SYMBOL: &str = "_SEGGER_RTT";

/// Validates the RTT of a channel.
pub(super) fn validate(
    raw: &RawChannel,
    place: &Place<'_>,
    ptr_width: Option<PtrWidth>,
    symbol: Option<u64>,
) -> Result<RttPlace, ChannelProblem> {
    let rtt = raw.rtt.clone().unwrap_or_default();
    let keys = [("base", raw.base.is_some()), ("mb_id", raw.mb_id.is_some())];
    if let Some((key, _)) = keys.into_iter().find(|(_, given)| *given) {
        return Err(RttProblem::KeyOfMailbox { key }.into());
    }
    let ptr_width = ptr_width.ok_or(ChannelProblem::NoPtr)?;
    let is_searched = rtt.search.is_some();
    let search = rtt.search.map(RawSearch::ranges).unwrap_or_default();
    let block = match (rtt.address, is_searched) {
        (Some(address), false) => Some(address.0),
        (Some(_), true) => return Err(RttProblem::TwoPlaces.into()),
        (None, true) if search.is_empty() => return Err(RttProblem::NoRange.into()),
        (None, true) => None,
        (None, false) => {
            let file = place.image.map(Image::file).map(Into::into);
            let value = symbol.ok_or(RttProblem::NoBlock { file })?;
            Some(place.address(value, RTT_HEADER))
        }
    };
    if let Some(address) = block
        && let Err(cause) = place.map.resolve(place.space, address, RTT_HEADER)
    {
        return Err(RttProblem::NotInMemory { address, cause }.into());
    }
    for (from, to) in search.iter().copied() {
        let len = to.checked_sub(from).filter(|len| *len >= RTT_HEADER);
        let len = len.ok_or(RttProblem::Range { from, to })?;
        if let Err(cause) = place.map.resolve(place.space, from, len) {
            let address = from;
            return Err(RttProblem::NotInMemory { address, cause }.into());
        }
    }
    let up = rtt.up.into_iter().map(|(name, target)| {
        let target = up(&name, target)?;
        Ok((name, target))
    });
    let modes = rtt.mode.into_iter().map(|(name, word)| {
        let mode = RttMode::of(&word);
        let mode = mode.ok_or_else(|| RttProblem::Mode {
            name: name.clone(),
            word,
        })?;
        Ok((name, mode))
    });
    Ok(RttPlace {
        block,
        search,
        ptr_width,
        up: up.collect::<Result<_, RttProblem>>()?,
        modes: modes.collect::<Result<_, RttProblem>>()?,
    })
}

impl RttMode {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "skip" => Self::Skip,
            "trim" => Self::Trim,
            "block" => Self::Block,
            _ => return None,
        })
    }
}

fn up(name: &str, target: RawUp) -> Result<UpTarget, RttProblem> {
    let name = || name.to_owned();
    Ok(match target {
        RawUp::Name(word) => match &*word {
            "console" => UpTarget::Console,
            "lines" => UpTarget::Lines,
            "none" => UpTarget::Nothing,
            "defmt" => UpTarget::Defmt,
            _ => return Err(RttProblem::Target { name: name(), word }),
        },
        RawUp::File { file } if file.is_empty() => return Err(RttProblem::Empty { name: name() }),
        RawUp::Method { method } if method.is_empty() => {
            return Err(RttProblem::Empty { name: name() });
        }
        RawUp::File { file } => UpTarget::File(file),
        RawUp::Socket { socket } => UpTarget::Socket(socket),
        RawUp::Method { method } => UpTarget::Method(method.into()),
    })
}
