//! What a memory is: the believed form that configuration is turned into.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Space;

/// One memory of the [`MemoryMap`], by its position in [`MemoryMap::memories`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MemoryId(pub u32);

/// One address space of the [`MemoryMap`], by its position in [`MemoryMap::spaces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpaceId(pub u32);

/// A memory of the simulated chip: where it starts, how it is built and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Its key in the configuration.
    pub name: String,
    /// Byte address of its first byte in every space that sees it.
    pub base: u64,
    /// Bytes; never zero, and `base + size - 1` never wraps.
    pub size: u64,
    /// How its bytes lie in HDL.
    pub shape: Shape,
    /// What it holds when it is built.
    pub init: Init,
    /// The way to reach it.
    pub backend: Backend,
}

/// How the bytes of a memory lie in HDL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// No HDL array is known: somebody else's model answers for it.
    BlackBox,
    /// One HDL array.
    Direct {
        /// HDL path of the array.
        path: String,
        /// Its words.
        array: Array,
    },
    /// Rows of columns of equal HDL arrays.
    Banked {
        /// HDL paths of the banks, `[row][column]`.
        banks: Vec<Vec<String>>,
        /// The words of each bank.
        bank: Array,
    },
}

/// The words of one HDL array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Array {
    /// Bytes a word.
    pub width: u64,
    /// First index of a two-dimensional array; 1 where the array has one index only.
    pub rows: u64,
    /// Words a row.
    pub cols: u64,
}

impl Array {
    /// Words in all.
    pub fn depth(&self) -> u64 {
        self.rows * self.cols
    }

    /// Bytes in all.
    pub fn size(&self) -> u64 {
        self.depth() * self.width
    }
}

/// What a memory holds when it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Init {
    /// Left as it is.
    None,
    /// Zeros.
    Zero,
    /// Random bytes.
    Random {
        /// Same seed, same bytes; where the configuration has none, one is drawn and logged.
        seed: Option<u64>,
    },
    /// A file in the format of `$readmemh` (IEEE 1800-2017, 21.4).
    Hex {
        /// The file, expanded; it exists.
        file: PathBuf,
        /// Bytes a word of the file: the memory's `width`, which a black box has for this only.
        width: u64,
    },
}

/// The way to reach a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Reports each access, reads as zero.
    Log,
    /// `uvm_hdl_read` and `uvm_hdl_deposit`; black boxes through `mb_bb_mem_*`.
    Uvm,
    /// Black boxes only, through `__vhost_bb_mem_*`.
    Api,
    /// In-process buffers.
    Static,
    /// VPI; black boxes as [`Backend::Uvm`].
    Vpi,
    /// A memory of the host program's own type, registered under the memory's name.
    Model,
}

impl fmt::Display for Backend {
    /// As in configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Log => "log",
            Self::Uvm => "uvm",
            Self::Api => "api",
            Self::Static => "static",
            Self::Vpi => "vpi",
            Self::Model => "model",
        })
    }
}

impl Backend {
    /// Whether an access is carried out in this process, by no foreign code.
    pub fn is_local(self) -> bool {
        matches!(self, Self::Log | Self::Static)
    }
}

/// Every memory and every space of a system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryMap {
    /// Each memory once, however many spaces see it.
    pub memories: Vec<Memory>,
    /// The spaces, in the order of the configuration.
    pub spaces: Vec<Space>,
}

impl Memory {
    /// Address of its last byte.
    pub fn last(&self) -> u64 {
        self.base.saturating_add(self.size.saturating_sub(1))
    }
}
