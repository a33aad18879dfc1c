//! Methods in Python: who has them is asked by a call from the bus, and what runs there may come back to it.
//!
//! - [`interpreter`]: the one of the process, which is started where there is none.
//! - [`scripts`]: the user's modules, and the shim that runs their callbacks.
//! - [`stdout`]: where Python prints.
//! - [`programs`]: signals of programs that Python starts.
//! - [`outcome`]: what Python answers, as a call's progress or as an error to read.
//! - [`module`]: what Python may ask in turn, the backdoor: module `vhost`.
//!
//! The GIL is held while Python runs, and let go of whenever it calls back: nothing here holds it across the bus.

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
use thiserror::Error;

pub(crate) use module::{Host, Refused, serve};

use self::interpreter::StartError;
use self::outcome::Raised;
use self::scripts::Scripts;
use super::Callbacks;
use crate::messages::foreign::{Report, Severity};
use crate::messages::rpc::{CallError, Progress, Target};
use crate::sim::strand::Abroad;

/// Under this name Python's errors are reported that belong to no call.
const ID: &str = "python";

/// The methods that one system has in Python. Its modules are imported at the first call.
pub(crate) struct Python {
    /// How wide a result each channel takes; one that is not served takes any.
    widths: HashMap<String, PtrWidth>,
    /// Whoever shows what there is to report.
    callbacks: Rc<Callbacks>,
    stage: RefCell<Stage>,
    /// Whether there were tasks when it was last told.
    tasks: Cell<bool>,
    tell: OnceCell<Box<dyn Fn(bool)>>,
}

/// How far the modules are.
#[derive(Clone)]
enum Stage {
    /// Nobody has called yet.
    New,
    /// They are being imported.
    Loading,
    /// They can be called.
    Ready(Rc<Scripts>),
    /// They can't be imported; every call says so.
    Broken(Rc<str>),
}

/// Why Python can't do what it was asked for.
#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(
        "Python can't be called any more: it has ended in this process, or the process was forked without mb_fork_prepare"
    )]
    Ended,
    #[error(transparent)]
    Raised(#[from] Raised),
}

impl Python {
    /// No module is imported yet, and no interpreter started.
    pub(crate) fn new(widths: HashMap<String, PtrWidth>, callbacks: Rc<Callbacks>) -> Self {
        Self {
            widths,
            callbacks,
            stage: RefCell::new(Stage::New),
            tasks: Cell::new(false),
            tell: OnceCell::new(),
        }
    }

    /// Asks a method once.
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
        // Cloned out: Python may come back while this runs.
        let stage = self.stage.borrow().clone();
        let scripts = match stage {
            Stage::Ready(scripts) => scripts,
            Stage::New => self.load().map_err(|cause| raised(cause.to_string()))?,
            // What is being imported has come back, and with it another channel's turn.
            Stage::Loading => return Ok(Progress::Pending),
            Stage::Broken(cause) => return Err(raised(cause.to_string())),
        };
        let width = self.widths.get(channel).copied().unwrap_or(PtrWidth::P8);
        let mut warning = None;
        let answer = interpreter::attached(|py| {
            let answer = scripts.poll(py, channel, method, args, width);
            if !matches!(answer, Ok(Progress::Absent)) {
                self.tell_of_tasks(scripts.tasks_alive(py));
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

    /// One turn of the event loop, where the shim has one.
    pub(super) fn tick(&self) {
        self.with_scripts(|py, scripts| scripts.tick(py));
    }

    /// Cancels what a channel has called and is not over.
    pub(super) fn cancel(&self, channel: &str) {
        self.with_scripts(|py, scripts| scripts.cancel(py, channel));
    }

    /// Tells from now on when there begin to be tasks, and when there are none any more.
    pub(super) fn on_tasks(&self, tell: Box<dyn Fn(bool)>) {
        // Said once, when the system is built.
        let _ = self.tell.set(tell);
    }

    fn with_scripts(&self, act: impl FnOnce(pyo3::Python<'_>, &Scripts) -> Result<(), Raised>) {
        let stage = self.stage.borrow().clone();
        let Stage::Ready(scripts) = stage else {
            return;
        };
        let outcome = interpreter::attached(|py| {
            let outcome = act(py, &scripts);
            self.tell_of_tasks(scripts.tasks_alive(py));
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
        self.stage.replace(Stage::Loading);
        let loaded = interpreter::start()
            .map_err(Failure::from)
            .and_then(|()| interpreter::attached(Scripts::load));
        match loaded {
            Ok(scripts) => {
                let scripts = Rc::new(scripts);
                self.stage.replace(Stage::Ready(scripts.clone()));
                if let Some(note) = scripts.note() {
                    self.report(Severity::Warning, note.to_owned());
                }
                Ok(scripts)
            }
            Err(failure) => {
                let cause = failure.to_string().into();
                self.stage.replace(Stage::Broken(cause));
                Err(failure)
            }
        }
    }

    /// Posts a message where that has changed; it calls nobody.
    fn tell_of_tasks(&self, alive: bool) {
        let _home = Abroad::go(false);
        if self.tasks.replace(alive) != alive
            && let Some(tell) = self.tell.get()
        {
            tell(alive);
        }
    }
}

impl fmt::Debug for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &*self.stage.borrow() {
            Stage::New => "New",
            Stage::Loading => "Loading",
            Stage::Ready(_) => "Ready",
            Stage::Broken(_) => "Broken",
        };
        f.debug_struct("Python")
            .field("stage", &stage)
            .field("tasks", &self.tasks)
            .finish_non_exhaustive()
    }
}
