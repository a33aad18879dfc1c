//! What is to be done when the process ends, though nobody dropped anything.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Something that is left unfinished while the process runs.
pub(crate) trait AtExit: Send {
    /// The process ends. There is nobody left to tell of an error.
    fn end(&mut self);
}

type Unfinished = Weak<Mutex<dyn AtExit>>;

static UNFINISHED: Mutex<Vec<Unfinished>> = Mutex::new(Vec::new());

/// Has `what` ended when the process exits, if it is still there then.
pub(crate) fn end_at_exit<E: AtExit + 'static>(what: &Arc<Mutex<E>>) {
    let what: Unfinished = Arc::downgrade(what) as Unfinished;
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    unfinished.retain(|known| known.strong_count() > 0);
    unfinished.push(what);
}

/// The process exits.
pub(crate) fn end_all() {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for what in &*unfinished {
        // One that is in use at this moment is left as it is.
        if let Some(what) = what.upgrade()
            && let Ok(mut what) = what.try_lock()
        {
            what.end();
        }
    }
}
