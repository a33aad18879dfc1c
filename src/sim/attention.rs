//! Events that the next call into the C ABI handles first. They are in one word, which every call
//! reads.
//!
//! A cause that is raised without need only costs time.

use std::sync::atomic::{AtomicU32, Ordering};

static RAISED: AtomicU32 = AtomicU32::new(0);

/// Event to handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Foreign calls have a timeout.
    CallTimeout = 1,
    /// A refused call has not been reported to the testbench yet.
    Refused = 2,
    /// The process was forked, or is about to be.
    Fork = 4,
    /// There is more than one system of the C ABI.
    Systems = 8,
}

/// True if a cause is raised.
#[inline]
pub(crate) fn is_needed() -> bool {
    RAISED.load(Ordering::Relaxed) != 0
}

/// True if this cause is raised.
pub(crate) fn is_raised(cause: Cause) -> bool {
    RAISED.load(Ordering::Relaxed) & cause as u32 != 0
}

/// Raises a cause. Async-signal-safe.
pub(crate) fn raise(cause: Cause) {
    RAISED.fetch_or(cause as u32, Ordering::Relaxed);
}

/// Lowers a cause.
pub(crate) fn lower(cause: Cause) {
    RAISED.fetch_and(!(cause as u32), Ordering::Relaxed);
}
