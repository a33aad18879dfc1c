//! Timeout of foreign calls in wall time, to end testbenches that hang.
//!
//! A foreign call that loops, or a SystemVerilog method that loops behind it, blocks the
//! simulator's thread for ever, and no code on that thread can end it. On request, a thread of the
//! library waits beside it, prints one report, and ends the process.
//!
//! That thread only reads atomics. It never enters the strand, and allocates nothing for its
//! report, because the hanging thread may hold any lock. It blocks all signals. A fork does not
//! copy it: a child starts a thread of its own at its first call.
//!
//! The owner of the [strand](mod@super::strand) writes all state, except that of the strand itself.

mod measured;
mod report;
mod text;

use std::fmt;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::attention::{self, Cause};
use super::generation::generation;
use super::signals::with_all_blocked;
use super::{caller, strand};
use measured::{CALL, CALLER, METHODS, Phase};

/// Timeout in nanoseconds; 0 if it is off.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// Number of the measured interval.
static INTERVAL: AtomicU64 = AtomicU64::new(0);

/// Number of foreign calls on the stack.
static DEPTH: AtomicU32 = AtomicU32::new(0);

/// Number of the library's own waits on the stack, which may be long.
static WAITS: AtomicU32 = AtomicU32::new(0);

/// True if a method of the testbench is pending since the last tick.
static PENDING: AtomicBool = AtomicBool::new(false);

static WATCHER: Mutex<Option<Watcher>> = Mutex::new(None);

/// Measuring thread, and the process that it belongs to.
struct Watcher {
    thread: JoinHandle<()>,
    generation: u32,
}

/// Present phase; `None` if the library itself takes the time, or if no call is pending.
fn phase() -> Option<Phase> {
    if WAITS.load(Ordering::Relaxed) > 0 {
        None
    } else if DEPTH.load(Ordering::Relaxed) > 0 {
        Some(Phase::Call)
    } else if PENDING.load(Ordering::Relaxed) && !strand::is_owned() {
        Some(Phase::Pending)
    } else {
        None
    }
}

fn next_interval() -> u64 {
    let next = INTERVAL.load(Ordering::Relaxed) + 1;
    INTERVAL.store(next, Ordering::Release);
    next
}

/// True if there is a timeout. Runs in every call.
#[inline]
pub(crate) fn is_on() -> bool {
    LIMIT.load(Ordering::Relaxed) != 0
}

/// Ends the process from now on if a foreign call takes longer than `limit`, or if a pending method
/// of the testbench keeps the simulator from calling the library for that time.
///
/// # Errors
/// Error of the system if it can't start a thread.
pub(crate) fn start(limit: Duration) -> io::Result<()> {
    stop();
    let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX).max(1);
    let thread = with_all_blocked(|| {
        thread::Builder::new()
            .name("vhost-timeout".to_owned())
            .spawn(move || watch(Duration::from_nanos(nanoseconds)))
    })?;
    *watcher() = Some(Watcher {
        thread,
        generation: generation(),
    });
    LIMIT.store(nanoseconds, Ordering::Release);
    attention::raise(Cause::CallTimeout);
    Ok(())
}

/// Ends the timeout and its thread.
pub(crate) fn stop() {
    LIMIT.store(0, Ordering::Release);
    attention::lower(Cause::CallTimeout);
    PENDING.store(false, Ordering::Relaxed);
    let Some(Watcher {
        thread,
        generation: of,
    }) = watcher().take()
    else {
        return;
    };
    if of == generation() {
        END.store(true, Ordering::Release);
        thread.thread().unpark();
        // The thread does not panic.
        let _ = thread.join();
        END.store(false, Ordering::Release);
        wait_until_gone();
    } else {
        // A child does not have this thread, and its handle refers to nothing.
        mem::forget(thread);
    }
}

/// Waits until the system no longer counts the ended thread, which happens shortly after it was
/// joined.
fn wait_until_gone() {
    let task = format!("/proc/self/task/{}", TASK.load(Ordering::Acquire));
    let task = Path::new(&task);
    for _ in 0..1000 {
        if !task.exists() {
            return;
        }
        thread::sleep(Duration::from_micros(100));
    }
}

/// Id of the thread in the system.
static TASK: AtomicI32 = AtomicI32::new(0);

/// Request to the thread to end.
static END: AtomicBool = AtomicBool::new(false);

/// Ends the timeout at process exit, which may take long. Its thread ends with the process.
pub(crate) fn exiting() {
    LIMIT.store(0, Ordering::Release);
    WAITS.fetch_add(1, Ordering::Relaxed);
}

fn watcher() -> std::sync::MutexGuard<'static, Option<Watcher>> {
    WATCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Guard without the thread of the timeout, for a fork, which needs a process with one thread.
pub(super) struct Paused(Option<Duration>);

/// Pauses the thread.
pub(super) fn pause() -> Paused {
    let limit = LIMIT.load(Ordering::Relaxed);
    let pending = PENDING.load(Ordering::Relaxed);
    if limit != 0 {
        stop();
        PENDING.store(pending, Ordering::Relaxed);
    }
    Paused((limit != 0).then(|| Duration::from_nanos(limit)))
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(limit) = self.0 {
            let pending = PENDING.load(Ordering::Relaxed);
            restart(limit);
            PENDING.store(pending, Ordering::Relaxed);
        }
    }
}

fn restart(limit: Duration) {
    if let Err(error) = start(limit) {
        tracing::warn!(target: "vhost::call_timeout", "VHOST_CALL_TIMEOUT has ended: its thread can't be started: {error}");
    }
}

/// Starts an interval: the testbench has called the library.
pub(crate) fn entered() {
    if is_on() {
        note_entry();
    }
}

#[cold]
fn note_entry() {
    let child = watcher()
        .as_ref()
        .is_some_and(|watcher| watcher.generation != generation());
    if child {
        restart(Duration::from_nanos(LIMIT.load(Ordering::Relaxed)));
    }
    // The interval of an outermost foreign call includes nested calls.
    if DEPTH.load(Ordering::Relaxed) == 0 {
        next_interval();
    }
    CALLER.set(caller::write_place);
}

/// Starts a tick, in which pending methods are polled again.
#[inline]
pub(crate) fn ticked() {
    if is_on() {
        PENDING.store(false, Ordering::Relaxed);
        METHODS.clear();
        next_interval();
    }
}

/// Records a method of the testbench that has answered "pending". Its process runs after this call
/// of the library.
pub(crate) fn note_pending(channel: &str, method: &str) {
    if is_on() && strand::is_entered() {
        let between = if PENDING.load(Ordering::Relaxed) {
            ", "
        } else {
            ""
        };
        METHODS.append(|text| write!(text, "{between}`{method}` of channel `{channel}`"));
        PENDING.store(true, Ordering::Relaxed);
    }
}

/// Guard of a wait of the library that may take long.
#[must_use = "the wait ends when this is dropped"]
pub(crate) struct Wait(());

/// Starts a wait of the library, such as for a process.
pub(crate) fn wait() -> Wait {
    WAITS.fetch_add(1, Ordering::Relaxed);
    Wait(())
}

impl Drop for Wait {
    fn drop(&mut self) {
        next_interval();
        WAITS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Guard of a measured foreign call.
#[must_use = "the call ends when this is dropped"]
pub(crate) struct ForeignCall(());

impl ForeignCall {
    /// Starts a call, which `describe` names. `None` if there is no timeout, or if the system is
    /// not the C ABI's.
    #[inline]
    pub(crate) fn begin(describe: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result) -> Option<Self> {
        if !is_on() || !strand::is_entered() {
            return None;
        }
        if DEPTH.load(Ordering::Relaxed) == 0 {
            CALL.set(describe);
            next_interval();
        }
        DEPTH.fetch_add(1, Ordering::Release);
        Some(Self(()))
    }
}

impl Drop for ForeignCall {
    fn drop(&mut self) {
        if DEPTH.fetch_sub(1, Ordering::Release) == 1 {
            next_interval();
        }
    }
}

/// Maximum interval between two checks.
const MAX_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Body of the thread. Time in which the whole process was stopped does not count, because the time
/// between two checks counts as at most two check intervals.
fn watch(limit: Duration) {
    // SAFETY: it takes no arguments.
    TASK.store(unsafe { libc::gettid() }, Ordering::Release);
    let check_interval = (limit / 8).clamp(Duration::from_millis(1), MAX_CHECK_INTERVAL);
    let (mut interval, mut waited) = (0, Duration::ZERO);
    let mut looked = Instant::now();
    loop {
        thread::park_timeout(check_interval);
        if END.load(Ordering::Acquire) {
            return;
        }
        let now = Instant::now();
        let passed = now.duration_since(looked).min(2 * check_interval);
        looked = now;
        let current = INTERVAL.load(Ordering::Acquire);
        match phase() {
            Some(phase) if current == interval => {
                waited += passed;
                if waited >= limit && INTERVAL.load(Ordering::Acquire) == current {
                    report::end_process(phase, limit);
                }
            }
            _ => {
                interval = current;
                waited = Duration::ZERO;
            }
        }
    }
}
