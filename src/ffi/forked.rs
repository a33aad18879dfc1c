//! Process after a fork, with all its systems.

use super::error::Error;
use super::fork::{FORKS, Side};
use super::system_state::SystemState;
use super::systems;
use crate::attach::follow_fork;
use crate::foreign::report;
use crate::messages::foreign::Severity;
use crate::sim::fork::PythonFork;
use crate::sim::generation::generation;
use crate::sim::strand::{self, Entered, ForkedWhile};

/// Ends a fork, in the parent or in the child. The strand is no longer kept; the caller takes it
/// over.
///
/// # Errors
/// [`Error::NotPrepared`] in a process that was neither forked nor prepared for it, [`Error::Lost`]
/// in a child without a usable host, and errors of the child's sockets.
pub(super) fn end_fork(strand: &Entered) -> Result<Side, Error> {
    let forks = FORKS.get(strand);
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
    begin_child(strand)?;
    if threads > 0 {
        let text = format!(
            "this process was forked: {threads} Python threads (asyncio.to_thread, threading, concurrent.futures) stay with its \
             parent; a call that waits for one of them does not end here"
        );
        report(Severity::Warning, "python", &text);
    }
    Ok(Side::Child)
}

/// Makes this child independent of its parent: it gets files of its own, and drops state
/// that only the parent may use.
pub(super) fn begin_child(strand: &Entered) -> Result<(), Error> {
    let forks = FORKS.get(strand);
    forks.generation.set(generation());
    // The parent wakes these. A snapshot that was woken has none.
    forks.snapshots.borrow_mut().end();
    forks.statuses.borrow_mut().clear();
    follow_fork();
    systems::each(strand, SystemState::abandon_sockets)
}

/// Writes buffered recordings of each system to their files, because a child may fill the disk.
pub(super) fn flush(strand: &Entered) {
    // The function does not fail.
    let _ = systems::each(strand, |system_state| {
        system_state.flush();
        Ok(())
    });
}
