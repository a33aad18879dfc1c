//! Actions at process exit for values that were never dropped.

use std::io::{self, Write as _};
use std::process;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::guest;

/// Something that is left unfinished while the process runs.
pub(crate) trait AtExit: Send {
    /// Process exit.
    fn end(&mut self) -> io::Result<()>;
}

type Unfinished = Weak<Mutex<dyn AtExit>>;

/// Registered references with their process id: a forked process has a copy of buffered data and must not write it.
static UNFINISHED: Mutex<Vec<(u32, Unfinished)>> = Mutex::new(Vec::new());

/// Registers a weak reference, finished at process exit.
pub(crate) fn end_at_exit<E: AtExit + 'static>(what: &Arc<Mutex<E>>) {
    let what: Unfinished = Arc::downgrade(what) as Unfinished;
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    unfinished.retain(|(_, known)| known.strong_count() > 0);
    unfinished.push((process::id(), what));
}

/// Takes over, in a process that was forked off, what its parent would end: it goes on here as well.
pub(crate) fn follow_fork() {
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for (of, _) in &mut *unfinished {
        *of = process::id();
    }
}

/// Exit handler.
pub(crate) fn end_all() {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    let own = unfinished.iter().filter(|(of, _)| *of == process::id());
    for (_, what) in own {
        // A value in use at this moment is left alone.
        if let Some(what) = what.upgrade()
            && let Ok(mut what) = what.try_lock()
            && let Err(error) = what.end()
        {
            // No recipient is left for errors.
            let text = "what was recorded, logged or counted last can't be written";
            let _ = writeln!(guest::stderr(), "vhost: warning: {text}: {error}");
        }
    }
}
