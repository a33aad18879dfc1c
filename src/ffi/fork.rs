//! State of forks: a pending fork, snapshots, and exit statuses of runs.

use std::cell::{Cell, RefCell};
use std::ffi::c_int;

use super::error::Error;
use crate::sim::attention::{self, Cause};
use crate::sim::current_system::{SystemId, current};
use crate::sim::fork::{PythonFork, flush_streams};
use crate::sim::generation::generation;
use crate::sim::strand::StrandCell;
use crate::system::Snapshots;

/// Forks of this process.
pub(super) static FORKS: StrandCell<Forks> = StrandCell::new(Forks::new());

/// Forks of this process, and the effect of its own fork.
pub(super) struct Forks {
    /// Process that owns the state of the C ABI.
    pub(super) generation: Cell<u32>,
    /// True from `mb_fork_prepare` to the end of the fork.
    pub(super) prepared: Cell<bool>,
    pub(super) python: Cell<Option<PythonFork>>,
    /// True in a child without a usable host.
    pub(super) lost: Cell<bool>,
    pub(super) snapshots: RefCell<Snapshots>,
    /// System whose ticks the snapshots count.
    pub(super) counted: Cell<SystemId>,
    /// Exit statuses of the last runs.
    pub(super) statuses: RefCell<Vec<Option<i32>>>,
}

impl Forks {
    const fn new() -> Self {
        Self {
            generation: Cell::new(0),
            prepared: Cell::new(false),
            python: Cell::new(None),
            lost: Cell::new(false),
            snapshots: RefCell::new(Snapshots::none()),
            counted: Cell::new(SystemId::FIRST),
            statuses: RefCell::new(Vec::new()),
        }
    }

    /// True if the process was forked, or is about to be.
    pub(super) fn is_pending(&self) -> bool {
        self.prepared.get() || self.generation.get() != generation()
    }

    /// True in a child without a usable host.
    #[inline]
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// True in a snapshot that was woken.
    pub(super) fn is_rerun(&self) -> bool {
        self.snapshots.borrow().is_rerun()
    }

    /// Tick of the current system at which a snapshot is due.
    #[inline]
    pub(super) fn due(&self) -> u64 {
        match self.counted.get() == current() {
            true => self.snapshots.borrow().due(),
            false => u64::MAX,
        }
    }

    /// Exit status of a run of the last [`run_as_children`](super::call::Call::run_as_children); -1
    /// if it is not known.
    pub(super) fn status(&self, run: u32) -> Result<c_int, Error> {
        let statuses = self.statuses.borrow();
        let runs = statuses.len();
        let status = statuses
            .get(run as usize)
            .ok_or(Error::NoRun { run, runs })?;
        Ok(status.unwrap_or(-1))
    }

    /// Prepares for a fork by the caller.
    pub(super) fn prepare(&self) {
        flush_streams();
        self.python.set(PythonFork::prepare());
        self.prepared.set(true);
        attention::raise(Cause::Fork);
    }

    /// Ends the snapshots that count the current system's ticks.
    pub(super) fn end_snapshots_of_current(&self) {
        if self.counted.get() == current() {
            self.end_snapshots();
        }
    }

    /// Ends the snapshots of a process that no longer needs them.
    pub(super) fn end_snapshots(&self) {
        // In use if the process exits while it takes one.
        if let Ok(mut snapshots) = self.snapshots.try_borrow_mut() {
            snapshots.end();
        }
    }
}

/// Process after a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Parent,
    Child,
}
