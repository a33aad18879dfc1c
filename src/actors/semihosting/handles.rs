//! Open files and streams of a channel, by firmware's handles.

use std::cell::RefCell;

use crate::actors::service::Stream;

/// Most open handles of a channel.
const MOST: usize = 256;

/// Content of the file `:semihosting-features`: its mark, and one byte with bit 0 for EXIT_EXTENDED and bit 1 for a standard error of its
/// own.
pub(super) const FEATURES: [u8; 5] = [0x53, 0x48, 0x46, 0x42, 0b11];

/// Object behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handle {
    /// Standard stream.
    Stream(Stream),
    /// Descriptor of a file.
    File(u64),
    /// Features, at a position.
    Features(u64),
}

/// Handles of one channel. They count from 1: 0 is no handle.
#[derive(Debug, Default)]
pub(super) struct Handles(RefCell<Vec<Option<Handle>>>);

impl Handles {
    /// Adds an object. Returns its handle; `None` if there are too many.
    pub(super) fn add(&self, handle: Handle) -> Option<u64> {
        let mut all = self.0.borrow_mut();
        let free = all.iter().position(Option::is_none);
        let at = match free {
            Some(at) => at,
            None if all.len() < MOST => {
                all.push(None);
                all.len() - 1
            }
            None => return None,
        };
        all[at] = Some(handle);
        Some(at as u64 + 1)
    }

    /// True if a further object has room.
    pub(super) fn has_room(&self) -> bool {
        let all = self.0.borrow();
        all.len() < MOST || all.contains(&None)
    }

    /// Object behind a handle.
    pub(super) fn get(&self, handle: u64) -> Option<Handle> {
        let at = usize::try_from(handle.checked_sub(1)?).ok()?;
        *self.0.borrow().get(at)?
    }

    /// Replaces the object behind a handle.
    pub(super) fn set(&self, handle: u64, object: Option<Handle>) {
        let at = handle
            .checked_sub(1)
            .and_then(|at| usize::try_from(at).ok());
        let mut all = self.0.borrow_mut();
        if let Some(place) = at.and_then(|at| all.get_mut(at)) {
            *place = object;
        }
    }
}
