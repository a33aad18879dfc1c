//! Errors of the interpreter, and of operations in it.

use std::path::PathBuf;

use thiserror::Error;

use super::outcome::Raised;
use crate::sim::{Absent, PrepareError};

/// Error of an operation in Python.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(
        "Python can't be called any more: it has ended in this process, or the process was forked without mb_fork_prepare"
    )]
    Ended,
    #[error(transparent)]
    Raised(#[from] Raised),
}

/// Error of starting the interpreter.
#[derive(Debug, Error)]
pub(super) enum StartError {
    #[error(
        "this process has two Pythons, {} and {}: build vhost for the one that the simulation runs in (PYO3_PYTHON names \
         its interpreter)",
        one.display(),
        other.display()
    )]
    TwoPythons { one: PathBuf, other: PathBuf },
    #[error(
        "VIRTUAL_ENV is {}, which has no {}: this library was built for another version of Python; build it with \
         PYO3_PYTHON={0}/bin/python, or enter an environment of this version",
        folder.display(),
        packages.display(),
    )]
    OtherVersion { folder: PathBuf, packages: PathBuf },
    #[error("VIRTUAL_ENV can't be entered: {0}")]
    NoProgramName(#[from] Absent),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error("Python has started but can't be used: {0}")]
    SetUp(String),
}
