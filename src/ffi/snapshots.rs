//! Forks, snapshots, and runs that continue from the present state.

use std::ffi::{c_char, c_int};

use super::arguments::path;
use super::error::Error;
use super::fork::Side;
use super::forked::flush;
use super::guard::{guard, guard_after_fork};
use crate::guest::Rerun;

/// Prepares for a fork by the caller.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_fork_prepare() -> c_int {
    guard("mb_fork_prepare", -1, |call| {
        let strand = call.usable_strand()?;
        if !call.is_outermost() {
            return Err(Error::Reentrant);
        }
        flush(strand);
        call.forks()?.prepare();
        call.keep();
        Ok(0)
    })
}

/// Ends a fork in the parent, also a failed one.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_fork_parent() -> c_int {
    guard_after_fork("mb_fork_parent", |call| match call.end_fork()? {
        Side::Parent => Ok(0),
        Side::Child => Err(Error::OtherSide("the child: call mb_fork_child")),
    })
}

/// Ends a fork in the child.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_fork_child() -> c_int {
    guard_after_fork("mb_fork_child", |call| match call.end_fork()? {
        Side::Child => Ok(0),
        Side::Parent => Err(Error::OtherSide("the parent: call mb_fork_parent")),
    })
}

/// Takes a snapshot every `ticks` ticks.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_snapshots(ticks: u64, keep: u32) -> c_int {
    guard("mb_snapshots", -1, |call| {
        call.reject_inside_any()?;
        call.take_snapshots(ticks, keep)?;
        Ok(0)
    })
}

/// Takes a snapshot now.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_snapshot() -> c_int {
    guard("mb_snapshot", -1, |call| {
        call.reject_inside_any()?;
        Ok(c_int::from(call.take_snapshot()?))
    })
}

/// Runs again from the newest snapshot.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_rerun() -> c_int {
    guard("mb_rerun", -1, |call| {
        call.usable_strand()?;
        // The result of the rerun may be unknown.
        match call.rerun()? {
            Some(Rerun { status, .. }) => Ok(status.unwrap_or(-1)),
            None if call.forks()?.is_rerun() => Err(Error::IsRerun),
            None => Err(Error::NoSnapshot),
        }
    })
}

/// Returns 1 if this process is a snapshot that was woken, else 0.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_is_rerun() -> c_int {
    guard("mb_is_rerun", 0, |call| {
        call.usable_strand()?;
        Ok(c_int::from(call.forks()?.is_rerun()))
    })
}

/// Forks children, each of which continues as a run of its own.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_runs(count: u32, parallel: u32) -> c_int {
    guard("mb_runs", -1, |call| {
        call.reject_inside_any()?;
        call.run_as_children(count, parallel)
    })
}

/// Exit status of a run.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_run_status(run: u32) -> c_int {
    guard("mb_run_status", -1, |call| {
        call.usable_strand()?;
        call.forks()?.status(run)
    })
}

/// Moves the root of firmware's files.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_set_file_root(dir: *const c_char) -> c_int {
    guard("mb_set_file_root", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let dir = unsafe { path(dir, "dir") }?;
        call.system_state()?.system()?.set_file_root(dir)?;
        Ok(0)
    })
}
