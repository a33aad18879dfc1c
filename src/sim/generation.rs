//! Number of forks between this process and the one that loaded the library.

use std::sync::atomic::{AtomicU32, Ordering};

/// Number of forks between this process and the one that loaded the library.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Generation of this process: 0 in the one that loaded the library, and one more in each forked
/// child. Files and sockets from an earlier generation are shared with the parent.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Counts a fork, in the child. Async-signal-safe.
pub(super) fn count_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
