//! `mb_quit`: end of the process, requested at any place.
//!
//! - outside of all calls of the library: each system is shut down, and the process exits;
//! - in code that the library calls (testbench, C model, Python, host program): the process exits,
//!   and buffered data is written as at any exit;
//! - in a signal handler that has interrupted the library: after the interrupted call, because that
//!   may hold locks and allocate memory;
//! - on a thread while another thread is inside a call: after that call, or after [`MAX_WAIT`].

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::call::Call;
use super::error::{Error, catch};
use super::systems;
use crate::sim::strand;

/// True if the process is to exit when the library is left.
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Status of the exit.
static STATUS: AtomicI32 = AtomicI32::new(0);

/// Maximum wait for another thread's call.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Interval of polling for the end of that call.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// True if the process is to exit when the library is left.
#[inline]
pub(super) fn is_requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Ends the process, or requests the end if this thread is inside the library.
///
/// Async-signal-safe until the request is made.
pub(super) fn quit(status: c_int) {
    let status = exit_status(status);
    if strand::is_entered() && !strand::in_foreign_code() {
        STATUS.store(status, Ordering::Relaxed);
        REQUESTED.store(true, Ordering::Relaxed);
        return;
    }
    if strand::is_entered() {
        std::process::exit(status);
    }
    now(status);
}

/// Status with which the process ends. It has 8 bits, of which a failure must not become 0.
fn exit_status(status: c_int) -> c_int {
    match status {
        0..=255 => status,
        _ => 255,
    }
}

/// Exits as requested, unless this thread is still inside the library. Not inlined, because every
/// call would then compute the address of the thread's state.
#[cold]
#[inline(never)]
pub(super) fn unless_inside() {
    if !strand::is_entered() {
        REQUESTED.store(false, Ordering::Relaxed);
        now(STATUS.load(Ordering::Relaxed));
    }
}

fn now(status: c_int) -> ! {
    let mut waited = Duration::ZERO;
    loop {
        let call = Call::enter();
        let stopped = catch(|| {
            let strand = call.usable_strand()?;
            if status != 0 {
                // An error of a snapshot is reported, and does not prevent the end.
                if let Err(error) = call.rerun() {
                    call.report_error("mb_quit", &error);
                }
            }
            systems::stop_all(strand)
        });
        if !matches!(stopped, Err(Error::Overlap(_))) || waited >= MAX_WAIT {
            // The process ends, even if a system could not be shut down.
            std::process::exit(status);
        }
        drop(call);
        sleep(POLL_INTERVAL);
        waited += POLL_INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_more_than_8_bits_is_a_failure() {
        let statuses = [0, 3, 255, 256, 512, 257, -1, -256, c_int::MIN, c_int::MAX];
        let ended = statuses.map(exit_status);
        assert_eq!(ended, [0, 3, 255, 255, 255, 255, 255, 255, 255, 255]);
    }
}
