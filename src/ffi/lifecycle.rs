//! Functions from `mb_init` to `mb_shutdown`.

use std::ffi::{c_char, c_int};

use super::arguments::{optional_text, text};
use super::call::Call;
use super::error::Error;
use super::guard::{guard, guard_call};
use super::quit::{self, quit};
use super::settled_tick::{self, Tick};
use super::system_state::{name_scope, served_count};
use super::systems;
use crate::attach;
use crate::messages::foreign::Severity;
use crate::sim::current_system::current;
use crate::sim::{scope, testbench};
use crate::system::{InitPaths, WatchdogTimeout};

/// Builds the system.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_init(
    mem_cfg: *const c_char,
    mailbox_cfg: *const c_char,
    fs_root: *const c_char,
) -> c_int {
    let init = |call: &mut Call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let mem_cfg = unsafe { optional_text(mem_cfg, "mem_cfg") }?;
        // SAFETY: as above.
        let mailbox_cfg = unsafe { optional_text(mailbox_cfg, "mailbox_cfg") }?;
        // SAFETY: as above.
        let fs_root = unsafe { optional_text(fs_root, "fs_root") }?;
        systems::adopt_scope(call.usable_strand()?)?;
        call.reject_reentrant()?;
        call.system_state()?.start(InitPaths {
            mem_cfg: mem_cfg.map(Into::into),
            mailbox_cfg: mailbox_cfg.map(Into::into),
            fs_root: fs_root.map(Into::into),
        })?;
        Ok(0)
    };
    guard("mb_init", -1, |call| {
        init(call).inspect_err(|_| {
            // The report needs the scope of the exports, also for an error before the start.
            if call
                .system_state()
                .is_ok_and(|system_state| !system_state.is_running())
            {
                scope::adopt_of_init();
            }
        })
    })
}

/// Executes one tick.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_tick() -> c_int {
    match settled_tick::tick() {
        Tick::Done(served) => served,
        Tick::Begun(entered, begun) => settled_tick::finish(entered, begun),
        Tick::Unsettled(call) => tick(call),
    }
}

/// Executes a tick of a system that is not settled.
#[inline(never)]
fn tick(call: Call) -> c_int {
    guard_call(call, "mb_tick", -1, |call| {
        call.reject_reentrant()?;
        let system_state = call.system_state()?;
        let vhost = system_state.system().or_else(|error| {
            // Sockets are served without a system, too.
            system_state.flush_sockets()?;
            Err(error)
        })?;
        Ok(served_count(call.tick(system_state, &vhost)?))
    })
}

/// Requests a poll of all mailboxes by the next tick.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_notify() {
    guard("mb_notify", (), notify);
}

pub(super) fn notify(call: &mut Call) -> Result<(), Error> {
    // Without a system nothing is needed: its first tick polls anyway.
    if let Some(vhost) = call.system_state()?.running()? {
        vhost.notify();
    }
    Ok(())
}

/// Serves until every channel has exited. Time advances in the testbench's `mb_step`.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_server_run() -> c_int {
    guard("mb_server_run", 0, serve)
}

/// Return value of an imported task that was disabled, by DPI's disable protocol.
const DISABLED: c_int = 1;

fn serve(call: &mut Call) -> Result<c_int, Error> {
    call.reject_reentrant()?;
    call.system_state()?.system()?;
    let system = current();
    // Looked up after each step, because the testbench may have shut the system down meanwhile.
    while let Some(vhost) = call.system_state()?.running()? {
        if call.tick(call.system_state()?, &vhost)? == 0 || quit::is_requested() {
            break;
        }
        drop(vhost);
        let step = testbench::step()?;
        // Other processes of the testbench run during a step, and may call on any thread.
        let stepped = call.leave_during(|| step.run());
        drop(step);
        // Required by the simulator, even if another thread is inside now.
        if testbench::acknowledge_disable() {
            return Ok(DISABLED);
        }
        stepped?;
        if current() != system {
            // The system was closed.
            break;
        }
    }
    Ok(0)
}

/// Shuts the system down and ends the process.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_quit(status: c_int) {
    quit(status);
}

/// Sets the DPI scope of the testbench's exports.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_set_scope(name: *const c_char) -> c_int {
    guard("mb_set_scope", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let name = unsafe { optional_text(name, "name") }?;
        call.system_state()?;
        match name {
            None => scope::clear_name(),
            Some(name) => name_scope(name, "`name`")?,
        }
        Ok(0)
    })
}

/// Enables notification of served requests and of writes.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_observe(what: u32) {
    guard("mb_observe", (), |call| call.system_state()?.observe(what));
}

/// Enables reports of channels that make no progress.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_watchdog(ticks: u64, severity: c_int) -> c_int {
    guard("mb_watchdog", -1, |call| {
        let known = |known: &Severity| *known as c_int == severity;
        let known = Severity::ALL.into_iter().find(known);
        let severity = known.ok_or(Error::NoSeverity(severity))?;
        call.system_state()?
            .watch(WatchdogTimeout { ticks, severity })?;
        Ok(0)
    })
}

/// Attaches ready-made loggers and checkers by name.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_attach(list: *const c_char) -> c_int {
    guard("mb_attach", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let list = unsafe { text(list, "list") }?;
        call.system_state()?.attach(attach::parse(list)?)?;
        Ok(0)
    })
}

/// Shuts the system down.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_shutdown() {
    guard("mb_shutdown", (), shutdown);
}

pub(super) fn shutdown(call: &mut Call) -> Result<(), Error> {
    call.reject_reentrant()?;
    systems::stop(call.usable_strand()?)
}
