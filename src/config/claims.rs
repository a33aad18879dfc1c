//! Ranges of memory that the words of channels take.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::error::ChannelProblem;
use super::stub_place::Range;
use crate::mem::{MemoryId, MemoryMap, Segment, SpaceId};

/// Ranges of the channels so far, by start: exclusive end, and channel.
#[derive(Default)]
pub(super) struct Claims(BTreeMap<(MemoryId, u64), (u64, Rc<Taker>)>);

/// Served channel that owns a range.
struct Taker {
    name: String,
    address: u64,
}

impl Claims {
    /// Reserves a channel's range, which must be mapped, aligned and unused.
    pub(super) fn take(
        &mut self,
        map: &MemoryMap,
        name: &str,
        space: SpaceId,
        address: u64,
        len: u64,
        align: u64,
    ) -> Result<(), ChannelProblem> {
        if !address.is_multiple_of(align) {
            return Err(ChannelProblem::Misaligned { address, align });
        }
        let taker = Rc::new(Taker {
            name: name.to_owned(),
            address,
        });
        for segment in map.resolve(space, address, len)? {
            if let Some(first) = self.taker(&segment) {
                return Err(ChannelProblem::Overlap {
                    address,
                    first: first.name.clone(),
                    first_address: first.address,
                });
            }
            let end = segment.offset + segment.len;
            self.0
                .insert((segment.memory, segment.offset), (end, taker.clone()));
        }
        Ok(())
    }

    /// Owner of any of these bytes. Reserved ranges don't overlap, so only the last one that starts
    /// before the segment's end can overlap it.
    fn taker(&self, segment: &Segment) -> Option<&Taker> {
        let Segment {
            memory,
            offset,
            len,
        } = *segment;
        let before = self.0.range((memory, 0)..(memory, offset + len));
        let (_, (end, taker)) = before.last()?;
        (*end > offset).then_some(taker)
    }

    /// Reserved ranges, by memory and offset.
    pub(super) fn ranges(&self) -> Vec<(MemoryId, Range)> {
        let ranges = self.0.iter().map(|((memory, start), (end, _))| {
            let (start, end) = (*start, *end);
            (*memory, Range { start, end })
        });
        ranges.collect()
    }
}
