//! Environment of runs: folders, configurations, sinks, panics.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, Once};

use crate::content::Content;
use crate::disk::VARIABLE;
use crate::event::{channel_name, lock};
use crate::scenario::Scenario;
use crate::space::Space;

/// Sink of text.
#[derive(Debug, Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    /// Takes the written text.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writer on a small disk.
#[derive(Debug)]
pub struct LimitedWriter {
    room: usize,
}

impl LimitedWriter {
    /// Creates a writer that accepts this number of bytes, then fails.
    pub fn new(room: u32) -> Self {
        Self {
            room: room as usize,
        }
    }
}

impl Write for LimitedWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.room == 0 && !data.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = data.len().min(self.room);
        self.room -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// Number of panics of this thread that are not part of a run.
pub fn unexpected_panics() -> u32 {
    PANICS.get()
}

/// Installs a hook that counts panics. Panics that are part of a run do not call it.
pub fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            shown(info);
        }));
    });
}

/// Arguments of every channel, in the format of ARGV.
pub const ARGUMENTS: [&str; 3] = ["program\0", "two words\0", "\0"];
/// Environment of every channel, in the format of ENV.
pub const ENVIRONMENT: [&str; 2] = ["EMPTY=\0", "NAME=a value\0"];
/// Period of a tick in nanoseconds.
pub const PERIOD: u64 = 300_000_007;

/// Files that exist at the start.
pub fn initial_files() -> BTreeMap<String, Vec<u8>> {
    let bytes = |len: u32| (0..len).map(|at| (at * 31 + len) as u8).collect();
    [
        ("empty".to_owned(), bytes(0)),
        ("small".to_owned(), bytes(50)),
        (format!("{}/large", VARIABLE.1), bytes(3000)),
    ]
    .into()
}

/// Writes the files of a run.
///
/// # Errors
/// Errors of the file system.
pub fn prepare(folder: &Path, scenario: &Scenario) -> io::Result<()> {
    if scenario.disk {
        let root = folder.join("root");
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        fs::create_dir_all(root.join(VARIABLE.1))?;
        for (path, bytes) in initial_files() {
            fs::write(root.join(path), bytes)?;
        }
    }
    Ok(())
}

/// Memory configuration of a run.
pub fn memories(spaces: &[Space]) -> String {
    let yaml: String = spaces.iter().map(Space::yaml).collect();
    format!("space:\n{yaml}")
}

/// Mailbox configuration of a run.
pub fn mailboxes(scenario: &Scenario) -> String {
    let mut yaml = String::new();
    for (number, channel) in scenario.channels.iter().enumerate() {
        let name = channel_name(number);
        // Writing to a String does not fail.
        let _ = writeln!(
            yaml,
            "{name}: {{space: {name}, base: {:#x}, ptr: {}, cache_line: {}, stdio: {{stdin: {}}}, \
             args: [program, two words, \"\"], env: {{EMPTY: \"\", NAME: a value}}, seed: {number}, \
             time: {{clock: ticks, period: {PERIOD}ns}}}}",
            channel.base + channel.mailbox,
            channel.pointer * 8,
            channel.line,
            if channel.input.is_some() {
                "testbench"
            } else {
                "none"
            },
        );
    }
    yaml
}

/// Files of a folder and its subfolders, by path. Paths of folders end with `/`.
///
/// # Errors
/// Errors of the file system.
pub fn files(folder: &Path) -> io::Result<BTreeMap<String, Content>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            let below = self::files(&entry.path())?;
            files.insert(format!("{name}/"), Content::default());
            files.extend(
                below
                    .into_iter()
                    .map(|(path, bytes)| (format!("{name}/{path}"), bytes)),
            );
        } else {
            let file = File::open(entry.path())?;
            files.insert(name, Content::of_file(&file)?);
        }
    }
    Ok(files)
}

/// Names of open files below a folder.
pub fn open_below(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let target = |entry: io::Result<fs::DirEntry>| fs::read_link(entry.ok()?.path()).ok();
    let below = |path: &std::path::PathBuf| path.starts_with(folder) && path != folder;
    let open = entries.filter_map(target).filter(below);
    open.map(|path| path.display().to_string()).collect()
}
