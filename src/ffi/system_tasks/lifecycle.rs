//! System tasks from `$mb_init` to `$mb_quit`.

use std::path::Path;

use super::super::arguments::{not_empty, utf8};
use super::super::call::Call;
use super::super::checkpoint;
use super::super::error::Error;
use super::super::lifecycle;
use super::super::quit;
use super::super::systems;
use crate::attach as attachments;
use crate::messages::foreign::Severity;
use crate::sim::system_task::RunningCall;
use crate::sim::{SimError, scope, vpi_control, vpi_testbench};
use crate::system::{InitPaths, WatchdogTimeout};

/// Text of an argument.
pub(super) fn text(
    running: &RunningCall,
    index: usize,
    argument: &'static str,
) -> Result<String, Error> {
    let bytes = running.text(index).map_err(SimError::from)?;
    Ok(utf8(&bytes, argument)?.to_owned())
}

/// Path or name in an argument, which is not empty.
pub(super) fn named(
    running: &RunningCall,
    index: usize,
    argument: &'static str,
) -> Result<String, Error> {
    not_empty(text(running, index, argument)?, argument)
}

/// Number of an argument, zero-extended: an address, a count or an identifier.
pub(super) fn number(running: &RunningCall, index: usize) -> Result<u64, Error> {
    Ok(running.number(index).map_err(SimError::from)?)
}

/// Number of an argument, sign-extended if the argument is signed: data.
pub(super) fn signed_number(running: &RunningCall, index: usize) -> Result<u64, Error> {
    Ok(running.signed_number(index).map_err(SimError::from)?)
}

/// Text of an argument; `None` if it is empty or missing.
fn optional(
    running: &RunningCall,
    index: usize,
    argument: &'static str,
) -> Result<Option<String>, Error> {
    if !running.has(index) {
        return Ok(None);
    }
    let text = text(running, index, argument)?;
    Ok((!text.is_empty()).then_some(text))
}

/// Builds the system.
pub(super) fn init(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let mem_cfg = optional(running, 0, "mem_cfg")?;
    let mailbox_cfg = optional(running, 1, "mailbox_cfg")?;
    let fs_root = optional(running, 2, "fs_root")?;
    systems::adopt_scope(call.usable_strand()?)?;
    call.reject_reentrant()?;
    call.system_state()?.start(InitPaths {
        mem_cfg: mem_cfg.map(Into::into),
        mailbox_cfg: mailbox_cfg.map(Into::into),
        fs_root: fs_root.map(Into::into),
    })?;
    Ok(0)
}

/// Opens or finds the system of the scope. Later calls from that scope, and from scopes inside of
/// it, use it.
pub(super) fn system_of_scope(call: &mut Call, _: &RunningCall) -> Result<i64, Error> {
    let strand = call.usable_strand()?;
    let symbol = "vpi_handle";
    let caller = scope::of_caller_of_init().ok_or(SimError::NoScope { symbol })?;
    systems::of_scope(strand, caller)?;
    Ok(0)
}

/// Executes one tick. Returns the number of channels that have not exited, or -1 after a fatal
/// error.
pub(super) fn tick() -> i64 {
    lifecycle::mb_tick().into()
}

/// Requests a poll of all mailboxes by the next tick.
pub(super) fn notify(call: &mut Call, _: &RunningCall) -> Result<i64, Error> {
    lifecycle::notify(call)?;
    Ok(0)
}

/// Shuts the system down.
pub(super) fn shutdown(call: &mut Call, _: &RunningCall) -> Result<i64, Error> {
    lifecycle::shutdown(call)?;
    Ok(0)
}

/// Prints the status of all channels.
pub(super) fn status(call: &mut Call, _: &RunningCall) -> Result<i64, Error> {
    let status = match call.system_state()?.running()? {
        Some(vhost) => vhost.status()?,
        None => "not initialised\n".to_owned(),
    };
    vpi_control::print(&status).map_err(SimError::from)?;
    Ok(0)
}

/// Ends the simulation with an exit status.
pub(super) fn quit(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let status = number(running, 0).inspect_err(|_| {
        // The testbench expects no return.
        let _ = vpi_control::finish(255);
    })?;
    let status = vpi_control::exit_status(i32::try_from(status.min(255)).unwrap_or(255));
    if vpi_control::has_exit_status() || status == 0 {
        vpi_control::finish(status).map_err(SimError::from)?;
    } else {
        // For a simulator that ends with a status of its own: the process ends after this call.
        quit::quit(status);
    }
    Ok(0)
}

/// First exit code of a channel other than 0.
pub(super) fn exit_code(_: &mut Call, _: &RunningCall) -> Result<i64, Error> {
    Ok(vpi_testbench::exit_code().into())
}

/// Enables reports of channels that make no progress.
pub(super) fn watchdog(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let ticks = number(running, 0)?;
    let wanted = number(running, 1)?;
    let known = |known: &Severity| *known as u64 == wanted;
    let severity = Severity::ALL.into_iter().find(known);
    let severity = severity.ok_or(Error::NoSeverity(i32::try_from(wanted).unwrap_or(i32::MAX)))?;
    call.system_state()?
        .watch(WatchdogTimeout { ticks, severity })?;
    Ok(0)
}

/// Attaches loggers and checkers by name.
pub(super) fn attach(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let list = text(running, 0, "list")?;
    call.system_state()?.attach(attachments::parse(&list)?)?;
    Ok(0)
}

/// Moves the root of firmware's files.
pub(super) fn set_file_root(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let dir = named(running, 0, "dir")?;
    call.system_state()?.system()?.set_file_root(&dir)?;
    Ok(0)
}

/// Writes a checkpoint.
pub(super) fn save(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let file = named(running, 0, "file")?;
    call.reject_reentrant()?;
    call.system_state()?.system()?.save(&file)?;
    Ok(0)
}

/// Continues from a checkpoint.
pub(super) fn restore(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let file = named(running, 0, "file")?;
    checkpoint::restore(call, Path::new(&file))?;
    Ok(0)
}
