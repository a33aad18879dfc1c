//! Strings returned to C; each is valid until the next string of its kind.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use crate::sim::c_text;

/// Last string of each kind.
pub(super) struct ReturnedStrings {
    /// Result of `mb_last_error`.
    pub(super) last_error: ReturnedString,
    /// Result of `mb_status`.
    pub(super) status: ReturnedString,
    /// Result of `mb_get_space`.
    pub(super) space: ReturnedString,
    /// Result of `mb_backdoor_read_string`.
    pub(super) string: ReturnedString,
    /// Result of `c_skt_read_string`.
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

/// String readable by C.
pub(super) struct ReturnedString(RefCell<Option<CString>>);

impl ReturnedString {
    const fn empty() -> Self {
        Self(RefCell::new(None))
    }

    /// Stores a string and drops the previous one.
    pub(super) fn store(&self, text: CString) -> *const c_char {
        self.0.borrow_mut().insert(text).as_ptr()
    }

    /// Stores a text, up to its first NUL.
    pub(super) fn store_text(&self, text: &str) -> *const c_char {
        self.store(c_text(text))
    }

    /// Stored string; empty if there is none.
    pub(super) fn pointer(&self) -> *const c_char {
        self.0
            .borrow()
            .as_ref()
            .map_or(c"".as_ptr(), |text| text.as_ptr())
    }
}
