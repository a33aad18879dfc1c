//! Search for a place of the code that replaces traps of semihosting: a gap in RAM that firmware
//! does not use.

use crate::mem::{
    Extent, Image, ImageError, MemoryId, MemoryMap, STUB_SIZE, SpaceId, Symbol, Traps,
};

/// Alignment of a place: the size of a line in most caches.
const ALIGN: u64 = 64;

/// Range of a jump in bytes, minus the largest distance between the code for the first trap and
/// that for the last one.
const REACH: u64 = (1 << 20) - STUB_SIZE - ALIGN;

/// Symbols for the first address of a heap.
const HEAP_STARTS: [&str; 5] = [
    "__heap_start",
    "_heap_start",
    "__HeapBase",
    "__heap_base",
    "_sheap",
];

/// Symbols for the address behind a heap.
const HEAP_ENDS: [&str; 5] = [
    "__heap_end",
    "_heap_end",
    "__HeapLimit",
    "__heap_limit",
    "_eheap",
];

/// Symbols for the address behind a stack.
const STACKS: [&str; 9] = [
    "__stack",
    "_stack_top",
    "__stack_top",
    "stack_top",
    "_stack_start",
    "__StackTop",
    "_sp",
    "_estack",
    "__initial_sp",
];

/// Range of addresses: the first one, and the one behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Space, and its contents.
pub(super) struct Surroundings<'a> {
    pub(super) map: &'a MemoryMap,
    pub(super) space: SpaceId,
    /// Images of the space.
    pub(super) images: Vec<&'a Image>,
    /// Ranges of channels, by memory and offset.
    pub(super) taken: Vec<(MemoryId, Range)>,
}

/// Place for the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FoundPlace {
    pub(super) address: u64,
    /// Gap that contains the place.
    pub(super) gap: Range,
}

impl Surroundings<'_> {
    /// Finds a place from which jumps reach all traps, or at least the first one. `None` if there
    /// is none.
    ///
    /// # Errors
    /// Fails if the symbols of an image can't be read.
    pub(super) fn find(&self, traps: &Traps) -> Result<Option<FoundPlace>, ImageError> {
        let addresses = || traps.whole.iter().map(|trap| trap.address);
        let (Some(first), Some(last)) = (addresses().min(), addresses().max()) else {
            return Ok(None);
        };
        let reach = |first: u64, last: u64| Range {
            start: last.saturating_sub(REACH),
            end: first.saturating_add(REACH),
        };
        let of_all = reach(first, last);
        let within = match of_all.start < of_all.end {
            true => of_all,
            false => reach(first, first),
        };
        let used = self.used()?;
        let Some(space) = self.map.space(self.space) else {
            return Ok(None);
        };
        let mut bounded = None;
        let mut open = None;
        for extent in space.extents().iter().filter(|it| self.is_ram(it)) {
            for (gap, has_end) in gaps(extent, &used) {
                let place = place(gap, has_end, within).map(|address| FoundPlace { address, gap });
                match has_end {
                    true => bounded = bounded.or(place),
                    false => open = open.or(place),
                }
            }
        }
        // The end of a memory may have a heap or a stack without a symbol.
        Ok(bounded.or(open))
    }

    /// True if firmware writes to this memory: it contains a writable segment of an image.
    fn is_ram(&self, extent: &Extent) -> bool {
        let segments = self.images.iter().flat_map(|image| image.segments());
        let mut writable = segments.filter(|segment| segment.writable);
        writable.any(|segment| {
            let is_there = |address| (extent.first..=extent.last).contains(&address);
            is_there(segment.address) || is_there(segment.virtual_address)
        })
    }

    /// Addresses in use, in ascending order and without overlaps.
    fn used(&self) -> Result<Vec<Range>, ImageError> {
        let mut used = Vec::new();
        for image in &self.images {
            for segment in image.segments() {
                let len = segment.len.saturating_add(segment.tail);
                for start in [segment.address, segment.virtual_address] {
                    let end = start.saturating_add(len);
                    used.push(Range { start, end });
                }
            }
        }
        for (memory, range) in &self.taken {
            let base = self.map.memory(*memory).map_or(0, |memory| memory.base);
            used.push(Range {
                start: base.saturating_add(range.start),
                end: base.saturating_add(range.end),
            });
        }
        for image in &self.images {
            let first = |found: &[Option<Symbol>]| found.iter().flatten().map(|it| it.value).next();
            let heap = first(&image.symbols(HEAP_STARTS)?);
            let heap_end = first(&image.symbols(HEAP_ENDS)?);
            let stack = first(&image.symbols(STACKS)?);
            if let (Some(start), Some(end)) = (heap, heap_end.or(stack)) {
                used.push(Range { start, end });
            }
            // A stack grows down to the range below it.
            if let Some(end) = stack {
                let below = used.iter().filter(|range| range.start < end);
                let floor = below.map(|range| range.end.min(end)).max();
                used.push(Range {
                    start: floor.unwrap_or_default(),
                    end,
                });
            }
        }
        used.retain(|range| range.start < range.end);
        used.sort_unstable();
        let mut joined: Vec<Range> = Vec::new();
        for range in used {
            match joined.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => joined.push(range),
            }
        }
        Ok(joined)
    }
}

/// Unused addresses of an extent, each with true if a used range follows. Addresses before the
/// first used range are left out: a vector table or a boot loader may be there.
fn gaps(extent: &Extent, used: &[Range]) -> Vec<(Range, bool)> {
    let behind = extent.last.saturating_add(1);
    let within = |range: &&Range| range.end > extent.first && range.start < behind;
    let used: Vec<Range> = used.iter().filter(within).copied().collect();
    let ends = used.iter().map(|range| range.end);
    let starts = used.iter().skip(1).map(|range| (range.start, true));
    let gaps = ends.zip(starts.chain([(behind, false)]));
    gaps.filter(|(start, (end, _))| start < end)
        .map(|(start, (end, has_end))| (Range { start, end }, has_end))
        .collect()
}

/// Place in a gap: at its start, or in the middle if no used range follows.
fn place(gap: Range, has_end: bool, within: Range) -> Option<u64> {
    let Range { start, end } = gap;
    let first = start.max(within.start).checked_next_multiple_of(ALIGN)?;
    let last = end.min(within.end).checked_sub(STUB_SIZE)? / ALIGN * ALIGN;
    if first > last {
        return None;
    }
    Some(match has_end {
        true => first,
        false => (start + (end - start) / 2) / ALIGN * ALIGN,
    })
    .map(|wanted| wanted.clamp(first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Range = Range {
        start: 0,
        end: u64::MAX,
    };

    fn range(start: u64, end: u64) -> Range {
        Range { start, end }
    }

    #[test]
    fn a_gap_is_between_two_things_or_behind_the_last() {
        let extent = Extent {
            first: 0x1000,
            last: 0x8fff,
            memory: MemoryId(0),
        };
        let used = [range(0x2000, 0x3000), range(0x5000, 0x6000)];
        let expected = [
            (range(0x3000, 0x5000), true),
            (range(0x6000, 0x9000), false),
        ];
        assert_eq!(gaps(&extent, &used), expected);
        assert_eq!(gaps(&extent, &[]), []);
        assert_eq!(gaps(&extent, &[range(0, u64::MAX)]), []);
    }

    #[test]
    fn a_place_fits_is_aligned_and_within_reach() {
        let size = STUB_SIZE;
        assert_eq!(place(range(1, 64 + size), true, ALL), Some(64));
        assert_eq!(place(range(1, 63 + size), true, ALL), None);
        assert_eq!(place(range(0, 0x10000), false, ALL), Some(0x8000));
        let near = range(0, 0x4000);
        let found = place(range(0, 0x10000), false, near);
        assert_eq!(found, Some((0x4000 - size) / ALIGN * ALIGN));
        assert_eq!(place(range(0x4000, 0x10000), false, near), None);
        assert_eq!(place(range(u64::MAX - 70, u64::MAX), true, ALL), None);
    }
}
