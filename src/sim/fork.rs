//! Forks of the process: their number, and children of the library.

use std::io;
use std::sync::Once;

use libc::pid_t;

use super::attention::{self, Cause};
use super::{call_timeout, generation, inherited, strand};

/// Counts all forks from now on, by any code.
pub(crate) fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function uses only atomics and system calls, so it may run in the child of a
        // process with several threads.
        let registered = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        if registered != 0 {
            tracing::error!(target: "vhost::fork", "a fork of the process will not be noticed: out of memory");
        }
    });
}

/// Runs in the child, before `fork` returns.
extern "C" fn forked() {
    generation::count_fork();
    attention::raise(Cause::Fork);
    strand::forked();
    inherited::part();
}

/// Python's locks, in a build without Python.
#[cfg(not(feature = "python"))]
#[derive(Debug)]
pub(crate) struct PythonFork(());

#[cfg(not(feature = "python"))]
impl PythonFork {
    /// Always `None`.
    pub(crate) fn prepare() -> Option<Self> {
        None
    }

    /// Always 0.
    pub(crate) fn threads(&self) -> usize {
        0
    }

    /// Does nothing.
    pub(crate) fn finish(self, _child: bool) {}
}

#[cfg(not(feature = "python"))]
fn python_threads() -> usize {
    0
}

#[cfg(feature = "python")]
pub(crate) use super::python::PythonFork;
#[cfg(feature = "python")]
use super::python::python_threads;

/// A process after a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forked {
    /// The parent, with its child.
    Parent(Child),
    /// The child.
    Child,
}

/// Child that was not waited for yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Child(pub(super) pid_t);

/// Forks a process with a single thread, from inside the strand, which the child owns as well. The
/// child first runs `begin`, which may fork again. Python continues in both processes.
///
/// # Errors
/// Fails if there is more than one thread, because locks of the others would never be released in
/// the child, or if the system refuses.
pub(crate) fn fork(begin: impl FnOnce()) -> io::Result<Forked> {
    let _paused = call_timeout::pause();
    let threads = threads()?;
    if threads != 1 {
        return Err(io::Error::other(several_threads(threads, python_threads())));
    }
    flush_streams();
    let python = PythonFork::prepare();
    let forked = strand::keeping(|| {
        let forked = fork_alone();
        if matches!(forked, Ok(Forked::Child)) {
            begin();
        }
        forked
    });
    if let Some(python) = python {
        python.finish(matches!(forked, Ok(Forked::Child)));
    }
    forked
}

/// Reason why a process with several threads is not forked. `python` of them belong to Python.
fn several_threads(threads: usize, python: usize) -> String {
    const ONE: &str = "run the simulation on one thread (Verilator: --threads 1, and context.threads(1) in a main of your own)";
    let others = threads.saturating_sub(1);
    let python = python.min(others);
    let advice = match python {
        0 => ONE.to_owned(),
        _ => {
            let end = format!(
                "{python} of them are Python's (asyncio.to_thread, threading, concurrent.futures): end them before, or start them after"
            );
            if python == others {
                end
            } else {
                format!("{end}; and {ONE}")
            }
        }
    };
    format!("the process has {threads} threads, but a child would have only one; {advice}")
}

/// Forks a process with a single thread.
pub(super) fn fork_alone() -> io::Result<Forked> {
    // SAFETY: this is the only thread, so no lock is held by another.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        child => Ok(Forked::Parent(Child(child))),
    }
}

/// Flushes C's output streams. Otherwise a child would write its copy of the buffers, too.
pub(crate) fn flush_streams() {
    // SAFETY: NULL means all output streams. Each is locked meanwhile.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}

/// Number of threads of this process.
fn threads() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Ends this process, a copy that is no longer needed, without running destructors and handlers or
/// writing the parent's buffers.
pub(crate) fn leave() -> ! {
    // SAFETY: the function may be called at any time.
    unsafe { libc::_exit(0) }
}

#[cfg(test)]
mod tests {
    use super::several_threads;

    #[test]
    fn threads_of_python_are_counted_apart() {
        let none = several_threads(3, 0);
        assert!(none.contains("3 threads") && none.contains("--threads 1"));
        let all = several_threads(3, 2);
        assert!(all.contains("2 of them are Python's") && !all.contains("--threads 1"));
        let some = several_threads(3, 1);
        assert!(some.contains("1 of them are Python's") && some.contains("--threads 1"));
    }
}
