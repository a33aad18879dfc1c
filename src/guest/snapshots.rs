//! Copies of the process that sleep until they are needed.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::{above_standard, pipe};
use crate::sim::fork::{Child, Forked, flush_streams, fork, leave};
use crate::sim::generation::generation;
use crate::sim::supervise::{
    Blocked, StatusReader, StatusWriter, byte_from, detach, supervise, this_process,
};

/// Newest snapshots of a run. Dropping this value ends them.
#[derive(Debug)]
pub(crate) struct Snapshots {
    kept: VecDeque<Snapshot>,
    most: usize,
    /// Generation of the process that has taken them, and may wake them.
    generation: u32,
}

/// Sleeping process, which supervises the rerun after it is woken. It ends when no process can wake
/// it any more.
#[derive(Debug)]
struct Snapshot {
    process: Child,
    wake: PipeWriter,
    reported: StatusReader,
    tick: u64,
}

/// Process that continues after a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContinuedProcess {
    /// The one that took it.
    Here,
    /// Snapshot that was woken.
    Woken,
}

/// Ended rerun of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rerun {
    /// Tick of the snapshot.
    pub tick: u64,
    /// Exit status, or 128 and the number of the signal that ended it; `None` if it is not known.
    pub status: Option<i32>,
}

/// Message that wakes a snapshot.
const WAKE: u8 = b'w';

/// Message that ends a snapshot. Closing the pipe is not sufficient, because another child of the
/// process may have it open.
const END: u8 = b'e';

/// Maximum wait for the end of a sleeping snapshot. A stopped one ends when it is continued.
const MAX_WAIT: Duration = Duration::from_secs(1);

impl Snapshots {
    /// Creates the value without snapshots. At most the `most` newest are kept.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            most,
            generation: 0,
        }
    }

    /// Maximum number of snapshots.
    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// Drops the snapshots of another process, because only the process that has taken them may
    /// wake them and wait for them.
    fn disown(&mut self) {
        let here = generation();
        if self.generation != here {
            self.generation = here;
            self.kept.clear();
        }
    }

    /// Takes a snapshot, and ends the oldest one if there are too many. In the snapshot, this
    /// function returns when it is woken.
    ///
    /// # Errors
    /// Where the process can't be forked.
    pub(crate) fn take(&mut self, tick: u64) -> io::Result<ContinuedProcess> {
        self.disown();
        let (sleeps, wake) = pipe()?;
        let (reported, tell) = pipe()?;
        let parent = this_process().map(above_standard).transpose()?;
        let (mut reported, tell) = (StatusReader::new(reported), StatusWriter::new(tell));
        let blocked = Blocked::new();
        let kept = &mut self.kept;
        let forked = fork(|| {
            kept.clear();
            sleep(sleeps, tell, parent);
        })?;
        let Forked::Parent(between) = forked else {
            return Ok(ContinuedProcess::Woken);
        };
        blocked.reap(between);
        drop(blocked);
        let process = reported.process()?;
        self.kept.push_back(Snapshot {
            process,
            wake,
            reported,
            tick,
        });
        while self.kept.len() > self.most {
            self.kept.pop_front().into_iter().for_each(Snapshot::end);
        }
        Ok(ContinuedProcess::Here)
    }

    /// Wakes the newest existing snapshot, and waits for the end of its run. Ends the others.
    /// `None` if no snapshot was taken.
    ///
    /// # Errors
    /// Fails if no snapshot can be woken, because all have ended.
    pub(crate) fn rerun(&mut self) -> io::Result<Option<Rerun>> {
        self.disown();
        flush_streams();
        let mut failed = None;
        while let Some(mut snapshot) = self.kept.pop_back() {
            let tick = snapshot.tick;
            match snapshot.wake() {
                Ok(()) => {
                    self.end();
                    let status = snapshot.reported.status();
                    snapshot.reap();
                    return Ok(Some(Rerun { tick, status }));
                }
                Err(error) => {
                    tracing::warn!(target: "vhost::fork", "the snapshot of tick {tick} can't be woken: {error}");
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// Ends all snapshots.
    pub(crate) fn end(&mut self) {
        self.disown();
        self.kept.drain(..).for_each(Snapshot::end);
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.end();
    }
}

impl Snapshot {
    /// Wakes the snapshot.
    fn wake(&mut self) -> io::Result<()> {
        super::quietly(|| self.wake.write_all(&[WAKE]))?;
        self.reported.process().map(|_| ())
    }

    fn end(mut self) {
        // A failed write means that the snapshot has ended.
        let _ = super::quietly(|| self.wake.write_all(&[END]));
        self.reap();
    }

    /// Waits until the snapshot has ended. After the end of its parent, it may be a child of this
    /// process.
    fn reap(self) {
        if self.reported.is_over(MAX_WAIT) {
            self.process.reap();
        }
    }
}

/// Makes this process, just forked, a snapshot. Returns in a child of it when it was woken.
fn sleep(sleeps: PipeReader, mut tell: StatusWriter, parent: Option<OwnedFd>) {
    detach(&mut tell);
    if byte_from(sleeps, parent.as_ref()) != Some(WAKE) {
        leave();
    }
    supervise(tell, parent.as_ref());
}
