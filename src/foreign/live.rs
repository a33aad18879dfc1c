//! Implementation of the foreign calls: the simulator through DPI, memory backends, callbacks of
//! the host program, Python.

use std::io::Write as _;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use mailbox_rs::Timestamp;
use thiserror::Error;

use super::report::{notified, report_failure};
use super::write_notifier::WriteNotifier;
use super::{Callbacks, Foreign, Paths, Python};
use crate::guest::quietly;
use crate::mem::{AccessError, MemoryMap, OpOutcome, Store, execute};
use crate::messages::foreign::{Access, ConsoleLine, NotifyError, Report, Served, Unset};
use crate::messages::rpc::{CallError, Progress, Target};
use crate::sim::{CStdout, SimError, testbench, vpi_testbench};

/// All endpoints outside of the bus.
pub(crate) struct RealForeign {
    map: Rc<MemoryMap>,
    /// Memory backends.
    store: Rc<dyn Store>,
    callbacks: Rc<Callbacks>,
    python: Python,
    paths: Paths,
}

impl RealForeign {
    /// Creates the endpoints. The simulator is the program that has loaded the library; `store` has
    /// the memories of `map`.
    pub(crate) fn new(
        map: Rc<MemoryMap>,
        store: Rc<dyn Store>,
        callbacks: Rc<Callbacks>,
        python: Python,
        paths: Paths,
    ) -> Self {
        Self {
            map,
            store,
            callbacks,
            python,
            paths,
        }
    }
}

impl Foreign for RealForeign {
    fn access(&self, access: &Access) -> Result<OpOutcome, AccessError> {
        if access.observed {
            let notifier = WriteNotifier {
                store: &*self.store,
                map: &self.map,
                space: access.space,
            };
            execute(&notifier, &access.op)
        } else {
            execute(&*self.store, &access.op)
        }
    }

    fn host_call(
        &self,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<Progress, CallError> {
        self.callbacks.call(channel, target, args)
    }

    fn py_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, CallError> {
        self.python.call(channel, method, args)
    }

    fn py_tick(&self) {
        self.python.tick();
    }

    fn py_cancel(&self, channel: &str) {
        self.python.cancel(channel);
    }

    fn on_py_tasks(&self, callback: Box<dyn Fn(bool)>) {
        self.python.on_tasks(callback);
    }

    fn has_sv_call(&self) -> bool {
        testbench::takes_calls()
    }

    fn sv_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, CallError> {
        let target = || Target::Method(method.into());
        let called = testbench::sv_call(channel, method, args);
        // A simulator without DPI can't have it.
        if matches!(called, Err(SimError::Absent(_))) && vpi_testbench::is_without_dpi() {
            return Ok(Progress::Absent);
        }
        let (result, status) = called.map_err(|error| CallError::Unreachable {
            target: target(),
            cause: format!("the host program has not registered it, and {error}"),
        })?;
        progress(result, status).map_err(|cause| CallError::Raised {
            target: target(),
            cause: cause.to_string(),
        })
    }

    fn exit(&self, channel: &str, code: u32) {
        report_failure("mb_exited", testbench::exited(channel, code));
        report_failure("mb_exit", testbench::exit(code));
    }

    fn register(&self, channel: &str) -> Result<(), NotifyError> {
        notified(testbench::register_channel(channel))
    }

    fn line(&self, line: &ConsoleLine) {
        if testbench::line(&line.channel, &line.text).is_err() {
            // If the console fails too, no output is left for a report.
            let text = format!("[{}] {}\n", line.channel, line.text);
            let _ = quietly(|| {
                CStdout
                    .write_all(text.as_bytes())
                    .and_then(|()| CStdout.flush())
            });
        }
    }

    fn served(&self, served: &Served) {
        let entry = &served.entry;
        let reported = testbench::served(&testbench::ServedArgs {
            channel: &served.channel,
            slot: served.slot,
            action: entry.action,
            words: entry.words,
            args: &entry.args,
            ticks: u32::try_from(served.ticks).unwrap_or(u32::MAX),
            result: served.result,
        });
        report_failure("mb_served", reported);
    }

    fn report(&self, report: &Report) {
        self.callbacks.report(report);
    }

    fn expand_path(&self, path: &str) -> Result<String, Unset> {
        self.paths.expand(path)
    }

    fn wall_time(&self) -> Timestamp {
        // A clock before 1970 counts as 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp::from_nanoseconds(since.unwrap_or_default().as_nanos())
    }

    fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }
}

/// A status outside of the range of `mb_sv_call`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("`mb_sv_call` returned status {0}; valid are 0 to 3")]
struct WrongStatus(u32);

/// Decodes the result and status of `mb_sv_call`.
fn progress(result: u64, status: u32) -> Result<Progress, WrongStatus> {
    match status {
        0 => Ok(Progress::Ready(result)),
        1 => Ok(Progress::Pending),
        2 => Ok(Progress::Absent),
        3 => Ok(Progress::Failed),
        other => Err(WrongStatus(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        assert_eq!(progress(7, 0), Ok(Progress::Ready(7)));
        assert_eq!(progress(7, 1), Ok(Progress::Pending));
        assert_eq!(progress(7, 2), Ok(Progress::Absent));
        assert_eq!(progress(7, 3), Ok(Progress::Failed));
        assert_eq!(progress(7, 4), Err(WrongStatus(4)));
    }
}
