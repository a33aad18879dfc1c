//! Memory of the hart: bytes of the system's static memories.

use std::cell::Cell;
use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use riscv_iss::Cells;
use vhost::{MemoryView, Vhost};

use super::Args;
use super::program::Program;

/// Memories of the first channel's space. The memory with the first instruction is searched first.
///
/// # Errors
/// A memory whose bytes are not one array in this process, or an unmapped entry point.
pub(super) fn memory<'a>(vhost: &'a Vhost, args: &Args, program: &Program) -> Result<Cells<'a>> {
    let exits = vhost.exits();
    let channel = exits.first().map_or("", |exit| exit.name.as_str());
    let space = vhost
        .space_of(channel)
        .map_err(|error| anyhow!("{error}"))?;
    let view = vhost.spaces().get(space);
    let memories = view.into_iter().flat_map(|space| space.iter());
    let mut regions = vec![];
    for memory in memories {
        regions.extend(without(guard(program), region(memory, args)?));
    }
    if regions.is_empty() {
        bail!("space `{space}` has no memory");
    }
    let mut cells = Cells::new(regions);
    let entry = program.entry();
    if !cells.prefer(entry) {
        bail!(
            "{} begins at {entry:#x}, and space `{space}` has no memory there: check ENTRY in the linker script, or give \
             --base and --mem",
            program.file().display()
        );
    }
    Ok(cells)
}

/// Guard addresses between heap and stack, which the hart must not access, if the image has them:
/// from the symbol `__vhost_guard` to the symbol `__vhost_stack_limit`.
pub(super) fn guard(program: &Program) -> Range<u64> {
    let [start, end] = ["__vhost_guard", "__vhost_stack_limit"].map(|name| program.symbol(name));
    start.unwrap_or(0)..end.unwrap_or(0)
}

/// Parts of a memory before and after a guard.
fn without(
    guard: Range<u64>,
    (base, bytes): (u64, &[Cell<u8>]),
) -> impl Iterator<Item = (u64, &[Cell<u8>])> {
    let offset = |address: u64| {
        let offset = usize::try_from(address.saturating_sub(base));
        offset.unwrap_or(bytes.len()).min(bytes.len())
    };
    let parts = match guard.is_empty() {
        true => [0..bytes.len(), 0..0],
        false => [0..offset(guard.start), offset(guard.end)..bytes.len()],
    };
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.filter_map(move |part| Some((base + part.start as u64, bytes.get(part)?)))
}

/// Base address and bytes of a memory.
fn region<'a>(memory: MemoryView<'a>, args: &Args) -> Result<(u64, &'a [Cell<u8>])> {
    let [buffer] = memory.buffers else {
        let file = args.memory.as_ref().map(|file| file.display().to_string());
        bail!(
            "{}: memory `{}` has {} arrays of bytes in this process: a run needs memories of backend `static` with one array, \
             without rows, columns and banks",
            file.as_deref().unwrap_or("memory configuration"),
            memory.memory.name,
            memory.buffers.len()
        );
    };
    Ok((memory.memory.base, buffer.cells()))
}
