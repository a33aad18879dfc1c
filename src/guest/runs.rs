//! Children that go on from here, each as a run of its own.

use std::collections::VecDeque;
use std::io;

use crate::sim::fork::{Child, Forked, fork};

/// Process that goes on after [`Vhost::fork_runs`](crate::Vhost::fork_runs).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// Child, by its number from 0.
    Run(u32),
    /// Parent, when all children have ended. Exit statuses, or 128 and the number of the signal that ended one; `None` where one is not
    /// known.
    Over(Vec<Option<i32>>),
}

/// Forks `count` children, of which `parallel` run at once, one at least. Returns in each of them, and in the parent when all have ended.
///
/// # Errors
/// Where the process can't be forked. Children that were forked before have ended then.
pub(crate) fn run(count: u32, parallel: usize) -> io::Result<Runs> {
    let mut running: VecDeque<Child> = VecDeque::new();
    let mut statuses = Vec::new();
    for number in 0..count {
        if running.len() >= parallel.max(1) {
            statuses.extend(running.pop_front().map(Child::wait));
        }
        match fork() {
            Ok(Forked::Child) => return Ok(Runs::Run(number)),
            Ok(Forked::Parent(child)) => running.push_back(child),
            Err(error) => {
                running.into_iter().for_each(|child| {
                    child.wait();
                });
                return Err(error);
            }
        }
    }
    statuses.extend(running.into_iter().map(Child::wait));
    Ok(Runs::Over(statuses))
}
