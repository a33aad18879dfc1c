//! Traps of semihosting that are replaced by jumps to code which asks the host, in simulated memory only.

use bytes::Bytes;
use mailbox_rs::PtrWidth;

use super::Error;
use super::loader::Loader;
use crate::mem::{Image, SpaceId};
use crate::messages::SemihostingPlace;
use crate::messages::foreign::Severity;
use crate::messages::semihosting::STUB_WORDS;

/// Instructions of a trap: `slli zero, zero, 31`, `ebreak`, `srai zero, zero, 7`.
const TRAP: [u32; 3] = [0x01f0_1013, 0x0010_0073, 0x4070_5013];

/// Bytes of the code for one trap.
const CODE: u64 = 64;

/// Most traps of an image.
const MOST: usize = 64;

/// Distance that a jump reaches.
const REACH: i64 = 1 << 20;

const ZERO: u32 = 0;
const SP: u32 = 2;
const T0: u32 = 5;
const A0: u32 = 10;
const A1: u32 = 11;

/// Replaces the traps of an image by jumps to code at the stub's address, and writes that code.
pub(super) fn install(
    loader: &Loader<'_>,
    channel: &str,
    space: SpaceId,
    image: &Image,
    place: &SemihostingPlace,
) -> Result<(), Error> {
    let Some(stub) = place.stub else {
        return Ok(());
    };
    let file = image.file().display();
    let mut code = vec![0; STUB_WORDS as usize];
    let (mut patched, mut left_out) = (0_usize, 0_usize);
    for Trap { address, physical } in traps(image)? {
        let entry = stub + STUB_WORDS + CODE * patched as u64;
        let there = distance(address, entry);
        // Behind the trap, from the last instruction of the code.
        let back = distance(entry + CODE - 4, address + 12);
        let (Some(there), Some(back)) = (there, back) else {
            left_out += 1;
            if left_out <= MOST {
                let text = format!(
                    "semihosting: the trap at {address:#x} of {file} is more than 1 MiB from the stub at {stub:#x} and stays as it is; \
                     give a nearer address as `stub`"
                );
                loader.note(Severity::Warning, channel, text);
            }
            continue;
        };
        if patched == MOST {
            let text = format!(
                "semihosting: {file} has more than {MOST} traps; that at {address:#x} and later ones stay as they are"
            );
            loader.note(Severity::Warning, channel, text);
            break;
        }
        let words = distance(entry + 8, stub).unwrap_or_default();
        code.extend(entry_code(place.ptr_width, words, back));
        let jump = jal(there).to_le_bytes();
        loader.write(space, physical, Bytes::copy_from_slice(&jump))?;
        patched += 1;
    }
    loader.write(space, stub, code.into())?;
    let (severity, text) = match patched {
        0 => (
            Severity::Warning,
            format!("semihosting: {file} has no trap that could be replaced"),
        ),
        _ => (
            Severity::Info,
            format!(
                "semihosting: {patched} traps of {file} jump to code at {stub:#x} in simulated memory"
            ),
        ),
    };
    loader.note(severity, channel, text);
    Ok(())
}

/// Trap in an image.
struct Trap {
    address: u64,
    /// Address in memory.
    physical: u64,
}

/// Traps in the loaded bytes of an image.
fn traps(image: &Image) -> Result<Vec<Trap>, Error> {
    let bytes = image.bytes()?;
    let trap = TRAP.map(u32::to_le_bytes);
    let trap = trap.as_flattened();
    let mut traps = Vec::new();
    for segment in image.segments() {
        let end = segment.offset.saturating_add(segment.len);
        let range = usize::try_from(segment.offset)
            .ok()
            .zip(usize::try_from(end).ok());
        let Some(bytes) = range.and_then(|(start, end)| bytes.get(start..end)) else {
            continue;
        };
        let windows = bytes.windows(trap.len()).enumerate().step_by(2);
        let found = windows.filter(|(_, window)| *window == trap);
        traps.extend(found.map(|(at, _)| Trap {
            address: segment.virtual_address.wrapping_add(at as u64),
            physical: segment.address.wrapping_add(at as u64),
        }));
    }
    Ok(traps)
}

/// Distance of a jump, if it reaches.
fn distance(from: u64, to: u64) -> Option<i64> {
    let distance = to.wrapping_sub(from).cast_signed();
    (-REACH..REACH).contains(&distance).then_some(distance)
}

/// Code for one trap: posts `a0` and `a1`, waits for the host, and takes the result. All other registers keep their values. `words` is
/// the distance of the words from the third instruction, `back` that of the end of the trap from the last one.
fn entry_code(width: PtrWidth, words: i64, back: i64) -> Vec<u8> {
    let words = words as i32;
    // The lower twelve bits are signed.
    let high = words.wrapping_add(0x800) as u32 & 0xffff_f000;
    let low = words.wrapping_sub(high.cast_signed());
    let size = match width {
        PtrWidth::P4 => 2,
        PtrWidth::P8 => 3,
    };
    let code = [
        addi(SP, SP, -16),
        store(size, T0, SP, 0),
        high | T0 << 7 | 0x17,
        addi(T0, T0, low),
        store(size, A0, T0, 8),
        store(size, A1, T0, 16),
        FENCE,
        addi(A0, ZERO, 1),
        store(2, A0, T0, 0),
        load(2, A0, T0, 0),
        // `bnez a0`, to the load before it.
        0xfe05_1ee3,
        FENCE,
        load(size, A0, T0, 8),
        load(size, T0, SP, 0),
        addi(SP, SP, 16),
        jal(back),
    ];
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// `fence rw, rw`
const FENCE: u32 = 0x0330_000f;

fn addi(to: u32, from: u32, value: i32) -> u32 {
    value.cast_unsigned() << 20 | from << 15 | to << 7 | 0x13
}

fn load(size: u32, to: u32, base: u32, offset: u32) -> u32 {
    offset << 20 | base << 15 | size << 12 | to << 7 | 0x03
}

fn store(size: u32, from: u32, base: u32, offset: u32) -> u32 {
    (offset >> 5) << 25 | from << 20 | base << 15 | size << 12 | (offset & 31) << 7 | 0x23
}

/// `j`, over a distance that it reaches.
fn jal(distance: i64) -> u32 {
    let bits = distance as u32;
    (bits >> 20 & 1) << 31
        | (bits >> 1 & 0x3ff) << 21
        | (bits >> 11 & 1) << 20
        | (bits >> 12 & 0xff) << 12
        | 0x6f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_have_their_encodings() {
        assert_eq!(addi(SP, SP, -16), 0xff01_0113);
        assert_eq!(store(3, T0, SP, 0), 0x0051_3023);
        assert_eq!(store(2, A1, T0, 16), 0x00b2_a823);
        assert_eq!(load(2, A0, T0, 8), 0x0082_a503);
        assert_eq!(load(3, T0, SP, 0), 0x0001_3283);
        assert_eq!(jal(0), 0x0000_006f);
        assert_eq!(jal(-4), 0xffdf_f06f);
        assert_eq!(jal(0x800), 0x0010_006f);
        assert_eq!(jal(0xf_fffe), 0x7fff_f06f);
    }

    #[test]
    fn code_has_the_size_that_its_places_count_with() {
        for width in [PtrWidth::P4, PtrWidth::P8] {
            assert_eq!(entry_code(width, -32, 8).len() as u64, CODE);
        }
    }

    #[test]
    fn jumps_reach_a_mebibyte() {
        assert_eq!(distance(0x10_0000, 0), Some(-REACH));
        assert_eq!(distance(0, 0x10_0000), None);
        assert_eq!(distance(0x8000_0000, 0x8000_0010), Some(16));
    }
}
