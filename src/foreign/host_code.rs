//! Calls of the host program's code, with panics caught and reported.

use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

use crate::bus::panic_text;
use crate::sim::strand::CodeGuard;

/// Error of a panic in a function of the host program.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{function} panicked: {text}")]
pub(crate) struct Panicked {
    function: &'static str,
    text: String,
}

/// Runs a function of the host program. A panic becomes an error that names `function`, a noun
/// phrase.
pub(crate) fn run<T>(function: &'static str, act: impl FnOnce() -> T) -> Result<T, Panicked> {
    let _foreign = CodeGuard::foreign();
    catch_unwind(AssertUnwindSafe(act)).map_err(|payload| Panicked {
        function,
        text: panic_text(payload.as_ref()),
    })
}
