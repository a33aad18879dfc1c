//! Memory of the hart: the bytes of the system's static memories.

use std::cell::Cell;

use anyhow::{Result, anyhow, bail};
use riscv_iss::{AccessFault, Bus};
use vhost::{MemoryView, Vhost};

use super::Args;
use super::program::Program;

/// Memories of one space.
pub(super) struct Memory<'a> {
    /// Memory of the first instruction, behind the others until that is known.
    first: Bytes<'a>,
    others: Vec<Bytes<'a>>,
    space: &'a str,
}

/// Bytes at a base address.
#[derive(Clone, Copy)]
struct Bytes<'a> {
    base: u64,
    cells: &'a [Cell<u8>],
}

impl<'a> Memory<'a> {
    /// Memories of the first channel's space.
    ///
    /// # Errors
    /// A memory whose bytes are not in this process as one array.
    pub(super) fn of(vhost: &'a Vhost, args: &Args) -> Result<Self> {
        let exits = vhost.exits();
        let channel = exits.first().map_or("", |exit| exit.name.as_str());
        let space = vhost
            .space_of(channel)
            .map_err(|error| anyhow!("{error}"))?;
        let view = vhost.spaces().get(space);
        let memories = view.into_iter().flat_map(|space| space.iter());
        let mut all = memories.map(|memory| bytes(memory, args));
        let first = all
            .next()
            .unwrap_or_else(|| bail!("space `{space}` has no memory"))?;
        let others = all.collect::<Result<_>>()?;
        Ok(Self {
            first,
            others,
            space,
        })
    }

    /// Checks that the first instruction is in memory, and has its memory looked at first.
    pub(super) fn require(&mut self, program: &Program) -> Result<()> {
        let entry = program.entry();
        if self.first.part::<2>(entry).is_some() {
            return Ok(());
        }
        let found = self
            .others
            .iter_mut()
            .find(|memory| memory.part::<2>(entry).is_some());
        let Some(found) = found else {
            bail!(
                "{} begins at {entry:#x}, and space `{}` has no memory there: check ENTRY in the linker script, or give \
                 --base and --mem",
                program.file().display(),
                self.space
            );
        };
        std::mem::swap(&mut self.first, found);
        Ok(())
    }

    /// Place of an access outside of the first memory.
    #[cold]
    fn elsewhere<const N: usize>(&self, address: u64) -> Option<&'a [Cell<u8>; N]> {
        self.others.iter().find_map(|memory| memory.part(address))
    }
}

fn bytes<'a>(memory: MemoryView<'a>, args: &Args) -> Result<Bytes<'a>> {
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
    Ok(Bytes {
        base: memory.memory.base,
        cells: buffer.cells(),
    })
}

impl<'a> Bytes<'a> {
    #[inline(always)]
    fn part<const N: usize>(&self, address: u64) -> Option<&'a [Cell<u8>; N]> {
        let offset = usize::try_from(address.wrapping_sub(self.base)).ok()?;
        self.cells.get(offset..)?.first_chunk()
    }
}

impl Bus for Memory<'_> {
    #[inline(always)]
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        let part = self.first.part(address);
        let part = part.or_else(|| self.elsewhere(address));
        Ok(part.ok_or(AccessFault)?.each_ref().map(Cell::get))
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault> {
        let part = self.first.part::<N>(address);
        let part = part.or_else(|| self.elsewhere(address));
        for (cell, byte) in part.ok_or(AccessFault)?.iter().zip(bytes) {
            cell.set(byte);
        }
        Ok(())
    }
}
