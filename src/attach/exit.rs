//! Actions at process exit for values that were never dropped.

use std::io::{self, Write as _};
use std::process;
use std::sync::{Arc, Weak};
use std::thread::sleep;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::guest;

/// A value that must be finished before the process exits.
pub(crate) trait AtExit: Send {
    /// Finishes the value at process exit.
    fn end(&mut self) -> io::Result<()>;

    /// Name of the value for the report of an error: its kind and its file.
    fn name(&self) -> String;
}

type Unfinished = Weak<Mutex<dyn AtExit>>;

/// Registered references with their process id. A forked process has a copy of buffered data, which
/// it must not write.
static UNFINISHED: Mutex<Vec<(u32, Unfinished)>> = Mutex::new(Vec::new());

/// Registers a weak reference, finished at process exit.
pub(crate) fn end_at_exit<E: AtExit + 'static>(what: &Arc<Mutex<E>>) {
    let what: Unfinished = Arc::downgrade(what) as Unfinished;
    let mut unfinished = UNFINISHED.lock();
    unfinished.retain(|(_, known)| known.strong_count() > 0);
    unfinished.push((process::id(), what));
}

/// Takes over the parent's registered values in a forked process, which continues to use them.
pub(crate) fn follow_fork() {
    // A thread of the parent may have held the lock.
    if let Some(mut unfinished) = lock(&UNFINISHED) {
        for (of, _) in &mut *unfinished {
            *of = process::id();
        }
    }
}

/// Maximum wait for a lock. The lock may be held by code of this thread that a signal has
/// interrupted.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// Locks a mutex that another thread may hold briefly; `None` after [`MAX_WAIT`].
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    const POLL_INTERVAL: Duration = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    loop {
        let locked = mutex.try_lock();
        if locked.is_some() || waited >= MAX_WAIT {
            return locked;
        }
        sleep(POLL_INTERVAL);
        waited += POLL_INTERVAL;
    }
}

/// Finishes all registered values of this process. Called at process exit.
pub(crate) fn end_all() {
    let Some(unfinished) = lock(&UNFINISHED) else {
        return;
    };
    let own = unfinished.iter().filter(|(of, _)| *of == process::id());
    for (_, what) in own {
        if let Some(what) = what.upgrade()
            && let Some(mut what) = lock(&what)
            && let Err(error) = what.end()
        {
            // No recipient is left for errors.
            let name = what.name();
            let text = format!("the last data of {name} can't be written: {error}");
            let _ = writeln!(guest::stderr(), "vhost: warning: {text}");
        }
    }
}
