//! Drawing of a space: its memories in address order, and their contents.
//!
//! The height of a memory or a gap grows with the logarithm of its size, and leaves room for its
//! description.

use std::collections::HashSet;
use std::io::{self, Write};

use vhost::mem::{Array, Extent, Init, Memory, MemoryId, Shape, Space};

use super::plan::{Plan, Range};
use crate::output::{DIM, NAME, Sanitized, Size};

/// Maximum number of banks' rows that are listed per memory.
const MAX_BANKS: usize = 8;

/// Maximum number of ranges that are listed per memory.
const MAX_RANGES: usize = 32;

pub(super) fn draw(to: &mut impl Write, plan: &Plan<'_>, space: &Space) -> io::Result<()> {
    writeln!(to, "space {NAME}{}{NAME:#}", Sanitized(&space.name))?;
    let contents = plan
        .map
        .space_named(&space.name)
        .map_or_else(Vec::new, |id| plan.contents(id));
    let extents = space.extents();
    let highest = extents.last().map_or(0, |extent| extent.last);
    let digits = if highest > u64::from(u32::MAX) { 16 } else { 8 };
    let pad = " ".repeat(digits + 4);
    let mut next = None;
    let mut drawn = HashSet::new();
    for extent in extents {
        let Some(memory) = plan.map.memory(extent.memory) else {
            continue;
        };
        if let Some(gap) = next.and_then(|next| extent.first.checked_sub(next))
            && gap > 0
        {
            writeln!(to, "{pad} {DIM}⋮ {}{DIM:#}", Size(gap))?;
            for _ in 0..height(gap) / 2 {
                writeln!(to, "{pad} {DIM}⋮{DIM:#}")?;
            }
        }
        let begins = drawn.insert(extent.memory);
        let hidden: Vec<&Memory> = hidden_within(plan, space, extent).collect();
        draw_extent(to, memory, extent, begins, &hidden, &contents, digits)?;
        next = extent.last.checked_add(1);
    }
    writeln!(to)
}

/// Memories within the extent that no access reaches.
fn hidden_within<'a>(
    plan: &'a Plan<'_>,
    space: &'a Space,
    extent: &'a Extent,
) -> impl Iterator<Item = &'a Memory> {
    let within = move |memory: &&Memory| (extent.first..=extent.last).contains(&memory.base);
    let reached = move |id: &MemoryId| space.extents().iter().any(|it| it.memory == *id);
    let hidden = space.memories().iter().filter(move |id| !reached(id));
    hidden.filter_map(|id| plan.map.memory(*id)).filter(within)
}

/// Draws one contiguous piece of a memory's addresses. Other memories may hide parts, so that a
/// memory has several pieces; the first one has the description.
fn draw_extent(
    to: &mut impl Write,
    memory: &Memory,
    extent: &Extent,
    begins: bool,
    hidden: &[&Memory],
    contents: &[Range],
    digits: usize,
) -> io::Result<()> {
    let pad = " ".repeat(digits + 4);
    writeln!(
        to,
        "  0x{:0digits$x} ┌ {NAME}{}{NAME:#}, {}, {}",
        extent.first,
        Sanitized(&memory.name),
        if begins {
            Size(memory.size).to_string()
        } else {
            "continued".to_owned()
        },
        memory.backend
    )?;
    let mut lines = Vec::new();
    if begins {
        lines = shape(&memory.shape);
        lines.push(init(&memory.init));
    }
    lines.extend(hidden.iter().map(|memory| {
        format!(
            "hidden: {}, 0x{:0digits$x}..=0x{:0digits$x}, {}",
            memory.name,
            memory.base,
            memory.last(),
            Size(memory.size)
        )
    }));
    let inside = contents.iter().filter(|range| reaches(range, extent));
    let ranges: Vec<&Range> = inside.collect();
    let shown = ranges.iter().take(MAX_RANGES);
    lines.extend(shown.map(|range| {
        format!(
            "0x{:0digits$x}..=0x{:0digits$x} {}",
            range.address,
            range.address.saturating_add(range.len.saturating_sub(1)),
            range.what
        )
    }));
    if let Some(more) = ranges.len().checked_sub(MAX_RANGES + 1) {
        lines.push(format!("and {} ranges more", more + 1));
    }
    let size = (extent.last - extent.first).saturating_add(1);
    let empty = height(size).saturating_sub(lines.len());
    for line in &lines {
        writeln!(to, "{pad} │ {}", Sanitized(line))?;
    }
    for _ in 0..empty {
        writeln!(to, "{pad} │")?;
    }
    writeln!(to, "  0x{:0digits$x} └", extent.last)
}

/// Height in lines: 1 up to 4 KiB, and one more for every factor of 16.
fn height(size: u64) -> usize {
    let log = size.checked_ilog2().unwrap_or_default().saturating_sub(8);
    usize::try_from(log / 4).unwrap_or_default().max(1)
}

/// Layout of a memory's bytes in HDL.
fn shape(shape: &Shape) -> Vec<String> {
    match shape {
        Shape::BlackBox => vec!["a black box".to_owned()],
        Shape::Direct { path, array } => vec![format!("{path}: {}", words(array))],
        Shape::Banked { banks, bank } => {
            let columns = banks.first().map_or(0, Vec::len);
            let mut lines = vec![format!(
                "banks in {} × {columns}, each of {}",
                banks.len(),
                words(bank)
            )];
            let rows = banks.iter().take(MAX_BANKS);
            lines.extend(rows.map(|row| format!("  {}", row.join("  "))));
            if let Some(more) = banks.len().checked_sub(MAX_BANKS + 1) {
                lines.push(format!("  and {} rows more", more + 1));
            }
            lines
        }
    }
}

fn words(array: &Array) -> String {
    let Array { width, rows, cols } = *array;
    let bits = width.saturating_mul(8);
    if rows > 1 {
        format!("{rows} × {cols} words of {bits} bits")
    } else {
        format!("{cols} words of {bits} bits")
    }
}

fn init(init: &Init) -> String {
    match init {
        Init::None => "at first: left as it is".to_owned(),
        Init::Zero => "at first: zeros".to_owned(),
        Init::Random { seed: Some(seed) } => format!("at first: random, seed {seed}"),
        Init::Random { seed: None } => "at first: random".to_owned(),
        Init::Hex { file, width } => format!(
            "at first: {}, words of {} bits",
            file.display(),
            width.saturating_mul(8)
        ),
    }
}

/// True if the range and the extent have a common address.
fn reaches(range: &Range, extent: &Extent) -> bool {
    let end = range.address.saturating_add(range.len.saturating_sub(1));
    range.len > 0 && range.address <= extent.last && end >= extent.first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_is_higher_and_nothing_is_without_a_line() {
        let heights = [0, 1, 1 << 12, 1 << 16, 1 << 20, 1 << 32, u64::MAX].map(height);
        assert_eq!(heights, [1, 1, 1, 2, 3, 6, 13]);
    }
}
