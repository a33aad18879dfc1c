//! Rows of a table in columns, up to a row group.

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use super::schema::{Field, Table, Type};

/// Maximum number of rows of a row group, the same as DuckDB's: its threads can share a file. Spark
/// reads several groups at a time.
pub(super) const MAX_ROWS: usize = 122_880;

/// Maximum number of bytes of texts and words of a row group.
const MAX_BYTES: usize = 64 << 20;

/// Maximum number of distinct texts of a column that are remembered.
const MAX_KNOWN_TEXTS: usize = 4096;

/// Value of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Number(u64),
    Word(u64),
    Words(&'a [u64]),
    Small(i32),
    Flag(bool),
}

impl<'a> Cell<'a> {
    pub(super) fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    pub(super) fn number(number: Option<u64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

/// Column of a batch.
#[derive(Debug)]
enum Column {
    Texts {
        values: Vec<ByteArray>,
        /// Known texts: equal ones share their bytes.
        known: HashMap<Box<str>, ByteArray>,
    },
    Longs(Vec<i64>),
    Ints(Vec<i32>),
    Flags(Vec<bool>),
    Lists {
        values: Vec<i64>,
        /// 0 for the first value of a row, or for an empty row; 1 for each further value.
        repetitions: Vec<i16>,
    },
}

/// Column of optional or repeated values.
#[derive(Debug)]
struct Filled {
    column: Column,
    /// 1 for a value, 0 for null or an empty list.
    definitions: Vec<i16>,
}

/// Rows of a table.
#[derive(Debug)]
pub(super) struct Batch {
    table: &'static Table,
    columns: Vec<Filled>,
    rows: usize,
    bytes: usize,
}

impl Batch {
    pub(super) fn new(table: &'static Table) -> Self {
        let columns = table.fields.iter().map(|field| Filled {
            column: match field.of {
                Type::Text => Column::Texts {
                    values: Vec::new(),
                    known: HashMap::new(),
                },
                Type::Number | Type::Word | Type::Time => Column::Longs(Vec::new()),
                Type::Small => Column::Ints(Vec::new()),
                Type::Flag => Column::Flags(Vec::new()),
                Type::Words => Column::Lists {
                    values: Vec::new(),
                    repetitions: Vec::new(),
                },
            },
            definitions: Vec::new(),
        });
        Self {
            table,
            columns: columns.collect(),
            rows: 0,
            bytes: 0,
        }
    }

    /// True if the batch must be written before another row is added.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &[Cell<'_>]) -> Result<()> {
        let fields = self.table.fields;
        if row.len() != fields.len() {
            bail!(
                "table {}: {} columns, {} values",
                self.table.name,
                fields.len(),
                row.len()
            );
        }
        for ((field, filled), cell) in fields.iter().zip(&mut self.columns).zip(row) {
            self.bytes += filled.push(field, *cell)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Writes the rows as a row group, and removes them.
    pub(super) fn write<W: Write + Send>(
        &mut self,
        to: &mut SerializedFileWriter<W>,
    ) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = to.next_row_group()?;
        for (field, filled) in self.table.fields.iter().zip(&mut self.columns) {
            let column = group.next_column()?;
            let mut column = column.with_context(|| format!("no column {}", field.name))?;
            filled.write(field, &mut column)?;
            column.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Filled {
    /// Adds a value. Returns its size in bytes beyond that of a number.
    fn push(&mut self, field: &Field, cell: Cell<'_>) -> Result<usize> {
        let mut bytes = 0;
        match (&mut self.column, cell) {
            (_, Cell::Null) if field.is_optional => {
                self.definitions.push(0);
                return Ok(0);
            }
            (Column::Texts { values, known }, Cell::Text(text)) => match known.get(text) {
                Some(value) => values.push(value.clone()),
                None => {
                    bytes = text.len();
                    let value = ByteArray::from(Bytes::copy_from_slice(text.as_bytes()));
                    if known.len() < MAX_KNOWN_TEXTS {
                        known.insert(text.into(), value.clone());
                    }
                    values.push(value);
                }
            },
            (Column::Longs(values), Cell::Number(number)) => {
                values.push(i64::try_from(number).unwrap_or(i64::MAX));
            }
            (Column::Longs(values), Cell::Word(word)) => values.push(word.cast_signed()),
            (Column::Ints(values), Cell::Small(number)) => values.push(number),
            (Column::Flags(values), Cell::Flag(flag)) => values.push(flag),
            (
                Column::Lists {
                    values,
                    repetitions,
                },
                Cell::Words(words),
            ) => {
                bytes = size_of_val(words);
                let rows = repetitions.len();
                repetitions.resize(rows + words.len().max(1), 1);
                repetitions[rows] = 0;
                let present = i16::from(!words.is_empty());
                self.definitions.resize(repetitions.len(), present);
                values.extend(words.iter().map(|word| word.cast_signed()));
                return Ok(bytes);
            }
            (_, cell) => bail!("column {}: {cell:?} is of another type", field.name),
        }
        self.definitions.push(1);
        Ok(bytes)
    }

    fn write(&mut self, field: &Field, to: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let definitions = std::mem::take(&mut self.definitions);
        let given = field.is_optional.then_some(&definitions[..]);
        match &mut self.column {
            Column::Texts { values, known } => {
                to.typed::<ByteArrayType>()
                    .write_batch(values, given, None)?;
                values.clear();
                known.clear();
            }
            Column::Longs(values) => {
                to.typed::<Int64Type>().write_batch(values, given, None)?;
                values.clear();
            }
            Column::Ints(values) => {
                to.typed::<Int32Type>().write_batch(values, given, None)?;
                values.clear();
            }
            Column::Flags(values) => {
                to.typed::<BoolType>().write_batch(values, given, None)?;
                values.clear();
            }
            Column::Lists {
                values,
                repetitions,
            } => {
                to.typed::<Int64Type>().write_batch(
                    values,
                    Some(&definitions),
                    Some(repetitions),
                )?;
                values.clear();
                repetitions.clear();
            }
        }
        Ok(())
    }
}
