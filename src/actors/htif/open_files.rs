//! Descriptors that a channel has opened, and its working directory.

use std::cell::RefCell;
use std::collections::HashMap;

use bytes::Bytes;
use mailbox_rs::{Errno, MAX_STRING, PosixFlags};

use crate::actors::service::{Failure, refused};

/// Open descriptors of a channel, and its working directory.
#[derive(Debug, Default)]
pub(super) struct OpenFiles {
    /// Path and flags by descriptor. The files actor bounds their number.
    open: RefCell<HashMap<u64, (Bytes, PosixFlags)>>,
    /// Working directory, below the root; empty for the root itself.
    directory: RefCell<Bytes>,
}

impl OpenFiles {
    /// Adds an open file.
    pub(super) fn opened(&self, fd: u64, path: Bytes, flags: PosixFlags) {
        self.open.borrow_mut().insert(fd, (path, flags));
    }

    /// Removes a closed file.
    pub(super) fn closed(&self, fd: u64) {
        self.open.borrow_mut().remove(&fd);
    }

    /// Open files by descriptor, with path and flags, and the working directory.
    pub(super) fn saved(&self) -> (Vec<(u64, Bytes, PosixFlags)>, Bytes) {
        let open = self.open.borrow();
        let files = open
            .iter()
            .map(|(fd, (path, flags))| (*fd, path.clone(), *flags));
        let mut files: Vec<_> = files.collect();
        files.sort_unstable_by_key(|(fd, ..)| *fd);
        (files, self.directory.borrow().clone())
    }

    /// Replaces open files and working directory.
    pub(super) fn restore(&self, files: &[(u64, Bytes, PosixFlags)], directory: &Bytes) {
        let files = files
            .iter()
            .map(|(fd, path, flags)| (*fd, (path.clone(), *flags)));
        self.open.replace(files.collect());
        self.directory.replace(directory.clone());
    }

    /// Flags of an open file.
    pub(super) fn flags(&self, fd: u64) -> Option<PosixFlags> {
        self.open.borrow().get(&fd).map(|(_, flags)| *flags)
    }

    /// Working directory as firmware sees it, with the root as `/`.
    pub(super) fn directory(&self) -> Vec<u8> {
        let directory = self.directory.borrow();
        match directory.starts_with(b"/") {
            true => directory.to_vec(),
            false => [b"/", &directory[..]].concat(),
        }
    }

    /// Sets the working directory to a path that [`resolved`](Self::resolved) has returned.
    pub(super) fn set_directory(&self, path: Bytes) {
        *self.directory.borrow_mut() = path;
    }

    /// Resolves a path to one from the root. An absolute path stays as it is. Another one begins in
    /// the directory of a descriptor, or for `None` in the working directory.
    ///
    /// # Errors
    /// ENOENT for an empty path, EBADF for a descriptor that this channel has not opened,
    /// ENAMETOOLONG for a path that is too long.
    pub(super) fn resolved(&self, from: Option<u64>, path: &Bytes) -> Result<Bytes, Failure> {
        if path.is_empty() {
            return Err(refused(Errno::ENOENT, "the path is empty"));
        }
        if path.starts_with(b"/") {
            return Ok(path.clone());
        }
        let base = match from {
            None => self.directory.borrow().clone(),
            Some(fd) => {
                let open = self.open.borrow();
                let known = open.get(&fd).map(|(path, _)| path.clone());
                known.ok_or_else(|| {
                    let reason =
                        format!("descriptor {fd} is no directory that firmware has opened");
                    refused(Errno::EBADF, reason)
                })?
            }
        };
        bounded(simplified(&base, path))
    }

    /// Resolves an absolute path of firmware to one from the root. The parent of the root is the
    /// root.
    ///
    /// # Errors
    /// ENAMETOOLONG for a path that is too long.
    pub(super) fn from_root(path: &[u8]) -> Result<Bytes, Failure> {
        let simplified = simplified(b"/", path);
        let mut rest = simplified.strip_prefix(b"/").unwrap_or(&simplified);
        while rest == b".." || rest.starts_with(b"../") {
            rest = rest.get(3..).unwrap_or_default();
        }
        bounded(match rest {
            b"" => Bytes::from_static(b"."),
            rest => Bytes::copy_from_slice(rest),
        })
    }
}

fn bounded(path: Bytes) -> Result<Bytes, Failure> {
    if path.len() as u64 >= MAX_STRING {
        let len = path.len();
        let reason = format!("the path from the root has {len} bytes");
        return Err(refused(Errno::ENAMETOOLONG, reason));
    }
    Ok(path)
}

/// Joins `base` and `path`, without `.`, and without directories that `..` leaves again. The result
/// is never empty.
fn simplified(base: &[u8], path: &[u8]) -> Bytes {
    let is_absolute = base.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    let all = base.split(|byte| *byte == b'/');
    for part in all.chain(path.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    let start: &[u8] = match (is_absolute, joined.is_empty()) {
        (true, _) => b"/",
        (false, true) => b".",
        (false, false) => b"",
    };
    [start, &joined].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_the_working_directory() {
        let files = OpenFiles::default();
        let resolved = |from, path: &'static str| {
            let path = files.resolved(from, &Bytes::from_static(path.as_bytes()));
            path.map(|path| String::from_utf8(path.to_vec()).unwrap())
        };
        assert_eq!(files.directory(), b"/");
        assert_eq!(resolved(None, "a/./b").unwrap(), "a/b");
        assert_eq!(resolved(None, "..").unwrap(), "..");
        files.set_directory(Bytes::from_static(b"d/e"));
        assert_eq!(files.directory(), b"/d/e");
        assert_eq!(resolved(None, "f").unwrap(), "d/e/f");
        assert_eq!(resolved(None, "../../g").unwrap(), "g");
        assert_eq!(resolved(None, "../..").unwrap(), ".");
        assert_eq!(resolved(None, "../../..").unwrap(), "..");
        assert_eq!(resolved(None, "/h").unwrap(), "/h");
        for (path, expected) in [
            ("/", "."),
            ("///a//./b/", "a/b"),
            ("/a/../..", "."),
            ("/../../c", "c"),
            ("/..d", "..d"),
        ] {
            assert_eq!(OpenFiles::from_root(path.as_bytes()).unwrap(), expected);
        }
        files.opened(7, Bytes::from_static(b"x"), PosixFlags::READ_ONLY);
        assert_eq!(resolved(Some(7), "y").unwrap(), "x/y");
        files.closed(7);
        assert_eq!(resolved(Some(7), "y").unwrap_err().errno(), Errno::EBADF);
        assert_eq!(resolved(None, "").unwrap_err().errno(), Errno::ENOENT);
    }
}
