//! Rows for Python: as tuples, or as columns in the layout of Arrow.

use pyo3::types::{PyBytes, PyList, PyTuple};
use pyo3::{Bound, IntoPyObject as _, PyAny, PyResult, Python};

/// Value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Number(u64),
    Words(Vec<u64>),
    Text(String),
}

impl Value {
    /// Number of bytes of a text or of words.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Flag(_) | Self::Number(_) => 0,
            Self::Words(words) => size_of_val(words.as_slice()),
            Self::Text(text) => text.len(),
        }
    }

    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::Null => py.None().into_bound(py),
            Self::Flag(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
            Self::Number(number) => number.into_pyobject(py)?.into_any(),
            Self::Words(words) => PyTuple::new(py, words)?.into_any(),
            Self::Text(text) => text.into_pyobject(py)?.into_any(),
        })
    }
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Flag,
    Number,
    Words,
    Text,
}

/// Row of a table.
pub(super) type Row = Vec<Value>;

/// Converts rows to a list of tuples.
pub(super) fn tuples<'py>(py: Python<'py>, rows: &[Row]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for row in rows {
        let values: PyResult<Vec<_>> = row.iter().map(|value| value.to_python(py)).collect();
        pyo3::types::PyListMethods::append(&list, PyTuple::new(py, values?)?)?;
    }
    Ok(list)
}

/// Buffers of a column in Arrow's layout: validity, then values; offsets and values; or offsets and
/// words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Buffers {
    validity: Vec<u8>,
    offsets: Vec<u8>,
    values: Vec<u8>,
    rows: usize,
}

impl Buffers {
    /// Column of the values at `place` in the rows. Values of another type are null.
    pub(super) fn of(rows: &[Row], place: usize, of: Type) -> Self {
        let mut buffers = Self::default();
        let mut end = 0_i32;
        for row in rows {
            if matches!(of, Type::Words | Type::Text) {
                buffers.offsets.extend(end.to_le_bytes());
            }
            let value = row.get(place).unwrap_or(&Value::Null);
            let is_valid = match (of, value) {
                (Type::Flag, Value::Flag(flag)) => {
                    set_bit(&mut buffers.values, buffers.rows, *flag);
                    true
                }
                (Type::Number, Value::Number(number)) => {
                    buffers.values.extend(number.to_le_bytes());
                    true
                }
                (Type::Words, Value::Words(words)) => {
                    let bytes = words.iter().flat_map(|word| word.to_le_bytes());
                    buffers.values.extend(bytes);
                    end = end.saturating_add(i32::try_from(words.len()).unwrap_or(i32::MAX));
                    true
                }
                (Type::Text, Value::Text(text)) => {
                    buffers.values.extend(text.as_bytes());
                    end = i32::try_from(buffers.values.len()).unwrap_or(i32::MAX);
                    true
                }
                (Type::Flag, _) => {
                    set_bit(&mut buffers.values, buffers.rows, false);
                    false
                }
                (Type::Number, _) => {
                    buffers.values.extend([0; 8]);
                    false
                }
                _ => false,
            };
            set_bit(&mut buffers.validity, buffers.rows, is_valid);
            buffers.rows += 1;
        }
        if matches!(of, Type::Words | Type::Text) {
            buffers.offsets.extend(end.to_le_bytes());
        }
        buffers
    }

    /// Tuple of validity, offsets (empty for numbers and flags) and values.
    pub(super) fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let all = [&self.validity, &self.offsets, &self.values];
        PyTuple::new(py, all.map(|bytes| PyBytes::new(py, bytes)))
    }
}

/// Appends a bit.
fn set_bit(bits: &mut Vec<u8>, at: usize, bit: bool) {
    if at.is_multiple_of(8) {
        bits.push(0);
    }
    if let Some(last) = bits.last_mut() {
        *last |= u8::from(bit) << (at % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_arrow_has_them() {
        let texts = ["a", "", "bc"].map(|text| Value::Text(text.to_owned()));
        let mut rows: Vec<Row> = texts.map(|text| vec![text, Value::Flag(true)]).to_vec();
        rows.insert(1, vec![Value::Null, Value::Flag(false)]);
        let column = Buffers::of(&rows, 0, Type::Text);
        assert_eq!(column.validity, [0b1101]);
        let offsets = [0, 1, 1, 1, 3_i32].map(i32::to_le_bytes);
        assert_eq!(column.offsets, offsets.as_flattened());
        assert_eq!(column.values, b"abc");
        assert_eq!(Buffers::of(&rows, 1, Type::Flag).values, [0b1101]);
        // A column that is missing in the rows.
        let missing = Buffers::of(&rows, 2, Type::Number);
        assert_eq!((missing.validity, missing.values), (vec![0], vec![0; 32]));
        let rows = vec![vec![Value::Words(vec![7, 8])], vec![Value::Words(vec![])]];
        let words = Buffers::of(&rows, 0, Type::Words);
        let offsets = [0, 2, 2_i32].map(i32::to_le_bytes);
        assert_eq!(words.offsets, offsets.as_flattened());
        assert_eq!(
            words.values,
            [7_u64, 8].map(u64::to_le_bytes).as_flattened()
        );
    }

    #[test]
    fn more_than_eight_rows_have_more_bytes_of_validity() {
        let rows: Vec<Row> = (0..9).map(|number| vec![Value::Number(number)]).collect();
        let column = Buffers::of(&rows, 0, Type::Number);
        assert_eq!(column.validity, [0xff, 1]);
        assert_eq!(column.values.len(), 72);
    }
}
