//! Linked programs and their memory.

use std::path::Path;

use object::{Object, ObjectSegment, ObjectSymbol};
use riscv_iss::Ram;

/// Program of an ELF file.
pub(crate) struct Program {
    bytes: Vec<u8>,
    /// Lowest address of its segments.
    pub(crate) base: u64,
    pub(crate) entry: u64,
}

impl Program {
    pub(crate) fn read(image: &Path) -> Self {
        let bytes = std::fs::read(image).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let base = file.segments().map(|it| it.address()).min().unwrap();
        let entry = file.entry();
        Self { bytes, base, entry }
    }

    /// Address of a symbol.
    pub(crate) fn symbol(&self, name: &str) -> u64 {
        let file = object::File::parse(&*self.bytes).unwrap();
        let mut symbols = file.symbols();
        let symbol = symbols.find(|symbol| symbol.name() == Ok(name));
        symbol.unwrap().address()
    }

    /// RAM of this size with the program in it.
    pub(crate) fn load(&self, size: usize) -> Ram {
        let mut ram = Ram::new(self.base, size);
        let file = object::File::parse(&*self.bytes).unwrap();
        for segment in file.segments() {
            ram.write(segment.address(), segment.data().unwrap())
                .unwrap();
        }
        ram
    }
}
