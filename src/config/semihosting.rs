//! Semihosting of a channel.

use mailbox_rs::PtrWidth;

use super::error::{ChannelProblem, SemihostingProblem};
use super::htif::Place;
use super::number::Number;
use super::schema::RawChannel;
use super::stub_schema::RawStub;
use crate::channel::{Flush, SemihostingPlace};
use crate::mem::STUB_SIZE;

impl SemihostingPlace {
    /// Bytes of the code that replaces traps.
    pub const STUB_SIZE: u64 = STUB_SIZE;
}

/// Validated semihosting. The place of the code may not be determined yet.
pub(super) struct Validated {
    pub(super) config: SemihostingPlace,
    /// True if a place is to be searched.
    pub(super) searches: bool,
}

/// Maximum number of harts for which the code that replaces traps has words.
pub(crate) const MAX_HARTS: u64 = 8;

/// Alignment of the code that replaces traps.
const ALIGN: u64 = 8;

/// Alignment of the code for a CPU with a data cache: host and firmware write to different lines.
const ALIGN_WITH_FLUSH: u64 = 64;

/// First key of semihosting in a channel, if it has one.
pub(super) fn first_key(raw: &RawChannel) -> Option<&'static str> {
    let keys = [
        ("stub", raw.stub.is_some()),
        ("harts", raw.harts.is_some()),
        ("flush", raw.flush.is_some()),
    ];
    let given = keys.into_iter().find(|(_, given)| *given);
    given.map(|(key, _)| key)
}

/// Validates the semihosting of a channel.
pub(super) fn validate(
    raw: &RawChannel,
    place: &Place<'_>,
    ptr_width: Option<PtrWidth>,
) -> Result<Validated, ChannelProblem> {
    let keys = [("base", raw.base.is_some()), ("mb_id", raw.mb_id.is_some())];
    if let Some((key, _)) = keys.into_iter().find(|(_, given)| *given) {
        return Err(SemihostingProblem::KeyOfMailbox { key }.into());
    }
    let ptr_width = ptr_width.ok_or(ChannelProblem::NoPtr)?;
    let flush = raw.flush.as_ref().map(Flush::of).transpose()?;
    let align = flush.as_ref().map_or(ALIGN, |_| ALIGN_WITH_FLUSH);
    let (stub, searches) = match &raw.stub {
        None => (None, true),
        Some(RawStub::Word(word)) => match &**word {
            "auto" => (None, true),
            "none" if flush.is_some() => return Err(SemihostingProblem::FlushWithoutCode.into()),
            "none" => (None, false),
            _ => return Err(SemihostingProblem::Word { word: word.clone() }.into()),
        },
        Some(RawStub::Address(Number(address))) => {
            check(place, *address, align)?;
            (Some(*address), false)
        }
    };
    let harts = raw.harts.map_or(1, |harts| harts.0);
    if !(1..=MAX_HARTS).contains(&harts) {
        let most = MAX_HARTS;
        return Err(SemihostingProblem::Harts { harts, most }.into());
    }
    if flush.is_some() && harts > 1 {
        return Err(SemihostingProblem::FlushAndHarts { harts }.into());
    }
    let config = SemihostingPlace {
        ptr_width,
        stub,
        harts,
        flush,
    };
    Ok(Validated { config, searches })
}

/// Checks a configured address.
fn check(place: &Place<'_>, address: u64, align: u64) -> Result<(), SemihostingProblem> {
    if !address.is_multiple_of(align) {
        return Err(SemihostingProblem::Misaligned { address, align });
    }
    if let Err(cause) = place.map.resolve(place.space, address, STUB_SIZE) {
        return Err(SemihostingProblem::NotInMemory { address, cause });
    }
    let segments = place.image.map_or(&[][..], |image| image.segments());
    let overlaps = segments.iter().find(|segment| {
        let end = segment
            .address
            .saturating_add(segment.len)
            .saturating_add(segment.tail);
        segment.address < address.saturating_add(STUB_SIZE) && address < end
    });
    if let Some(segment) = overlaps {
        let segment = segment.address;
        return Err(SemihostingProblem::InImage { address, segment });
    }
    Ok(())
}
