//! Strings returned to C. Each is valid until the next call of the function that returned it.

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_char};

use crate::sim::c_text;

/// Last string of each kind.
pub(super) struct ReturnedStrings {
    /// Result of `mb_last_error`.
    pub(super) last_error: LastError,
    /// Result of `mb_status`.
    pub(super) status: ReturnedString,
    /// Result of `mb_get_space`.
    pub(super) space: ReturnedString,
    /// Result of `mb_backdoor_read_string`.
    pub(super) string: ReturnedString,
    /// Result of `c_skt_read_string`.
    pub(super) socket_string: ReturnedString,
    /// Result of `mb_system_name`.
    pub(super) system_name: ReturnedString,
}

impl ReturnedStrings {
    pub(super) const fn new() -> Self {
        Self {
            last_error: LastError::none(),
            status: ReturnedString::empty(),
            space: ReturnedString::empty(),
            string: ReturnedString::empty(),
            socket_string: ReturnedString::empty(),
            system_name: ReturnedString::empty(),
        }
    }

    /// Prepares for the next system, which has no last error. Strings returned to C stay valid
    /// until the next call of the same function.
    pub(super) fn begin(&self) {
        self.last_error.keep(String::new());
    }
}

/// Text of the last error. A failed call does not change the string that C has got.
pub(super) struct LastError {
    /// Text that C has not got yet.
    text: Cell<Option<String>>,
    given: ReturnedString,
}

impl LastError {
    const fn none() -> Self {
        Self {
            text: Cell::new(None),
            given: ReturnedString::empty(),
        }
    }

    /// Stores the text of an error.
    pub(super) fn keep(&self, text: String) {
        self.text.set(Some(text));
    }

    /// Returns the text of the last error; empty if there was none. Valid until the next call.
    pub(super) fn give(&self) -> *const c_char {
        match self.text.take() {
            Some(text) => self.given.store_text(&text),
            None => self.given.pointer(),
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

    /// Stores a text up to its first NUL, and drops the previous string.
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

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn the_text_of_an_error_stays_until_it_is_asked_for_again() {
        let error = LastError::none();
        // SAFETY: `give` returns a C string, which is read before the next call.
        let text = |given| unsafe { CStr::from_ptr(given) }.to_str().unwrap();
        assert_eq!(text(error.give()), "");
        error.keep("one".to_owned());
        let first = error.give();
        error.keep("two".to_owned());
        error.keep("three".to_owned());
        assert_eq!(text(first), "one");
        assert_eq!(text(error.give()), "three");
        assert_eq!(text(error.give()), "three");
    }
}
