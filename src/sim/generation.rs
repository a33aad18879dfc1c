//! Number of forks between the process that loaded the library and this one.

use std::sync::atomic::{AtomicU32, Ordering};

/// Forks between the process that loaded the library and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Number of this process among its forebears: 0 in the one that loaded the library, and one more in each child that is forked off. What
/// was opened in an earlier generation is shared with the parent.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Counts a fork, in the child. Async-signal-safe.
pub(super) fn count_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
