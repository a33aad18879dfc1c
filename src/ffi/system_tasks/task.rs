//! Description of a system task.

use crate::ffi::call::Call;
use crate::ffi::error::Error;
use crate::sim::system_task::{Declaration, RunningCall};

/// System task.
pub(super) struct Task {
    pub(super) declaration: Declaration,
    pub(super) body: Body,
    /// Result of a failed call.
    pub(super) failed: i64,
}

/// Code of a task.
pub(super) enum Body {
    /// Function without parameters that has a guard of its own. It returns `failed` if it fails.
    Plain(fn() -> i64),
    /// Code that runs inside the guard.
    Guarded(fn(&mut Call, &RunningCall) -> Result<i64, Error>),
}
