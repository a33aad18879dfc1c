//! Model of the directory of files: names, directories and contents, with the rules of Linux.

use std::collections::BTreeMap;

use crate::content::Content;
use crate::wire::errno::{EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY};

/// Files and directories below the root, by path.
#[derive(Debug, Default)]
pub struct Tree {
    /// Number of each file; `None` for a directory.
    names: BTreeMap<String, Option<u64>>,
    /// Contents by number, including open files without a name.
    contents: BTreeMap<u64, Content>,
}

/// Error numbers, any of which the host may return.
type Errors = Vec<i32>;

impl Tree {
    /// Adds a directory with files.
    pub fn fill(&mut self, directory: &str, files: BTreeMap<String, Vec<u8>>) {
        self.names.insert(directory.to_owned(), None);
        for (path, content) in files {
            let number = self.create(&path);
            self.contents.insert(number, content.into());
        }
    }

    /// All files with their contents. Paths of directories end with `/`.
    pub fn all(&self) -> BTreeMap<String, Content> {
        let content = |number: &u64| self.contents.get(number).cloned().unwrap_or_default();
        let all = self.names.iter().map(|(path, number)| match number {
            None => (format!("{path}/"), Content::default()),
            Some(number) => (path.clone(), content(number)),
        });
        all.collect()
    }

    /// Takes over all files and directories of a disk, as [`all`](Self::all) has them. Files whose
    /// names stay keep their numbers.
    pub fn adopt(&mut self, actual: BTreeMap<String, Content>) {
        let before = std::mem::take(&mut self.names);
        for (path, content) in actual {
            if let Some(directory) = path.strip_suffix('/') {
                self.names.insert(directory.to_owned(), None);
                continue;
            }
            let number = match before.get(&path) {
                Some(Some(number)) => *number,
                _ => self.contents.len() as u64,
            };
            self.contents.insert(number, content);
            self.names.insert(path, Some(number));
        }
    }

    fn create(&mut self, path: &str) -> u64 {
        let number = self.contents.len() as u64;
        self.contents.insert(number, Content::default());
        self.names.insert(path.to_owned(), Some(number));
        number
    }

    /// Content of a file.
    pub fn content(&mut self, number: u64) -> &mut Content {
        self.contents.entry(number).or_default()
    }

    /// Number of a file; `None` for a directory.
    ///
    /// # Errors
    /// ENOENT, or ENOTDIR for a path through a file.
    pub fn find(&self, path: &str) -> Result<Option<u64>, Errors> {
        self.enclosing(path)?;
        self.names.get(path).copied().ok_or_else(|| vec![ENOENT])
    }

    /// Fails unless the parent directory of a path exists.
    fn enclosing(&self, path: &str) -> Result<(), Errors> {
        let parts = path.match_indices('/').map(|(at, _)| &path[..at]);
        for directory in parts {
            match self.names.get(directory) {
                Some(None) => {}
                Some(Some(_)) => return Err(vec![ENOTDIR]),
                None => return Err(vec![ENOENT]),
            }
        }
        Ok(())
    }

    /// Opens a file with a flag of protocol 0.2. Creates it if the flag implies that.
    ///
    /// # Errors
    /// Errors of the path.
    pub fn open(&mut self, path: &str, creates: bool) -> Result<u64, Errors> {
        match self.find(path) {
            Ok(Some(number)) => Ok(number),
            Ok(None) => Err(vec![EISDIR, crate::wire::errno::EACCES]),
            Err(errors) => {
                self.enclosing(path)?;
                if creates {
                    Ok(self.create(path))
                } else {
                    Err(errors)
                }
            }
        }
    }

    /// Creates a file in an existing directory.
    ///
    /// # Errors
    /// Errors of the path.
    pub fn add(&mut self, path: &str) -> Result<u64, Errors> {
        self.enclosing(path)?;
        Ok(self.create(path))
    }

    /// Entries of a directory, in the order of their names: true for a directory.
    pub fn entries(&self, directory: &str) -> Vec<(String, bool)> {
        let prefix = format!("{directory}/");
        let below = self.names.iter().filter_map(|(path, number)| {
            let name = path.strip_prefix(&prefix)?;
            (!name.contains('/')).then(|| (name.to_owned(), number.is_none()))
        });
        below.collect()
    }

    /// True for a file with a name.
    pub fn is_named(&self, number: u64) -> bool {
        self.names.values().any(|named| *named == Some(number))
    }

    /// Removes the name of a file.
    ///
    /// # Errors
    /// Errors of the path; EISDIR for a directory.
    pub fn unlink(&mut self, path: &str) -> Result<(), Errors> {
        match self.find(path)? {
            Some(_) => {
                self.names.remove(path);
                Ok(())
            }
            None => Err(vec![EISDIR]),
        }
    }

    /// Creates a directory.
    ///
    /// # Errors
    /// Errors of the path; EEXIST.
    pub fn make_directory(&mut self, path: &str) -> Result<(), Errors> {
        self.enclosing(path)?;
        if self.names.contains_key(path) {
            return Err(vec![EEXIST]);
        }
        self.names.insert(path.to_owned(), None);
        Ok(())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// Errors of the path; ENOTDIR, ENOTEMPTY.
    pub fn remove_directory(&mut self, path: &str) -> Result<(), Errors> {
        if self.find(path)?.is_some() {
            return Err(vec![ENOTDIR]);
        }
        if !self.entries(path).is_empty() {
            return Err(vec![ENOTEMPTY]);
        }
        self.names.remove(path);
        Ok(())
    }

    /// Renames a file or a directory. Replaces a file or an empty directory with the new name.
    ///
    /// # Errors
    /// Errors of both paths; EISDIR, ENOTDIR, ENOTEMPTY, or EINVAL for a directory that is moved
    /// into itself.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Errors> {
        let (old, enclosing) = (self.find(from), self.enclosing(to));
        let errors: Errors = [old.as_ref().err(), enclosing.as_ref().err()]
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .collect();
        let Ok(old) = old else {
            return Err(errors);
        };
        let inside = |path: &str, directory: &str| {
            path.strip_prefix(directory)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if inside(to, from) {
            // A component of the new path is a file.
            return Err([errors, vec![if old.is_none() { EINVAL } else { ENOTDIR }]].concat());
        }
        if inside(from, to) {
            // The new name is an ancestor of the old one.
            return Err([errors, vec![ENOTEMPTY, EISDIR]].concat());
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if from == to {
            return Ok(());
        }
        match (old, self.names.get(to)) {
            (Some(_), Some(None)) => return Err(vec![EISDIR]),
            (None, Some(Some(_))) => return Err(vec![ENOTDIR]),
            (None, Some(None)) if !self.entries(to).is_empty() => return Err(vec![ENOTEMPTY]),
            _ => {}
        }
        let moved: Vec<String> = self
            .names
            .keys()
            .filter(|path| *path == from || inside(path, from))
            .cloned()
            .collect();
        for path in moved {
            if let Some(number) = self.names.remove(&path) {
                self.names
                    .insert(format!("{to}{}", &path[from.len()..]), number);
            }
        }
        Ok(())
    }
}
