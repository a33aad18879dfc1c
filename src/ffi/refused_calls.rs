//! Calls that were refused because another thread was inside one.
//!
//! The first one is reported at once on stderr, and to the testbench by the next call that is not
//! refused. Later ones are counted until the system begins or ends. `mb_last_error` returns each of
//! them.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread::yield_now;

use crate::foreign::report_without_testbench;
use crate::messages::foreign::Severity;
use crate::sim::attention::{self, Cause};
use crate::sim::strand::Overlap;

/// Refused calls of all threads.
static REFUSED: Mutex<Refused> = Mutex::new(Refused {
    count: 0,
    unreported: Unreported {
        first: None,
        latest: None,
    },
});

struct Refused {
    /// Number of calls since the system began or ended.
    count: u64,
    unreported: Unreported,
}

/// Functions with refused calls that were not reported to the testbench yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unreported {
    /// First refused call, to be reported.
    pub(super) first: Option<&'static str>,
    /// Latest refused call, for `mb_last_error`.
    pub(super) latest: Option<&'static str>,
}

/// Text of a refused call, for its report and for `mb_last_error`.
pub(super) fn text() -> String {
    format!("a call was refused and has had no effect: {Overlap}")
}

/// Records a refused call. Uses neither the host nor the testbench, because another thread is using
/// them.
#[cold]
pub(super) fn note(function: &'static str) {
    let Some(mut refused) = lock(&REFUSED) else {
        return;
    };
    refused.count += 1;
    refused.unreported.latest = Some(function);
    let first = refused.count == 1;
    if first {
        refused.unreported.first = Some(function);
    }
    attention::raise(Cause::Refused);
    drop(refused);
    if first {
        report_without_testbench(Severity::Error, function, &Overlap.to_string());
    }
}

/// True if [`take_unreported`] may return a call.
pub(super) fn any_unreported() -> bool {
    attention::is_raised(Cause::Refused)
}

/// Takes the calls that were not reported to the testbench yet.
#[cold]
pub(super) fn take_unreported() -> Unreported {
    attention::lower(Cause::Refused);
    lock(&REFUSED).map_or_else(Unreported::default, |mut refused| {
        std::mem::take(&mut refused.unreported)
    })
}

/// Takes the count as a text to report; `None` if at most one call was refused. The next refused
/// call counts as a first one.
pub(super) fn take_count() -> Option<String> {
    let count = std::mem::take(&mut lock(&REFUSED)?.count);
    let more = count.checked_sub(1).filter(|more| *more > 0)?;
    Some(format!(
        "{more} more calls were refused after the first one: {Overlap}"
    ))
}

/// Number of attempts to take a lock that another thread holds briefly.
const LOOKS: u32 = 10_000;

/// Takes the lock; `None` if it stays locked. After a fork, the thread that held it does not exist
/// in the child.
fn lock<T>(refused: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..LOOKS {
        match refused.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => yield_now(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_stays_held_is_not_awaited_for_ever() {
        let refused = Mutex::new(());
        let kept = lock(&refused);
        assert!(kept.is_some());
        assert!(lock(&refused).is_none());
        drop(kept);
        assert!(lock(&refused).is_some());
    }
}
