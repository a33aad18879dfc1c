//! Exported functions of the testbench.

use std::cell::Cell;
use std::ffi::c_int;

use super::scope::{Entered, enter};
use super::symbols::{
    mb_exit, mb_exited, mb_print, mb_report, mb_served, mb_step, mb_sv_call, mb_written,
    sv_registery_ch, svAckDisabledState, svIsDisabledState,
};
use super::{CallText, SimError, vpi_control, vpi_testbench};

/// Number of argument words of `mb_sv_call`.
pub(crate) const SV_CALL_ARGS: usize = 16;

/// Polls a method once. Returns its result and status. Arguments beyond [`SV_CALL_ARGS`] are cut
/// off.
pub(crate) fn sv_call(channel: &str, method: &str, args: &[u64]) -> Result<(u64, u32), SimError> {
    if vpi_testbench::is_there() {
        return match vpi_testbench::takes_calls() {
            true => vpi_testbench::poll(channel, method, args),
            false => Err(SimError::Unregistered),
        };
    }
    let (mut channel_text, mut method_text) = (CallText::new(), CallText::new());
    let (channel, method) = (channel_text.set(channel), method_text.set(method));
    let given = args.len().min(SV_CALL_ARGS);
    let mut words = [0; SV_CALL_ARGS];
    words[..given].copy_from_slice(&args[..given]);
    let mut status = 0;

    let (call, _scope) = enter(&mb_sv_call)?;
    // SAFETY: the strings are NUL-terminated, `words` has 16 words, and all are valid during the
    // call.
    let result = unsafe { call(channel, method, given as u32, words.as_ptr(), &mut status) };
    Ok((result, status))
}

/// Reports the exit of a channel.
pub(crate) fn exit(code: u32) -> Result<(), SimError> {
    let (exit, _scope) = enter(&mb_exit)?;
    // SAFETY: it takes a number.
    unsafe { exit(code) };
    Ok(())
}

/// Reports the exit of a named channel.
pub(crate) fn exited(channel: &str, code: u32) -> Result<(), SimError> {
    if vpi_testbench::is_there() {
        vpi_testbench::exited(code);
        return Ok(());
    }
    let mut text = CallText::new();
    let channel = text.set(channel);
    let (exited, _scope) = enter(&mb_exited)?;
    // SAFETY: the name is NUL-terminated and outlives the call.
    unsafe { exited(channel, code) };
    Ok(())
}

/// True if the testbench has `mb_sv_call`.
pub(crate) fn takes_calls() -> bool {
    mb_sv_call.get().is_ok() || vpi_testbench::takes_calls()
}

/// True if the testbench has `mb_print`.
pub(crate) fn takes_lines() -> bool {
    mb_print.get().is_ok() || vpi_testbench::is_there()
}

/// Sends a line of a channel's text to the testbench.
pub(crate) fn line(channel: &str, text: &str) -> Result<(), SimError> {
    if vpi_testbench::is_there() {
        return Ok(vpi_control::print(&format!("[{channel}] {text}\n"))?);
    }
    let (mut channel_text, mut line_text) = (CallText::new(), CallText::new());
    let (channel, line) = (channel_text.set(channel), line_text.set(text));
    let (print, _scope) = enter(&mb_print)?;
    // SAFETY: the strings are NUL-terminated and outlive the call.
    unsafe { print(channel, line) };
    Ok(())
}

/// Arguments of `mb_served`.
#[derive(Debug)]
pub(crate) struct ServedArgs<'a> {
    pub(crate) channel: &'a str,
    pub(crate) slot: u32,
    pub(crate) action: u32,
    pub(crate) words: u32,
    pub(crate) args: &'a [u64; 20],
    pub(crate) ticks: u32,
    pub(crate) result: Option<u64>,
}

/// Reports a served request.
pub(crate) fn served(served: &ServedArgs<'_>) -> Result<(), SimError> {
    let mut text = CallText::new();
    let channel = text.set(served.channel);
    let answered = u32::from(served.result.is_some());
    let (call, _scope) = enter(&mb_served)?;
    // SAFETY: the name is NUL-terminated, `args` has 20 words, and both outlive the call.
    unsafe {
        call(
            channel,
            served.slot,
            served.action,
            served.words,
            served.args.as_ptr(),
            served.ticks,
            answered,
            served.result.unwrap_or_default(),
        );
    };
    Ok(())
}

/// Bytes per call of `mb_written`.
const WRITTEN_BYTES: usize = 64;

/// Reports bytes written by the library.
pub(crate) fn written(space: &str, address: u64, data: &[u8]) -> Result<(), SimError> {
    let mut text = CallText::new();
    let space = text.set(space);
    let (written, _scope) = enter(&mb_written)?;
    let mut address = address;
    for piece in data.chunks(WRITTEN_BYTES) {
        let mut bytes = [0; WRITTEN_BYTES];
        bytes[..piece.len()].copy_from_slice(piece);
        // SAFETY: the name is NUL-terminated, there are 64 bytes, and both outlive the call.
        unsafe { written(space, address, piece.len() as u32, bytes.as_ptr()) };
        address = address.wrapping_add(piece.len() as u64);
    }
    Ok(())
}

/// Registers a channel.
pub(crate) fn register_channel(channel: &str) -> Result<(), SimError> {
    let mut text = CallText::new();
    let channel = text.set(channel);
    let (register, _scope) = enter(&sv_registery_ch)?;
    // SAFETY: the name is NUL-terminated and outlives the call.
    unsafe { register(channel) };
    Ok(())
}

thread_local! {
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// True during a call from inside `mb_report`.
pub(crate) fn is_reporting() -> bool {
    REPORTING.get()
}

/// Guard that marks `mb_report` as running.
struct Reporting;

impl Reporting {
    fn begin() -> Result<Self, SimError> {
        if REPORTING.replace(true) {
            Err(SimError::Reporting)
        } else {
            Ok(Self)
        }
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        REPORTING.set(false);
    }
}

/// Sends a report; severities are 0 info, 1 warning, 2 error, 3 fatal. Refused inside another
/// report, because a failure in `mb_report` would recur endlessly.
pub(crate) fn report(severity: c_int, id: &str, text: &str) -> Result<(), SimError> {
    let _reporting = Reporting::begin()?;
    if vpi_testbench::is_there() || (mb_report.get().is_err() && vpi_testbench::is_without_dpi()) {
        return report_by_vpi(severity, id, text);
    }
    let (mut id_text, mut report_text) = (CallText::new(), CallText::new());
    let (id, text) = (id_text.set(id), report_text.set(text));
    let (report, _scope) = enter(&mb_report)?;
    // SAFETY: the strings are NUL-terminated and outlive the call.
    unsafe { report(severity, id, text) };
    Ok(())
}

/// Names of the severities of a report.
const SEVERITIES: [&str; 4] = ["info", "warning", "error", "fatal"];
const FATAL: c_int = 3;

/// Prints a report to the simulator's output. A fatal one ends the simulation with a failing
/// status.
fn report_by_vpi(severity: c_int, id: &str, text: &str) -> Result<(), SimError> {
    let name = usize::try_from(severity).ok();
    let name = name
        .and_then(|severity| SEVERITIES.get(severity))
        .unwrap_or(&"error");
    vpi_control::print(&format!("vhost: {name}: {id}: {text}\n"))?;
    // Other simulations, such as with cocotb, get the failure as the result of `mb_tick`.
    if severity >= FATAL && vpi_testbench::is_there() {
        vpi_control::finish(1)?;
    }
    Ok(())
}

/// Looks up `mb_step` and enters its scope for the lifetime of the [`StepTask`].
pub(crate) fn step() -> Result<StepTask, SimError> {
    let (step, scope) = enter(&mb_step)?;
    Ok(StepTask {
        step,
        _scope: scope,
    })
}

/// Exported task `mb_step`, ready to run.
pub(crate) struct StepTask {
    step: unsafe extern "C" fn(),
    _scope: Entered,
}

impl StepTask {
    /// Waits for the next clock, while other processes of the testbench run.
    pub(crate) fn run(&self) {
        // SAFETY: it takes no arguments, and its return value is ignored.
        unsafe { (self.step)() };
    }
}

/// True if the running imported task is being disabled, which this call acknowledges.
pub(crate) fn acknowledge_disable() -> bool {
    let Ok(is_disabled) = svIsDisabledState.get() else {
        return false;
    };
    // SAFETY: it takes no arguments, and the caller is an imported task.
    let disabled = unsafe { is_disabled() } != 0;
    if disabled && let Ok(acknowledge) = svAckDisabledState.get() {
        // SAFETY: as above, and the task is in the disabled state.
        unsafe { acknowledge() };
    }
    disabled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Absent;

    #[test]
    fn no_report_is_made_from_inside_another() {
        let reporting = Reporting::begin().unwrap();
        assert!(is_reporting());
        assert_eq!(report(2, "id", "text"), Err(SimError::Reporting));
        assert!(is_reporting());
        drop(reporting);
        assert!(!is_reporting());
    }

    #[test]
    fn absent_functions_are_named() {
        let absent = |symbol| Err(SimError::Absent(Absent { symbol }));
        assert_eq!(exit(0), absent("mb_exit"));
        assert_eq!(exited("core0", 0), absent("mb_exited"));
        assert_eq!(register_channel("core0"), absent("sv_registery_ch"));
        assert_eq!(line("core0", "text"), absent("mb_print"));
        assert_eq!(written("space", 0, &[1]), absent("mb_written"));
        assert!(!takes_lines());
        assert_eq!(report(2, "id", "text"), absent("mb_report"));
        assert_eq!(step().map(drop), absent("mb_step"));
        assert_eq!(
            sv_call("core0", "method", &[]).map(drop),
            absent("mb_sv_call")
        );
        assert!(!acknowledge_disable());
    }
}
