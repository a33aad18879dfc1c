//! Memory of the hart: the bytes of the system's static memories.

use std::cell::Cell;

use anyhow::{Result, anyhow, bail};
use riscv_iss::Cells;
use vhost::{MemoryView, Vhost};

use super::Args;
use super::program::Program;

/// Memories of the first channel's space, with that of the first instruction searched first.
///
/// # Errors
/// A memory whose bytes are not in this process as one array, or an entry point outside of memory.
pub(super) fn memory<'a>(vhost: &'a Vhost, args: &Args, program: &Program) -> Result<Cells<'a>> {
    let exits = vhost.exits();
    let channel = exits.first().map_or("", |exit| exit.name.as_str());
    let space = vhost
        .space_of(channel)
        .map_err(|error| anyhow!("{error}"))?;
    let view = vhost.spaces().get(space);
    let memories = view.into_iter().flat_map(|space| space.iter());
    let regions: Vec<_> = memories
        .map(|memory| region(memory, args))
        .collect::<Result<_>>()?;
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
