//! RTT of a channel: location of the control block, and targets of the up channels.

use std::collections::BTreeMap;

use super::error::{ChannelProblem, RttProblem};
use super::htif::Place;
use super::rtt_schema::{RawSearch, RawUp};
use super::schema::RawChannel;
use crate::mem::Image;
use mailbox_rs::PtrWidth;

/// RTT of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RttConfig {
    /// Address of the control block; `None` if the host searches for it.
    pub block: Option<u64>,
    /// Ranges to search for the control block if its address is not known: first address, and the
    /// address behind the last byte.
    pub search: Vec<(u64, u64)>,
    /// Width of the control block's pointers.
    pub ptr_width: PtrWidth,
    /// Targets of up channels, by their names or numbers.
    pub up: BTreeMap<String, UpConfig>,
    /// Modes of up channels that the host sets, by their names or numbers.
    pub modes: BTreeMap<String, RttMode>,
}

/// Target of an up channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpConfig {
    /// Standard output of the channel, unchanged.
    Console,
    /// Lines of the console, each with the name of the up channel.
    Lines,
    /// No target: the bytes are dropped.
    Nothing,
    /// File below the root of firmware's files.
    File(String),
    /// Clients of a TCP socket on 127.0.0.1 with this port; 0 selects a free port.
    Socket(u16),
    /// Method that is called with each chunk of bytes.
    Method(String),
    /// Decoder of defmt's frames, which become reports.
    Defmt,
}

/// Behaviour of firmware when an up buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RttMode {
    /// The text is dropped as a whole.
    Skip,
    /// The rest of the text is dropped.
    Trim,
    /// Firmware waits for free space.
    Block,
}

/// Size of a control block without buffers, in bytes: its name and two counts.
pub(super) const HEADER: u64 = 24;

/// Symbol of the control block.
pub(super) const SYMBOL: &str = "_SEGGER_RTT";

/// Validates the RTT of a channel.
pub(super) fn validate(
    raw: &RawChannel,
    place: &Place<'_>,
    ptr_width: Option<PtrWidth>,
    symbol: Option<u64>,
) -> Result<RttConfig, ChannelProblem> {
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
            Some(place.address(value, HEADER))
        }
    };
    if let Some(address) = block
        && let Err(cause) = place.map.resolve(place.space, address, HEADER)
    {
        return Err(RttProblem::NotInMemory { address, cause }.into());
    }
    for (from, to) in search.iter().copied() {
        let len = to.checked_sub(from).filter(|len| *len >= HEADER);
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
    Ok(RttConfig {
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

fn up(name: &str, target: RawUp) -> Result<UpConfig, RttProblem> {
    let name = || name.to_owned();
    Ok(match target {
        RawUp::Name(word) => match &*word {
            "console" => UpConfig::Console,
            "lines" => UpConfig::Lines,
            "none" => UpConfig::Nothing,
            "defmt" => UpConfig::Defmt,
            _ => return Err(RttProblem::Target { name: name(), word }),
        },
        RawUp::File { file } if file.is_empty() => return Err(RttProblem::Empty { name: name() }),
        RawUp::Method { method } if method.is_empty() => {
            return Err(RttProblem::Empty { name: name() });
        }
        RawUp::File { file } => UpConfig::File(file),
        RawUp::Socket { socket } => UpConfig::Socket(socket),
        RawUp::Method { method } => UpConfig::Method(method),
    })
}
