//! Text that C is given a pointer to: it stays until the next text of its kind.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::mem::ManuallyDrop;

use crate::sim::c_text;

// No destructor runs on these: `exit` ends thread-locals before it calls functions that may still use them.
thread_local! {
    /// What `mb_last_error` gives: each thread has its own.
    pub(super) static LAST_ERROR: Kept = const { Kept::empty() };
    /// What `mb_status` gives.
    pub(super) static STATUS: Kept = const { Kept::empty() };
    /// What `mb_get_space` gives.
    pub(super) static SPACE: Kept = const { Kept::empty() };
    /// What `mb_backdoor_read_string` gives.
    pub(super) static STRING: Kept = const { Kept::empty() };
    /// What `c_skt_read_string` gives.
    pub(super) static SOCKET_STRING: Kept = const { Kept::empty() };
}

/// One text, kept for C.
pub(super) struct Kept(ManuallyDrop<RefCell<Option<CString>>>);

impl Kept {
    const fn empty() -> Self {
        Self(ManuallyDrop::new(RefCell::new(None)))
    }

    /// Keeps a text, and drops the one before.
    pub(super) fn keep(&self, text: CString) -> *const c_char {
        self.0.borrow_mut().insert(text).as_ptr()
    }

    /// Keeps a text that may have a NUL inside.
    pub(super) fn keep_text(&self, text: &str) -> *const c_char {
        self.keep(c_text(text))
    }

    /// The text, empty where none was kept.
    pub(super) fn pointer(&self) -> *const c_char {
        self.0
            .borrow()
            .as_ref()
            .map_or(c"".as_ptr(), |text| text.as_ptr())
    }
}
