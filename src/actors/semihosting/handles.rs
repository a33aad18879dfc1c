//! Open files and streams of a channel, by firmware's handles.

use std::cell::RefCell;

use crate::actors::service::Stream;
use crate::messages::checkpoint::SavedHandle;

/// Maximum number of open handles of a channel.
const MAX_HANDLES: usize = 256;

/// Content of the file `:semihosting-features`: its magic, and one byte with bit 0 for
/// EXIT_EXTENDED and bit 1 for a separate standard error.
pub(super) const FEATURES: [u8; 5] = [0x53, 0x48, 0x46, 0x42, 0b11];

/// Object behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handle {
    /// Standard stream.
    Stream(Stream),
    /// Descriptor of a file.
    File(u64),
    /// Descriptor of a file that was opened for reading and appending, before its first read or
    /// seek. From then on it is an ordinary file: picolibc uses this mode for files that it
    /// updates.
    Appended(u64),
    /// Feature bytes, with the read position.
    Features(u64),
}

/// Handles of one channel. The first three are the standard streams: C libraries use them without
/// an OPEN, and never close their files.
#[derive(Debug)]
pub(super) struct Handles(RefCell<Vec<Option<Handle>>>);

/// Handles that are open from the start.
const STANDARD: [Handle; 3] = [
    Handle::Stream(Stream::Input),
    Handle::Stream(Stream::Output),
    Handle::Stream(Stream::Error),
];

impl Default for Handles {
    fn default() -> Self {
        Self(RefCell::new(STANDARD.map(Some).to_vec()))
    }
}

impl Handles {
    /// Adds an object. Returns its handle; `None` if the channel has too many.
    pub(super) fn add(&self, handle: Handle) -> Option<u64> {
        let mut all = self.0.borrow_mut();
        let free = (STANDARD.len()..all.len()).find(|at| all[*at].is_none());
        let at = match free {
            Some(at) => at,
            None if all.len() < MAX_HANDLES + STANDARD.len() => {
                all.push(None);
                all.len() - 1
            }
            None => return None,
        };
        all[at] = Some(handle);
        Some(at as u64)
    }

    /// True if a further object can be added.
    pub(super) fn has_room(&self) -> bool {
        let all = self.0.borrow();
        all.len() < MAX_HANDLES + STANDARD.len() || all[STANDARD.len()..].contains(&None)
    }

    /// Objects by handle.
    pub(super) fn saved(&self) -> Vec<Option<SavedHandle>> {
        let all = self.0.borrow();
        all.iter().map(|handle| handle.map(Into::into)).collect()
    }

    /// Replaces all objects. Returns false for more than a channel can have.
    pub(super) fn restore(&self, saved: &[Option<SavedHandle>]) -> bool {
        let fits = (STANDARD.len()..=MAX_HANDLES + STANDARD.len()).contains(&saved.len());
        if fits {
            let handles = saved.iter().map(|handle| handle.map(Into::into));
            self.0.replace(handles.collect());
        }
        fits
    }

    /// Object behind a handle.
    pub(super) fn get(&self, handle: u64) -> Option<Handle> {
        let at = usize::try_from(handle).ok()?;
        *self.0.borrow().get(at)?
    }

    /// Replaces the object behind a handle.
    pub(super) fn set(&self, handle: u64, object: Option<Handle>) {
        let mut all = self.0.borrow_mut();
        let at = usize::try_from(handle).ok();
        if let Some(place) = at.and_then(|at| all.get_mut(at)) {
            *place = object;
        }
    }
}

impl From<Handle> for SavedHandle {
    fn from(handle: Handle) -> Self {
        match handle {
            Handle::Stream(Stream::Input) => Self::Input,
            Handle::Stream(Stream::Output) => Self::Output,
            Handle::Stream(Stream::Error) => Self::Error,
            Handle::File(fd) => Self::File(fd),
            Handle::Appended(fd) => Self::Appended(fd),
            Handle::Features(position) => Self::Features(position),
        }
    }
}

impl From<SavedHandle> for Handle {
    fn from(saved: SavedHandle) -> Self {
        match saved {
            SavedHandle::Input => Self::Stream(Stream::Input),
            SavedHandle::Output => Self::Stream(Stream::Output),
            SavedHandle::Error => Self::Stream(Stream::Error),
            SavedHandle::File(fd) => Self::File(fd),
            SavedHandle::Appended(fd) => Self::Appended(fd),
            SavedHandle::Features(position) => Self::Features(position),
        }
    }
}
