//! Replacement of semihosting traps by jumps to code that posts requests to the host. Only
//! simulated memory is changed.

mod code;

use std::sync::Arc;

use bytes::Bytes;

pub(in crate::system) use self::code::MAX_TRAPS;
use self::code::{CODE, Exclusion, TRAP_STUB, TRAP_STUBS, distance};
use super::loader::Loader;
use crate::mem::{Image, ImageError, SpaceId, TRAP_LEN, Trap, Traps};
use crate::messages::SemihostingPlace;
use crate::messages::foreign::Severity;
use crate::system::Error;
use crate::system::running::Stub;

/// Maximum number of reports on unreplaced traps per replacement.
const MAX_REPORTS: usize = 64;

/// Channel with an image whose traps must be replaced.
pub(super) struct ToReplace {
    pub(super) channel: String,
    pub(super) space: SpaceId,
    pub(super) image: Arc<Image>,
    pub(super) semihosting: SemihostingPlace,
}

/// Writes the code for a channel, and replaces the traps of its image. `None` if no trap is
/// replaced.
pub(super) fn install(loader: &Loader<'_>, to_replace: &ToReplace) -> Result<Option<Stub>, Error> {
    let ToReplace {
        channel,
        space,
        image,
        semihosting,
    } = to_replace;
    let (space, ptr_width) = (*space, semihosting.ptr_width);
    let file = image.file().display();
    let traps = Traps::of(image)?;
    for address in &traps.truncated {
        let text = format!(
            "semihosting: the trap at {address:#x} of {file} goes on behind the end of its segment and stays as it is; link its three \
             instructions into one section"
        );
        loader.note(Severity::Warning, channel, text);
    }
    let Some(address) = semihosting.stub else {
        return Ok(None);
    };
    let exclusion = Exclusion::of(image.architecture()?.as_deref(), semihosting.harts);
    let mut stub = Stub {
        channel: channel.clone(),
        space,
        address,
        ptr_width,
        replaced: 0,
    };
    let flush = semihosting.flush.as_ref();
    let first_address = if flush.is_some() { 12 } else { 8 };
    let to_words = -(CODE.cast_signed() + first_address);
    let common = code::common_stub(ptr_width, exclusion, to_words, flush);
    let mut words = vec![0; CODE as usize];
    words.extend(common);
    loader.write(space, address, words.into())?;
    let count = stub.replace(loader, &traps.whole, &format!(" of {file}"));
    let harts = match exclusion {
        Exclusion::Lock => "several harts by a lock (extension A)",
        Exclusion::HartId => "up to 8 harts by mhartid, in machine mode",
        Exclusion::Alone => "one hart",
    };
    let (severity, text) = match count {
        0 => (
            Severity::Warning,
            format!("semihosting: {file} has no trap that could be replaced"),
        ),
        _ => {
            let jump = match count {
                1 => format!("1 trap of {file} jumps"),
                _ => format!("{count} traps of {file} jump"),
            };
            let text = format!(
                "semihosting: {jump} to code at {address:#x} in simulated memory, for {harts}"
            );
            (Severity::Info, text)
        }
    };
    loader.note(severity, channel, text);
    Ok(Some(stub))
}

/// Addresses of the traps of an image that can't be replaced by jumps to code at this address: a
/// jump is out of range, the code has no room for more traps, or a trap continues behind the end of
/// its segment.
///
/// # Errors
/// Fails if the file can't be read.
pub fn unreplaced_traps(image: &Image, stub: u64) -> Result<Vec<u64>, ImageError> {
    let traps = Traps::of(image)?;
    let mut replaced = 0;
    let mut stay = traps.truncated;
    for trap in &traps.whole {
        match jumps(stub, replaced, trap.address) {
            Some(_) if replaced < MAX_TRAPS => replaced += 1,
            _ => stay.push(trap.address),
        }
    }
    stay.sort_unstable();
    Ok(stay)
}

/// Distances of the jump to the stub of a trap, behind the stubs of the `replaced` traps, and of
/// the jump back; `None` if one is out of range.
fn jumps(stub: u64, replaced: u64, trap: u64) -> Option<(i64, i64)> {
    let trap_stub = stub + TRAP_STUBS + TRAP_STUB * replaced;
    let there = distance(trap, trap_stub)?;
    // Behind the trap, from the last instruction of its stub.
    let back = distance(trap_stub + TRAP_STUB - 4, trap.wrapping_add(TRAP_LEN))?;
    Some((there, back))
}

impl Stub {
    /// Replaces traps by jumps. A trap that can't be replaced is reported. Returns the number of
    /// replaced traps.
    pub(in crate::system) fn replace(
        &mut self,
        loader: &Loader<'_>,
        traps: &[Trap],
        whose: &str,
    ) -> u64 {
        let before = self.replaced;
        let mut reports = 0;
        for trap in traps {
            if let Err(why) = self.replace_one(loader, trap) {
                reports += 1;
                let more = match reports < MAX_REPORTS {
                    true => "",
                    false => "; further traps are not reported",
                };
                let at = trap.address;
                let text =
                    format!("semihosting: the trap at {at:#x}{whose} stays as it is: {why}{more}");
                loader.note(Severity::Warning, &self.channel, text);
                if reports == MAX_REPORTS {
                    break;
                }
            }
        }
        self.replaced - before
    }

    /// Replaces a trap by a jump, or returns the reason against it.
    fn replace_one(&mut self, loader: &Loader<'_>, trap: &Trap) -> Result<(), String> {
        if self.replaced == MAX_TRAPS {
            return Err(format!("the code has room for {MAX_TRAPS} traps"));
        }
        let stub = self.address;
        let trap_stub = stub + TRAP_STUBS + TRAP_STUB * self.replaced;
        let Some((there, back)) = jumps(stub, self.replaced, trap.address) else {
            return Err(format!(
                "it is more than 1 MiB from the code at {stub:#x}; give a nearer address as `stub`"
            ));
        };
        let to_common = distance(trap_stub + 8, stub + CODE).unwrap_or_default();
        let code = code::trap_stub(self.ptr_width, to_common, back);
        let jump = code::jump(there).to_le_bytes();
        let write = |address, bytes: Bytes| {
            let written = loader.write(self.space, address, bytes.clone());
            written.map_err(|error| error.to_string())?;
            // A memory may ignore the write.
            let read = loader.read(self.space, address, bytes.len() as u64);
            match read.map_err(|error| error.to_string())? == bytes {
                true => Ok(()),
                false => Err(format!(
                    "memory at {address:#x} keeps its content, as a ROM does"
                )),
            }
        };
        write(trap_stub, code.into())?;
        write(trap.physical, Bytes::copy_from_slice(&jump))?;
        self.replaced += 1;
        Ok(())
    }
}
