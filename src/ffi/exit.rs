//! The end of a process that did not call `mb_shutdown`.

use std::ffi::c_int;
use std::panic::catch_unwind;
use std::sync::Once;

use crate::attach::end_all;

unsafe extern "C" {
    fn at_quick_exit(function: extern "C" fn()) -> c_int;
}

/// Has recordings, logs, statistics and lines that firmware has begun written to their end when the process exits. `exit` runs no
/// destructor of what is on the stack, and destroys thread-locals first: they are in neither.
pub(super) fn end_recordings_at_exit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function may be called at any time, from any thread, and does not unwind. Where it can't be
        // registered, what is buffered last is lost.
        let _ = unsafe { libc::atexit(end) };
        // SAFETY: as above.
        let _ = unsafe { at_quick_exit(end) };
    });
}

extern "C" fn end() {
    // There is nobody left to tell.
    let _ = catch_unwind(end_all);
}
