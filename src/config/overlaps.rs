//! Warnings about overlapping memories: each pair, and each memory that no access reaches.

use std::collections::{HashMap, HashSet};

use super::diagnostic::DiagnosticKind;
use super::file_context::FileContext;
use crate::mem::{Memory, MemoryId, MemoryMap, Space};

/// Maximum number of pairs reported for one space. The number of pairs may be quadratic in the
/// number of memories.
const MAX_PAIRS: usize = 100;

/// Memory that contains those above it on the stack.
struct Around<'a> {
    memory: &'a Memory,
    /// Position in the space's list. The lowest position has priority.
    rank: usize,
    /// Lowest rank of this memory and of those around it.
    least: usize,
}

/// Warns of overlaps in a space. `listed` has the memories in the order of the configuration.
pub(super) fn warn(context: FileContext<'_>, map: &MemoryMap, space: &Space, listed: &[MemoryId]) {
    let ranks: HashMap<MemoryId, usize> = listed.iter().copied().zip(0..).collect();
    let reached: HashSet<MemoryId> = space.extents().iter().map(|it| it.memory).collect();
    let mut around: Vec<Around<'_>> = Vec::new();
    let mut pairs = 0;
    for id in space.memories() {
        let Some(memory) = map.memory(*id) else {
            continue;
        };
        let rank = ranks.get(id).copied().unwrap_or_default();
        while around
            .last()
            .is_some_and(|outer| outer.memory.last() < memory.base)
        {
            around.pop();
        }
        for outer in around.iter().rev().take(MAX_PAIRS.saturating_sub(pairs)) {
            context.report(pair(space, memory, outer.memory, outer.rank < rank));
        }
        pairs = pairs.saturating_add(around.len());
        let least = around.last().map_or(rank, |outer| outer.least.min(rank));
        // A memory that is hidden by a single one was reported with that pair.
        if !reached.contains(id) && least == rank {
            context.report(DiagnosticKind::Covered {
                space: space.name.clone(),
                memory: memory.name.clone(),
                base: memory.base,
                last: memory.last(),
            });
        }
        around.push(Around {
            memory,
            rank,
            least,
        });
    }
    if pairs > MAX_PAIRS {
        context.report(DiagnosticKind::MorePairs {
            space: space.name.clone(),
            more: pairs - MAX_PAIRS,
        });
    }
}

fn pair(space: &Space, inner: &Memory, outer: &Memory, hidden: bool) -> DiagnosticKind {
    let space = space.name.clone();
    let (name, other) = (inner.name.clone(), outer.name.clone());
    let (base, last) = (inner.base, inner.last());
    if hidden {
        DiagnosticKind::Hidden {
            space,
            memory: name,
            base,
            last,
            by: other,
        }
    } else {
        DiagnosticKind::InFront {
            space,
            front: name,
            base,
            last,
            behind: other,
        }
    }
}
