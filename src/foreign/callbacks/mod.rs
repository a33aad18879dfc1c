//! Callbacks of a Rust host program: methods, custom commands, special files.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};

use super::host_code;
use crate::messages::foreign::{Opener, Report, Severity, SpecialId};
use crate::messages::rpc::{CallError, Progress, Target};

/// Outcome of one poll of a method or a custom command: a result, or `Pending` to be polled again
/// on the next tick. An error or a panic is reported, and firmware's call fails with -EIO.
pub type CallResult = Result<std::task::Poll<u64>, Box<dyn std::error::Error>>;

/// Method or custom command of the host program. Its arguments are the channel's name and the
/// call's arguments. It may use the [`Vhost`](crate::Vhost).
pub(crate) type Callback = dyn FnMut(&str, &[u64]) -> CallResult;

/// Opener of files with an extension, or with a name below `virtual/`.
pub trait FileOpener: Send {
    /// Opens `path`, as given by firmware.
    fn open(&self, path: &str, flags: OpenFlags) -> io::Result<Box<dyn SpecialFile>>;
}

impl<F: Fn(&str, OpenFlags) -> io::Result<Box<dyn SpecialFile>> + Send> FileOpener for F {
    fn open(&self, path: &str, flags: OpenFlags) -> io::Result<Box<dyn SpecialFile>> {
        self(path, flags)
    }
}

/// A file that exists only in the host program.
///
/// Firmware may seek to any position and write there. A `Cursor<Vec<u8>>` would grow up to that
/// position, and abort the process if memory runs out. A `Cursor<Box<[u8]>>` keeps its size.
pub trait SpecialFile: Read + Write + Seek + Send {}

impl<T: Read + Write + Seek + Send> SpecialFile for T {}

/// Openers of one kind, by extension (without its dot) or by name below `virtual/`.
#[derive(Default)]
pub struct Openers(HashMap<String, Rc<dyn FileOpener>>);

impl Openers {
    /// Adds an opener and returns the one that it replaces.
    pub fn insert(
        &mut self,
        key: impl Into<String>,
        opener: impl FileOpener + 'static,
    ) -> Option<Rc<dyn FileOpener>> {
        self.0.insert(key.into(), Rc::new(opener))
    }

    /// Extensions or names that have an opener.
    pub fn names(&self) -> HashSet<String> {
        self.0.keys().cloned().collect()
    }
}

impl fmt::Debug for Openers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Shared code of the host program. It is called without any other borrow.
type Shared<T> = Rc<RefCell<Box<T>>>;

/// Open special file.
#[derive(Clone)]
struct OpenFile {
    /// Path as given by firmware.
    path: Rc<str>,
    file: Shared<dyn SpecialFile>,
}

/// All callbacks of the host program. No borrow is held while one of them runs, because it may
/// re-enter and register others.
#[derive(Default)]
pub(crate) struct Callbacks {
    calls: RefCell<HashMap<Target, Shared<Callback>>>,
    extensions: Openers,
    virtuals: Openers,
    reports: Option<RefCell<Box<OnReport>>>,
    files: RefCell<HashMap<SpecialId, OpenFile>>,
    opened: Cell<u64>,
}

/// Id of reports about panics of the host program that do not fail a call with a text.
const ID: &str = "host program";

/// Receives reports.
pub(crate) type OnReport = dyn FnMut(&Report);

/// Maximum number of bytes that one read of a special file returns.
const READ_LIMIT: u64 = 64 * 1024;

impl Callbacks {
    /// Creates callbacks with these openers and without methods and commands.
    pub(crate) fn new(extensions: Openers, virtuals: Openers) -> Self {
        Self {
            extensions,
            virtuals,
            ..Self::default()
        }
    }

    /// Sends reports to the host program.
    pub(crate) fn with_reports(self, on_report: Box<OnReport>) -> Self {
        Self {
            reports: Some(RefCell::new(on_report)),
            ..self
        }
    }

    /// Reports to the host program if it receives reports. Otherwise, and for a report from inside
    /// of the host program's own function, reports to the testbench or on stderr.
    pub(super) fn report(&self, report: &Report) {
        let show = self.reports.as_ref();
        let Some(mut show) = show.and_then(|show| show.try_borrow_mut().ok()) else {
            return super::report(report.severity, &report.id, &report.text);
        };
        if let Err(panicked) = host_code::run("the function of `on_report`", || show(report)) {
            drop(show);
            super::report(report.severity, &report.id, &report.text);
            super::report(Severity::Error, ID, &panicked.to_string());
        }
    }

    /// File extensions that have an opener.
    pub(crate) fn extensions(&self) -> HashSet<String> {
        self.extensions.names()
    }

    /// Names below `virtual/` that have an opener.
    pub(crate) fn virtuals(&self) -> HashSet<String> {
        self.virtuals.names()
    }

    /// Registers a method or a custom command. Replaces one with the same name.
    pub(crate) fn register(&self, target: Target, callback: Box<Callback>) {
        let callback = Rc::new(RefCell::new(callback));
        let replaced = self.calls.borrow_mut().insert(target, callback);
        // Dropped after the borrow has ended, because the destructor is code of the host program.
        drop(replaced);
    }

    /// Polls a method or custom command once.
    pub(crate) fn call(
        &self,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<Progress, CallError> {
        let Some(callback) = self.calls.borrow().get(target).cloned() else {
            return Ok(Progress::Absent);
        };
        let raised = |cause: String| CallError::Raised {
            target: target.clone(),
            cause,
        };
        let mut callback = callback
            .try_borrow_mut()
            .map_err(|_| raised("it was called from inside itself".into()))?;
        // Formatting the error runs code of the host program, too.
        let run = || callback(channel, args).map_err(|error| error.to_string());
        let answer = host_code::run("it", run).unwrap_or_else(|panicked| Err(panicked.to_string()));
        Ok(match answer.map_err(raised)? {
            std::task::Poll::Ready(result) => Progress::Ready(result),
            std::task::Poll::Pending => Progress::Pending,
        })
    }

    /// Opens a special file.
    pub(crate) fn open(
        &self,
        opener: &Opener,
        path: &str,
        flags: OpenFlags,
    ) -> Result<SpecialId, Errno> {
        let file = match opener {
            Opener::Extension(extension) => self.extensions.0.get(extension),
            Opener::Virtual(name) => self.virtuals.0.get(name),
        };
        let file = file.ok_or(Errno::ENOENT)?;
        let file = self.sheltered(path, "`open`", || file.open(path, flags))?;
        let id = SpecialId(self.opened.get());
        self.opened.set(id.0 + 1);
        let (path, file) = (path.into(), Rc::new(RefCell::new(file)));
        self.files.borrow_mut().insert(id, OpenFile { path, file });
        Ok(id)
    }

    /// Reads from the current position of a special file.
    pub(crate) fn read(&self, id: SpecialId, len: u64) -> Result<Bytes, Errno> {
        let mut data = Vec::new();
        self.with(id, "`read`", |file| {
            file.take(len.min(READ_LIMIT)).read_to_end(&mut data)
        })?;
        Ok(data.into())
    }

    /// Writes at the current position of a special file.
    pub(crate) fn write(&self, id: SpecialId, data: &[u8]) -> Result<u64, Errno> {
        self.with(id, "`write` or `flush`", |file| {
            file.write_all(data).and_then(|()| file.flush())
        })?;
        Ok(data.len() as u64)
    }

    /// Moves a special file to a position from the start.
    pub(crate) fn seek(&self, id: SpecialId, position: u64) -> Result<u64, Errno> {
        self.with(id, "`seek`", |file| file.seek(SeekFrom::Start(position)))
    }

    /// Drops a special file.
    pub(crate) fn close(&self, id: SpecialId) {
        // Dropped after the borrow has ended, because the destructor is code of the host program.
        let Some(OpenFile { path, file }) = self.files.borrow_mut().remove(&id) else {
            return;
        };
        // There is no reply for the error.
        let _ = self.sheltered(&path, "`drop`", || {
            drop(file);
            Ok(())
        });
    }

    fn with<T>(
        &self,
        id: SpecialId,
        function: &'static str,
        act: impl FnOnce(&mut dyn SpecialFile) -> io::Result<T>,
    ) -> Result<T, Errno> {
        let OpenFile { path, file } = self.files.borrow().get(&id).cloned().ok_or(Errno::EBADF)?;
        let mut file = file.try_borrow_mut().map_err(|_| Errno::EBUSY)?;
        self.sheltered(&path, function, || act(&mut **file))
    }

    /// Runs a function of a special file or its opener. A panic is reported and becomes an I/O
    /// error.
    fn sheltered<T>(
        &self,
        path: &str,
        function: &'static str,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, Errno> {
        host_code::run(function, || act().map_err(errno)).unwrap_or_else(|panicked| {
            self.report(&Report {
                severity: Severity::Error,
                id: ID.to_owned(),
                text: format!("special file `{path}`: {panicked}"),
            });
            Err(Errno::EIO)
        })
    }
}

/// Error number of an I/O error: the operating system's, or one for its kind.
fn errno(error: io::Error) -> Errno {
    let of_kind = || match error.kind() {
        io::ErrorKind::NotFound => Errno::ENOENT,
        io::ErrorKind::PermissionDenied => Errno::EACCES,
        io::ErrorKind::AlreadyExists => Errno::EEXIST,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Errno::EINVAL,
        io::ErrorKind::Unsupported => Errno::ENOSYS,
        _ => Errno::EIO,
    };
    // Firmware would take a number outside of this range for success.
    let own = error
        .raw_os_error()
        .filter(|number| (1..=4095).contains(number));
    own.map_or_else(of_kind, Errno)
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("calls", &self.calls.borrow().keys().collect::<Vec<_>>())
            .field("extensions", &self.extensions)
            .field("virtuals", &self.virtuals)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
