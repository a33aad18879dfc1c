//! Validated description of memories.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Backend;

/// Number of a memory in the [`MemoryMap`](super::MemoryMap): its position in
/// [`MemoryMap::memories`](super::MemoryMap::memories).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MemoryId(pub u32);

/// Number of an address space in the [`MemoryMap`](super::MemoryMap): its position in
/// [`MemoryMap::spaces`](super::MemoryMap::spaces).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpaceId(pub u32);

/// Memory of the simulated chip: address range, layout, initial content and backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Key in the configuration.
    pub name: String,
    /// Address of the first byte, the same in every space that contains the memory.
    pub base: u64,
    /// Size in bytes; never zero, and `base + size - 1` never wraps.
    pub size: u64,
    /// Layout of the bytes in HDL.
    pub shape: Shape,
    /// Initial content.
    pub init: Init,
    /// Backend by which the memory is accessed.
    pub backend: Backend,
}

/// Layout of the bytes of a memory in HDL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// No known HDL array: an external model serves the accesses.
    BlackBox,
    /// One HDL array.
    Direct {
        /// HDL path of the array.
        path: String,
        /// Word layout of the array.
        array: Array,
    },
    /// Rows and columns of equal HDL arrays.
    Banked {
        /// HDL paths of the banks, `[row][column]`.
        banks: Vec<Vec<String>>,
        /// Word layout of each bank.
        bank: Array,
    },
}

/// Word layout of one HDL array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Array {
    /// Bytes of a word.
    pub width: u64,
    /// Size of the first dimension of a two-dimensional array; 1 for an array of one dimension.
    pub rows: u64,
    /// Words of a row.
    pub cols: u64,
}

impl Array {
    /// Number of words.
    pub fn depth(&self) -> u64 {
        self.rows * self.cols
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.depth() * self.width
    }
}

/// Initial content of a memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Init {
    /// Unchanged content.
    None,
    /// Zero in every byte.
    Zero,
    /// Random bytes.
    Random {
        /// Seed. The same seed gives the same bytes. If the configuration has none, one is drawn
        /// and logged.
        seed: Option<u64>,
    },
    /// File in the format of `$readmemh` (IEEE 1800-2017, 21.4).
    Hex {
        /// Path of the file, with variables expanded. The file exists.
        file: PathBuf,
        /// Bytes of a word of the file: the memory's `width`, which a black box has for this
        /// purpose only.
        width: u64,
    },
}

impl Memory {
    /// Address of the last byte.
    pub fn last(&self) -> u64 {
        self.base.saturating_add(self.size.saturating_sub(1))
    }
}
