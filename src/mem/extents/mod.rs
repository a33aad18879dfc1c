//! Memories of an address space, with one memory for each address where memories overlap.

use std::collections::BTreeSet;

use super::{Memory, MemoryId};

#[cfg(test)]
mod tests;

/// Address space: the memories that one bus master can access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Key in the configuration.
    pub name: String,
    memories: Vec<MemoryId>,
    extents: Vec<Extent>,
}

/// Consecutive addresses of a space that belong to one memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// First address.
    pub first: u64,
    /// Last address.
    pub last: u64,
    /// Memory at these addresses.
    pub memory: MemoryId,
}

/// Two memories that share addresses without one containing the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialOverlap {
    /// Memory with the lower base.
    pub first: MemoryId,
    /// Memory with the higher base.
    pub second: MemoryId,
}

/// Memory of a space under construction.
#[derive(Debug, Clone, Copy)]
struct Placed {
    first: u64,
    last: u64,
    /// Position in the list of memories. The lowest position has priority.
    rank: usize,
    id: MemoryId,
}

impl Space {
    /// Builds a space of the memories `listed`, by their ids in `memories`. If one contains
    /// another, shared addresses belong to the one that is listed first.
    ///
    /// # Errors
    /// Fails if two memories overlap and neither contains the other.
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
        // A containing memory precedes those that it contains.
        placed.sort_by_key(|memory| (memory.first, u64::MAX - memory.last, memory.rank));
        nested(&placed)?;
        Ok(Self {
            name,
            memories: placed.iter().map(|memory| memory.id).collect(),
            extents: extents(&placed),
        })
    }

    /// Returns the memories in ascending order of base; a containing memory comes before those that
    /// it contains.
    pub fn memories(&self) -> &[MemoryId] {
        &self.memories
    }

    /// Returns the mapped addresses, in ascending order.
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }
}

/// Checks that any two memories are nested or disjoint.
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

/// Computes the mapped addresses. An address of several memories belongs to the one of the lowest
/// rank.
fn extents(placed: &[Placed]) -> Vec<Extent> {
    // A memory starts at one edge and ends at another, which may be the last address plus one.
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

/// Adds the addresses `from..to`. Extends the last extent if it is adjacent and of the same memory.
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
