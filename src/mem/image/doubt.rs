//! Images that are accepted, and hardly meant to be loaded as they are.

use object::elf::{ET_CORE, ET_DYN, ET_EXEC};

use super::ImageSegment;

/// A property of an image that is accepted, and unusual for firmware: worth a warning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageDoubt {
    /// Position-independent executable, or shared object.
    #[error(
        "is position independent (ET_DYN), and is loaded at the addresses in its program headers without relocation; link it as an \
         executable (`-no-pie`, `-static`)"
    )]
    PositionIndependent,
    /// Memory of a process.
    #[error(
        "is a core dump (ET_CORE), not a program, and is loaded all the same; give the linked image"
    )]
    CoreDump,
    /// ELF type that is none of the usual.
    #[error(
        "has ELF type {kind:#x}, and is loaded as an executable (ET_EXEC) is; give the linked image"
    )]
    UnknownType {
        /// `e_type`.
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
        "segments {first} and {second} overlap from {from:#x} to {to:#x}{}: bytes are written in the order of the program headers, \
         behind all zeros; check the load addresses of the linker script",
        further(.more)
    )]
    Overlap {
        /// Position in the program header table of the segment that starts first.
        first: usize,
        /// Position in the program header table of the other.
        second: usize,
        /// First physical address that both have.
        from: u64,
        /// Last physical address that both have.
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
        /// Address of the first.
        address: u64,
        /// Address of the second.
        ignored: u64,
    },
    /// Section `.mailbox` that takes no memory.
    #[error(
        "its section .mailbox lacks the flag SHF_ALLOC, so the linker has reserved no memory for it at {address:#x}; declare it as data \
         (`.section .mailbox,\"aw\"`)"
    )]
    MailboxNotAllocated {
        /// Its address.
        address: u64,
    },
}

impl ImageDoubt {
    /// Whether it concerns the mailbox; others concern what is loaded.
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

/// The doubt about an image of this `e_type`.
pub(super) fn doubt_of_type(kind: u16) -> Option<ImageDoubt> {
    match kind {
        kind if kind == ET_EXEC.0 => None,
        kind if kind == ET_DYN.0 => Some(ImageDoubt::PositionIndependent),
        kind if kind == ET_CORE.0 => Some(ImageDoubt::CoreDump),
        kind => Some(ImageDoubt::UnknownType { kind }),
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

/// The first overlap of a segment's bytes with another segment. Zeros over zeros do no harm.
pub(super) fn doubt_of_overlaps(segments: &[ImageSegment]) -> Option<ImageDoubt> {
    let mut ranges: Vec<Range> = segments.iter().flat_map(ranges).collect();
    ranges.sort_by_key(|range| range.first);
    // In the order of addresses, whatever reaches furthest so far is what the next may run into.
    let mut furthest: [Option<Range>; 2] = [None, None];
    let mut found: Option<ImageDoubt> = None;
    for range in ranges {
        let [bytes, zeros] = &mut furthest;
        let before = [*bytes, zeros.filter(|_| range.is_bytes)];
        let hit = before
            .into_iter()
            .flatten()
            .find(|before| before.last >= range.first);
        match (&mut found, hit) {
            (_, None) => {}
            (Some(ImageDoubt::Overlap { more, .. }), Some(_)) => *more += 1,
            (_, Some(before)) => {
                found = Some(ImageDoubt::Overlap {
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

/// Bytes and zeros of a segment, where it has any.
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
