//! Model of firmware's files: descriptors, positions and contents, from `docs/protocol.md`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::tree::Tree;
use crate::wire::errno::{EACCES, EBADF, EINVAL, EMFILE, ENOENT};

/// Flags of OPEN.
pub const READ: u64 = 1;
/// Open for writing at the end.
pub const APPEND: u64 = 4;
/// Empty the file first.
pub const TRUNCATE: u64 = 8;
/// Flags that create a missing file.
pub const CREATES: u64 = 2 | APPEND | TRUNCATE;
/// Maximum number of open files of one channel.
pub const OPEN_MAX: usize = 256;
/// Variable of paths, and its value: a directory below the root.
pub const VARIABLE: (&str, &str) = ("SIM", "d");
/// Directory of the special files.
pub const SPECIAL: &str = "virtual/sim/";

/// Open file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Channel that has opened it.
    pub by: usize,
    /// Flags of the open.
    pub flags: u64,
    /// Path of the file from the root.
    pub path: String,
    /// Position of a file on disk in bytes, of a directory in entries.
    pub position: u64,
    /// File, directory, or file of the host program.
    pub kind: OpenKind,
}

/// Kind of an open file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenKind {
    /// File on disk, by its number.
    File(u64),
    /// Directory on disk, with its entries at the open: true for a directory.
    Directory(Vec<(String, bool)>),
    /// File of the host program.
    Special,
}

/// Standard streams of a channel, and the version of its session.
#[derive(Debug, Default)]
pub struct Streams {
    /// True in a session of protocol 0.3.
    pub posix: bool,
    /// True for streams that firmware has closed in this session.
    pub closed: [bool; 3],
    /// Unread bytes of the standard input.
    pub input: VecDeque<u8>,
    /// True if requests may have read some of them that were not checked.
    pub is_input_unknown: bool,
}

/// Files of all channels.
#[derive(Debug, Default)]
pub struct Files {
    /// True if there is a root directory.
    pub root: bool,
    /// Files and folders on disk.
    pub tree: Tree,
    /// Open files by descriptor.
    pub open: BTreeMap<u64, Open>,
    /// Standard streams by channel.
    pub streams: BTreeMap<usize, Streams>,
    /// Files closed by resets that the host has not noticed yet.
    unseen: Vec<Open>,
    given: BTreeSet<u64>,
}

impl Open {
    /// True for a file of the host program.
    pub fn is_special(&self) -> bool {
        self.kind == OpenKind::Special
    }

    /// True for a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, OpenKind::Directory(_))
    }
}

impl Files {
    /// Opens a path. The host chooses the descriptor.
    ///
    /// # Errors
    /// Error numbers, any of which the host may return.
    pub fn opened(&mut self, by: usize, path: &[u8], flags: u64) -> Result<Open, Vec<i32>> {
        let flags = flags & (READ | CREATES);
        let Ok(path) = std::str::from_utf8(path) else {
            return Err(vec![EINVAL]);
        };
        let path = expand(path).ok_or(vec![ENOENT])?;
        let mut errors = Vec::new();
        if flags == 0 {
            errors.push(EINVAL);
        }
        if path.is_empty() {
            errors.push(ENOENT);
        }
        let special = path.starts_with(SPECIAL);
        if !special && (leaves(&path) || !self.root) {
            errors.push(EACCES);
        }
        errors.extend(self.is_full(by).then_some(EMFILE));
        if !errors.is_empty() {
            return Err(errors);
        }
        let kind = match special {
            true => OpenKind::Special,
            false => OpenKind::File(self.tree.open(&path, flags & CREATES != 0)?),
        };
        if let OpenKind::File(number) = kind
            && flags & TRUNCATE != 0
        {
            self.tree.content(number).resize(0);
        }
        Ok(Open {
            by,
            flags,
            path,
            position: 0,
            kind,
        })
    }

    /// True if a channel may open no further file.
    pub fn is_full(&self, by: usize) -> bool {
        self.open.values().filter(|open| open.by == by).count() >= OPEN_MAX
    }

    /// Path from the root, of a path below the root.
    ///
    /// # Errors
    /// Error numbers, any of which the host may return.
    pub fn below(&self, path: &[u8]) -> Result<String, Vec<i32>> {
        let path = std::str::from_utf8(path).map_err(|_| vec![ENOENT])?;
        let path = expand(path).ok_or(vec![ENOENT])?;
        let mut errors = Vec::new();
        if path.is_empty() {
            errors.push(ENOENT);
        }
        if leaves(&path) || !self.root {
            errors.push(EACCES);
        }
        if errors.is_empty() {
            Ok(path)
        } else {
            Err(errors)
        }
    }

    /// Adds a file under the host's descriptor. Returns false for a descriptor that was used
    /// before, or is out of range.
    pub fn insert(&mut self, fd: u64, open: Open) -> bool {
        let fits = (crate::wire::FIRST_FD..=i32::MAX as u64).contains(&fd);
        let fresh = fits && self.given.insert(fd);
        self.open.insert(fd, open);
        fresh
    }

    /// File of a descriptor that was opened with one of these flags.
    ///
    /// # Errors
    /// EBADF.
    pub fn file(&mut self, fd: u64, flags: u64) -> Result<&mut Open, i32> {
        let open = self.open.get_mut(&fd);
        open.filter(|open| open.flags & flags != 0).ok_or(EBADF)
    }

    /// Reads at most `max` bytes of a file on disk.
    pub fn read(&mut self, fd: u64, max: u64) -> Vec<u8> {
        let Some(open) = self.open.get_mut(&fd) else {
            return Vec::new();
        };
        let OpenKind::File(number) = open.kind else {
            return Vec::new();
        };
        let bytes = self.tree.content(number).read(open.position, max);
        open.position += bytes.len() as u64;
        bytes
    }

    /// Writes to a file on disk.
    pub fn write(&mut self, fd: u64, data: &[u8]) {
        let Some(open) = self.open.get_mut(&fd) else {
            return;
        };
        let OpenKind::File(number) = open.kind else {
            return;
        };
        let content = self.tree.content(number);
        if open.flags & APPEND != 0 {
            open.position = content.len();
        }
        content.write(open.position, data);
        open.position += data.len() as u64;
    }

    /// Closes the files of a channel. The host does so when it notices the reset or the exit.
    pub fn close_all(&mut self, by: usize) {
        let closed = self.open.extract_if(.., |_, open| open.by == by);
        self.unseen.extend(closed.map(|(_, open)| open));
    }

    /// Records that the host has noticed the reset of a channel.
    pub fn reset_seen(&mut self, by: usize) {
        self.unseen.retain(|open| open.by != by);
    }

    /// Files that the host may have open.
    pub fn open_in_host(&self) -> impl Iterator<Item = &Open> {
        self.open.values().chain(&self.unseen)
    }

    /// Number of open files on disk.
    pub fn on_disk(&self) -> usize {
        self.open.values().filter(|open| !open.is_special()).count()
    }
}

/// True for a path that leaves the root.
fn leaves(path: &str) -> bool {
    path.starts_with('/') || path.split('/').any(|part| part == "..")
}

/// Path with its variables expanded; `None` for an unset one.
fn expand(path: &str) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else {
            rest = after.strip_prefix(VARIABLE.0)?;
            expanded.push_str(VARIABLE.1);
        }
    }
    expanded.push_str(rest);
    Some(expanded)
}
