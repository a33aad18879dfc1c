//! Search for a control block in ranges: one step per tick, to keep ticks short.

use super::control_block::{HEADER, ID};
use crate::actors::service::{ChannelService, Failure};
use crate::mem::{Op, Span};

/// Number of bytes that one step searches.
const STEP: u64 = 4096;

/// Alignment of a control block.
const ALIGN: usize = 4;

/// Position in ranges, which are searched repeatedly.
#[derive(Debug)]
pub(super) struct Search<'a> {
    ranges: &'a [(u64, u64)],
    /// Position of the present range.
    range: usize,
    next: u64,
}

/// Outcome of one step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SearchOutcome {
    /// Address of a mark.
    Mark(u64),
    /// No mark in these bytes.
    Nothing,
    /// No mark in the ranges: the search starts again.
    End,
}

impl<'a> Search<'a> {
    pub(super) fn new(ranges: &'a [(u64, u64)]) -> Self {
        let mut search = Self {
            ranges,
            range: 0,
            next: 0,
        };
        search.begin(0);
        search
    }

    /// Moves to the start of a range.
    fn begin(&mut self, range: usize) {
        self.range = range;
        self.next = self.ranges.get(range).map_or(0, |(from, _)| *from);
    }

    /// Searches the next bytes.
    ///
    /// # Errors
    /// Fails if the piece can't be read.
    pub(super) async fn step(
        &mut self,
        service: &ChannelService,
    ) -> Result<SearchOutcome, Failure> {
        let to = self.ranges.get(self.range).map_or(0, |(_, to)| *to);
        let rest = to.saturating_sub(self.next);
        if rest < HEADER {
            if self.range + 1 < self.ranges.len() {
                self.begin(self.range + 1);
                return Ok(SearchOutcome::Nothing);
            }
            self.begin(0);
            return Ok(SearchOutcome::End);
        }
        let span = Span {
            address: self.next,
            // A mark may start within these bytes and end in the next ones.
            len: rest.min(STEP + HEADER),
        };
        let bytes = service.access(Op::Peek(span)).await?.into_bytes();
        let found = mark(&bytes, rest.min(STEP));
        match found {
            Some(offset) => {
                let address = self.next + offset;
                // The search continues behind the mark, if no control block is there.
                self.next = address + ALIGN as u64;
                Ok(SearchOutcome::Mark(address))
            }
            None => {
                self.next = self.next.saturating_add(STEP);
                Ok(SearchOutcome::Nothing)
            }
        }
    }
}

/// Offset of the first mark that begins within `len` bytes.
fn mark(bytes: &[u8], len: u64) -> Option<u64> {
    let starts = (0..len).step_by(ALIGN);
    let mut starts = starts.filter_map(|offset| Some((offset, usize::try_from(offset).ok()?)));
    let is_mark = |at: usize| bytes.get(at..at + ID.len()) == Some(&ID[..]);
    starts
        .find(|(_, at)| is_mark(*at))
        .map(|(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_where_they_are_aligned() {
        for at in [0_usize, 4, 100, 4092] {
            let mut bytes = vec![0; 8192];
            bytes[at..at + 16].copy_from_slice(&ID);
            assert_eq!(mark(&bytes, 4096), Some(at as u64));
            bytes[at + 3] = 0;
            assert_eq!(mark(&bytes, 4096), None);
        }
        let mut bytes = vec![0; 64];
        bytes[2..18].copy_from_slice(&ID);
        assert_eq!(mark(&bytes, 40), None);
        // A mark that starts behind these bytes belongs to the next step.
        bytes[40..56].copy_from_slice(&ID);
        assert_eq!(mark(&bytes, 40), None);
    }
}
