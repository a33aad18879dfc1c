//! Errors of memory operations.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::mem::{Array, Backend, MapError};

/// Error of an access.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum AccessError {
    /// Access outside of the map.
    #[error(transparent)]
    Map(#[from] MapError),
    /// Text without a NUL.
    #[error("no NUL in {len} bytes: not a string, or one that is too long")]
    Unterminated {
        /// Number of bytes that were searched.
        len: u64,
    },
    /// Two places of a copy with different lengths, or the place and the data of a write.
    #[error("{len} bytes do not fit into {place} bytes")]
    Length {
        /// Number of bytes given.
        len: u64,
        /// Number of bytes of the place.
        place: u64,
    },
    /// Access that is too long for this process to buffer.
    #[error("{len} bytes are more than the host can allocate")]
    TooLong {
        /// Number of bytes of the access.
        len: u64,
    },
    /// Failure of a backend.
    #[error("memory `{memory}`, {len} bytes at offset {offset:#x}: {cause}")]
    Backend {
        /// Name of the memory.
        memory: String,
        /// Offset of the first byte from the memory's base.
        offset: u64,
        /// Number of bytes.
        len: u64,
        /// Error of the backend.
        cause: Box<BackendError>,
    },
}

/// Error of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum BackendError {
    /// Symbol that the simulator does not have.
    #[error(
        "the simulator has no `{symbol}`: link or export it, or choose another backend for the memory"
    )]
    Absent {
        /// Name of the symbol.
        symbol: String,
    },
    /// Model function that moved fewer bytes than requested.
    #[error("`{symbol}` moved {moved} of {requested} bytes at {address:#x}")]
    Short {
        /// Name of the function.
        symbol: String,
        /// Absolute address of the first byte.
        address: u64,
        /// Number of bytes moved, returned by the function.
        moved: u64,
        /// Number of bytes requested.
        requested: u64,
    },
    /// Simulator that can't be called.
    #[error("{0}")]
    Simulator(String),
    /// Failure of a model of the host program.
    #[error("its model failed: {0}")]
    Model(String),
    /// Access past the memory's end.
    #[error("the memory has only {size:#x} bytes")]
    PastEnd {
        /// Size of the memory in bytes.
        size: u64,
    },
    /// Memory of a kind that the backend can't access.
    #[error(
        "backend `{0}` can't access it: `api` is for memories without `path`, `static` for those \
         with one, `model` for those with a model registered by the host program"
    )]
    Unsupported(Backend),
    /// Words that are wider than any simulator supports.
    #[error("words of {bits} bits are wider than any simulator supports")]
    TooWide {
        /// Bits of a word.
        bits: u64,
    },
    /// Problem with an HDL object.
    #[error("HDL path `{path}`: {cause}")]
    Hdl {
        /// HDL path of an array or of a word.
        path: String,
        /// Cause of the problem.
        cause: HdlProblem,
    },
    /// Segment of a memory of another map.
    #[error("it belongs to another map")]
    OtherMap,
}

/// Problem with an HDL object.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum HdlProblem {
    /// Object that the simulator does not have.
    #[error(
        "the simulator has no such object; check `path`, `width` and the dimensions of the memory, \
         and keep the array accessible in the simulator (Verilator: --public-flat-rw, and \
         no `hier_block` around it; Icarus Verilog: a process that uses it; others: their switch \
         for debug access)"
    )]
    Missing,
    /// Word width that differs from the configuration.
    #[error(
        "a word has {bits} bits, but `width` (or `bank_width`) is {wanted}; check `array_dims`, too"
    )]
    Width {
        /// Bits of the word; 0 if the simulator can't determine it.
        bits: u64,
        /// Bits of a word by the configuration.
        wanted: u64,
    },
    /// Access that the simulator or UVM refused.
    #[error("{0}")]
    Refused(String),
    /// An array instead of a word.
    #[error(
        "an array in place of a word: set its rows and columns by `array_dims`, which has two at \
         most"
    )]
    Array,
    /// Dimensions of the HDL array that do not match `array_dims`, so that words would have other
    /// addresses.
    #[error(
        "the HDL array has {hdl_rows} rows of {hdl_cols} words, but `array_dims` is {rows} rows of \
         {cols}; `cols` must be that of the HDL array, and `rows` no more than its rows"
    )]
    Dims {
        /// Rows of the HDL array.
        hdl_rows: u64,
        /// Words of each row of the HDL array.
        hdl_cols: u64,
        /// Rows by the configuration.
        rows: u64,
        /// Words of each row by the configuration.
        cols: u64,
    },
}

impl HdlProblem {
    /// Compares the configured rows and columns with those of the HDL array, if the simulator
    /// provides them.
    ///
    /// # Errors
    /// Fails if the columns differ, or if the HDL array has fewer rows than configured.
    pub(crate) fn of_dims(array: Array, hdl: Option<(u64, u64)>) -> Result<(), Self> {
        let Array { rows, cols, .. } = array;
        match hdl {
            Some((hdl_rows, hdl_cols)) if hdl_cols != cols || hdl_rows < rows => Err(Self::Dims {
                hdl_rows,
                hdl_cols,
                rows,
                cols,
            }),
            _ => Ok(()),
        }
    }
}
