//! Strings that C is given a pointer to: each stays until the next string of its kind.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use crate::sim::c_text;

/// The last string of each kind.
pub(super) struct ReturnedStrings {
    /// Of `mb_last_error`.
    pub(super) last_error: ReturnedString,
    /// Of `mb_status`.
    pub(super) status: ReturnedString,
    /// Of `mb_get_space`.
    pub(super) space: ReturnedString,
    /// Of `mb_backdoor_read_string`.
    pub(super) string: ReturnedString,
    /// Of `c_skt_read_string`.
    pub(super) socket_string: ReturnedString,
}

impl ReturnedStrings {
    pub(super) const fn new() -> Self {
        Self {
            last_error: ReturnedString::empty(),
            status: ReturnedString::empty(),
            space: ReturnedString::empty(),
            string: ReturnedString::empty(),
            socket_string: ReturnedString::empty(),
        }
    }
}

/// A string that C may read.
pub(super) struct ReturnedString(RefCell<Option<CString>>);

impl ReturnedString {
    const fn empty() -> Self {
        Self(RefCell::new(None))
    }

    /// Stores a string, and drops the one before.
    pub(super) fn store(&self, text: CString) -> *const c_char {
        self.0.borrow_mut().insert(text).as_ptr()
    }

    /// Stores a text, up to its first NUL.
    pub(super) fn store_text(&self, text: &str) -> *const c_char {
        self.store(c_text(text))
    }

    /// The string, empty where none was stored.
    pub(super) fn pointer(&self) -> *const c_char {
        self.0
            .borrow()
            .as_ref()
            .map_or(c"".as_ptr(), |text| text.as_ptr())
    }
}
