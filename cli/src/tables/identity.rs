//! Identity of a recording in the tables: its name, its partition, and the claim of the name.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use chrono::DateTime;
use vhost::trace::{Header, RunIdentity};

/// Maximum number of characters of an encoded name. File names have at most 255 bytes.
const MAX_NAME_LEN: usize = 120;

/// First millisecond of the year 10,000.
const LATEST: u64 = 253_402_300_800_000;

/// Day and design of a run, which partition the tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partition {
    /// `2026-11-30`, UTC.
    date: String,
    design: String,
}

impl Partition {
    /// Folder of a table's files.
    pub(super) fn folder(&self, root: &Path, table: &str) -> PathBuf {
        let Self { date, design } = self;
        let design = encoded(design);
        root.join(table)
            .join(format!("date={date}"))
            .join(format!("design={design}"))
    }
}

/// Recording with its identity.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) run: RunIdentity,
    pub(super) id: String,
    pub(super) partition: Partition,
    /// Start in milliseconds since 1970.
    pub(super) started: Option<u64>,
    /// Wall time in milliseconds.
    pub(super) wall: Option<u64>,
    /// Size of the file in bytes.
    pub(super) size: u64,
}

impl Source {
    /// Determines the identity of a recording. Properties in `given`, from the command line, take
    /// precedence.
    pub(super) fn of(file: &Path, header: &Header, given: &RunIdentity) -> Result<Self> {
        let mut run = header.run.clone();
        for (key, value) in given.iter() {
            run.set(key, value);
        }
        let metadata = fs::metadata(file)?;
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok();
        let changed = metadata.modified().ok().and_then(since);
        let changed = changed.map(|since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let started: Option<u64> = run
            .get(RunIdentity::STARTED)
            .and_then(|text| text.parse().ok())
            // Readers fail at a timestamp that they can't represent.
            .filter(|started| *started < LATEST);
        let date = date_of(started.or(changed).unwrap_or_default());
        let design = match run.get(RunIdentity::DESIGN) {
            Some(design) => design.to_owned(),
            None => design_of(header),
        };
        let id = match run.get(RunIdentity::ID) {
            Some(id) => id.to_owned(),
            None => default_id(file, changed.unwrap_or_default()),
        };
        Ok(Self {
            file: file.to_owned(),
            partition: Partition { date, design },
            wall: started
                .zip(changed)
                .and_then(|(start, end)| end.checked_sub(start)),
            size: metadata.len(),
            run,
            id,
            started,
        })
    }
}

/// Day of a time in milliseconds since 1970, in UTC.
fn date_of(milliseconds: u64) -> String {
    let time = i64::try_from(milliseconds)
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        // Readers expect four digits.
        .filter(|_| milliseconds < LATEST);
    let time = time.unwrap_or(DateTime::UNIX_EPOCH);
    time.date_naive().to_string()
}

/// Name of the first image without folder and extension.
fn design_of(header: &Header) -> String {
    let mut images = header.files.iter().filter(|(_, image)| image.is_some());
    let image = images.next().map(|(file, _)| Path::new(file));
    let stem = image.and_then(Path::file_stem);
    stem.map_or_else(
        || "unknown".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// Default name of a run: name of its file, checksum of its path, and time of its last change. A
/// single checksum of both would be equal for two of a hundred thousand runs.
fn default_id(file: &Path, changed: u64) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let path = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let sum = crc32fast::hash(path.as_os_str().as_encoded_bytes());
    format!("{stem}-{sum:08x}-{changed:x}")
}

/// Encodes text for a part of a path: letters, digits, `_`, `.` and `-` are kept; other bytes
/// become `%` and two digits, as in Hive's partitions. A long text is cut off, and ends with its
/// length and checksum.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        // Readers skip names that begin with a dot or an underscore.
        let is_plain = match byte {
            b'_' | b'.' => !encoded.is_empty(),
            other => other.is_ascii_alphanumeric() || other == b'-',
        };
        if is_plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        if encoded.len() > MAX_NAME_LEN {
            let (len, sum) = (text.len(), crc32fast::hash(text.as_bytes()));
            return format!("{encoded}~{len}-{sum:08x}");
        }
    }
    encoded
}

/// Advice for two runs with one name.
pub(super) const OWN_ID: &str = "give each run an id of its own by VHOST_RUN_ID or --run-id";

/// Claim of a run's name in a folder of tables, by a file. The file is removed unless the claim is
/// [kept](Self::keep).
#[derive(Debug)]
pub(super) struct Claim {
    path: Option<PathBuf>,
}

impl Claim {
    /// Claims the name of a run. Of two concurrent exports, one fails.
    ///
    /// # Errors
    /// Fails if the name is taken.
    pub(super) fn take(root: &Path, source: &Source) -> Result<Self> {
        let folder = root.join("_ids");
        let failed = |path: &Path| format!("can't write {}", path.display());
        fs::create_dir_all(&folder).with_context(|| failed(&folder))?;
        let path = folder.join(encoded(&source.id));
        let mut file = match File::create_new(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let other = fs::read_to_string(&path).unwrap_or_default();
                let other = match other.trim_end() {
                    "" => "a recording of another export",
                    file => file,
                };
                bail!(
                    "run `{}` is in the tables already, from {other}: {OWN_ID}; \
                     if an export was ended from outside, remove {}",
                    source.id,
                    path.display()
                );
            }
            Err(error) => return Err(error).with_context(|| failed(&path)),
        };
        let claim = Self {
            path: Some(path.clone()),
        };
        let text = format!("{}\n", source.file.display());
        file.write_all(text.as_bytes())
            .with_context(|| failed(&path))?;
        Ok(claim)
    }

    /// Keeps the claim, since the run is in the tables.
    pub(super) fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // If the file stays, the next export of the run reports it.
            let _ = fs::remove_file(path);
        }
    }
}
