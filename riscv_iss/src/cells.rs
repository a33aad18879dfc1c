//! Memories of shared bytes, as in a host.

use std::cell::Cell;

use crate::{AccessFault, Bus};

/// Memories whose bytes may change between two runs of a hart.
#[derive(Debug)]
pub struct Cells<'a> {
    /// Memory that is searched first.
    first: Region<'a>,
    /// Memory that is searched next, nearly as fast.
    second: Region<'a>,
    others: Vec<Region<'a>>,
}

/// Bytes at a base address.
#[derive(Debug, Clone, Copy, Default)]
struct Region<'a> {
    base: u64,
    bytes: &'a [Cell<u8>],
}

impl<'a> Cells<'a> {
    /// Creates memories from base addresses and bytes, of which no two overlap.
    pub fn new(regions: impl IntoIterator<Item = (u64, &'a [Cell<u8>])>) -> Self {
        let mut regions = regions
            .into_iter()
            .map(|(base, bytes)| Region { base, bytes });
        Self {
            first: regions.next().unwrap_or_default(),
            second: regions.next().unwrap_or_default(),
            others: regions.collect(),
        }
    }

    /// Makes the memory with the two bytes at this address the first one to be searched. Returns
    /// false if there is none.
    pub fn prefer(&mut self, address: u64) -> bool {
        let has_it = |region: &Region<'_>| region.part::<2>(address).is_some();
        if has_it(&self.first) {
            return true;
        }
        let mut others = [&mut self.second].into_iter().chain(&mut self.others);
        let found = others.find(|region| has_it(region));
        let is_found = found.is_some();
        if let Some(found) = found {
            std::mem::swap(&mut self.first, found);
        }
        is_found
    }

    #[inline(always)]
    fn part<const N: usize>(&self, address: u64) -> Result<&'a [Cell<u8>; N], AccessFault> {
        let part = self.first.part(address);
        let part = part.or_else(|| self.second.part(address));
        let part = part.or_else(|| self.elsewhere(address));
        part.ok_or(AccessFault)
    }

    /// Place of an access outside of the first two memories.
    #[cold]
    fn elsewhere<const N: usize>(&self, address: u64) -> Option<&'a [Cell<u8>; N]> {
        self.others.iter().find_map(|region| region.part(address))
    }
}

impl<'a> Region<'a> {
    #[inline(always)]
    fn part<const N: usize>(&self, address: u64) -> Option<&'a [Cell<u8>; N]> {
        let offset = usize::try_from(address.wrapping_sub(self.base)).ok()?;
        self.bytes.get(offset..)?.first_chunk()
    }
}

impl Bus for Cells<'_> {
    #[inline(always)]
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        Ok(self.part(address)?.each_ref().map(Cell::get))
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault> {
        for (cell, byte) in self.part::<N>(address)?.iter().zip(bytes) {
            cell.set(byte);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accesses_are_inside_of_one_memory() -> Result<(), AccessFault> {
        let low = [const { Cell::new(0) }; 4];
        let high = [const { Cell::new(0) }; 8];
        let far = [const { Cell::new(7) }; 2];
        let mut cells = Cells::new([(0x10, &low[..]), (0x14, &high[..]), (0x40, &far[..])]);
        for preferred in [0x10, 0x18, 0x40, 0x10] {
            assert!(cells.prefer(preferred));
            assert_eq!(cells.load::<2>(0x40)?, [7, 7]);
            cells.store(0x10, [1, 2, 3, 4])?;
            cells.store(0x14, [5, 6])?;
            assert_eq!(cells.load::<4>(0x14)?, [5, 6, 0, 0]);
            assert_eq!(low.each_ref().map(Cell::get), [1, 2, 3, 4]);
            for outside in [0x0f, 0x12, 0x19, u64::MAX] {
                assert_eq!(cells.load::<4>(outside), Err(AccessFault));
                assert_eq!(cells.store(outside, [9; 4]), Err(AccessFault));
            }
        }
        assert!(!cells.prefer(0x1b));
        assert!(!Cells::new([]).prefer(0));
        Ok(())
    }
}
