//! Input and output files of one command, which must be distinct.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use vhost::attach::Builtin;
use vhost::trace::is_same_file;

/// Files that a command reads and writes, each with a description.
#[derive(Debug, Default)]
pub(crate) struct Files {
    inputs: Vec<(String, PathBuf)>,
    outputs: Vec<(String, PathBuf)>,
    /// Input and output that may be the same file: the input is read whole before, and the output
    /// is written to another name first.
    replaced: Option<(PathBuf, PathBuf)>,
}

impl Files {
    /// Adds an input. `-` is the standard input.
    pub(crate) fn input(&mut self, what: &str, path: impl AsRef<Path>) -> &mut Self {
        let path = path.as_ref();
        let path = match path.as_os_str() == "-" {
            true => Path::new("/dev/stdin"),
            false => path,
        };
        self.inputs.push((what.to_owned(), path.to_owned()));
        self
    }

    /// Adds an output.
    pub(crate) fn output(&mut self, what: &str, path: impl AsRef<Path>) -> &mut Self {
        let path = path.as_ref().to_owned();
        self.outputs.push((what.to_owned(), path));
        self
    }

    /// Adds the files of attachments.
    pub(crate) fn attached<'a>(
        &mut self,
        list: impl IntoIterator<Item = &'a Builtin>,
    ) -> &mut Self {
        for named in list {
            match named {
                Builtin::Log {
                    file: Some(file),
                    json: false,
                } => self.output("the log", file),
                Builtin::Log {
                    file: Some(file),
                    json: true,
                } => self.output("the log in JSON", file),
                Builtin::Statistics { file: Some(file) } => self.output("the statistics", file),
                Builtin::Log { file: None, .. }
                | Builtin::Statistics { file: None }
                | Builtin::Check(_) => continue,
            };
        }
        self
    }

    /// Permits an output to replace an input.
    pub(crate) fn replace(&mut self, input: impl AsRef<Path>, output: impl AsRef<Path>) {
        self.replaced = Some((input.as_ref().to_owned(), output.as_ref().to_owned()));
    }

    /// Compares each output with the inputs and the other outputs. No file is opened.
    ///
    /// # Errors
    /// An output that is also an input or another output; `-`, which would be a file or folder of
    /// this name.
    pub(crate) fn are_distinct(&self) -> Result<()> {
        for (number, (what, output)) in self.outputs.iter().enumerate() {
            let name = output.display();
            if output.as_os_str() == "-" {
                bail!("`-` is no name for {what}: give another one, or ./- for this one");
            }
            let overwritten = self.inputs.iter().find(|(_, input)| {
                let may = self.replaced.as_ref();
                let may = may.is_some_and(|(old, new)| (old, new) == (input, output));
                !may && is_one(input, output)
            });
            if let Some((input, _)) = overwritten {
                bail!("{name} is {input}; give the output another name");
            }
            let others = self.outputs.iter().take(number);
            let other = others.into_iter().find(|(_, other)| is_one(other, output));
            if let Some((other, _)) = other {
                bail!("{name} is the file of {other} and of {what}; give them two names");
            }
        }
        Ok(())
    }
}

/// True if both paths are the same file, which may not exist yet. Devices and pipes may be shared.
fn is_one(one: &Path, other: &Path) -> bool {
    match one.metadata() {
        Ok(known) => known.is_file() && is_same_file(one, other),
        Err(_) => place(one) == place(other),
    }
}

/// Canonical path of a file that may not exist.
fn place(path: &Path) -> PathBuf {
    // A link to a missing file. A circle of links has another error.
    if let (Err(error), Ok(target)) = (path.metadata(), path.read_link())
        && error.kind() == io::ErrorKind::NotFound
    {
        return place(&path.with_file_name(target));
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_output_is_compared_with_all_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["in", "old"] {
            fs::write(path(name), name).unwrap();
        }
        symlink("in", path("link")).unwrap();
        symlink(".", path("here")).unwrap();
        symlink("new", path("dangling")).unwrap();
        let error = |outputs: [&str; 2]| {
            let mut files = Files::default();
            files.input("the image", path("in"));
            for (what, name) in ["the log", "the recording"].into_iter().zip(outputs) {
                files.output(what, path(name));
            }
            files.are_distinct().err().map(|error| error.to_string())
        };
        for outputs in [["in", "new"], ["new", "link"], ["here/in", "new"]] {
            let error = error(outputs).unwrap();
            let end = " is the image; give the output another name";
            assert!(error.ends_with(end), "{error}");
        }
        for outputs in [
            ["new", "new"],
            ["new", "here/new"],
            ["old", "here/old"],
            ["new", "dangling"],
            ["dangling", "new"],
        ] {
            let error = error(outputs).unwrap();
            let end = " is the file of the log and of the recording; give them two names";
            assert!(error.ends_with(end), "{error}");
        }
        assert_eq!(error(["old", "new"]), None);
        assert_eq!(error(["/dev/null", "/dev/null"]), None);
    }

    #[test]
    fn a_dash_is_no_output() {
        let distinct = |name: &str| Files::default().output("the page", name).are_distinct();
        let error = distinct("-").unwrap_err().to_string();
        assert!(error.starts_with("`-` is no name for the page"), "{error}");
        assert!(distinct("./-").is_ok());
    }
}
