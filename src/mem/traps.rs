//! Traps of semihosting in the code of an image: three instructions of RISC-V that are not
//! compressed, or `bkpt 0xab` of Arm's Thumb.

use super::{Image, ImageContent, ImageError, ImageSegment};

/// Instructions of a trap: `slli zero, zero, 31`, `ebreak`, `srai zero, zero, 7`.
const TRAP: [u32; 3] = [0x01f0_1013, 0x0010_0073, 0x4070_5013];

/// Trap in Thumb code: `bkpt 0xab`.
const BKPT: u16 = 0xbeab;

/// Number of bytes of a trap of RISC-V.
pub(crate) const TRAP_LEN: u64 = 12;

/// Number of bytes of the code that replaces an image's traps, with its words.
pub(crate) const STUB_SIZE: u64 = 0x1180;

/// Trap in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trap {
    /// Address of the trap's first instruction, as used by firmware.
    pub(crate) address: u64,
    /// Address in memory.
    pub(crate) physical: u64,
}

/// Traps in the executable segments of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Traps {
    /// Complete traps of the image.
    pub(crate) whole: Vec<Trap>,
    /// Addresses of traps that continue behind the end of their segment.
    pub(crate) truncated: Vec<u64>,
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
        let content = image.content()?;
        for segment in executable(image) {
            let address = |at| segment.virtual_address.wrapping_add(at);
            let mut left = None;
            for piece in pieces(&content, segment, TRAP_LEN as usize - 2) {
                let (start, code) = piece?;
                traps.whole.extend(offsets(&code).map(|at| Trap {
                    address: address(start + at),
                    physical: segment.address.wrapping_add(start + at),
                }));
                left = truncated(&code);
            }
            traps
                .truncated
                .extend(left.map(|left| address(segment.len - left)));
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
    let content = image.content()?;
    let mut count = 0;
    for segment in executable(image) {
        for piece in pieces(&content, segment, 0) {
            let (_, code) = piece?;
            let (halves, _) = code.as_chunks();
            let found = halves
                .iter()
                .filter(|half| u16::from_le_bytes(**half) == BKPT);
            count += found.count();
        }
    }
    Ok(count)
}

/// Executable segments. If no segment is marked as executable, all count.
fn executable(image: &Image) -> impl Iterator<Item = &ImageSegment> {
    let segments = image.segments();
    let has_marks = segments.iter().any(|segment| segment.executable);
    segments
        .iter()
        .filter(move |it| it.executable || !has_marks)
}

/// Code of a segment and its offset there, in parts of about 1 MiB. Each part but the first starts
/// with the `repeated` last bytes of the previous one.
fn pieces(
    content: &ImageContent<'_>,
    segment: &ImageSegment,
    repeated: usize,
) -> impl Iterator<Item = Result<(u64, Vec<u8>), ImageError>> {
    let (mut read, mut last) = (0, Vec::new());
    content.pieces(segment).map(move |piece| {
        let (_, bytes) = piece?;
        let mut code = std::mem::take(&mut last);
        let start = read - code.len() as u64;
        code.extend_from_slice(&bytes);
        read += bytes.len() as u64;
        last = code[code.len().saturating_sub(repeated)..].to_vec();
        Ok((start, code))
    })
}

/// Offsets of traps in code, in ascending order.
pub(crate) fn offsets(code: &[u8]) -> impl Iterator<Item = u64> {
    let trap = TRAP.map(u32::to_le_bytes);
    let windows = code.windows(TRAP_LEN as usize).enumerate().step_by(2);
    let found = windows.filter(move |(_, window)| *window == trap.as_flattened());
    found.map(|(at, _)| at as u64)
}

/// Number of bytes of a trap that continues behind the end of the code; `None` without one.
fn truncated(code: &[u8]) -> Option<u64> {
    let trap = TRAP.map(u32::to_le_bytes);
    let trap = trap.as_flattened();
    [8, 4]
        .into_iter()
        .find(|len| code.ends_with(&trap[..*len]))
        .map(|len| len as u64)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

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
    fn traps_between_two_pieces_are_found_once() {
        for before in [0, 2, 4, 8, 10, 12, 14] {
            let at = (1 << 20) - before;
            let mut code = vec![0; at];
            code.extend(bytes(&TRAP));
            code.extend(bytes(&TRAP[..2]));
            let segment = ElfSegment {
                address: 0x1000,
                virtual_address: 0x8000_0000,
                mem_size: code.len() as u64,
                bytes: code,
            };
            let elf = ElfBuilder {
                segments: vec![segment],
                ..ElfBuilder::default()
            };
            let image = Image::parse(elf.build(), Path::new("fw.elf")).unwrap();
            let traps = Traps::of(&image).unwrap();
            let [trap] = traps.whole[..] else {
                panic!("{:?}", traps.whole);
            };
            assert_eq!(trap.physical, 0x1000 + at as u64);
            assert_eq!(trap.address, 0x8000_0000 + at as u64);
            assert_eq!(traps.truncated, [trap.address + TRAP_LEN]);
            assert_eq!(count_traps(&image).unwrap(), 1);
        }
    }

    #[test]
    fn a_trap_across_the_end_is_cut() {
        let code = bytes(&[0x13, TRAP[0], TRAP[1]]);
        assert_eq!(truncated(&code), Some(8));
        assert_eq!(truncated(&code[..8]), Some(4));
        assert_eq!(truncated(&code[..4]), None);
    }
}
