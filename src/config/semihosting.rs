//! Semihosting of a channel.

use mailbox_rs::PtrWidth;

use super::error::{ChannelProblem, SemihostingProblem};
use super::htif::Place;
use super::schema::RawChannel;

/// Semihosting of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemihostingConfig {
    /// Width of the registers.
    pub ptr_width: PtrWidth,
    /// Address of the code that replaces traps; `None` if the testbench sees them.
    pub stub: Option<u64>,
}

/// Bytes of the stub.
const STUB: u64 = 0x1100;

/// Alignment of the stub.
const ALIGN: u64 = 8;

/// Validates the semihosting of a channel.
pub(super) fn validate(
    raw: &RawChannel,
    place: &Place<'_>,
    ptr_width: Option<PtrWidth>,
) -> Result<SemihostingConfig, ChannelProblem> {
    let keys = [("base", raw.base.is_some()), ("mb_id", raw.mb_id.is_some())];
    if let Some((key, _)) = keys.into_iter().find(|(_, given)| *given) {
        return Err(SemihostingProblem::KeyOfMailbox { key }.into());
    }
    let ptr_width = ptr_width.ok_or(ChannelProblem::NoPtr)?;
    let stub = raw.stub.as_ref().map(|stub| stub.0);
    if let Some(address) = stub {
        if !address.is_multiple_of(ALIGN) {
            return Err(SemihostingProblem::Misaligned { address }.into());
        }
        if let Err(cause) = place.map.resolve(place.space, address, STUB) {
            return Err(SemihostingProblem::NotInMemory { address, cause }.into());
        }
        let segments = place.image.map_or(&[][..], |image| image.segments());
        let overlaps = segments.iter().find(|segment| {
            let end = segment
                .address
                .saturating_add(segment.len)
                .saturating_add(segment.tail);
            segment.address < address + STUB && address < end
        });
        if let Some(segment) = overlaps {
            let segment = segment.address;
            return Err(SemihostingProblem::InImage { address, segment }.into());
        }
    }
    Ok(SemihostingConfig { ptr_width, stub })
}
