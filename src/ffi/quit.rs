//! `mb_quit`: the end of the process, from wherever it is called.
//!
//! - outside of any call of the library's: each system is shut down, and the process exits;
//! - in code that the library calls, be it the testbench's, a C model's, Python or a host program's: the process exits, and what is
//!   buffered is written as at any exit;
//! - in a signal handler that has interrupted the library: once the call that was interrupted is over, since locks may be held and
//!   memory be allocated;
//! - on a thread while another one is inside a call: once that call is over, or after [`PATIENCE`].

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::call::Call;
use super::error::{Error, catch};
use super::systems;
use crate::sim::strand;

/// True where the process is to exit once the library is left.
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The status of that exit.
static STATUS: AtomicI32 = AtomicI32::new(0);

/// Longest wait for another thread's call.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time between two looks at whether it is over.
const LOOK: Duration = Duration::from_millis(1);

/// True where the process is to exit once the library is left.
#[inline]
pub(super) fn is_requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Ends the process, or requests it where this thread is inside the library.
///
/// Async-signal-safe up to the request.
pub(super) fn quit(status: c_int) {
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

/// Exits as requested, unless this thread is still inside the library. Not inlined: every call would get the address of the thread's
/// state, which is asked in here.
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
                // What is wrong with a snapshot is reported, and keeps nothing from ending.
                if let Err(error) = call.rerun() {
                    call.report_error("mb_quit", &error);
                }
            }
            systems::stop_all(strand)
        });
        if !matches!(stopped, Err(Error::Overlap(_))) || waited >= PATIENCE {
            // Whatever could not be shut down, the process ends.
            std::process::exit(status);
        }
        drop(call);
        sleep(LOOK);
        waited += LOOK;
    }
}
