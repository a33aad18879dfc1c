//! What is to be done when the process ends, though nobody dropped anything.

use std::io::{self, Write as _};
use std::process;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::guest;

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

/// The process exits.
pub(crate) fn end_all() {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    let own = unfinished.iter().filter(|(of, _)| *of == process::id());
    for (_, what) in own {
        // One that is in use at this moment is left as it is.
        if let Some(what) = what.upgrade()
            && let Ok(mut what) = what.try_lock()
            && let Err(error) = what.end()
        {
            // Nobody else is left to be told.
            let text = "what was recorded, logged or counted last can't be written";
            let _ = writeln!(guest::stderr(), "vhost: warning: {text}: {error}");
        }
    }
}
