//! The memories of an address space: which of them has which addresses, where one is in front of another.

use std::collections::BTreeSet;

use super::{Memory, MemoryId};

#[cfg(test)]
mod tests;

/// An address space: the memories that one bus master sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Its key in the configuration.
    pub name: String,
    memories: Vec<MemoryId>,
    extents: Vec<Extent>,
}

/// Consecutive addresses of a space that belong to one memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first address.
    pub first: u64,
    /// The last address.
    pub last: u64,
    /// The memory.
    pub memory: MemoryId,
}

/// Two memories that share addresses, of which neither contains the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialOverlap {
    /// The one that starts first.
    pub first: MemoryId,
    /// The other.
    pub second: MemoryId,
}

/// A memory while its space is built.
#[derive(Debug, Clone, Copy)]
struct Placed {
    first: u64,
    last: u64,
    /// Its place in the list: the least one wins.
    rank: usize,
    id: MemoryId,
}

impl Space {
    /// Builds a space of the memories `listed`, by their ids in `memories`. Where one contains another, the one that is listed first has
    /// the addresses of both.
    ///
    /// # Errors
    /// Where two overlap, and neither contains the other.
    pub fn new(
        name: String,
        listed: &[MemoryId],
        memories: &[Memory],
    ) -> Result<Self, PartialOverlap> {
        let placed = listed.iter().enumerate().filter_map(|(rank, id)| {
            let memory = memories.get(usize::try_from(id.0).ok()?)?;
            Some(Placed {
                first: memory.base,
                last: memory.last(),
                rank,
                id: *id,
            })
        });
        let mut placed: Vec<Placed> = placed.collect();
        // What contains others comes before them.
        placed.sort_by_key(|memory| (memory.first, u64::MAX - memory.last, memory.rank));
        nested(&placed)?;
        Ok(Self {
            name,
            memories: placed.iter().map(|memory| memory.id).collect(),
            extents: extents(&placed),
        })
    }

    /// The memories, in ascending order of base, a memory that contains others before them.
    pub fn memories(&self) -> &[MemoryId] {
        &self.memories
    }

    /// The addresses that have a memory, in ascending order.
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }
}

/// Checks that each memory is within another one or apart from it.
fn nested(placed: &[Placed]) -> Result<(), PartialOverlap> {
    let mut around: Vec<Placed> = Vec::new();
    for memory in placed {
        while around.last().is_some_and(|outer| outer.last < memory.first) {
            around.pop();
        }
        if let Some(outer) = around.last().filter(|outer| outer.last < memory.last) {
            return Err(PartialOverlap {
                first: outer.id,
                second: memory.id,
            });
        }
        around.push(*memory);
    }
    Ok(())
}

/// Who has which addresses: of all memories at an address, the one of the least rank.
fn extents(placed: &[Placed]) -> Vec<Extent> {
    // A memory begins at an edge, and has ended at another, which may be one more than the last address.
    let begins = placed
        .iter()
        .map(|memory| (u128::from(memory.first), true, memory));
    let ends = placed
        .iter()
        .map(|memory| (u128::from(memory.last) + 1, false, memory));
    let mut edges: Vec<(u128, bool, &Placed)> = begins.chain(ends).collect();
    edges.sort_by_key(|(at, ..)| *at);
    let mut extents: Vec<Extent> = Vec::new();
    let mut there: BTreeSet<(usize, MemoryId)> = BTreeSet::new();
    let mut from = 0;
    for (at, begins, memory) in edges {
        if let Some((_, id)) = there.first()
            && at > from
        {
            add(&mut extents, from, at, *id);
        }
        from = at;
        if begins {
            there.insert((memory.rank, memory.id));
        } else {
            there.remove(&(memory.rank, memory.id));
        }
    }
    extents
}

/// Adds the addresses `from..to`, to the extent before where that is the same memory's.
fn add(extents: &mut Vec<Extent>, from: u128, to: u128, memory: MemoryId) {
    let (Ok(first), Ok(last)) = (u64::try_from(from), u64::try_from(to - 1)) else {
        return;
    };
    match extents.last_mut() {
        Some(before) if before.memory == memory && before.last.checked_add(1) == Some(first) => {
            before.last = last;
        }
        _ => extents.push(Extent {
            first,
            last,
            memory,
        }),
    }
}
