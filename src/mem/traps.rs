//! Traps of semihosting in the code of an image: three instructions of RISC-V that are not compressed, or `bkpt 0xab` of Arm's Thumb.

use super::{Image, ImageError, ImageSegment};

/// Instructions of a trap: `slli zero, zero, 31`, `ebreak`, `srai zero, zero, 7`.
const TRAP: [u32; 3] = [0x01f0_1013, 0x0010_0073, 0x4070_5013];

/// Trap in Thumb code: `bkpt 0xab`.
const BKPT: u16 = 0xbeab;

/// Bytes of a trap of RISC-V.
pub(crate) const TRAP_LEN: u64 = 12;

/// Bytes of the words and of the code in place of an image's traps.
pub(crate) const STUB_SIZE: u64 = 0x1180;

/// Trap in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trap {
    /// Address of its first instruction, used by firmware.
    pub(crate) address: u64,
    /// Address in memory.
    pub(crate) physical: u64,
}

/// Traps in the executable segments of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Traps {
    /// Traps that are in the image as a whole.
    pub(crate) whole: Vec<Trap>,
    /// Addresses of traps whose first instructions are the last ones of a segment.
    pub(crate) cut: Vec<u64>,
}

impl Traps {
    /// Finds the traps of an image for RISC-V.
    ///
    /// # Errors
    /// Fails if the file can't be read.
    pub(crate) fn of(image: &Image) -> Result<Self, ImageError> {
        let mut traps = Self::default();
        if image.is_arm() {
            return Ok(traps);
        }
        for (segment, bytes) in code(image, &image.bytes()?) {
            traps.whole.extend(offsets(bytes).map(|at| Trap {
                address: segment.virtual_address.wrapping_add(at),
                physical: segment.address.wrapping_add(at),
            }));
            traps.cut.extend(
                cut(bytes).map(|left| segment.virtual_address.wrapping_add(segment.len - left)),
            );
        }
        Ok(traps)
    }
}

/// Number of traps of an image, for RISC-V or Arm.
///
/// # Errors
/// Fails if the file can't be read.
pub(crate) fn count_traps(image: &Image) -> Result<usize, ImageError> {
    if !image.is_arm() {
        return Ok(Traps::of(image)?.whole.len());
    }
    let bytes = image.bytes()?;
    let counts = code(image, &bytes).map(|(_, code)| {
        let (halves, _) = code.as_chunks();
        halves
            .iter()
            .filter(|half| u16::from_le_bytes(**half) == BKPT)
            .count()
    });
    Ok(counts.sum())
}

/// Executable segments with their bytes. If no segment is marked as executable, all count.
fn code<'a>(
    image: &'a Image,
    bytes: &'a [u8],
) -> impl Iterator<Item = (&'a ImageSegment, &'a [u8])> {
    let segments = image.segments();
    let has_marks = segments.iter().any(|segment| segment.executable);
    let executable = segments
        .iter()
        .filter(move |it| it.executable || !has_marks);
    executable.filter_map(|segment| {
        let start = usize::try_from(segment.offset).ok()?;
        let end = usize::try_from(segment.offset.saturating_add(segment.len)).ok()?;
        Some((segment, bytes.get(start..end)?))
    })
}

/// Offsets of traps in code, in ascending order.
pub(crate) fn offsets(code: &[u8]) -> impl Iterator<Item = u64> {
    let trap = TRAP.map(u32::to_le_bytes);
    let windows = code.windows(TRAP_LEN as usize).enumerate().step_by(2);
    let found = windows.filter(move |(_, window)| *window == trap.as_flattened());
    found.map(|(at, _)| at as u64)
}

/// Number of bytes of a trap that goes on behind the end of code, if there is one.
fn cut(code: &[u8]) -> Option<u64> {
    let trap = TRAP.map(u32::to_le_bytes);
    let trap = trap.as_flattened();
    [8, 4]
        .into_iter()
        .find(|len| code.ends_with(&trap[..*len]))
        .map(|len| len as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn traps_are_found_at_every_instruction() {
        let mut code = bytes(&[0x13]);
        code.extend([1, 0]);
        code.extend(bytes(&TRAP));
        code.extend(bytes(&TRAP));
        assert_eq!(offsets(&code).collect::<Vec<_>>(), [6, 18]);
        assert_eq!(offsets(&code[1..]).count(), 0);
        assert_eq!(offsets(&[]).count(), 0);
    }

    #[test]
    fn a_trap_across_the_end_is_cut() {
        let code = bytes(&[0x13, TRAP[0], TRAP[1]]);
        assert_eq!(cut(&code), Some(8));
        assert_eq!(cut(&code[..8]), Some(4));
        assert_eq!(cut(&code[..4]), None);
    }
}
