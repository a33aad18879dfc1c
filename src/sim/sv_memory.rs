//! Black-box memories of a SystemVerilog testbench, behind `mb_bb_mem_*`.

use std::ffi::{CStr, CString};

use super::scope::enter;
use super::symbols::{
    mb_bb_mem_read, mb_bb_mem_read_block, mb_bb_mem_write, mb_bb_mem_write_block,
};
use super::{SimError, c_text, vpi_testbench};

/// Maximum bytes of one block call; its array always has this size.
const BLOCK: usize = 64;

/// Black-box memory of the testbench, by name: functions by DPI, or an array that a system task has
/// registered. Offsets start at its base.
#[derive(Debug)]
pub(crate) struct SvMemory {
    name: CString,
}

impl SvMemory {
    /// Memory of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: c_text(name) }
    }

    /// Reads by blocks if the testbench has block functions, else byte by byte. Calls `unknown`
    /// with the number and the bytes of each word of an HDL array that was read with unknown bits.
    pub(crate) fn read(
        &self,
        offset: u64,
        buffer: &mut [u8],
        mut unknown: impl FnMut(u64, u64),
    ) -> Result<(), SimError> {
        if vpi_testbench::is_there() {
            let array = vpi_testbench::array(self.name.to_bytes())?;
            return array.read(offset, buffer, |word| unknown(word, array.width()));
        }
        if mb_bb_mem_read_block.get().is_ok() {
            read_blocks(&self.name, offset, buffer)
        } else {
            read_bytes(&self.name, offset, buffer)
        }
    }

    /// Writes by blocks if the testbench has block functions, else byte by byte.
    pub(crate) fn write(&self, offset: u64, data: &[u8]) -> Result<(), SimError> {
        if vpi_testbench::is_there() {
            return vpi_testbench::array(self.name.to_bytes())?.write(offset, data);
        }
        if mb_bb_mem_write_block.get().is_ok() {
            write_blocks(&self.name, offset, data)
        } else {
            write_bytes(&self.name, offset, data)
        }
    }
}

fn read_blocks(name: &CStr, offset: u64, buffer: &mut [u8]) -> Result<(), SimError> {
    let (read, _scope) = enter(&mb_bb_mem_read_block)?;
    for (part, offset) in buffer.chunks_mut(BLOCK).zip((offset..).step_by(BLOCK)) {
        let mut block = [0; BLOCK];
        // SAFETY: the name is NUL-terminated, and `block` has the 64 bytes that a block function
        // may write.
        unsafe { read(name.as_ptr(), offset, part.len() as u32, block.as_mut_ptr()) };
        part.copy_from_slice(&block[..part.len()]);
    }
    Ok(())
}

fn write_blocks(name: &CStr, offset: u64, data: &[u8]) -> Result<(), SimError> {
    let (write, _scope) = enter(&mb_bb_mem_write_block)?;
    for (part, offset) in data.chunks(BLOCK).zip((offset..).step_by(BLOCK)) {
        let mut block = [0; BLOCK];
        block[..part.len()].copy_from_slice(part);
        // SAFETY: the name is NUL-terminated, and `block` has the 64 bytes that a block function
        // may read.
        unsafe { write(name.as_ptr(), offset, part.len() as u32, block.as_ptr()) };
    }
    Ok(())
}

fn read_bytes(name: &CStr, offset: u64, buffer: &mut [u8]) -> Result<(), SimError> {
    let (read, _scope) = enter(&mb_bb_mem_read)?;
    for (byte, offset) in buffer.iter_mut().zip(offset..) {
        // SAFETY: the name is NUL-terminated, and there is room for one byte.
        unsafe { read(name.as_ptr(), offset, byte) };
    }
    Ok(())
}

fn write_bytes(name: &CStr, offset: u64, data: &[u8]) -> Result<(), SimError> {
    let (write, _scope) = enter(&mb_bb_mem_write)?;
    for (byte, offset) in data.iter().zip(offset..) {
        // SAFETY: the name is NUL-terminated.
        unsafe { write(name.as_ptr(), offset, *byte) };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Absent;

    #[test]
    fn absent_functions_are_named() {
        let memory = SvMemory::named("ram");
        let absent = |symbol| Err(SimError::Absent(Absent { symbol }));
        let read = memory.read(0, &mut [0], |_, _| unreachable!());
        assert_eq!(read, absent("mb_bb_mem_read"));
        assert_eq!(memory.write(0, &[0]), absent("mb_bb_mem_write"));
    }
}
