//! HDL paths of arrays and of their words.

use std::borrow::Cow;
use std::fmt;

use super::{Array, Shape};

impl Shape {
    /// Returns the HDL path of an instance: of the array of a direct memory, or of a bank, counted
    /// row by row.
    pub fn instance(&self, instance: u64) -> Option<&str> {
        let index = usize::try_from(instance).ok()?;
        match self {
            Self::BlackBox => None,
            Self::Direct { path, .. } => (index == 0).then_some(path),
            Self::Banked { banks, .. } => banks.iter().flatten().nth(index).map(String::as_str),
        }
    }

    /// Iterates over the HDL paths of all instances, in order.
    pub fn instances(&self) -> impl Iterator<Item = &str> {
        let (direct, banks) = match self {
            Self::BlackBox => (None, &[][..]),
            Self::Direct { path, .. } => (Some(path), &[][..]),
            Self::Banked { banks, .. } => (None, banks.as_slice()),
        };
        direct
            .into_iter()
            .chain(banks.iter().flatten())
            .map(String::as_str)
    }

    /// Returns the same bytes as arrays of one row. An array at `path` with several rows becomes
    /// the arrays `path[row]`.
    pub(crate) fn by_rows(&self) -> Cow<'_, Self> {
        let (banks, array) = match self {
            Self::Direct { path, array } => (vec![vec![path.clone()]], array),
            Self::Banked { banks, bank } => (banks.clone(), bank),
            Self::BlackBox => return Cow::Borrowed(self),
        };
        if array.rows <= 1 {
            return Cow::Borrowed(self);
        }
        // Rows of arrays are consecutive like rows of banks, so each row becomes a row of banks.
        let rows = banks.iter().flat_map(|banks| {
            let row = move |row| banks.iter().map(|bank| format!("{bank}[{row}]")).collect();
            (0..array.rows).map(row)
        });
        Cow::Owned(Self::Banked {
            banks: rows.collect(),
            bank: Array { rows: 1, ..*array },
        })
    }

    /// Returns the word layout of each instance; `None` for a black box.
    pub fn array(&self) -> Option<Array> {
        match self {
            Self::BlackBox => None,
            Self::Direct { array, .. } | Self::Banked { bank: array, .. } => Some(*array),
        }
    }
}

impl Array {
    /// Returns the HDL path of a word of the array at `path`: `path[row][col]`, or `path[col]` for
    /// an array of one row.
    pub fn word_path<'a>(&self, path: &'a str, word: u64) -> WordPath<'a> {
        // Validated arrays have columns; for others, `max` avoids a division by zero.
        let (row, col) = (word / self.cols.max(1), word % self.cols.max(1));
        WordPath {
            path,
            row: (self.rows > 1).then_some(row.into()),
            col: (if self.rows > 1 { col } else { word }).into(),
        }
    }
}

/// Path of one word. [`fmt::Display`] formats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordPath<'a> {
    path: &'a str,
    row: Option<i128>,
    col: i128,
}

impl WordPath<'_> {
    /// Adapts the path to an array whose lowest indices are `row` and `col` instead of 0.
    pub fn counted_from(mut self, row: i32, col: i32) -> Self {
        self.row = self.row.map(|number| number + i128::from(row));
        self.col += i128::from(col);
        self
    }
}

impl fmt::Display for WordPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)?;
        if let Some(row) = self.row {
            write!(f, "[{row}]")?;
        }
        write!(f, "[{}]", self.col)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_one_index_or_two() {
        let flat = Array {
            width: 4,
            rows: 1,
            cols: 16,
        };
        assert_eq!(flat.word_path("tb.rom", 15).to_string(), "tb.rom[15]");
        let rows = Array {
            width: 4,
            rows: 4,
            cols: 16,
        };
        assert_eq!(
            rows.word_path("tb.ram.mem", 35).to_string(),
            "tb.ram.mem[2][3]"
        );
    }

    #[test]
    fn indices_count_from_the_least_one() {
        let rows = Array {
            width: 4,
            rows: 4,
            cols: 16,
        };
        let path = rows.word_path("mem", 35).counted_from(-8, 16);
        assert_eq!(path.to_string(), "mem[-6][19]");
    }

    #[test]
    fn words_of_rows_are_counted_row_by_row() {
        let (rows, cols) = (3, 5);
        let array = Array {
            width: 4,
            rows,
            cols,
        };
        let counted =
            (0..rows).flat_map(|row| (0..cols).map(move |col| format!("m[{row}][{col}]")));
        let paths = (0..array.depth()).map(|word| array.word_path("m", word).to_string());
        assert!(paths.eq(counted));
    }

    #[test]
    fn banks_are_counted_row_by_row() {
        let bank = Array {
            width: 4,
            rows: 1,
            cols: 16,
        };
        let banks = vec![
            vec!["a".to_owned(), "b".to_owned()],
            vec!["c".to_owned(), "d".to_owned()],
        ];
        let shape = Shape::Banked { banks, bank };
        assert_eq!(shape.instances().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(shape.instance(2), Some("c"));
        assert_eq!(shape.instance(4), None);
        assert_eq!(Shape::BlackBox.instances().count(), 0);
        let direct = Shape::Direct {
            path: "a".to_owned(),
            array: bank,
        };
        assert_eq!(direct.instances().collect::<Vec<_>>(), ["a"]);
        assert_eq!((direct.instance(0), direct.instance(1)), (Some("a"), None));
    }

    #[test]
    fn rows_are_arrays_of_their_own_with_the_same_bytes() {
        use crate::mem::Geometry;
        let array = Array {
            width: 4,
            rows: 3,
            cols: 5,
        };
        let direct = Shape::Direct {
            path: "m".to_owned(),
            array,
        };
        let banks = vec![
            vec!["a".to_owned(), "b".to_owned()],
            vec!["c".to_owned(), "d".to_owned()],
        ];
        let banked = Shape::Banked { banks, bank: array };
        assert!(direct.by_rows().instances().eq(["m[0]", "m[1]", "m[2]"]));
        for shape in [direct, banked] {
            let rows = shape.by_rows();
            let (whole, parts) = (Geometry::of(&shape).unwrap(), Geometry::of(&rows).unwrap());
            assert_eq!((whole.size(), parts.depth()), (parts.size(), 5));
            let place = |shape: &Shape, geometry: Geometry, offset| {
                let run = geometry.runs(offset, 1).next().unwrap();
                let path = shape.instance(run.instance).unwrap();
                let word = shape.array().unwrap().word_path(path, run.first_word);
                (word.to_string(), run.skip)
            };
            for offset in 0..whole.size() {
                assert_eq!(place(&shape, whole, offset), place(&rows, parts, offset));
            }
        }
    }
}
