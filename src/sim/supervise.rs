//! Forked processes whose exit status the parent reads from a pipe.
//!
//! `wait` belongs to the simulator: it may ignore `SIGCHLD`, or wait for any child. Each process
//! that continues is therefore the child of a *supervisor*, a copy that waits for it and writes its
//! status into a pipe. The supervisor of a snapshot is not a child of the simulator ([`detach`]).
//!
//! The pipe has numbers of four bytes: the process id, or a negated error number if there is no
//! process; then the exit status.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use libc::{SIG_BLOCK, SIG_SETMASK, SIGCHLD, SIGKILL, c_int, pid_t, pollfd, sigset_t, timespec};

use super::fork::{Child, Forked, fork_alone, leave};
use super::quietly;

/// Writing end of a supervisor's pipe.
#[derive(Debug)]
pub(crate) struct StatusWriter(PipeWriter);

/// Reading end of a supervisor's pipe.
#[derive(Debug)]
pub(crate) struct StatusReader(PipeReader);

impl StatusWriter {
    pub(crate) fn new(pipe: PipeWriter) -> Self {
        Self(pipe)
    }

    fn number(&mut self, number: i32) {
        // The parent may have ended.
        let _ = quietly(|| self.0.write_all(&number.to_ne_bytes()));
    }

    /// Writes the error that prevented a process.
    fn error(&mut self, error: &io::Error) {
        self.number(-error.raw_os_error().unwrap_or(libc::EIO).abs());
    }
}

impl StatusReader {
    pub(crate) fn new(pipe: PipeReader) -> Self {
        Self(pipe)
    }

    fn number(&mut self) -> Option<i32> {
        let mut number = [0; 4];
        let read = self.0.read_exact(&mut number);
        read.is_ok().then(|| i32::from_ne_bytes(number))
    }

    /// Waits for the id of the process.
    ///
    /// # Errors
    /// Fails if the process could not be forked, or if the supervisor was ended.
    pub(crate) fn process(&mut self) -> io::Result<Child> {
        match self.number() {
            Some(id) if id > 0 => Ok(Child(id)),
            Some(error) => Err(io::Error::from_raw_os_error(-error)),
            None => Err(io::Error::other("it was ended by another process")),
        }
    }

    /// Waits for the end of the process. Returns its exit status, or 128 and the number of the
    /// signal that ended it, like a shell. `None` if its supervisor was ended.
    pub(crate) fn status(&mut self) -> Option<i32> {
        self.number()
    }

    /// Waits until the supervisor has ended, for at most `most`. Returns false if it has not.
    pub(crate) fn is_over(&self, most: Duration) -> bool {
        let milliseconds = c_int::try_from(most.as_millis()).unwrap_or(c_int::MAX);
        let [over] = poll([Some(self.0.as_fd())], milliseconds);
        over
    }
}

impl Child {
    /// Waits until it has ended. Returns at once if it is not a child of this process.
    pub(crate) fn reap(self) {
        // SAFETY: no status is requested.
        while unsafe { libc::waitpid(self.0, ptr::null_mut(), 0) } == -1
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
}

/// Makes this process, just forked, the supervisor of a child, in which this function returns. The
/// child of a snapshot ends with the process `parent`.
pub(crate) fn supervise(mut tell: StatusWriter, parent: Option<&OwnedFd>) {
    // Otherwise the kernel may discard the status.
    let disposition = Disposition::default_of_children();
    let child = match fork_alone() {
        Ok(Forked::Child) => return disposition.restore(),
        Ok(Forked::Parent(child)) => child,
        Err(error) => {
            tell.error(&error);
            leave()
        }
    };
    tell.number(child.0);
    if let (Some(parent), Ok(process)) = (parent, process_descriptor(child.0)) {
        let [_, orphaned] = poll([Some(process.as_fd()), Some(parent.as_fd())], -1);
        if orphaned {
            // SAFETY: it is a child that was not waited for, so its id is still valid.
            unsafe { libc::kill(child.0, SIGKILL) };
        }
    }
    let mut status: c_int = 0;
    // SAFETY: the status is valid during the call.
    while unsafe { libc::waitpid(child.0, &mut status, 0) } == -1
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
    tell.number(if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    });
    leave()
}

/// Forks this process, just forked, again, and ends it, so that the new process is not a child of
/// the original one. Writes its id.
pub(crate) fn detach(tell: &mut StatusWriter) {
    match fork_alone() {
        Ok(Forked::Child) => tell.number(std::process::id() as pid_t),
        Ok(Forked::Parent(_)) => leave(),
        Err(error) => {
            tell.error(&error);
            leave()
        }
    }
}

/// Descriptor of this process, which becomes readable at its end. `None` if the system lacks such
/// descriptors: Linux before 5.3.
pub(crate) fn this_process() -> Option<OwnedFd> {
    process_descriptor(std::process::id() as pid_t).ok()
}

fn process_descriptor(id: pid_t) -> io::Result<OwnedFd> {
    // SAFETY: it takes an id and no flags. It returns a descriptor that is closed in other
    // programs.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) };
    match c_int::try_from(opened) {
        // SAFETY: it was just opened.
        Ok(opened) if opened >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(opened) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Waits for a byte, for the end of the process `parent`, or until all writers have closed the
/// pipe. Returns the byte, if there is one.
pub(crate) fn byte_from(mut pipe: PipeReader, parent: Option<&OwnedFd>) -> Option<u8> {
    let [_, orphaned] = poll([Some(pipe.as_fd()), parent.map(AsFd::as_fd)], -1);
    let mut byte = [0];
    let read = !orphaned && pipe.read_exact(&mut byte).is_ok();
    read.then_some(byte[0])
}

/// Waits until a file is readable or at its end, for at most this number of milliseconds, or
/// without limit for -1. Returns true for each of those files.
fn poll<const N: usize>(files: [Option<BorrowedFd<'_>>; N], milliseconds: c_int) -> [bool; N] {
    let mut polled = files.map(|file| pollfd {
        // A descriptor below 0 is ignored.
        fd: file.map_or(-1, |file| file.as_raw_fd()),
        events: libc::POLLIN,
        revents: 0,
    });
    // SAFETY: the array is valid during the call, and has `N` elements.
    while unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, milliseconds) } == -1
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
    polled.map(|file| file.revents != 0)
}

/// Disposition of `SIGCHLD`.
struct Disposition(libc::sigaction);

impl Disposition {
    /// Sets the default disposition.
    fn default_of_children() -> Self {
        // SAFETY: all zeros is the default disposition, without flags and with an empty mask.
        let default: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        let mut before = default;
        // SAFETY: both are valid during the call.
        unsafe { libc::sigaction(SIGCHLD, &default, &mut before) };
        Self(before)
    }

    fn restore(&self) {
        // SAFETY: the system has returned it.
        unsafe { libc::sigaction(SIGCHLD, &self.0, ptr::null_mut()) };
    }
}

/// Guard that blocks every signal of this thread. Signals that arrive meanwhile are delivered when
/// the guard is dropped; a child has none.
///
/// A supervisor never drops it, so that the simulator's handlers run only in the process that
/// continues.
pub(crate) struct Blocked {
    before: sigset_t,
    /// True if `SIGCHLD` was pending before.
    pending: bool,
}

impl Blocked {
    pub(crate) fn new() -> Self {
        let mut all = MaybeUninit::uninit();
        // SAFETY: it fills the set.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        let mut before = MaybeUninit::uninit();
        // SAFETY: the first set is filled, and the second is written, which fails for no set.
        unsafe { libc::pthread_sigmask(SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) };
        Self {
            // SAFETY: it was initialised.
            before: unsafe { before.assume_init() },
            pending: is_pending(),
        }
    }

    /// Reaps a child that the simulator does not know. No `SIGCHLD` for it reaches the simulator,
    /// but those for other children do.
    pub(crate) fn reap(&self, child: Child) {
        child.reap();
        if !self.pending && is_pending() {
            take_pending();
            if another_has_ended() {
                // Sent to the process, as the kernel does. Two pending ones become one.
                // SAFETY: it is blocked, and delivered when this guard is dropped.
                unsafe { libc::kill(std::process::id() as pid_t, SIGCHLD) };
            }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the system has returned the set.
        unsafe { libc::pthread_sigmask(SIG_SETMASK, &self.before, ptr::null_mut()) };
    }
}

fn is_pending() -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: the call initialises the set.
    unsafe { libc::sigpending(pending.as_mut_ptr()) };
    // SAFETY: it was initialised.
    unsafe { libc::sigismember(pending.as_ptr(), SIGCHLD) == 1 }
}

/// Takes a `SIGCHLD` that is blocked and pending.
fn take_pending() {
    let mut set = MaybeUninit::uninit();
    // SAFETY: it empties the set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set is valid.
    unsafe { libc::sigaddset(set.as_mut_ptr(), SIGCHLD) };
    const AT_ONCE: timespec = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the set and the time are valid during the call.
    unsafe { libc::sigtimedwait(set.as_ptr(), ptr::null_mut(), &AT_ONCE) };
}

/// True if a child has ended that was not waited for. The child is not reaped.
fn another_has_ended() -> bool {
    // SAFETY: all zeros is a valid value.
    let mut ended: libc::siginfo_t = unsafe { MaybeUninit::zeroed().assume_init() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the memory is valid during the call.
    let found = unsafe { libc::waitid(libc::P_ALL, 0, &mut ended, options) };
    // SAFETY: zero if there is none, else the id of a child.
    found == 0 && unsafe { ended.si_pid() } != 0
}
