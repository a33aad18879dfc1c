//! Problems of memories.

use std::fmt;
use std::path::PathBuf;

use super::super::name::NoName;
use super::{ExpandError, KeyProblem};

/// Problem of one memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryProblem {
    /// A key that is missing, unknown or of another type.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// A file name that can't be expanded.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// An empty name.
    #[error(transparent)]
    NoName(#[from] NoName),
    /// A key that belongs to another initialisation method.
    #[error(
        "`{key}` does not belong to this `init.method`; `seed` is for `random`, and `file` for \
         `hex`"
    )]
    OtherMethod {
        /// The offending key.
        key: &'static str,
    },
    /// A number that must not be 0.
    #[error("`{key}` is 0; give at least 1")]
    Zero {
        /// Key of the number.
        key: &'static str,
    },
    /// A width that is not a whole number of bytes.
    #[error("`{key}` of {bits} bits is not a whole number of bytes; give a multiple of 8")]
    NotWholeBytes {
        /// `width` or `bank_width`.
        key: &'static str,
        /// Value of the key.
        bits: u64,
    },
    /// A width beyond the limit of simulators.
    #[error(
        "`{key}` of {bits} bits is more than the {max} bits that are supported; widths are in bits, sizes in bytes"
    )]
    TooWide {
        /// `width` or `bank_width`.
        key: &'static str,
        /// Value of the key.
        bits: u64,
        /// Maximum value.
        max: u64,
    },
    /// A missing key that another key requires.
    #[error("`{key}` is missing; a memory with `{because}` needs it")]
    Missing {
        /// The missing key.
        key: &'static str,
        /// Key that requires it.
        because: &'static str,
    },
    /// A bank key in a memory without banks.
    #[error(
        "`{key}` is for banked memories, but there are no `banks`; list them or leave `{key}` out"
    )]
    NoBanks {
        /// The bank key.
        key: &'static str,
    },
    /// A memory that ends beyond 64 bits.
    #[error(
        "`base` + `size`: {size:#x} bytes at {base:#x} run past the last address, 0xffffffffffffffff"
    )]
    Wraps {
        /// Base address.
        base: u64,
        /// Size in bytes.
        size: u64,
    },
    /// A size that is not a multiple of the word size.
    #[error("`size` of {size} bytes is not a multiple of {unit} bytes, which is {what}")]
    NotWholeWords {
        /// Size in bytes.
        size: u64,
        /// Required divisor in bytes, saturated at 64 bits.
        unit: u64,
        /// Derivation of the divisor.
        what: &'static str,
    },
    /// Dimensions that disagree with the number of words.
    #[error("`array_dims`: {rows} rows × {cols} cols is not {words} words, as given by {what}")]
    ArrayDims {
        /// Rows, given or by default.
        rows: u64,
        /// Columns, given or by default.
        cols: u64,
        /// Number of words.
        words: u64,
        /// Keys that determine the number of words.
        what: &'static str,
    },
    /// More instances than a process can hold.
    #[error(
        "`array_dims`: {instances} rows of arrays are more than the {max} instances that a memory \
         of backend `static` may have, one for each row; leave `array_dims` out, or choose another \
         `backend`"
    )]
    TooManyRows {
        /// Rows of all banks.
        instances: u64,
        /// Maximum number of instances.
        max: u64,
    },
    /// A bank width that does not divide the memory's width.
    #[error("`bank_width` of {bank_width} bits does not divide `width` of {width} bits")]
    BankWidth {
        /// Bank width in bits.
        bank_width: u64,
        /// Memory width in bits.
        width: u64,
    },
    /// Wrong number of bank rows.
    #[error("`banks` has {found} rows, but `size` / (`width` / 8 × `bank_depth`) is {wanted}")]
    BankRows {
        /// Number of rows in the list.
        found: usize,
        /// Number of rows that follows from the sizes.
        wanted: u64,
    },
    /// Wrong number of banks in a row.
    #[error("`banks[{row}]` has {found} columns, but `width` / `bank_width` is {wanted}")]
    BankColumns {
        /// Index of the row, from 0.
        row: usize,
        /// Number of columns in the row.
        found: usize,
        /// Number of columns that follows from the widths.
        wanted: u64,
    },
    /// A missing hex file.
    #[error("`init.file`: file `{}` does not exist", .file.display())]
    NoHexFile {
        /// Path of the file, expanded.
        file: PathBuf,
    },
    /// Path of a memory with backend `api`, which has no HDL paths.
    #[error(
        "`path`: the backend `api` accesses black boxes only; leave `path` out, or choose another \
         `backend`{0}"
    )]
    PathInApi(ByFeature),
    /// A memory of backend `static` without a path, which identifies its buffer.
    #[error(
        "`path` is missing: the backend `static` requires it and has no black boxes; give `path`, \
         or choose another `backend`{0}"
    )]
    StaticBlackBox(ByFeature),
}

/// True if a memory's backend is the default of a Cargo feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByFeature(pub bool);

impl fmt::Display for ByFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 {
            " (this one is the default, by Cargo feature)"
        } else {
            ""
        })
    }
}
