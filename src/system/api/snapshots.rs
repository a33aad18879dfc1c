//! Copies of the process that runs a system: snapshots, and runs from one boot.

use crate::attach::follow_fork;
use crate::guest::{self, ContinuedProcess, Rerun, Runs, runs};
use crate::system::Error;
use crate::system::running::Vhost;

/// Snapshots of the process: forked processes that sleep. A run that fails wakes the newest one,
/// which repeats the run from its tick.
///
/// For a program that calls [`Vhost::tick`] itself; a testbench of the C ABI has `mb_snapshots`.
/// The process must have one thread. Sleeping snapshots end with the process, or when this value is
/// dropped.
///
/// ```no_run
/// use vhost::{Error, Snapshots, Vhost};
///
/// # fn next_clock(_: bool) -> bool { true }
/// # fn run(vhost: Vhost) -> Result<i32, Error> {
/// let mut snapshots = Snapshots::new(&vhost, 100_000, 2);
/// let mut waves = false;
/// while vhost.tick()? > 0 {
///     // True once, in a snapshot that was woken.
///     waves |= snapshots.take_due(&vhost)?;
///     let good = next_clock(waves);
///     if !good {
///         // Returns when the rerun has ended; in the rerun itself at once.
///         snapshots.rerun(&vhost)?;
///         return Ok(1);
///     }
/// }
/// # Ok(0) }
/// ```
#[derive(Debug)]
pub struct Snapshots {
    kept: guest::Snapshots,
    /// Ticks from one snapshot to the next; 0 disables periodic snapshots.
    every: u64,
    /// Tick of the next snapshot.
    due: u64,
    is_rerun: bool,
}

impl Snapshots {
    /// Creates an empty set, with periodic snapshots disabled.
    pub(crate) const fn none() -> Self {
        Self {
            kept: guest::Snapshots::new(0),
            every: 0,
            due: u64::MAX,
            is_rerun: false,
        }
    }

    /// Creates a set with a snapshot every `ticks` ticks, of which the `keep` newest are kept. With
    /// 0 ticks, only [`take`](Self::take) takes snapshots.
    pub fn new(vhost: &Vhost, ticks: u64, keep: usize) -> Self {
        let mut snapshots = Self::none();
        snapshots.begin(vhost.now(), ticks, keep);
        snapshots
    }

    /// Ends the kept snapshots, and sets a new period and number.
    pub(crate) fn begin(&mut self, now: u64, ticks: u64, keep: usize) {
        self.end();
        if self.is_rerun {
            return;
        }
        self.kept = guest::Snapshots::new(keep);
        self.every = if keep == 0 { 0 } else { ticks };
        self.schedule(now);
    }

    /// True if a taken snapshot is kept, and in a rerun, which needs no snapshot.
    pub(crate) fn are_kept(&self) -> bool {
        self.is_rerun || self.kept.most() > 0
    }

    /// Schedules the next snapshot again, after a restore has changed the time.
    pub(crate) fn restored(&mut self, now: u64) {
        if self.due != u64::MAX {
            self.schedule(now);
        }
    }

    fn schedule(&mut self, now: u64) {
        self.due = match self.every {
            0 => u64::MAX,
            every => now.saturating_add(every),
        };
    }

    /// Tick of the next snapshot.
    #[inline]
    pub(crate) fn due(&self) -> u64 {
        self.due
    }

    /// Takes a snapshot if one is due. Returns true in a snapshot that was woken, else false.
    ///
    /// # Errors
    /// Those of [`take`](Self::take). After an error, periodic snapshots are disabled.
    pub fn take_due(&mut self, vhost: &Vhost) -> Result<bool, Error> {
        if vhost.now() >= self.due {
            self.take(vhost)
        } else {
            Ok(false)
        }
    }

    /// Takes a snapshot. Returns true in a snapshot that was woken, else false. A rerun takes no
    /// snapshot.
    ///
    /// In a snapshot that was woken, recordings and logs continue in files of their own, and
    /// sockets stay with the parent.
    ///
    /// # Errors
    /// [`Error::Fork`] in a process that can't be forked, such as one with several threads.
    /// [`Error::ForkInCall`] inside a callback.
    pub fn take(&mut self, vhost: &Vhost) -> Result<bool, Error> {
        if vhost.in_foreign_call() {
            return Err(Error::ForkInCall);
        }
        let woken = self.fork(vhost)?;
        if woken {
            vhost.begin_child()?;
        }
        Ok(woken)
    }

    /// Takes a snapshot. Returns true in a snapshot that was woken. Its process is a child that has
    /// not called [`begin_child`](Vhost::begin_child) yet.
    pub(crate) fn fork(&mut self, vhost: &Vhost) -> Result<bool, Error> {
        if self.is_rerun || !self.are_kept() {
            return Ok(false);
        }
        let now = vhost.now();
        self.schedule(now);
        // The rerun may fill the disk.
        vhost.flush();
        match self.kept.take(now) {
            Ok(ContinuedProcess::Here) => Ok(false),
            Ok(ContinuedProcess::Woken) => {
                self.due = u64::MAX;
                self.is_rerun = true;
                Ok(true)
            }
            Err(cause) => {
                // A further snapshot would fail again.
                self.due = u64::MAX;
                Err(Error::Fork(cause))
            }
        }
    }

    /// As [`fork`](Self::fork), for a system whose ticks do not count for periodic snapshots.
    pub(crate) fn fork_beside(&mut self, vhost: &Vhost) -> Result<bool, Error> {
        let due = self.due;
        let woken = self.fork(vhost)?;
        if !woken {
            self.due = due;
        }
        Ok(woken)
    }

    /// Wakes the newest snapshot that has not ended, and waits for its end. Ends the other
    /// snapshots, and disables further ones. `None` if there is no snapshot, as in a rerun.
    ///
    /// # Errors
    /// [`Error::Wake`] if all snapshots have ended, or can't be woken.
    pub fn rerun(&mut self, vhost: &Vhost) -> Result<Option<Rerun>, Error> {
        vhost.flush();
        self.rerun_unflushed()
    }

    /// As [`rerun`](Self::rerun), also without a system.
    pub(crate) fn rerun_unflushed(&mut self) -> Result<Option<Rerun>, Error> {
        self.due = u64::MAX;
        self.kept.rerun().map_err(Error::Wake)
    }

    /// True in a snapshot that was woken.
    pub fn is_rerun(&self) -> bool {
        self.is_rerun
    }

    /// Ends all snapshots, and disables further ones.
    pub(crate) fn end(&mut self) {
        self.due = u64::MAX;
        self.kept.end();
    }
}

impl Vhost {
    /// Forks `count` children, of which `parallel` run at once, and at least one. Returns in each
    /// child, and in the parent when all children have ended. The process must have one thread.
    ///
    /// Each child continues from the call with its own memory, recording, and positions in files.
    /// [`set_file_root`](Self::set_file_root) gives a child its own files. Sockets stay with the
    /// parent.
    ///
    /// # Errors
    /// [`Error::Fork`] if the process can't be forked; children that were already forked are ended.
    /// [`Error::ForkInCall`] inside a callback.
    pub fn fork_runs(&self, count: u32, parallel: usize) -> Result<Runs, Error> {
        if self.in_foreign_call() {
            return Err(Error::ForkInCall);
        }
        self.flush();
        let runs = runs::run(count, parallel).map_err(Error::Fork)?;
        if let Runs::Run(_) = runs {
            self.begin_child()?;
        }
        Ok(runs)
    }

    /// Separates this process from its parent, which built the system: outputs continue in files of
    /// the child, and sockets stay with the parent.
    pub(crate) fn begin_child(&self) -> Result<(), Error> {
        follow_fork();
        if self.0.hub.borrow().has_any() {
            self.sockets().abandon()?;
        }
        Ok(())
    }
}
