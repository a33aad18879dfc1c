//! Warnings about images that are accepted, but probably by mistake.

use object::elf::{ET_CORE, ET_DYN, ET_EXEC};

use super::ImageSegment;

/// Property of an image that is accepted, but unusual for firmware. It causes a warning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageWarning {
    /// Position-independent executable or shared object.
    #[error(
        "is position independent (ET_DYN), and is loaded at the addresses in its program headers without relocation; link it as an \
         executable (`-no-pie`, `-static`)"
    )]
    PositionIndependent,
    /// Core dump.
    #[error(
        "is a core dump (ET_CORE), not a program, and is loaded nevertheless; give the linked image"
    )]
    CoreDump,
    /// Unusual ELF type.
    #[error(
        "has ELF type {kind:#x}, and is loaded as an executable (ET_EXEC) is; give the linked image"
    )]
    UnknownType {
        /// Value of `e_type`.
        kind: u16,
    },
    /// Segment that starts with the ELF header.
    #[error(
        "loads its own ELF headers at {address:#x}, as the start of segment {segment}; link with `-n`, or leave FILEHDR and PHDRS \
         out of the linker script's program headers"
    )]
    OwnHeaders {
        /// Position in the program header table.
        segment: usize,
        /// Physical address.
        address: u64,
    },
    /// Segments that share addresses.
    #[error(
        "segments {first} and {second} overlap from {from:#x} to {to:#x}{}: bytes are written in \
         the order of the program headers, after all zeros; check the load addresses of the linker \
         script",
        further(.more)
    )]
    Overlap {
        /// Position in the program header table of the segment that starts first.
        first: usize,
        /// Position in the program header table of the other segment.
        second: usize,
        /// First shared physical address.
        from: u64,
        /// Last shared physical address.
        to: u64,
        /// Number of further overlaps.
        more: usize,
    },
    /// Second section `.mailbox`.
    #[error(
        "has two sections .mailbox: the one at {address:#x} is used, and the one at {ignored:#x} ignored; gather both in one \
         output section, where `mb_id` counts the channels"
    )]
    SecondMailbox {
        /// Address of the first section.
        address: u64,
        /// Address of the second section.
        ignored: u64,
    },
    /// Section `.mailbox` that occupies no memory.
    #[error(
        "its section .mailbox lacks the flag SHF_ALLOC, so the linker has reserved no memory for it at {address:#x}; declare it as data \
         (`.section .mailbox,\"aw\"`)"
    )]
    MailboxNotAllocated {
        /// Address of the section.
        address: u64,
    },
}

impl ImageWarning {
    /// True if the warning is about the mailbox, false if it is about the loaded bytes.
    pub fn is_of_mailbox(&self) -> bool {
        matches!(
            self,
            Self::SecondMailbox { .. } | Self::MailboxNotAllocated { .. }
        )
    }
}

fn further(more: &usize) -> String {
    match more {
        0 => String::new(),
        more => format!(" ({more} more overlap)"),
    }
}

/// Returns the warning about an image of this `e_type`.
pub(super) fn type_warning(kind: u16) -> Option<ImageWarning> {
    match kind {
        kind if kind == ET_EXEC.0 => None,
        kind if kind == ET_DYN.0 => Some(ImageWarning::PositionIndependent),
        kind if kind == ET_CORE.0 => Some(ImageWarning::CoreDump),
        kind => Some(ImageWarning::UnknownType { kind }),
    }
}

/// Consecutive addresses of a segment.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: u64,
    last: u64,
    segment: usize,
    is_bytes: bool,
}

/// Returns the first overlap of a segment's bytes with another segment. Overlaps of zeros with
/// zeros are harmless, and are not counted.
pub(super) fn overlap_warning(segments: &[ImageSegment]) -> Option<ImageWarning> {
    let mut ranges: Vec<Range> = segments.iter().flat_map(ranges).collect();
    ranges.sort_by_key(|range| range.first);
    // Ranges are in ascending order of address, so only the one with the highest end so far can
    // overlap the next.
    let mut furthest: [Option<Range>; 2] = [None, None];
    let mut found: Option<ImageWarning> = None;
    for range in ranges {
        let [bytes, zeros] = &mut furthest;
        let before = [*bytes, zeros.filter(|_| range.is_bytes)];
        let hit = before
            .into_iter()
            .flatten()
            .find(|before| before.last >= range.first);
        match (&mut found, hit) {
            (_, None) => {}
            (Some(ImageWarning::Overlap { more, .. }), Some(_)) => *more += 1,
            (_, Some(before)) => {
                found = Some(ImageWarning::Overlap {
                    first: before.segment,
                    second: range.segment,
                    from: range.first,
                    to: range.last.min(before.last),
                    more: 0,
                });
            }
        }
        let own = if range.is_bytes { bytes } else { zeros };
        if own.is_none_or(|before| before.last < range.last) {
            *own = Some(range);
        }
    }
    found
}

/// Iterates over the bytes and the zeros of a segment, without empty ranges.
fn ranges(segment: &ImageSegment) -> impl Iterator<Item = Range> {
    let range = |first: u64, len: u64, is_bytes| {
        Some(Range {
            first,
            last: first.checked_add(len.checked_sub(1)?)?,
            segment: segment.index,
            is_bytes,
        })
    };
    let bytes = range(segment.address, segment.len, true);
    let zeros = segment
        .address
        .checked_add(segment.len)
        .and_then(|address| range(address, segment.tail, false));
    [bytes, zeros].into_iter().flatten()
}
