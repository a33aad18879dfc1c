//! Copies of the process that sleep until they are needed.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;

use super::above_standard;
use crate::sim::fork::{Child, Forked, flush_streams, fork, generation, leave};

/// The newest snapshots of a run. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Snapshots {
    kept: VecDeque<Snapshot>,
    most: usize,
    /// Process that has taken them, and may wake them.
    generation: u32,
}

/// A child that sleeps until it is woken. It ends where nobody can wake it any more.
#[derive(Debug)]
struct Snapshot {
    child: Child,
    wake: PipeWriter,
    tick: u64,
}

/// Which process goes on after a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
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
    pub(crate) fn take(&mut self, tick: u64) -> io::Result<Taken> {
        self.disown();
        let (sleeps, wake) = io::pipe()?;
        let sleeps: PipeReader = above_standard::<OwnedFd>(sleeps.into())?.into();
        let wake: PipeWriter = above_standard::<OwnedFd>(wake.into())?.into();
        match fork()? {
            Forked::Parent(child) => {
                self.kept.push_back(Snapshot { child, wake, tick });
                while self.kept.len() > self.most {
                    self.kept.pop_front().into_iter().for_each(Snapshot::end);
                }
                Ok(Taken::Here)
            }
            Forked::Child => {
                // All ends of pipes that are the parent's: as long as one is open here, nobody sees that the parent has ended.
                drop(wake);
                self.kept.clear();
                if is_woken(sleeps) {
                    Ok(Taken::Woken)
                } else {
                    leave()
                }
            }
        }
    }

    /// Wakes the newest snapshot and waits for its end; ends the others. `None` where there is none.
    ///
    /// # Errors
    /// Where it has ended already.
    pub(crate) fn rerun(&mut self) -> io::Result<Option<Rerun>> {
        self.disown();
        flush_streams();
        let newest = self.kept.pop_back();
        self.end();
        let Some(Snapshot {
            child,
            mut wake,
            tick,
        }) = newest
        else {
            return Ok(None);
        };
        let woken = super::quietly(|| wake.write_all(&[WAKE]));
        let status = child.wait();
        woken.map(|()| Some(Rerun { tick, status }))
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
    fn end(self) {
        drop(self.wake);
        self.child.wait();
    }
}

/// Sleeps until somebody says something, or nobody can any more.
fn is_woken(mut sleeps: PipeReader) -> bool {
    let mut said = [0];
    sleeps.read_exact(&mut said).is_ok() && said == [WAKE]
}
