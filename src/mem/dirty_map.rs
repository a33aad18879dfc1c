//! Dirty map of a buffer: the bytes that were written.

use std::cell::Cell;
use std::rc::Rc;

use super::StaticMemRange;

/// Map with one bit for each byte. The cost of a mark does not depend on earlier marks, nor the
/// size on the pattern of writes. Clones share their marks.
#[derive(Clone)]
pub(super) struct DirtyMap(Rc<Box<[Cell<u64>]>>);

const BITS: usize = u64::BITS as usize;

impl DirtyMap {
    /// Creates a map of `bytes` unmarked bytes; `None` if it can't be allocated.
    pub(super) fn new(bytes: usize) -> Option<Self> {
        let words = bytes.div_ceil(BITS);
        let none = bytemuck::try_zeroed_slice_box(words).ok()?;
        Some(Self(Rc::new(none)))
    }

    /// Marks bytes. Bytes past the end are ignored.
    #[inline]
    pub(super) fn mark(&self, offset: usize, len: usize) {
        let Some(last) = len.checked_sub(1).and_then(|rest| offset.checked_add(rest)) else {
            return;
        };
        let words = self.0.get(offset / BITS..=last / BITS);
        let from_first = u64::MAX << (offset % BITS);
        let to_last = u64::MAX >> (BITS - 1 - last % BITS);
        match words {
            None | Some([]) => {}
            Some([only]) => only.set(only.get() | (from_first & to_last)),
            Some([first, between @ .., last]) => {
                first.set(first.get() | from_first);
                between.iter().for_each(|word| word.set(u64::MAX));
                last.set(last.get() | to_last);
            }
        }
    }

    /// Returns the marked ranges, in ascending order. No two ranges are adjacent.
    pub(super) fn ranges(&self) -> Vec<StaticMemRange> {
        let mut ranges: Vec<StaticMemRange> = Vec::new();
        for (index, word) in self.0.iter().enumerate() {
            let mut left = word.get();
            while left != 0 {
                let start = left.trailing_zeros();
                let len = (left >> start).trailing_ones();
                left &= u64::MAX.checked_shl(start + len).unwrap_or(0);
                let (offset, len) = (index * BITS + start as usize, len as usize);
                match ranges.last_mut() {
                    Some(before) if before.offset + before.len == offset => before.len += len,
                    _ => ranges.push(StaticMemRange { offset, len }),
                }
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Size of the buffer in bytes: more than one word of marks, and not a whole number of words.
    const SIZE: usize = 300;

    /// Computes the ranges from one flag for each byte.
    fn by_flags(flags: &[bool]) -> Vec<StaticMemRange> {
        let runs = flags.chunk_by(|one, next| one == next);
        let placed = runs.scan(0, |next, run| {
            let offset = *next;
            *next += run.len();
            Some((
                run[0],
                StaticMemRange {
                    offset,
                    len: run.len(),
                },
            ))
        });
        placed
            .filter_map(|(written, range)| written.then_some(range))
            .collect()
    }

    proptest! {
        #[test]
        fn ranges_are_the_marked_bytes(
            marks in prop::collection::vec((0..=SIZE, prop_oneof![0..9usize, 0..=SIZE]), 0..30),
        ) {
            let written = DirtyMap::new(SIZE).unwrap();
            let mut flags = vec![false; SIZE];
            for (offset, len) in marks {
                let len = len.min(SIZE - offset);
                written.mark(offset, len);
                flags[offset..offset + len].fill(true);
                prop_assert_eq!(written.ranges(), by_flags(&flags));
            }
        }
    }

    #[test]
    fn bytes_beyond_the_map_are_not_marked() {
        let written = DirtyMap::new(64).unwrap();
        written.mark(64, 1);
        written.mark(usize::MAX, 2);
        written.mark(60, usize::MAX);
        written.mark(3, 0);
        assert_eq!(written.ranges(), []);
        DirtyMap::new(0).unwrap().mark(0, 1);
    }
}
