//! Checks of a path, before a file is opened.

use std::collections::HashSet;
use std::path::{Component, Path};

use mailbox_rs::{Errno, OpenFlags};

use super::refusal::Refusal;

use crate::messages::foreign::Opener;

/// Prefix of virtual files.
const VIRTUAL: &str = "virtual/";

/// Names for which the host program has openers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SpecialNames {
    /// Extensions without their dot.
    pub extensions: HashSet<String>,
    /// Names below `virtual/`. A name includes the paths below it: `bus` matches `virtual/bus/0`.
    pub virtuals: HashSet<String>,
}

impl SpecialNames {
    /// Opener of `path`; `None` for files of the root. The longest virtual name comes first, then
    /// the extension.
    ///
    /// # Errors
    /// `EACCES` if an opener would get a path that leaves the root.
    pub(super) fn opener(&self, path: &str) -> Result<Option<Opener>, Refusal> {
        let opener = self
            .virtual_opener(path)
            .or_else(|| self.extension_opener(path));
        if opener.is_some() && leaves_root(path) {
            let reason = "the path leads out of the root";
            return Err(Refusal::new(Errno::EACCES, reason));
        }
        Ok(opener)
    }

    fn virtual_opener(&self, path: &str) -> Option<Opener> {
        let mut name = path.strip_prefix(VIRTUAL)?;
        while !self.virtuals.contains(name) {
            (name, _) = name.rsplit_once('/')?;
        }
        Some(Opener::Virtual(name.to_owned()))
    }

    fn extension_opener(&self, path: &str) -> Option<Opener> {
        let extension = Path::new(path).extension()?.to_str()?;
        self.extensions
            .contains(extension)
            .then(|| Opener::Extension(extension.to_owned()))
    }
}

/// Checks a path and its flags for any file system.
///
/// # Errors
/// `EINVAL` if the path is not UTF-8 or has a NUL, or if the flags allow neither reading nor
/// writing; `ENOENT` if the path is empty.
pub(super) fn check(path: &[u8], flags: OpenFlags) -> Result<&str, Refusal> {
    let invalid = |reason| Refusal::new(Errno::EINVAL, reason);
    let path = str::from_utf8(path).map_err(|_| invalid("the path is not UTF-8"))?;
    if path.contains('\0') {
        return Err(invalid("the path contains a NUL character"));
    }
    if flags.known() == OpenFlags::default() {
        return Err(invalid("the flags select neither reading nor writing"));
    }
    if path.is_empty() {
        return Err(Refusal::new(Errno::ENOENT, "the path is empty"));
    }
    Ok(path)
}

/// Length of the longest path of Linux, in bytes.
const PATH_MAX: usize = 4095;

/// Checks a path of protocol 0.3, which need not be UTF-8.
///
/// # Errors
/// `ENOENT` if the path is empty, `EINVAL` if it has a NUL, `ENAMETOOLONG` if it is too long for
/// Linux.
pub(super) fn check_bytes(path: &[u8]) -> Result<(), Refusal> {
    if path.is_empty() {
        return Err(Refusal::new(Errno::ENOENT, "the path is empty"));
    }
    if path.contains(&0) {
        let reason = "the path contains a NUL character";
        return Err(Refusal::new(Errno::EINVAL, reason));
    }
    if path.len() > PATH_MAX {
        let len = path.len();
        let reason = format!("the path has {len} bytes, and at most {PATH_MAX} are allowed");
        return Err(Refusal::new(Errno::ENAMETOOLONG, reason));
    }
    Ok(())
}

/// True if the components of a path leave the root. Links are not followed.
fn leaves_root(path: &str) -> bool {
    let mut depth = 0_usize;
    for component in Path::new(path).components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> SpecialNames {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        SpecialNames {
            extensions: set(&["log", "gz"]),
            virtuals: set(&["uart", "bus", "bus/0"]),
        }
    }

    fn opener(path: &str) -> Option<Opener> {
        names().opener(path).unwrap()
    }

    #[test]
    fn the_longest_virtual_name_opens() {
        let virtual_name = |name: &str| Some(Opener::Virtual(name.to_owned()));
        assert_eq!(opener("virtual/uart"), virtual_name("uart"));
        assert_eq!(opener("virtual/uart/a.log"), virtual_name("uart"));
        assert_eq!(opener("virtual/bus/1"), virtual_name("bus"));
        assert_eq!(opener("virtual/bus/0/x"), virtual_name("bus/0"));
        assert_eq!(opener("virtual/uart0"), None);
        assert_eq!(opener("virtual/"), None);
        assert_eq!(opener("uart"), None);
        assert_eq!(opener("x/virtual/uart"), None);
    }

    #[test]
    fn then_the_extension() {
        let extension = |name: &str| Some(Opener::Extension(name.to_owned()));
        assert_eq!(opener("a.log"), extension("log"));
        assert_eq!(opener("dir.x/a.tar.gz"), extension("gz"));
        assert_eq!(opener("virtual/other.log"), extension("log"));
        assert_eq!(opener("a.LOG"), None);
        assert_eq!(opener(".log"), None);
        assert_eq!(opener("a.log/b"), None);
    }

    #[test]
    fn no_opener_is_given_a_path_that_leaves() {
        for path in [
            "/a.log",
            "../a.log",
            "a/../../a.log",
            "virtual/uart/../../..",
        ] {
            assert_eq!(
                names().opener(path).unwrap_err().errno,
                Errno::EACCES,
                "{path}"
            );
        }
        assert!(opener("a/../b.log").is_some());
    }

    #[test]
    fn paths_and_flags_are_checked() {
        let check =
            |path: &'static [u8], flags| check(path, flags).map_err(|refusal| refusal.errno);
        assert_eq!(check(b"a", OpenFlags::READ), Ok("a"));
        assert_eq!(check(b"", OpenFlags::READ), Err(Errno::ENOENT));
        assert_eq!(check(b"a\xff", OpenFlags::READ), Err(Errno::EINVAL));
        assert_eq!(check(b"a\0b", OpenFlags::READ), Err(Errno::EINVAL));
        assert_eq!(check(b"a", OpenFlags(0)), Err(Errno::EINVAL));
        assert_eq!(check(b"a", OpenFlags(16)), Err(Errno::EINVAL));
        assert_eq!(check(b"a", OpenFlags(u32::MAX)), Ok("a"));
    }
}
