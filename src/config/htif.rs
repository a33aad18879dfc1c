//! HTIF of a channel: addresses of its words, and the signature.

use super::error::ChannelProblem;
use super::error::HtifProblem;
use super::schema::RawChannel;
use crate::channel::{HtifPlace, Signature};
use crate::mem::{Image, MemoryMap, SpaceId, Symbol};

/// Number of bytes of `tohost`, and of `fromhost`.
pub(super) const WORD: u64 = 8;

/// Default number of ticks that a CPU may take between the two stores of a command. Programs of 64
/// bits may also store words of 32 bits.
const SETTLE: u64 = 64;

/// Default number of bytes in a line of a signature.
const GRANULARITY: u64 = 16;

/// Maximum number of bytes in a line of a signature.
const MAX_GRANULARITY: u64 = 4096;

/// Symbols of an image that HTIF uses.
#[derive(Debug, Default)]
pub(super) struct HtifSymbols {
    tohost: Option<Symbol>,
    fromhost: Option<Symbol>,
    begin_signature: Option<Symbol>,
    end_signature: Option<Symbol>,
}

impl HtifSymbols {
    /// Finds the symbols of an image; none without an image.
    ///
    /// # Errors
    /// Fails if the symbols can't be read.
    pub(super) fn of(image: Option<&Image>) -> Result<Self, ChannelProblem> {
        let Some(image) = image else {
            return Ok(Self::default());
        };
        let [tohost, fromhost, begin_signature, end_signature] =
            image.symbols(["tohost", "fromhost", "begin_signature", "end_signature"])?;
        Ok(Self {
            tohost,
            fromhost,
            begin_signature,
            end_signature,
        })
    }

    /// True if the image has both words.
    pub(super) fn has_words(&self) -> bool {
        self.words().is_some()
    }

    /// Values of the symbols of both words.
    pub(super) fn words(&self) -> Option<(u64, u64)> {
        let (tohost, fromhost) = self.tohost.zip(self.fromhost)?;
        Some((tohost.value, fromhost.value))
    }
}

/// First key of HTIF in a channel, if it has one.
pub(super) fn first_key(raw: &RawChannel) -> Option<&'static str> {
    let keys = [
        ("tohost", raw.tohost.is_some()),
        ("fromhost", raw.fromhost.is_some()),
        ("settle", raw.settle.is_some()),
        ("signature", raw.signature.is_some()),
        ("granularity", raw.granularity.is_some()),
    ];
    keys.into_iter()
        .find(|(_, given)| *given)
        .map(|(key, _)| key)
}

/// Validates the HTIF of a channel.
pub(super) fn validate(
    raw: &RawChannel,
    place: &Place<'_>,
    symbols: &HtifSymbols,
) -> Result<HtifPlace, ChannelProblem> {
    for (key, given) in [("base", raw.base.is_some()), ("mb_id", raw.mb_id.is_some())] {
        if given {
            return Err(HtifProblem::KeyOfMailbox { key }.into());
        }
    }
    let tohost = place.word("tohost", raw.tohost.as_ref().map(|at| at.0), symbols.tohost)?;
    let fromhost = place.word(
        "fromhost",
        raw.fromhost.as_ref().map(|at| at.0),
        symbols.fromhost,
    )?;
    if tohost.abs_diff(fromhost) < WORD {
        return Err(HtifProblem::Overlap { tohost, fromhost }.into());
    }
    let settle = raw.settle.as_ref().map_or(SETTLE, |ticks| ticks.0);
    let granularity = raw
        .granularity
        .as_ref()
        .map_or(GRANULARITY, |bytes| bytes.0);
    if !(1..=MAX_GRANULARITY).contains(&granularity) {
        return Err(HtifProblem::Granularity {
            bytes: granularity,
            most: MAX_GRANULARITY,
        }
        .into());
    }
    let signature = match &raw.signature {
        None => None,
        Some(file) if file.is_empty() => return Err(HtifProblem::NoSignatureFile.into()),
        Some(file) => {
            let (begin, end) = place.signature(symbols)?;
            Some(Signature {
                file: file.clone(),
                begin,
                end,
                granularity,
            })
        }
    };
    Ok(HtifPlace {
        tohost,
        fromhost,
        settle,
        signature,
    })
}

/// Space and image of a channel.
pub(super) struct Place<'a> {
    pub(super) map: &'a MemoryMap,
    pub(super) space: SpaceId,
    pub(super) image: Option<&'a Image>,
}

impl Place<'_> {
    /// Address of a word: the configured one, or that of its symbol.
    fn word(
        &self,
        name: &'static str,
        given: Option<u64>,
        symbol: Option<Symbol>,
    ) -> Result<u64, ChannelProblem> {
        let found = given.or_else(|| symbol.map(|symbol| self.address(symbol.value, WORD)));
        let address = found.ok_or_else(|| HtifProblem::NoWord {
            name,
            file: self.image.map(|image| image.file().to_path_buf()),
        })?;
        if let Err(cause) = self.map.resolve(self.space, address, WORD) {
            return Err(HtifProblem::NotInMemory {
                name,
                address,
                cause,
            }
            .into());
        }
        Ok(address)
    }

    /// Address of a symbol: its value, or the address to which its segment is loaded if only that
    /// one is in memory.
    pub(super) fn address(&self, value: u64, len: u64) -> u64 {
        let physical = self.image.and_then(|image| image.physical(value));
        let is_there = |address| self.map.resolve(self.space, address, len).is_ok();
        match physical {
            Some(physical) if !is_there(value) && is_there(physical) => physical,
            _ => value,
        }
    }

    fn signature(&self, symbols: &HtifSymbols) -> Result<(u64, u64), ChannelProblem> {
        let (Some(begin), Some(end)) = (symbols.begin_signature, symbols.end_signature) else {
            let file = self.image.map(|image| image.file().to_path_buf());
            return Err(HtifProblem::NoSignature { file }.into());
        };
        let Some(len) = end.value.checked_sub(begin.value) else {
            let (begin, end) = (begin.value, end.value);
            return Err(HtifProblem::SignatureEnds { begin, end }.into());
        };
        let begin = self.address(begin.value, len);
        if len > 0
            && let Err(cause) = self.map.resolve(self.space, begin, len)
        {
            return Err(HtifProblem::NotInMemory {
                name: "begin_signature",
                address: begin,
                cause,
            }
            .into());
        }
        Ok((begin, begin.wrapping_add(len)))
    }
}
