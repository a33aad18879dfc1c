//! Foreign calls: the bus's interface to code outside of it.
//!
//! An actor makes a foreign call by posting a message of
//! [`messages::foreign`](crate::messages::foreign). The bus passes it to a [`Foreign`] while no
//! actor runs, because the called code may re-enter the bus.

mod callbacks;
pub(crate) mod host_code;
mod live;
mod measured;
mod paths;
#[cfg(feature = "python")]
pub(crate) mod python;
mod report;
#[cfg(not(feature = "python"))]
mod without_python;
mod write_notifier;

use mailbox_rs::Timestamp;

pub use callbacks::{CallResult, FileOpener, Openers, SpecialFile};
pub(crate) use callbacks::{Callbacks, OnReport};
pub(crate) use live::RealForeign;
pub(crate) use measured::{is_measured, measure};
pub(crate) use paths::Paths;
#[cfg(feature = "python")]
pub(crate) use python::Python;
pub(crate) use report::{report, report_without_testbench};
#[cfg(not(feature = "python"))]
pub(crate) use without_python::Python;

use crate::mem::{AccessError, OpOutcome};
use crate::messages::Name;
use crate::messages::foreign::{
    Access, ConsoleLine, Inbox, NotifyError, Report, Served, Severity, Unset,
};
use crate::messages::rpc::{CallError, PollOutcome, Progress, Provider, Target};
use crate::sim::call_timeout;
use crate::sim::testbench::SV_CALL_ARGS;

/// All foreign calls of the system. Each method may re-enter the system before it returns, so no
/// borrow may be held during the call.
pub(crate) trait Foreign {
    /// Executes a memory access that is at least partly outside of this process.
    fn access(&self, access: &Access) -> Result<OpOutcome, AccessError>;

    /// Polls a method or custom command of the host program once.
    fn host_call(
        &self,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<Progress, CallError>;

    /// Polls a Python method once. Without Python all methods are absent.
    fn py_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, CallError>;

    /// Runs one iteration of Python's event loop.
    fn py_tick(&self);

    /// Cancels a channel's pending calls in Python.
    fn py_cancel(&self, channel: &str);

    /// Registers a callback for the start and the end of Python tasks. Only
    /// [`py_tick`](Self::py_tick) advances such tasks.
    fn on_py_tasks(&self, callback: Box<dyn Fn(bool)>);

    /// True if the testbench has methods.
    fn has_sv_call(&self) -> bool;

    /// Polls a method of the testbench once.
    fn sv_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, CallError>;

    /// Notifies the testbench of a channel's exit.
    fn exit(&self, channel: &str, code: u32);

    /// Registers a channel with the testbench.
    ///
    /// # Errors
    /// [`NotifyError`] if the testbench has the function, but can't be called now.
    fn register(&self, channel: &str) -> Result<(), NotifyError>;

    /// Prints a line of a channel's text.
    fn line(&self, line: &ConsoleLine);

    /// Notifies the testbench of a served request.
    fn served(&self, served: &Served);

    /// Shows a report to the user.
    fn report(&self, report: &Report);

    /// Expands the variables in a path from firmware.
    fn expand_path(&self, path: &str) -> Result<String, Unset>;

    /// Reads the wall time, since 1970.
    fn wall_time(&self) -> Timestamp;

    /// Callbacks of the host program, which also have its special files.
    fn callbacks(&self) -> &Callbacks;
}

/// Makes one foreign call and sends its reply.
pub(crate) fn dispatch(foreign: &dyn Foreign, call: Inbox) {
    match call {
        Inbox::Access(call) => {
            let outcome = foreign.access(&call.message);
            if let Err(error) = &outcome
                && (!call.reply.is_awaited() || call.reply.is_receiver_dropped())
            {
                report_failed(foreign, error);
            }
            call.reply.send(outcome);
        }
        // The calling channel was reset, or has failed. A method must not go on with a dropped
        // call.
        Inbox::HostCall(call) if call.reply.is_receiver_dropped() => {}
        Inbox::MethodCall(call) if call.reply.is_receiver_dropped() => {}
        Inbox::HostCall(call) => {
            let ask = &call.message;
            let reply = poll(foreign, &ask.channel, &ask.target, &ask.args, true);
            call.reply.send(reply);
        }
        Inbox::MethodCall(call) => {
            let ask = &call.message;
            let reply = method_call(foreign, &ask.channel, &ask.method, &ask.args);
            call.reply.send(reply);
        }
        Inbox::PyTick(call) => {
            foreign.py_tick();
            call.reply.send(());
        }
        Inbox::PyCancel(call) => {
            foreign.py_cancel(&call.message.channel);
            call.reply.send(());
        }
        Inbox::Exit(call) => {
            foreign.exit(&call.message.channel, call.message.code);
            call.reply.send(());
        }
        Inbox::Register(call) => {
            call.reply.send(foreign.register(&call.message.channel));
        }
        Inbox::ConsoleLine(call) => {
            foreign.line(&call.message);
            call.reply.send(());
        }
        Inbox::Served(call) => {
            foreign.served(&call.message);
            call.reply.send(());
        }
        Inbox::Report(call) => {
            foreign.report(&call.message);
            call.reply.send(());
        }
        Inbox::FrameReport(call) => {
            foreign.report(&call.message.0);
            call.reply.send(());
        }
        Inbox::ExpandPath(call) => {
            call.reply.send(foreign.expand_path(&call.message.path));
        }
        Inbox::WallTime(call) => call.reply.send(foreign.wall_time()),
        Inbox::OpenSpecial(call) => {
            let ask = call.message;
            let opened = foreign.callbacks().open(&ask.opener, &ask.path, ask.flags);
            call.reply.send(opened);
        }
        Inbox::ReadSpecial(call) => {
            let ask = call.message;
            call.reply.send(foreign.callbacks().read(ask.file, ask.len));
        }
        Inbox::WriteSpecial(call) => {
            let ask = &call.message;
            let written = foreign.callbacks().write(ask.file, &ask.data);
            call.reply.send(written);
        }
        Inbox::SeekSpecial(call) => {
            let ask = call.message;
            let sought = foreign.callbacks().seek(ask.file, ask.position);
            call.reply.send(sought);
        }
        Inbox::CloseSpecial(call) => {
            foreign.callbacks().close(call.message.file);
            call.reply.send(());
        }
    }
}

/// Reports the error of an access whose result is not awaited.
pub(crate) fn report_failed(foreign: &dyn Foreign, error: &AccessError) {
    foreign.report(&Report {
        severity: Severity::Error,
        id: "memory".to_owned(),
        text: error.to_string(),
    });
}

/// Polls a target once: in the host program if `offered` is true, else as a method in Python or in
/// the testbench.
pub(crate) fn poll(
    foreign: &dyn Foreign,
    channel: &str,
    target: &Target,
    args: &[u64],
    offered: bool,
) -> Result<PollOutcome, CallError> {
    match target {
        Target::Method(method) if !offered => method_call(foreign, channel, method, args),
        target => {
            let reply = foreign.host_call(channel, target, args);
            reply.map(|progress| Provider::HostProgram.outcome(progress))
        }
    }
}

/// Polls a method in Python, or in the testbench if Python lacks it.
// A pending call is polled on every tick.
#[inline(always)]
fn method_call(
    foreign: &dyn Foreign,
    channel: &str,
    method: &Name,
    args: &[u64],
) -> Result<PollOutcome, CallError> {
    match foreign.py_call(channel, method, args)? {
        Progress::Absent if args.len() > SV_CALL_ARGS && foreign.has_sv_call() => {
            Err(CallError::TooManyArguments {
                target: Target::Method(method.clone()),
                given: args.len(),
            })
        }
        Progress::Absent => {
            let progress = foreign.sv_call(channel, method, args)?;
            if progress == Progress::Pending {
                call_timeout::note_pending(channel, method);
            }
            Ok(Provider::Testbench.outcome(progress))
        }
        progress => Ok(Provider::Python.outcome(progress)),
    }
}
