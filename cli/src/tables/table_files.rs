//! Files of one export in one partition, one for each table.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Error, Result, anyhow};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::batch::{Batch, Cell};
use super::identity::Partition;
use super::schema::{CONSOLE, MESSAGES, REPORTS, REQUESTS, RUNS, Table, Type, VERSION};
use crate::output_file::OutputFile;

/// Tables in the order in which their files are renamed. `runs` is the last one, since its row
/// marks a run as exported.
pub(super) const TABLES: [&Table; 5] = [&REQUESTS, &MESSAGES, &REPORTS, &CONSOLE, &RUNS];

/// Files of a partition under temporary names. They are removed if dropped without a
/// [commit](Self::commit).
pub(super) struct TableFiles {
    tables: Vec<Output>,
}

/// File of a table.
struct Output {
    table: &'static Table,
    batch: Batch,
    writer: Option<SerializedFileWriter<BufWriter<File>>>,
    /// File until it is renamed.
    file: Option<OutputFile>,
    path: PathBuf,
    /// True from the renaming of this file until all files of the partition are renamed.
    is_early: bool,
}

impl TableFiles {
    /// Creates the files. `name`: file name without its extension; `has_messages`: true with the
    /// table `messages`.
    pub(super) fn create(
        folder: &Path,
        partition: &Partition,
        name: &str,
        has_messages: bool,
    ) -> Result<Self> {
        let tables = TABLES
            .into_iter()
            .filter(|table| has_messages || table.name != MESSAGES.name);
        let mut files = Self { tables: Vec::new() };
        for table in tables {
            let output = Output::create(&partition.folder(folder, table.name), table, name)?;
            files.tables.push(output);
        }
        Ok(files)
    }

    /// Adds a row to a table, unless there is no such table.
    pub(super) fn add(&mut self, table: &Table, row: &[Cell<'_>]) -> Result<()> {
        let mut outputs = self.tables.iter_mut();
        match outputs.find(|output| output.table.name == table.name) {
            Some(output) => output.add(row),
            None => Ok(()),
        }
    }

    /// Completes and renames the files.
    pub(super) fn commit(mut self) -> Result<()> {
        for output in &mut self.tables {
            output.finish()?;
        }
        for output in &mut self.tables {
            output.rename()?;
        }
        for output in &mut self.tables {
            output.is_early = false;
        }
        Ok(())
    }
}

impl Output {
    fn create(folder: &Path, table: &'static Table, name: &str) -> Result<Self> {
        let failed = |path: &Path| format!("can't write {}", path.display());
        fs::create_dir_all(folder).with_context(|| failed(folder))?;
        let path = folder.join(format!("{name}.parquet"));
        let output = OutputFile::new(&path).with_context(|| failed(&path))?;
        let file = output.create().with_context(|| failed(&path))?;
        let schema = Arc::new(parse_message_type(&table.message_type())?);
        let mut output = Self {
            table,
            batch: Batch::new(table),
            writer: None,
            file: Some(output),
            path,
            is_early: false,
        };
        let writer = SerializedFileWriter::new(BufWriter::new(file), schema, properties(table));
        let writer = writer.map_err(|error| own_text(&error));
        output.writer = Some(writer.with_context(|| failed(&output.path))?);
        Ok(output)
    }

    fn add(&mut self, row: &[Cell<'_>]) -> Result<()> {
        if self.batch.is_full() {
            self.write()?;
        }
        self.batch.add(row)
    }

    fn write(&mut self) -> Result<()> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let written = self.batch.write(writer);
        let written = written.map_err(|error| own_text(&error));
        written.with_context(|| format!("can't write {}", self.path.display()))
    }

    fn finish(&mut self) -> Result<()> {
        self.write()?;
        let failed = || format!("can't write {}", self.path.display());
        if let Some(writer) = self.writer.take() {
            let buffered = writer.into_inner().map_err(|error| own_text(&error));
            let buffered = buffered.with_context(failed)?;
            let file = buffered.into_inner().with_context(failed)?;
            file.sync_all().with_context(failed)?;
        }
        Ok(())
    }

    fn rename(&mut self) -> Result<()> {
        let failed = || format!("can't write {}", self.path.display());
        if let Some(file) = self.file.take() {
            file.commit().with_context(failed)?;
            self.is_early = true;
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.is_early {
            // The file of an incomplete partition has rows of runs that can be exported again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Error without its cause, which the text repeats behind the name of a variant.
fn own_text(error: &impl Display) -> Error {
    let text = error.to_string();
    anyhow!("{}", text.strip_prefix("External: ").unwrap_or(&text))
}

/// Encodings and metadata of a table's files.
pub(super) fn properties(table: &Table) -> WriterPropertiesPtr {
    let meanings: serde_json::Map<_, _> = table
        .fields
        .iter()
        .map(|field| (field.name.to_owned(), field.meaning.into()))
        .collect();
    let metadata = [
        ("vhost.schema", VERSION.to_string()),
        ("vhost.table", table.name.to_owned()),
        (
            "vhost.columns",
            serde_json::Value::from(meanings).to_string(),
        ),
    ];
    let metadata = metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value));
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(format!("vhost {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(metadata.to_vec()));
    for field in table.fields.iter().filter(|field| field.is_rising) {
        debug_assert_eq!(field.of, Type::Number);
        let path = ColumnPath::from(field.name);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Arc::new(builder.build())
}
