//! Children of this process: forks, snapshots and runs.

use std::ffi::c_int;

use super::call::Call;
use super::error::Error;
use super::fork::Side;
use super::process::Process;
use crate::attach::follow_fork;
use crate::bus::TickWork;
use crate::foreign::report;
use crate::guest::{Rerun, Runs, runs};
use crate::messages::foreign::Severity;
use crate::sim::call_timeout;
use crate::sim::fork::PythonFork;
use crate::sim::generation::generation;
use crate::sim::strand::{self, ForkedWhile};
use crate::sim::vpi_testbench;
use crate::system::{self, Vhost};

impl Process {
    /// Ends a fork, on either side. The strand is no longer kept: the caller takes it over.
    ///
    /// # Errors
    /// [`Error::NotPrepared`] in a process that was neither forked nor prepared for it, [`Error::Lost`] in a child without a usable host,
    /// and errors of its sockets.
    pub(super) fn end_fork(&self) -> Result<Side, Error> {
        let forks = &self.forks;
        let child = forks.generation.replace(generation()) != generation();
        if !forks.prepared.replace(false) && !child {
            return Err(Error::NotPrepared);
        }
        let python = forks.python.take();
        let threads = python.as_ref().map_or(0, PythonFork::threads);
        if let Some(python) = python {
            python.finish(child);
        }
        if !child {
            return Ok(Side::Parent);
        }
        if let state @ (ForkedWhile::Inside | ForkedWhile::OtherInside) = strand::forked_while() {
            forks.lost.set(true);
            return Err(Error::Lost(state));
        }
        self.begin_child()?;
        if threads > 0 {
            let text = format!(
                "this process was forked: {threads} Python threads (asyncio.to_thread, threading, concurrent.futures) stay with its \
                 parent; a call that waits for one of them does not end here"
            );
            report(Severity::Warning, "python", &text);
        }
        Ok(Side::Child)
    }

    /// Makes this process, a child, one of its own: files of its own, and nothing of the parent's.
    fn begin_child(&self) -> Result<(), Error> {
        let forks = &self.forks;
        forks.generation.set(generation());
        // The parent's to wake. In a snapshot that was woken there are none.
        forks.snapshots.borrow_mut().end();
        forks.statuses.borrow_mut().clear();
        follow_fork();
        self.abandon_sockets()
    }

    /// One tick of the system, and a snapshot after it if one is due. A snapshot that can't be taken is reported, and keeps nothing
    /// from going on.
    // An idle tick is little but the prologues of what it calls.
    #[inline(always)]
    pub(super) fn tick(&self, call: &Call, vhost: &Vhost) -> Result<usize, Error> {
        call_timeout::ticked();
        let served = vhost.tick()?;
        self.end_tick(call, vhost);
        Ok(served)
    }

    /// Carries out the work of a tick that began settled.
    pub(super) fn finish_tick(
        &self,
        call: &Call,
        vhost: &Vhost,
        work: TickWork,
    ) -> Result<usize, Error> {
        let served = vhost.finish_tick(work)?;
        self.end_tick(call, vhost);
        Ok(served)
    }

    /// Ends a tick: takes a snapshot if one is due, and notes if the system is settled.
    #[inline(always)]
    fn end_tick(&self, call: &Call, vhost: &Vhost) {
        vpi_testbench::end_tick();
        let now = vhost.now();
        let snapshots = self.forks.snapshots.borrow();
        let due = snapshots.due();
        drop(snapshots);
        if now >= due {
            self.snapshot_or_report(vhost);
        }
        if self.settle(due.min(vhost.settled_until()), now) {
            call.settle();
        }
    }

    /// Takes a snapshot every `ticks` ticks from now on, and keeps the `keep` newest; with 0 ticks none by itself, and none at all where
    /// none is kept.
    pub(super) fn take_snapshots(&self, ticks: u64, keep: u32) -> Result<(), Error> {
        let now = match keep {
            0 => 0,
            _ => self.system()?.now(),
        };
        let mut snapshots = self.forks.snapshots.borrow_mut();
        snapshots.begin(now, ticks, keep as usize);
        Ok(())
    }

    /// Takes a snapshot now. True in one that was woken.
    pub(super) fn take_snapshot(&self) -> Result<bool, Error> {
        if !self.forks.snapshots.borrow().are_kept() {
            return Err(Error::NoSnapshots);
        }
        let vhost = self.system()?;
        self.snapshot(&vhost)
    }

    /// Forks `count` children. The number of the child in each, `count` in the parent when all have ended.
    pub(super) fn run_as_children(&self, count: u32, parallel: u32) -> Result<c_int, Error> {
        let most = c_int::try_from(count).map_err(|_| Error::TooManyRuns { count })?;
        self.flush();
        let _wait = call_timeout::wait();
        match runs::run(count, parallel as usize).map_err(system::Error::Fork)? {
            Runs::Run(number) => {
                self.begin_child()?;
                // Less than `most`.
                Ok(c_int::try_from(number).unwrap_or(most))
            }
            Runs::Over(statuses) => {
                self.forks.statuses.replace(statuses);
                Ok(most)
            }
        }
    }

    /// Writes out what is recorded so far, where there is a system: a child may fill the disk.
    pub(super) fn flush(&self) {
        if let Ok(Some(vhost)) = self.running() {
            vhost.flush();
        }
    }

    #[cold]
    fn snapshot_or_report(&self, vhost: &Vhost) {
        if let Err(error) = self.snapshot(vhost) {
            report(Severity::Error, "snapshot", &error.to_string());
        }
    }

    /// Takes a snapshot. True in one that was woken.
    fn snapshot(&self, vhost: &Vhost) -> Result<bool, Error> {
        let woken = self.forks.snapshots.borrow_mut().fork(vhost)?;
        if woken {
            self.begin_child()?;
            let now = vhost.now();
            let text = format!("this process runs again from tick {now}");
            report(Severity::Info, "snapshot", &text);
        }
        Ok(woken)
    }

    /// Runs again from the newest snapshot, and waits for the end of that. `None` where there is no snapshot, as in a run that is one
    /// itself.
    ///
    /// Its report is no message of the system: up to the failure, recordings of both are the same.
    pub(super) fn rerun(&self) -> Result<Option<Rerun>, Error> {
        self.flush();
        let wait = call_timeout::wait();
        let rerun = self.forks.snapshots.borrow_mut().rerun_unflushed()?;
        drop(wait);
        let Some(Rerun { tick, status }) = rerun else {
            return Ok(None);
        };
        let ended = status.map_or("in an unknown way".to_owned(), |code| {
            format!("with {code}")
        });
        let text = format!("the run from tick {tick} on has ended {ended}");
        report(Severity::Info, "snapshot", &text);
        Ok(rerun)
    }
}
