//! Children that continue from the present state, each as a run of its own.

use std::collections::VecDeque;
use std::io;

use super::pipe;
use crate::sim::fork::{Child, Forked, fork};
use crate::sim::supervise::{Blocked, StatusReader, StatusWriter, supervise};

/// Process that continues after [`Vhost::fork_runs`](crate::Vhost::fork_runs).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// Child, with its number from 0.
    Run(u32),
    /// Parent, after all children have ended, with their exit statuses, or 128 and the number of
    /// the signal that ended one. `None` for an unknown status.
    Over(Vec<Option<i32>>),
}

/// Run, with the pipe of its supervisor.
struct Run {
    supervisor: Child,
    reported: StatusReader,
}

impl Run {
    /// Starts a run. Returns `None` in the child.
    fn begin() -> io::Result<Option<Self>> {
        let (reported, tell) = pipe()?;
        let (mut reported, tell) = (StatusReader::new(reported), StatusWriter::new(tell));
        let blocked = Blocked::new();
        let Forked::Parent(supervisor) = fork(|| supervise(tell, None))? else {
            return Ok(None);
        };
        drop(blocked);
        if let Err(error) = reported.process() {
            supervisor.reap();
            return Err(error);
        }
        Ok(Some(Self {
            supervisor,
            reported,
        }))
    }

    /// Waits for the end of the run. Returns its exit status.
    fn wait(mut self) -> Option<i32> {
        let status = self.reported.status();
        self.supervisor.reap();
        status
    }
}

/// Forks `count` children, of which `parallel`, at least one, run at the same time. Returns in each
/// of them, and in the parent after all have ended.
///
/// # Errors
/// Fails if the process can't be forked. Earlier children have ended then.
pub(crate) fn run(count: u32, parallel: usize) -> io::Result<Runs> {
    let mut running: VecDeque<Run> = VecDeque::new();
    let mut statuses = Vec::new();
    for number in 0..count {
        if running.len() >= parallel.max(1) {
            statuses.extend(running.pop_front().map(Run::wait));
        }
        match Run::begin() {
            Ok(None) => return Ok(Runs::Run(number)),
            Ok(Some(run)) => running.push_back(run),
            Err(error) => {
                running.into_iter().for_each(|run| {
                    run.wait();
                });
                return Err(error);
            }
        }
    }
    statuses.extend(running.into_iter().map(Run::wait));
    Ok(Runs::Over(statuses))
}
