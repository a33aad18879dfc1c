//! Children of this process: forks, snapshots and runs.

use std::ffi::c_int;
use std::rc::Rc;

use super::call::Call;
use super::error::Error;
use super::fork::{FORKS, Forks};
use super::forked::{begin_child, flush};
use super::system_state::SystemState;
use crate::bus::TickWork;
use crate::foreign::report;
use crate::guest::{Rerun, Runs, runs};
use crate::messages::foreign::Severity;
use crate::sim::call_timeout;
use crate::sim::current_system::current;
use crate::sim::vpi_testbench;
use crate::system::{self, Vhost};

impl Call {
    /// Executes one tick of the system, and takes a snapshot after it if one is due. A snapshot
    /// that can't be taken is reported, and the run continues.
    // Most of the cost of an idle tick is in the prologues of the called functions.
    #[inline(always)]
    pub(super) fn tick(
        &self,
        system_state: &SystemState,
        vhost: &Rc<Vhost>,
    ) -> Result<usize, Error> {
        call_timeout::ticked();
        let served = vhost.tick()?;
        self.end_tick(system_state, vhost);
        Ok(served)
    }

    /// Executes the work of a tick that was settled at its start.
    #[inline]
    pub(super) fn finish_tick(&self, vhost: &Rc<Vhost>, work: TickWork) -> Result<usize, Error> {
        let served = vhost.finish_tick(work)?;
        self.end_tick(self.system_state()?, vhost);
        Ok(served)
    }

    /// Ends a tick: takes a snapshot if one is due, and records if the system is settled.
    #[inline(always)]
    fn end_tick(&self, system_state: &SystemState, vhost: &Rc<Vhost>) {
        if vpi_testbench::is_there() {
            vpi_testbench::end_tick();
        }
        let now = vhost.now();
        let due = self.forks().map_or(u64::MAX, Forks::due);
        if now >= due {
            self.snapshot_or_report(vhost);
        }
        let until = due.min(vhost.settled_until());
        if now + 1 < until && system_state.settle(vhost, until) {
            self.settle();
        }
    }

    /// Takes a snapshot every `ticks` ticks from now on, and keeps the `keep` newest. With 0
    /// `ticks` only explicit ones are taken; with 0 `keep` none are.
    pub(super) fn take_snapshots(&self, ticks: u64, keep: u32) -> Result<(), Error> {
        let now = match keep {
            0 => 0,
            _ => self.system_state()?.system()?.now(),
        };
        let forks = self.forks()?;
        forks.counted.set(current());
        let mut snapshots = forks.snapshots.borrow_mut();
        snapshots.begin(now, ticks, keep as usize);
        Ok(())
    }

    /// Drops the calls that methods in HDL have begun, since the pending calls of a checkpoint are
    /// polled anew. Reschedules the next snapshot after a restore of the system whose ticks are
    /// counted.
    pub(super) fn restored(&self, vhost: &Vhost) -> Result<(), Error> {
        vpi_testbench::drop_calls();
        let forks = self.forks()?;
        if forks.counted.get() == current() {
            forks.snapshots.borrow_mut().restored(vhost.now());
        }
        Ok(())
    }

    /// Takes a snapshot now. Returns true in a snapshot that was woken.
    pub(super) fn take_snapshot(&self) -> Result<bool, Error> {
        if !self.forks()?.snapshots.borrow().are_kept() {
            return Err(Error::NoSnapshots);
        }
        let vhost = self.system_state()?.system()?;
        self.snapshot(&vhost)
    }

    /// Forks `count` children. Returns its number in each child, and `count` in the parent after
    /// all have ended.
    pub(super) fn run_as_children(&self, count: u32, parallel: u32) -> Result<c_int, Error> {
        let most = c_int::try_from(count).map_err(|_| Error::TooManyRuns { count })?;
        let strand = self.strand()?;
        flush(strand);
        let _wait = call_timeout::wait();
        match runs::run(count, parallel as usize).map_err(system::Error::Fork)? {
            Runs::Run(number) => {
                begin_child(strand)?;
                // The number is less than `most`.
                Ok(c_int::try_from(number).unwrap_or(most))
            }
            Runs::Over(statuses) => {
                self.forks()?.statuses.replace(statuses);
                Ok(most)
            }
        }
    }

    #[cold]
    fn snapshot_or_report(&self, vhost: &Vhost) {
        if self.reject_inside_any().is_err() {
            // A tick inside a foreign call of another system; a later tick takes the snapshot.
            return;
        }
        if let Err(error) = self.snapshot(vhost) {
            report(Severity::Error, "snapshot", &error.to_string());
        }
    }

    /// Takes a snapshot. Returns true in a snapshot that was woken.
    fn snapshot(&self, vhost: &Vhost) -> Result<bool, Error> {
        let strand = self.strand()?;
        flush(strand);
        let forks = FORKS.get(strand);
        let mut snapshots = forks.snapshots.borrow_mut();
        let woken = match forks.counted.get() == current() {
            true => snapshots.fork(vhost)?,
            false => snapshots.fork_beside(vhost)?,
        };
        drop(snapshots);
        if woken {
            begin_child(strand)?;
            let now = vhost.now();
            let text = format!("this process runs again from tick {now}");
            report(Severity::Info, "snapshot", &text);
        }
        Ok(woken)
    }

    /// Runs again from the newest snapshot, and waits for the end of that run. `None` without a
    /// snapshot, as in a rerun.
    ///
    /// Its report is not a message of the system, so that the recordings of both runs are equal up
    /// to the failure.
    pub(super) fn rerun(&self) -> Result<Option<Rerun>, Error> {
        let strand = self.strand()?;
        flush(strand);
        let wait = call_timeout::wait();
        let rerun = FORKS.get(strand).snapshots.borrow_mut().rerun_unflushed()?;
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
