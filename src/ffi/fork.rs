//! Forks of the process: what a child goes on with, snapshots to go back to, runs that begin where this process is.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int};
use std::io;
use std::path::Path;

use super::arguments::text;
use super::error::Error;
use super::guard::{Call, guard, guard_after_fork};
use super::process::Process;
use crate::attach::follow_fork;
use crate::guest::runs::{self, Runs};
use crate::guest::{Rerun, Snapshots, Taken};
use crate::messages::foreign::Severity;
use crate::sim::fork::{PythonFork, flush_streams, generation};
use crate::sim::strand::{self, Birth};

/// Forks that this process makes, and what it is after one.
pub(super) struct Forks {
    /// Process that the state of the C ABI belongs to.
    generation: Cell<u32>,
    /// True from `mb_fork_prepare` on, until the fork is over.
    prepared: Cell<bool>,
    python: Cell<Option<PythonFork>>,
    /// True in a child that the host did not come along to.
    lost: Cell<bool>,
    snapshots: RefCell<Snapshots>,
    /// Ticks from one snapshot to the next.
    every: Cell<u64>,
    /// Tick of the next snapshot.
    due: Cell<u64>,
    /// True in a snapshot that was woken.
    rerun: Cell<bool>,
    /// Exit statuses of the last runs.
    statuses: RefCell<Vec<Option<i32>>>,
}

impl Forks {
    pub(super) const fn new() -> Self {
        Self {
            generation: Cell::new(0),
            prepared: Cell::new(false),
            python: Cell::new(None),
            lost: Cell::new(false),
            snapshots: RefCell::new(Snapshots::new(0)),
            every: Cell::new(0),
            due: Cell::new(u64::MAX),
            rerun: Cell::new(false),
            statuses: RefCell::new(Vec::new()),
        }
    }

    /// True where the process was forked, or is about to be. On the path of every call.
    #[inline]
    pub(super) fn is_pending(&self) -> bool {
        self.prepared.get() || self.generation.get() != generation()
    }

    /// True in a child that the host did not come along to.
    #[inline]
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// True where a snapshot is due. On the path of every tick.
    #[inline]
    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.due.get()
    }

    /// Makes the process ready to be forked by somebody else.
    fn prepare(&self) {
        flush_streams();
        self.python.set(PythonFork::prepare());
        self.prepared.set(true);
    }
}

/// A process after a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Parent,
    Child,
}

impl Process {
    /// Ends a fork, on either side. The strand is no longer kept: the caller takes it over.
    ///
    /// # Errors
    /// [`Error::NotPrepared`] in a process that was neither forked nor prepared for it, [`Error::Lost`] in a child that the host can't
    /// come along to, and what its sockets fail with.
    pub(super) fn end_fork(&self) -> Result<Side, Error> {
        let forks = &self.forks;
        let child = forks.generation.replace(generation()) != generation();
        if !forks.prepared.replace(false) && !child {
            return Err(Error::NotPrepared);
        }
        if let Some(python) = forks.python.take() {
            python.finish(child);
        }
        if !child {
            return Ok(Side::Parent);
        }
        if let birth @ (Birth::Inside | Birth::Orphan) = strand::birth() {
            forks.lost.set(true);
            return Err(Error::Lost(birth));
        }
        self.begin_child()?;
        Ok(Side::Child)
    }

    /// Makes this process, a child, one of its own: files of its own, and nothing of the parent's.
    fn begin_child(&self) -> Result<(), Error> {
        let forks = &self.forks;
        forks.generation.set(generation());
        // The parent's to wake. Dropped, and not waited for.
        forks.snapshots.replace(Snapshots::new(0));
        forks.due.set(u64::MAX);
        forks.statuses.borrow_mut().clear();
        follow_fork();
        self.abandon_sockets()
    }

    /// Takes a snapshot. In one that is woken it returns then.
    #[cold]
    fn snapshot(&self, now: u64) -> Result<(), Error> {
        let forks = &self.forks;
        forks.due.set(now.saturating_add(forks.every.get()));
        let taken = forks.snapshots.borrow_mut().take(now);
        match taken {
            Ok(Taken::Here) => Ok(()),
            Ok(Taken::Woken) => {
                self.begin_child()?;
                forks.rerun.set(true);
                let text = format!("this process runs again from tick {now}");
                self.report(Severity::Info, "snapshot", &text)
            }
            Err(cause) => {
                // It would fail as often as one is due.
                forks.due.set(u64::MAX);
                Err(Error::Snapshot(cause))
            }
        }
    }

    /// Runs again from the newest snapshot, and waits for the end of that. Its exit status; `None` where there is no snapshot, as in
    /// a run that is one itself.
    pub(super) fn rerun(&self) -> Result<Option<i32>, Error> {
        self.forks.due.set(u64::MAX);
        flush_streams();
        let rerun = self.forks.snapshots.borrow_mut().rerun();
        let Some(Rerun { tick, status }) = rerun.map_err(Error::Snapshot)? else {
            return Ok(None);
        };
        let ended = status.map_or("in an unknown way".to_owned(), |code| {
            format!("with {code}")
        });
        let text = format!("the run from tick {tick} on has ended {ended}");
        self.report(Severity::Info, "snapshot", &text)?;
        Ok(status)
    }

    /// Ends the snapshots of a process that needs none any more.
    pub(super) fn end_snapshots(&self) {
        self.forks.due.set(u64::MAX);
        // In use where the process exits while it takes one.
        if let Ok(mut snapshots) = self.forks.snapshots.try_borrow_mut() {
            snapshots.end();
        }
    }
}

/// Takes a snapshot after a tick.
#[inline]
pub(super) fn snapshot_if_due(process: &Process, now: u64) -> Result<(), Error> {
    if process.forks.is_due(now) {
        process.snapshot(now)?;
    }
    Ok(())
}

/// The process is about to be forked.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_fork_prepare() -> c_int {
    guard("mb_fork_prepare", -1, |call| {
        call.process()?.reject_reentrant()?;
        if !call.is_outermost() {
            return Err(Error::Reentrant);
        }
        call.process()?.forks.prepare();
        call.keep();
        Ok(0)
    })
}

/// The process was forked, and this is the parent; or could not be forked.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_fork_parent() -> c_int {
    guard_after_fork("mb_fork_parent", |call| match call.end_fork()? {
        Side::Parent => Ok(0),
        Side::Child => Err(Error::OtherSide("the child: call mb_fork_child")),
    })
}

/// The process was forked, and this is the child.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_fork_child() -> c_int {
    guard_after_fork("mb_fork_child", |call| match call.end_fork()? {
        Side::Child => Ok(0),
        Side::Parent => Err(Error::OtherSide("the parent: call mb_fork_parent")),
    })
}

/// Takes snapshots from now on.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_snapshots(ticks: u64, keep: u32) -> c_int {
    guard("mb_snapshots", -1, |call| {
        call.process()?.reject_reentrant()?;
        let process = call.process()?;
        process.end_snapshots();
        if ticks == 0 || keep == 0 || process.forks.rerun.get() {
            return Ok(0);
        }
        let now = process.system()?.now();
        let forks = &process.forks;
        let most = usize::try_from(keep).unwrap_or(usize::MAX);
        forks.snapshots.replace(Snapshots::new(most));
        forks.every.set(ticks);
        forks.due.set(now.saturating_add(ticks));
        Ok(0)
    })
}

/// Runs again from the newest snapshot.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_rerun() -> c_int {
    guard("mb_rerun", -1, |call| {
        Ok(call.process()?.rerun()?.unwrap_or(-1))
    })
}

/// Tells whether this process is a snapshot that was woken.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_is_rerun() -> c_int {
    guard("mb_is_rerun", 0, |call| {
        Ok(c_int::from(call.process()?.forks.rerun.get()))
    })
}

/// Forks children, each of which goes on as a run of its own.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_runs(count: u32, parallel: u32) -> c_int {
    guard("mb_runs", -1, |call| {
        call.process()?.reject_reentrant()?;
        let process = call.process()?;
        process.end_snapshots();
        let [runs, at_once] = [count, parallel].map(|most| usize::try_from(most).ok());
        let most = c_int::try_from(count).map_err(|_| too_many(count))?;
        let runs = runs.ok_or_else(|| too_many(count))?;
        match runs::run(runs, at_once.unwrap_or(usize::MAX)).map_err(Error::Snapshot)? {
            Runs::Run(number) => {
                process.begin_child()?;
                c_int::try_from(number).map_err(|_| too_many(count))
            }
            Runs::Over(statuses) => {
                process.forks.statuses.replace(statuses);
                Ok(most)
            }
        }
    })
}

fn too_many(count: u32) -> Error {
    Error::Snapshot(io::Error::other(format!("{count} runs are too many")))
}

/// Exit status of a run.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_run_status(run: u32) -> c_int {
    guard("mb_run_status", -1, |call| {
        let statuses = call.process()?.forks.statuses.borrow();
        let status = usize::try_from(run).ok().and_then(|run| statuses.get(run));
        let status = status.ok_or(Error::NoRun {
            run,
            runs: statuses.len(),
        })?;
        Ok(status.unwrap_or(-1))
    })
}

/// Has firmware's paths lead from another directory.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_set_file_root(dir: *const c_char) -> c_int {
    guard("mb_set_file_root", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let dir = unsafe { text(dir, "dir") }?;
        call.process()?.system()?.set_file_root(Path::new(dir))?;
        Ok(0)
    })
}

impl Call {
    /// Ends a fork, on either side.
    fn end_fork(&mut self) -> Result<Side, Error> {
        let side = self.entered()?.end_fork();
        self.take_over();
        side
    }
}
