//! Methods in Python. They are polled by foreign calls, and may re-enter the bus.
//!
//! - [`failure`]: errors of the interpreter, and of operations in it.
//! - [`interpreter`]: the interpreter of the process, started if there is none.
//! - [`scripts`]: the user's modules, and the shim that runs their callbacks.
//! - [`stdout`]: standard output.
//! - [`programs`]: signals of programs started by Python.
//! - [`outcome`]: conversion of results and exceptions to a call's progress or error.
//! - [`module`]: the module `vhost`, Python's access to the system (the backdoor).
//!
//! The GIL is held while Python runs, and released when it calls back. This module never holds it
//! during a use of the bus.

mod failure;
mod interpreter;
mod module;
mod outcome;
mod programs;
mod scripts;
mod stdout;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use mailbox_rs::PtrWidth;

pub(crate) use module::{BackdoorError, Error as PyError, Host, serve};

use self::failure::Failure;
use self::module::MethodsClaim;
use self::outcome::Raised;
use self::scripts::Scripts;
use super::Callbacks;
use crate::messages::foreign::{Report, Severity};
use crate::messages::rpc::{CallError, Progress, Target};
use crate::sim::strand::CodeGuard;

/// Id of reports about errors in Python that do not belong to a call.
const ID: &str = "python";

/// Report of a system that can't have methods in Python.
const OTHER_SYSTEM: &str = "another system of this process has the methods in Python, which are of one system at a time: calls are not looked \
                            for there until it is shut down";

/// Methods of one system in Python. The modules are imported at the first call.
pub(crate) struct Python {
    /// Width of each channel's results. Channels that are not served accept any width.
    widths: HashMap<String, PtrWidth>,
    /// Receiver of reports.
    callbacks: Rc<Callbacks>,
    modules: RefCell<ModuleState>,
    /// True if there were tasks at the last notification.
    tasks: Cell<bool>,
    on_tasks: OnceCell<Box<dyn Fn(bool)>>,
    /// Right to have the methods, taken before the import.
    claim: RefCell<Option<MethodsClaim>>,
    /// True after the report that another system has the methods.
    is_claim_reported: Cell<bool>,
}

/// State of the modules.
#[derive(Clone)]
enum ModuleState {
    /// Not imported, because no call was made.
    New,
    /// Being imported.
    Loading,
    /// Ready for calls.
    Ready(Rc<Scripts>),
    /// Failed to import. Every call returns this error.
    Broken(Rc<str>),
}

impl Python {
    /// Creates the methods without importing modules or starting the interpreter.
    pub(crate) fn new(widths: HashMap<String, PtrWidth>, callbacks: Rc<Callbacks>) -> Self {
        Self {
            widths,
            callbacks,
            modules: RefCell::new(ModuleState::New),
            tasks: Cell::new(false),
            on_tasks: OnceCell::new(),
            claim: RefCell::new(None),
            is_claim_reported: Cell::new(false),
        }
    }

    /// Polls a method once.
    pub(super) fn call(
        &self,
        channel: &str,
        method: &str,
        args: &[u64],
    ) -> Result<Progress, CallError> {
        let raised = |cause: String| CallError::Raised {
            target: Target::Method(method.into()),
            cause,
        };
        // Cloned, because Python may re-enter here during the call.
        let modules = self.modules.borrow().clone();
        let scripts = match modules {
            ModuleState::Ready(scripts) => scripts,
            ModuleState::New if !self.claim() => return Ok(Progress::Absent),
            ModuleState::New => self.load().map_err(|cause| raised(cause.to_string()))?,
            // A module has re-entered the bus during its import, and another channel makes a call.
            ModuleState::Loading => return Ok(Progress::Pending),
            ModuleState::Broken(cause) => return Err(raised(cause.to_string())),
        };
        let width = self.widths.get(channel).copied().unwrap_or(PtrWidth::P8);
        let mut warning = None;
        let answer = interpreter::attached(|py| {
            let answer = scripts.poll(py, channel, method, args, width);
            if !matches!(answer, Ok(Progress::Absent)) {
                self.notify_of_tasks(scripts.tasks_alive(py));
            }
            if matches!(answer, Ok(Progress::Pending)) {
                warning = scripts.warning(py);
            }
            answer
        });
        if let Some(text) = warning {
            self.report(Severity::Warning, text);
        }
        answer.map_err(|failure| raised(failure.to_string()))
    }

    /// Runs one iteration of the event loop, if the shim has one.
    pub(super) fn tick(&self) {
        self.with_scripts(|py, scripts| scripts.tick(py));
    }

    /// Cancels a channel's pending calls.
    pub(super) fn cancel(&self, channel: &str) {
        self.with_scripts(|py, scripts| scripts.cancel(py, channel));
    }

    /// Registers a callback for the start and the end of tasks.
    pub(super) fn on_tasks(&self, callback: Box<dyn Fn(bool)>) {
        // Set once, when the system is built.
        let _ = self.on_tasks.set(callback);
    }

    fn with_scripts(&self, act: impl FnOnce(pyo3::Python<'_>, &Scripts) -> Result<(), Raised>) {
        let modules = self.modules.borrow().clone();
        let ModuleState::Ready(scripts) = modules else {
            return;
        };
        let outcome = interpreter::attached(|py| {
            let outcome = act(py, &scripts);
            self.notify_of_tasks(scripts.tasks_alive(py));
            outcome
        });
        if let Err(failure) = outcome {
            self.report(Severity::Error, failure.to_string());
        }
    }

    fn report(&self, severity: Severity, text: String) {
        let id = ID.to_owned();
        self.callbacks.report(&Report { severity, id, text });
    }

    fn load(&self) -> Result<Rc<Scripts>, Failure> {
        self.modules.replace(ModuleState::Loading);
        let loaded = interpreter::start()
            .map_err(Failure::from)
            .and_then(|()| interpreter::attached(Scripts::load));
        match loaded {
            Ok(scripts) => {
                let scripts = Rc::new(scripts);
                self.modules.replace(ModuleState::Ready(scripts.clone()));
                for note in scripts.notes() {
                    self.report(Severity::Warning, note.clone());
                }
                Ok(scripts)
            }
            Err(failure) => {
                let cause = failure.to_string().into();
                self.modules.replace(ModuleState::Broken(cause));
                Err(failure)
            }
        }
    }

    /// Takes the right to have methods in Python for this system. Returns false if another system
    /// of the process has it, which is reported once.
    fn claim(&self) -> bool {
        let Some(claim) = MethodsClaim::take() else {
            if !self.is_claim_reported.replace(true) {
                self.report(Severity::Info, OTHER_SYSTEM.to_owned());
            }
            return false;
        };
        self.claim.replace(Some(claim));
        true
    }

    /// Reports a change. The callback only posts a message.
    fn notify_of_tasks(&self, alive: bool) {
        let _library = CodeGuard::library();
        if self.tasks.replace(alive) != alive
            && let Some(callback) = self.on_tasks.get()
        {
            callback(alive);
        }
    }
}

impl fmt::Debug for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules = match &*self.modules.borrow() {
            ModuleState::New => "New",
            ModuleState::Loading => "Loading",
            ModuleState::Ready(_) => "Ready",
            ModuleState::Broken(_) => "Broken",
        };
        f.debug_struct("Python")
            .field("modules", &modules)
            .field("tasks", &self.tasks)
            .finish_non_exhaustive()
    }
}
