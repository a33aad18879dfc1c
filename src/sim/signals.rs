//! Signals of the process: those that a write may raise, and dispositions that other code changes.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SIGPIPE, SIGXFSZ, c_int, sigset_t, timespec};

/// Signals that end the process if a write fails: no reader is left, or the file has reached
/// `RLIMIT_FSIZE`.
const OF_WRITES: [c_int; 2] = [SIGPIPE, SIGXFSZ];

/// Runs a write of this thread. A failed write returns `EPIPE` or `EFBIG`, and no signal reaches
/// the process.
pub(crate) fn quietly<T>(write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let _quiet = Quiet::new();
    write()
}

/// As [`quietly`], for a change of a regular file. Only a limit on file sizes raises a signal
/// there, and few processes have one. The query of the limit takes a third of the time of blocking
/// the signals.
pub(crate) fn quietly_to_file<T>(write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let _quiet = has_file_limit().then(Quiet::new);
    write()
}

/// True if `RLIMIT_FSIZE` is set, or can't be read.
fn has_file_limit() -> bool {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: there is room for the limit.
    if unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) } != 0 {
        return true;
    }
    // SAFETY: the call has succeeded, and written it.
    unsafe { limit.assume_init() }.rlim_cur != libc::RLIM_INFINITY
}

/// Guard that keeps `SIGPIPE` and `SIGXFSZ` of this thread's writes from the process. Dispositions
/// and other threads are not affected; a signal that was pending before stays pending.
pub(crate) struct Quiet {
    /// Signals that this guard has blocked.
    blocked: Subset,
    /// Signals that this guard takes if they are pending at its end. A successful write may raise
    /// one, too: if the reader of a full pipe leaves, the write returns the number of moved bytes,
    /// and raises `SIGPIPE`.
    ours: Subset,
}

/// Subset of [`OF_WRITES`], by their positions there.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Subset([bool; OF_WRITES.len()]);

impl Subset {
    const ALL: Self = Self([true; OF_WRITES.len()]);

    /// Signals for which `has` is true.
    fn of(has: impl Fn(c_int) -> bool) -> Self {
        Self(OF_WRITES.map(has))
    }

    /// Calls `act` with the set of these signals.
    fn with_set<T>(self, act: impl FnOnce(&sigset_t) -> T) -> T {
        thread_local! {
            /// Set of all, used for each printed line. It is not shared with a lock, because a lock
            /// that another thread holds is never released in a forked process.
            static ALL: sigset_t = set(&OF_WRITES);
        }
        if self == Self::ALL {
            return ALL.with(act);
        }
        let mut some = set(&[]);
        for (signal, _) in OF_WRITES.iter().zip(self.0).filter(|(_, has)| *has) {
            // SAFETY: the set is valid during the call.
            unsafe { libc::sigaddset(&mut some, *signal) };
        }
        act(&some)
    }
}

impl Quiet {
    /// Blocks both signals for this thread.
    pub(crate) fn new() -> Self {
        let mut before = MaybeUninit::uninit();
        Subset::ALL.with_set(|both| {
            // SAFETY: the set is valid during the call, and there is room for the previous one.
            unsafe { libc::pthread_sigmask(SIG_BLOCK, both, before.as_mut_ptr()) }
        });
        // SAFETY: the call has initialised it: with valid arguments it does not fail.
        let before = unsafe { before.assume_init_ref() };
        let blocked = Subset::of(|signal| !has(before, signal));
        if blocked == Subset::ALL {
            let ours = blocked;
            return Self { blocked, ours };
        }
        let mut pending = set(&[]);
        // SAFETY: the set is there for the call.
        unsafe { libc::sigpending(&mut pending) };
        let ours = Subset::of(|signal| !has(before, signal) || !has(&pending, signal));
        Self { blocked, ours }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        self.ours.with_set(take_pending);
        self.blocked.with_set(|blocked| {
            // SAFETY: the set is there for the call.
            unsafe { libc::pthread_sigmask(SIG_UNBLOCK, blocked, ptr::null_mut()) }
        });
    }
}

/// Guard under which this thread blocks neither `SIGPIPE` nor `SIGXFSZ`, because a program inherits
/// the mask of the thread that starts it. Pending signals of earlier writes are dropped.
#[cfg(feature = "python")]
pub(crate) struct Unblocked(sigset_t);

#[cfg(feature = "python")]
impl Unblocked {
    /// Unblocks both signals, if this thread blocks them.
    pub(crate) fn new() -> Self {
        let blocked = blocked_of_writes();
        take_pending(&blocked);
        // SAFETY: the set is there for the call.
        unsafe { libc::pthread_sigmask(SIG_UNBLOCK, &blocked, ptr::null_mut()) };
        Self(blocked)
    }
}

#[cfg(feature = "python")]
impl Drop for Unblocked {
    fn drop(&mut self) {
        // SAFETY: the set is there for the call.
        unsafe { libc::pthread_sigmask(SIG_BLOCK, &self.0, ptr::null_mut()) };
    }
}

/// Lets a child of this process continue as an independent program. If this thread blocks `SIGPIPE`
/// or `SIGXFSZ`, the signal is unblocked, and ignored if its disposition is the default. A write
/// still fails without a signal.
#[cfg(feature = "python")]
pub(crate) fn ignore_instead_of_blocking() {
    let blocked = blocked_of_writes();
    for signal in OF_WRITES.into_iter().filter(|&one| has(&blocked, one)) {
        let mut action = MaybeUninit::uninit();
        // SAFETY: nothing is changed, and there is room for the result.
        let known = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) } == 0;
        // SAFETY: the call has initialised it if it succeeded.
        if known && unsafe { action.assume_init_ref() }.sa_sigaction == libc::SIG_DFL {
            // SAFETY: no handler is installed.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }
    // SAFETY: the set is there for the call.
    unsafe { libc::pthread_sigmask(SIG_UNBLOCK, &blocked, ptr::null_mut()) };
}

/// Subset of [`OF_WRITES`] that this thread blocks.
#[cfg(feature = "python")]
fn blocked_of_writes() -> sigset_t {
    let mut mask = set(&[]);
    // SAFETY: nothing is changed, and the set is there for the call.
    unsafe { libc::pthread_sigmask(SIG_BLOCK, ptr::null(), &mut mask) };
    let mut blocked = set(&OF_WRITES);
    for signal in OF_WRITES.into_iter().filter(|&one| !has(&mask, one)) {
        remove(&mut blocked, signal);
    }
    blocked
}

/// Takes pending signals that this thread blocks.
fn take_pending(signals: &sigset_t) {
    const AT_ONCE: timespec = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the set and the time are valid during the call, which returns -1 if no signal of the
    // set is pending.
    while unsafe { libc::sigtimedwait(signals, ptr::null_mut(), &AT_ONCE) } > 0 {}
}

/// Runs `act`, such as the start of a thread, while this thread blocks every signal. A thread that
/// it starts keeps them blocked.
pub(super) fn with_all_blocked<T>(act: impl FnOnce() -> T) -> T {
    let (mut all, mut before) = (set(&[]), set(&[]));
    // SAFETY: the set is there for the call.
    unsafe { libc::sigfillset(&mut all) };
    // SAFETY: both sets are there for the call.
    unsafe { libc::pthread_sigmask(SIG_SETMASK, &all, &mut before) };
    let done = act();
    // SAFETY: the set is there for the call.
    unsafe { libc::pthread_sigmask(SIG_SETMASK, &before, ptr::null_mut()) };
    done
}

/// Guard that restores the disposition of a signal.
#[cfg(feature = "python")]
pub(crate) struct Disposition {
    signal: c_int,
    action: Option<libc::sigaction>,
}

#[cfg(feature = "python")]
impl Disposition {
    /// Present disposition of a signal.
    pub(crate) fn of(signal: c_int) -> Self {
        let mut action = MaybeUninit::uninit();
        // SAFETY: nothing is changed, and there is room for the result.
        let known = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) } == 0;
        // SAFETY: the call has initialised it if it succeeded.
        let action = known.then(|| unsafe { action.assume_init() });
        Self { signal, action }
    }
}

#[cfg(feature = "python")]
impl Drop for Disposition {
    fn drop(&mut self) {
        if let Some(action) = &self.action {
            // SAFETY: it is the previous action.
            unsafe { libc::sigaction(self.signal, action, ptr::null_mut()) };
        }
    }
}

fn set(signals: &[c_int]) -> sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: there is room for a set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the call has written it.
    let mut set = unsafe { set.assume_init() };
    for &signal in signals {
        // SAFETY: the set is there for the call.
        unsafe { libc::sigaddset(&mut set, signal) };
    }
    set
}

fn has(set: &sigset_t, signal: c_int) -> bool {
    // SAFETY: the set is there for the call.
    unsafe { libc::sigismember(set, signal) == 1 }
}

#[cfg(feature = "python")]
fn remove(set: &mut sigset_t, signal: c_int) {
    // SAFETY: the set is there for the call.
    unsafe { libc::sigdelset(set, signal) };
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use super::*;

    /// Runs a test on a thread of its own, because masks and pending signals belong to threads.
    fn alone(test: impl FnOnce() + Send) {
        std::thread::scope(|scope| scope.spawn(test).join().unwrap());
    }

    fn mask() -> sigset_t {
        let mut mask = set(&[]);
        // SAFETY: nothing is changed, and the set is there for the call.
        unsafe { libc::pthread_sigmask(SIG_BLOCK, ptr::null(), &mut mask) };
        mask
    }

    fn pending(signal: c_int) -> bool {
        let mut pending = set(&[]);
        // SAFETY: the set is there for the call.
        unsafe { libc::sigpending(&mut pending) };
        has(&pending, signal)
    }

    fn raise(signal: c_int) {
        // SAFETY: the signal goes to this thread, which blocks it.
        assert_eq!(unsafe { libc::raise(signal) }, 0);
    }

    fn block() {
        // SAFETY: the set is there for the call.
        unsafe { libc::pthread_sigmask(SIG_BLOCK, &set(&OF_WRITES), ptr::null_mut()) };
    }

    #[test]
    fn a_write_without_a_reader_leaves_nothing_behind() {
        alone(|| {
            let (reader, mut writer) = io::pipe().unwrap();
            drop(reader);
            let error = quietly(|| writer.write_all(b"text")).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EPIPE));
            for signal in OF_WRITES {
                assert!(!has(&mask(), signal) && !pending(signal));
            }
        });
    }

    /// Waits until a pipe contains this many bytes.
    fn await_bytes(pipe: &io::PipeReader, bytes: c_int) {
        let mut waiting = 0;
        while waiting < bytes {
            std::thread::yield_now();
            // SAFETY: there is room for a number.
            let asked = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &mut waiting) };
            assert_eq!(asked, 0);
        }
    }

    /// The kernel raises a signal, and returns the number of moved bytes.
    #[test]
    fn a_short_write_to_a_full_pipe_leaves_no_signal_when_its_reader_goes() {
        alone(|| {
            let (reader, mut writer) = io::pipe().unwrap();
            // SAFETY: it takes a descriptor and no pointer.
            let size = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_GETPIPE_SZ) };
            let goes = std::thread::spawn(move || {
                await_bytes(&reader, size);
                drop(reader);
            });
            let written = quietly(|| writer.write(&vec![0; 2 * size as usize])).unwrap();
            goes.join().unwrap();
            assert_eq!(written, size as usize);
            for signal in OF_WRITES {
                assert!(!has(&mask(), signal) && !pending(signal));
            }
        });
    }

    #[test]
    fn signals_raised_under_a_guard_are_taken_also_if_blocked_before() {
        alone(|| {
            block();
            let quiet = Quiet::new();
            raise(SIGPIPE);
            raise(SIGXFSZ);
            drop(quiet);
            for signal in OF_WRITES {
                assert!(has(&mask(), signal) && !pending(signal));
            }
        });
    }

    #[test]
    fn signals_pending_before_stay_pending() {
        alone(|| {
            block();
            raise(SIGPIPE);
            let quiet = Quiet::new();
            raise(SIGXFSZ);
            drop(quiet);
            assert!(pending(SIGPIPE) && !pending(SIGXFSZ));
        });
    }

    #[test]
    fn guards_nest() {
        alone(|| {
            let outer = Quiet::new();
            drop(Quiet::new());
            assert!(has(&mask(), SIGPIPE));
            raise(SIGPIPE);
            drop(outer);
            assert!(!has(&mask(), SIGPIPE) && !pending(SIGPIPE));
        });
    }

    #[cfg(feature = "python")]
    #[test]
    fn signals_unblocked_for_a_program_are_blocked_again_and_none_is_delivered() {
        alone(|| {
            let quiet = Quiet::new();
            raise(SIGPIPE);
            let unblocked = Unblocked::new();
            assert!(!has(&mask(), SIGPIPE) && !has(&mask(), SIGXFSZ));
            drop(unblocked);
            assert!(has(&mask(), SIGPIPE) && has(&mask(), SIGXFSZ) && !pending(SIGPIPE));
            drop(quiet);
            drop(Unblocked::new());
            assert!(!has(&mask(), SIGPIPE));
        });
    }
}
