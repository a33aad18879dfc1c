//! Detection of loops in which a hart changes nothing.

use std::collections::BTreeMap;

use riscv_iss::{AccessFault, Bus, Cells, Hart, Stop, Xlen};

/// Maximum number of instructions of a detected loop.
const MAX_LOOP_LEN: u32 = 10_000;

/// Memory whose stores are kept separate.
struct Aside<'a, 'b> {
    memory: &'a mut Cells<'b>,
    /// Bytes that differ from those of the memory.
    changed: BTreeMap<u64, u8>,
}

impl Bus for Aside<'_, '_> {
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        let mut bytes = self.memory.load(address)?;
        if !self.changed.is_empty() {
            for (at, byte) in (address..).zip(&mut bytes) {
                *byte = self.changed.get(&at).copied().unwrap_or(*byte);
            }
        }
        Ok(bytes)
    }

    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault> {
        let present: [u8; N] = self.memory.load(address)?;
        for ((at, byte), present) in (address..).zip(bytes).zip(present) {
            match byte == present {
                true => self.changed.remove(&at),
                false => self.changed.insert(at, byte),
            };
        }
        Ok(())
    }

    fn fetch<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        self.memory.fetch(address)
    }
}

/// True if the hart returns to its present state without a change of memory: only the host can end
/// this loop. Hart and memory are not changed.
pub(super) fn is_idle<X: Xlen>(hart: &Hart<X>, memory: &mut Cells<'_>) -> bool {
    let mut ahead = Hart::<X>::new(0, hart.pc());
    ahead.restore(&hart.state());
    ahead.stop_at_semihosting(true);
    let mut memory = Aside {
        memory,
        changed: BTreeMap::new(),
    };
    for _ in 0..MAX_LOOP_LEN {
        if !matches!(ahead.run(&mut memory, 1).stop, Stop::Steps | Stop::Wait) {
            return false;
        }
        let is_same = ahead.pc() == hart.pc()
            && memory.changed.is_empty()
            && (0..32).all(|number| ahead.register(number) == hart.register(number));
        if is_same {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use riscv_iss::Rv32;

    use super::*;

    /// True if the hart is idle after a few instructions of a program.
    fn idles(program: &[u32]) -> bool {
        let bytes: Vec<Cell<u8>> = program
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .chain([0; 64])
            .map(Cell::new)
            .collect();
        let mut cells = Cells::new([(0, &bytes[..])]);
        let mut hart = Hart::<Rv32>::new(0, 0);
        hart.run(&mut cells, 20);
        let before: Vec<u8> = bytes.iter().map(Cell::get).collect();
        let idle = is_idle(&hart, &mut cells);
        let after: Vec<u8> = bytes.iter().map(Cell::get).collect();
        assert_eq!(before, after);
        idle
    }

    #[test]
    fn a_loop_is_idle_that_changes_nothing_for_good() {
        // `j .`
        assert!(idles(&[0x0000_006f]));
        // `lw a0, 32(zero)`, `beqz a0, -4`
        assert!(idles(&[0x0200_2503, 0xfe05_0ee3]));
        // `li a0, 1`, `sw a0, 32(zero)`, `sw zero, 32(zero)`, `j -12`
        assert!(idles(&[0x0010_0513, 0x02a0_2023, 0x0200_2023, 0xff5f_f06f]));
        // A register as a counter: `addi a0, a0, 1`, `j -4`
        assert!(!idles(&[0x0015_0513, 0xffdf_f06f]));
        // A memory word as a counter: `lw a0, 32(zero)`, `addi a0, a0, 1`, `sw a0, 32(zero)`, `li
        // a0, 0`, `j -16`
        assert!(!idles(&[
            0x0200_2503,
            0x0015_0513,
            0x02a0_2023,
            0x0000_0513,
            0xff1f_f06f,
        ]));
    }
}
