//! Cleanup at process exit without `mb_shutdown`.

use std::ffi::c_int;
use std::panic::catch_unwind;
use std::sync::OnceLock;

use super::refused_calls;
use crate::attach::end_all;
use crate::foreign::report_without_testbench;
use crate::messages::foreign::Severity;
use crate::sim::call_timeout;

unsafe extern "C" {
    fn at_quick_exit(function: extern "C" fn()) -> c_int;
}

/// Function that ends the snapshots of this process.
static END_SNAPSHOTS: OnceLock<fn()> = OnceLock::new();

/// Flushes recordings, logs, statistics and incomplete lines of firmware at process exit. `exit`
/// runs no destructors of values on the stack, and destroys thread-locals first, so neither can
/// hold the system. `end_snapshots` ends the snapshots of this process.
pub(super) fn end_recordings_at_exit(end_snapshots: fn()) {
    if END_SNAPSHOTS.set(end_snapshots).is_ok() {
        // SAFETY: the function may be called at any time, from any thread, and does not unwind. If
        // it can't be registered, the last buffered data is lost.
        let _ = unsafe { libc::atexit(end) };
        // SAFETY: as above.
        let _ = unsafe { at_quick_exit(end) };
    }
}

extern "C" fn end() {
    // No caller is left for an error, and no testbench for a call.
    call_timeout::exiting();
    let _ = catch_unwind(|| {
        end_all();
        if let Some(end_snapshots) = END_SNAPSHOTS.get() {
            end_snapshots();
        }
        if let Some(text) = refused_calls::take_count() {
            report_without_testbench(Severity::Error, "vhost", &text);
        }
    });
}
