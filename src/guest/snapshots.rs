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

/// The newest snapshots of a run. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Snapshots {
    kept: VecDeque<Snapshot>,
    most: usize,
    /// Process that has taken them, and may wake them.
    generation: u32,
}

/// Sleeping process that supervises the rerun once it is woken. It ends when no process can wake it
/// any more.
#[derive(Debug)]
struct Snapshot {
    process: Child,
    wake: PipeWriter,
    told: StatusReader,
    tick: u64,
}

/// Process that goes on after a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContinuedProcess {
    /// The one that took it.
    Here,
    /// The snapshot, which was woken.
    Woken,
}

/// A snapshot that was woken and has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rerun {
    /// Tick at which it was taken.
    pub tick: u64,
    /// Exit status, or 128 and the number of the signal that ended it; `None` where it is not known.
    pub status: Option<i32>,
}

/// Sent to a snapshot that is to wake.
const WAKE: u8 = b'w';

/// Sent to a snapshot that is to end. A closed pipe does not say so: another child of the process may have it open.
const END: u8 = b'e';

/// Longest wait for the end of a snapshot that sleeps. One that is stopped ends when it is continued.
const PATIENCE: Duration = Duration::from_secs(1);

impl Snapshots {
    /// None yet; of those to come, the `most` newest are kept.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            most,
            generation: 0,
        }
    }

    /// Number of snapshots that are kept at most.
    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// Forgets the snapshots of another process: only the one that has taken them may wake them and wait for them.
    fn disown(&mut self) {
        let here = generation();
        if self.generation != here {
            self.generation = here;
            self.kept.clear();
        }
    }

    /// Takes a snapshot, and ends the oldest one where there are too many. In a snapshot it returns when that is woken.
    ///
    /// # Errors
    /// Where the process can't be forked.
    pub(crate) fn take(&mut self, tick: u64) -> io::Result<ContinuedProcess> {
        self.disown();
        let (sleeps, wake) = pipe()?;
        let (told, tell) = pipe()?;
        let parent = this_process().map(above_standard).transpose()?;
        let (mut told, tell) = (StatusReader::new(told), StatusWriter::new(tell));
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
        let process = told.process()?;
        self.kept.push_back(Snapshot {
            process,
            wake,
            told,
            tick,
        });
        while self.kept.len() > self.most {
            self.kept.pop_front().into_iter().for_each(Snapshot::end);
        }
        Ok(ContinuedProcess::Here)
    }

    /// Wakes the newest snapshot that is there, and waits for the end of its run; ends the others. `None` where none was taken.
    ///
    /// # Errors
    /// No snapshot that can be woken: all have ended.
    pub(crate) fn rerun(&mut self) -> io::Result<Option<Rerun>> {
        self.disown();
        flush_streams();
        let mut failed = None;
        while let Some(mut snapshot) = self.kept.pop_back() {
            let tick = snapshot.tick;
            match snapshot.wake() {
                Ok(()) => {
                    self.end();
                    let status = snapshot.told.status();
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
    /// Has it run again.
    fn wake(&mut self) -> io::Result<()> {
        super::quietly(|| self.wake.write_all(&[WAKE]))?;
        self.told.process().map(|_| ())
    }

    fn end(mut self) {
        // A failed write means that it has ended.
        let _ = super::quietly(|| self.wake.write_all(&[END]));
        self.reap();
    }

    /// Waits until it has ended. Where its parent has, it may be a child of this process.
    fn reap(self) {
        if self.told.is_over(PATIENCE) {
            self.process.reap();
        }
    }
}

/// Makes this process, just forked, a snapshot. Returns when it was woken, in a child of it.
fn sleep(sleeps: PipeReader, mut tell: StatusWriter, parent: Option<OwnedFd>) {
    detach(&mut tell);
    if byte_from(sleeps, parent.as_ref()) != Some(WAKE) {
        leave();
    }
    supervise(tell, parent.as_ref());
}
