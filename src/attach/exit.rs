//! What is to be done when the process ends, though nobody dropped anything.

use std::io::{self, Write as _};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread::sleep;
use std::time::Duration;

/// Something that is left unfinished while the process runs.
pub(crate) trait AtExit: Send {
    /// The process ends.
    fn end(&mut self) -> io::Result<()>;
}

type Unfinished = Weak<Mutex<dyn AtExit>>;

/// With the processes that they belong to: one that is forked off has a copy of what is buffered, and must not write it as well.
static UNFINISHED: Mutex<Vec<(u32, Unfinished)>> = Mutex::new(Vec::new());

/// Has `what` ended when the process exits, if it is still there then.
pub(crate) fn end_at_exit<E: AtExit + 'static>(what: &Arc<Mutex<E>>) {
    let what: Unfinished = Arc::downgrade(what) as Unfinished;
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    unfinished.retain(|(_, known)| known.strong_count() > 0);
    unfinished.push((process::id(), what));
}

/// Longest wait for another thread that is using something: this thread may be the one, interrupted by a signal.
const PATIENCE: Duration = Duration::from_millis(200);

/// Locks what another thread may be using for a moment; `None` where it goes on doing so.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    const LOOK: Duration = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if waited >= PATIENCE => return None,
            Err(TryLockError::WouldBlock) => {
                sleep(LOOK);
                waited += LOOK;
            }
        }
    }
}

/// The process exits.
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
            // Nobody else is left to be told.
            let text = "what was recorded, logged or counted last can't be written";
            let _ = writeln!(io::stderr(), "vhost: warning: {text}: {error}");
        }
    }
}
