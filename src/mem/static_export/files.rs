//! Sink that writes a file for each instance.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{StaticMemDescriptor, StaticMemFormat, StaticMemRange, StaticMemSink};
use crate::guest;

/// Sink that writes each instance to a file of its own in one directory, which is created if it
/// does not exist.
///
/// ```
/// use vhost::mem::{StaticMemFiles, StaticMemFormat, flush_static_mems};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let dir = dir.path();
/// let mut files = StaticMemFiles::new(dir.join("memories"), StaticMemFormat::Readmemh);
/// flush_static_mems(&mut files)?;
/// for (memory, file) in files.files() {
///     println!("{} is in {}", memory.path, file.display());
/// }
/// # Ok::<(), String>(())
/// ```
///
/// The name of a file is the HDL path and the extension of the format. Characters other than
/// letters, digits, `.`, `-` and `_` become `_`: `tb.ram[0]` is in `tb.ram_0_.hex`. Equal names are
/// numbered: `tb.ram.hex`, `tb.ram-2.hex`. An instance that is flushed again replaces its file.
#[derive(Debug)]
pub struct StaticMemFiles {
    dir: PathBuf,
    format: StaticMemFormat,
    files: BTreeMap<StaticMemDescriptor, PathBuf>,
    names: Names,
}

impl StaticMemFiles {
    /// Creates a sink for files of this format in `dir`.
    pub fn new(dir: impl Into<PathBuf>, format: StaticMemFormat) -> Self {
        Self {
            dir: dir.into(),
            format,
            files: BTreeMap::new(),
            names: Names::default(),
        }
    }

    /// Iterates over the instances so far and their files, in order of HDL path.
    pub fn files(&self) -> impl Iterator<Item = (&StaticMemDescriptor, &Path)> {
        let files = self.files.iter();
        files.map(|(descriptor, file)| (descriptor, file.as_path()))
    }

    /// Returns the file of an instance, which stays the same.
    fn file(&mut self, descriptor: &StaticMemDescriptor) -> &Path {
        let (dir, format, names) = (&self.dir, self.format, &mut self.names);
        let file = || {
            let name = names.fresh(&descriptor.path);
            dir.join(format!("{name}.{}", format.extension()))
        };
        self.files.entry(descriptor.clone()).or_insert_with(file)
    }
}

impl StaticMemSink for StaticMemFiles {
    /// # Errors
    /// Fails if the directory can't be created or the file can't be written. The error has the
    /// file's name and the HDL path of the instance.
    fn write_static_mem(
        &mut self,
        descriptor: &StaticMemDescriptor,
        data: &[u8],
        valid_ranges: &[StaticMemRange],
    ) -> Result<(), String> {
        let file = self.file(descriptor).to_owned();
        let write = || {
            fs::create_dir_all(&self.dir)?;
            let mut to = BufWriter::new(guest::create(&file)?);
            self.format.write(&mut to, descriptor, data, valid_ranges)?;
            to.flush()
        };
        write().map_err(|cause| {
            let path = descriptor.path.clone();
            WriteError { path, file, cause }.to_string()
        })
    }
}

/// Error of writing an instance to its file.
#[derive(Debug, Error)]
#[error("static memory `{path}`: can't write {}: {cause}", file.display())]
struct WriteError {
    path: String,
    file: PathBuf,
    cause: io::Error,
}

/// Allocator of unique file names, without extension.
#[derive(Debug, Default)]
struct Names {
    /// Used names, each with the last number that was appended to it.
    taken: HashMap<String, u64>,
}

/// Maximum length of a name without its number. File systems allow 255 bytes for the whole name.
const MAX_NAME: usize = 200;

impl Names {
    fn fresh(&mut self, path: &str) -> String {
        let plain = plain(path);
        let mut name = plain.clone();
        while self.taken.contains_key(&name) {
            let count = self.taken.entry(plain.clone()).or_default();
            *count += 1;
            name = format!("{plain}-{count}");
        }
        self.taken.insert(name.clone(), 1);
        name
    }
}

/// Converts a path to a file name without special meaning to file systems and shells.
fn plain(path: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = path
        .chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    // The end of a path is kept, because that is where banks differ.
    let name = &name[name.len().saturating_sub(MAX_NAME)..];
    // Avoids hidden files, and names that look like an option.
    match name.trim_start_matches(['.', '-']) {
        rest if rest.len() == name.len() && !rest.is_empty() => rest.to_owned(),
        rest => format!("_{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(path: &str, width: usize) -> StaticMemDescriptor {
        let path = path.to_owned();
        StaticMemDescriptor {
            path,
            width,
            depth: 2,
        }
    }

    #[test]
    fn names_are_safe() {
        let names = [
            ("tb.dut.ram-1.mem", "tb.dut.ram-1.mem"),
            ("tb.ram[0][1]", "tb.ram_0__1_"),
            ("../../etc/passwd", "__.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("..", "_"),
            ("", "_"),
            ("-rf", "_rf"),
            (".hidden", "_hidden"),
            ("\\escaped name .mem", "_escaped_name_.mem"),
            ("späť\n\0", "sp____"),
        ];
        for (path, name) in names {
            assert_eq!(plain(path), name, "{path}");
        }
        let long = format!("{}.bank_7", "top.".repeat(100));
        let name = plain(&long);
        assert!(
            name.len() <= MAX_NAME + 1 && name.ends_with("top..bank_7"),
            "{name}"
        );
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names = Names::default();
        let asked = ["a/b", "a_b", "a_b-2", "a b", "a_b-2", "a_b"];
        let given = asked.map(|path| names.fresh(path));
        let wanted = ["a_b", "a_b-2", "a_b-2-2", "a_b-3", "a_b-2-3", "a_b-4"];
        assert_eq!(given, wanted);
    }

    #[test]
    fn a_file_that_can_not_be_written_is_named_with_its_memory() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let mut files = StaticMemFiles::new(file.join("out"), StaticMemFormat::Binary);
        let error = files.write_static_mem(&descriptor("tb.ram", 1), &[1, 2], &[]);
        let error = error.unwrap_err();
        let start = format!(
            "static memory `tb.ram`: can't write {}/out/tb.ram.bin: ",
            file.display()
        );
        assert!(error.starts_with(&start), "{error}");
    }

    #[test]
    fn an_instance_that_is_written_again_replaces_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("a/b");
        let mut files = StaticMemFiles::new(&out, StaticMemFormat::Binary);
        for (path, width, data) in [("r", 1, b"ab"), ("r", 2, b"cd"), ("r", 1, b"ef")] {
            files
                .write_static_mem(&descriptor(path, width), data, &[])
                .unwrap();
        }
        let read: Vec<_> = files
            .files()
            .map(|(descriptor, file)| (descriptor.width, fs::read(file).unwrap()))
            .collect();
        assert_eq!(read, [(1, b"ef".to_vec()), (2, b"cd".to_vec())]);
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
    }
}
