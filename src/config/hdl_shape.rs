//! Validation of a memory's HDL shape. Its sizes must be consistent.

use super::error::MemoryProblem;
use super::number::Number;
use super::schema::{RawDims, RawMemory};
use crate::mem::{Array, Shape};

/// Maximum word width in bits: 16 times the minimum that simulators must support (IEEE 1800-2017,
/// 7.4.1: 65,536 bits).
const MAX_WIDTH: u64 = 1 << 20;

/// Maximum number of array rows in one memory of backend `static`, where each row is a separate
/// buffer.
const MAX_INSTANCES: u64 = 1 << 18;

/// Rejects a shape with more rows than a process can hold as buffers.
pub(super) fn few_rows(shape: &Shape) -> Result<(), MemoryProblem> {
    let arrays = u64::try_from(shape.instances().count()).unwrap_or(u64::MAX);
    let rows = shape.array().map_or(1, |array| array.rows);
    let instances = arrays.saturating_mul(rows);
    if rows > 1 && instances > MAX_INSTANCES {
        return Err(MemoryProblem::TooManyRows {
            instances,
            max: MAX_INSTANCES,
        });
    }
    Ok(())
}

/// `width` in bytes, if given.
pub(super) fn width_in_bytes(raw: &RawMemory) -> Result<Option<u64>, MemoryProblem> {
    let width = raw.width.map(|bits| bytes("width", bits.0));
    width.transpose()
}

/// Validates the shape of a memory with words of `width` bytes. The size is not 0. Keys of a shape
/// are validated for a black box as well, although they have no effect without `path`.
pub(super) fn validate(raw: RawMemory, width: Option<u64>) -> Result<Shape, MemoryProblem> {
    let RawMemory {
        size: Number(size),
        path,
        array_dims,
        ..
    } = raw;
    let [bank_width, bank_depth] =
        [raw.bank_width, raw.bank_depth].map(|given| given.map(|number| number.0));
    let dims_given = array_dims.rows.is_some() || array_dims.cols.is_some();
    let needs_width = [
        ("path", path.is_some()),
        ("banks", raw.banks.is_some()),
        ("array_dims", dims_given),
    ];
    let Some(width) = width else {
        return match needs_width.into_iter().find(|(_, given)| *given) {
            Some((because, _)) => Err(MemoryProblem::Missing {
                key: "width",
                because,
            }),
            None => without_banks(bank_width, bank_depth).map(|()| Shape::BlackBox),
        };
    };
    match raw.banks {
        None => {
            without_banks(bank_width, bank_depth)?;
            let words = whole(size, width, "`width` / 8")?;
            let array = array(width, words, array_dims, "`size` / (`width` / 8)")?;
            Ok(path.map_or(Shape::BlackBox, |path| Shape::Direct { path, array }))
        }
        Some(names) => {
            let missing = |key| MemoryProblem::Missing {
                key,
                because: "banks",
            };
            let bank_width = bytes("bank_width", bank_width.ok_or(missing("bank_width"))?)?;
            let bank_depth = bank_depth.ok_or(missing("bank_depth"))?;
            let bank = bank(size, width, bank_width, bank_depth, array_dims, &names)?;
            Ok(path.map_or(Shape::BlackBox, |path| Shape::Banked {
                banks: bank_paths(&path, names),
                bank,
            }))
        }
    }
}

/// Rejects bank keys in a memory without banks.
fn without_banks(bank_width: Option<u64>, bank_depth: Option<u64>) -> Result<(), MemoryProblem> {
    match (bank_width, bank_depth) {
        (Some(_), _) => Err(MemoryProblem::NoBanks { key: "bank_width" }),
        (None, Some(_)) => Err(MemoryProblem::NoBanks { key: "bank_depth" }),
        (None, None) => Ok(()),
    }
}

/// Shape of one bank, if widths, sizes and the list of banks are consistent. Widths are in bytes,
/// the depth is in words.
fn bank(
    size: u64,
    width: u64,
    bank_width: u64,
    bank_depth: u64,
    dims: RawDims,
    names: &[Vec<String>],
) -> Result<Array, MemoryProblem> {
    if !width.is_multiple_of(bank_width) {
        return Err(MemoryProblem::BankWidth {
            bank_width: bank_width * 8,
            width: width * 8,
        });
    }
    nonzero("bank_depth", bank_depth)?;
    let what = "`width` / 8 × `bank_depth`, a row of banks";
    let Some(row) = width.checked_mul(bank_depth) else {
        return Err(MemoryProblem::NotWholeWords {
            size,
            unit: u64::MAX,
            what,
        });
    };
    let rows = whole(size, row, what)?;
    if u64::try_from(names.len()) != Ok(rows) {
        return Err(MemoryProblem::BankRows {
            found: names.len(),
            wanted: rows,
        });
    }
    let columns = width / bank_width;
    for (row, names) in names.iter().enumerate() {
        if u64::try_from(names.len()) != Ok(columns) {
            return Err(MemoryProblem::BankColumns {
                row,
                found: names.len(),
                wanted: columns,
            });
        }
    }
    array(bank_width, bank_depth, dims, "`bank_depth`")
}

/// Array of this many words. Missing dimensions are derived.
fn array(
    width: u64,
    words: u64,
    dims: RawDims,
    what: &'static str,
) -> Result<Array, MemoryProblem> {
    let rows = dims.rows.map_or(1, |rows| rows.0);
    nonzero("array_dims.rows", rows)?;
    let cols = dims.cols.map_or(words / rows, |cols| cols.0);
    if dims.cols.is_some() {
        nonzero("array_dims.cols", cols)?;
    }
    if rows.checked_mul(cols) != Some(words) {
        return Err(MemoryProblem::ArrayDims {
            rows,
            cols,
            words,
            what,
        });
    }
    Ok(Array { width, rows, cols })
}

fn bank_paths(path: &str, names: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let full = |name: String| format!("{path}.{name}");
    names
        .into_iter()
        .map(|row| row.into_iter().map(full).collect())
        .collect()
}

/// Converts a width from bits to bytes.
fn bytes(key: &'static str, bits: u64) -> Result<u64, MemoryProblem> {
    nonzero(key, bits)?;
    if !bits.is_multiple_of(8) {
        return Err(MemoryProblem::NotWholeBytes { key, bits });
    }
    if bits > MAX_WIDTH {
        return Err(MemoryProblem::TooWide {
            key,
            bits,
            max: MAX_WIDTH,
        });
    }
    Ok(bits / 8)
}

fn nonzero(key: &'static str, value: u64) -> Result<(), MemoryProblem> {
    if value == 0 {
        Err(MemoryProblem::Zero { key })
    } else {
        Ok(())
    }
}

/// Number of units in `size`; an error if it is not a whole number.
fn whole(size: u64, unit: u64, what: &'static str) -> Result<u64, MemoryProblem> {
    if !size.is_multiple_of(unit) {
        return Err(MemoryProblem::NotWholeWords { size, unit, what });
    }
    Ok(size / unit)
}
