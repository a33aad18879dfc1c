//! Environment of a system: memories, the simulator, the host program, Python and files, or a
//! recording of them.

use std::path::Path;
use std::rc::Rc;

use crate::actors::files::{Disk, Root, SpecialNames};
use crate::actors::memory::{ElidedAccesses, ForeignAccess, LocalMemory};
use crate::actors::rpc::ForeignPoll;
use crate::actors::service::FrameDecoders;
use crate::backend::Backends;
use crate::bus::Bus;
use crate::foreign::{
    Callbacks, Foreign as _, Paths, Python, RealForeign, dispatch, is_measured, measure, poll,
    report_failed,
};
use crate::mem::{AccessError, Store, execute};
use crate::messages::foreign;
use crate::system::Error;

/// Sources of nondeterminism: the live environment or a recording.
pub(crate) struct Environment {
    /// Executes foreign calls.
    pub(crate) foreign: Rc<dyn Fn(foreign::Inbox)>,
    /// Receives the callback that reports the presence of Python tasks that wait for ticks.
    pub(crate) on_py_tasks: OnPyTasks,
    /// Foreign calls for elided messages.
    pub(crate) direct: Option<DirectCalls>,
    /// Executes accesses to memories of this process.
    pub(crate) local: Rc<dyn LocalMemory>,
    /// Memory view of doorbells.
    pub(crate) doorbells: Rc<dyn Store>,
    /// Disk of firmware's files.
    pub(crate) disk: Option<Box<dyn Disk>>,
    /// Root directory of the disk; `None` in a replay.
    pub(crate) root: Option<Root>,
    /// Files opened by the host program.
    pub(crate) special: SpecialNames,
    /// Decoders of defmt's frames; `None` for the decoders of the channels' images.
    pub(crate) frames: Option<Rc<dyn FrameDecoders>>,
}

/// Foreign calls without messages.
pub(crate) struct DirectCalls {
    /// Memory backends.
    pub(in crate::system) store: Rc<dyn Store>,
    /// Makes an access.
    pub(in crate::system) access: Box<ForeignAccess>,
    /// Reports the error of an access.
    pub(in crate::system) report: Box<dyn Fn(&AccessError)>,
    /// Polls a method or command.
    pub(in crate::system) poll: Box<ForeignPoll>,
}

impl DirectCalls {
    /// Accesses without messages, and the poll of a method or command.
    pub(super) fn elided(self, bus: &Bus) -> (Rc<ElidedAccesses>, Box<ForeignPoll>) {
        let accesses = ElidedAccesses {
            elision: bus.elision().clone(),
            store: self.store,
            access: self.access,
            report: self.report,
        };
        (Rc::new(accesses), self.poll)
    }
}

/// Receiver of a callback for the presence of Python tasks.
pub(crate) type OnPyTasks = Box<dyn FnOnce(Box<dyn Fn(bool)>)>;

impl Environment {
    /// Live environment: the simulator, the memories, the host program, the files below a
    /// directory, by `paths`.
    pub(crate) fn live(
        memories: &Rc<Backends>,
        callbacks: &Rc<Callbacks>,
        python: Python,
        paths: Paths,
        file_root: Option<&Path>,
    ) -> Result<Self, Error> {
        let root = file_root.map(open).transpose()?;
        let live = Rc::new(RealForeign::new(
            memories.map().clone(),
            memories.clone(),
            callbacks.clone(),
            python,
            paths,
        ));
        let accessed = memories.clone();
        let (watched, reporter, callee) = (live.clone(), live.clone(), live.clone());
        Ok(Self {
            // Only foreign calls that are messages are measured.
            direct: (!is_measured()).then(|| DirectCalls {
                store: memories.clone(),
                access: Box::new(move |_, op| Some(execute(&*accessed, op))),
                report: Box::new(move |error| report_failed(&*reporter, error)),
                poll: Box::new(move |_, channel, target, args, is_offered| {
                    Some(poll(&*callee, channel, target, args, is_offered))
                }),
            }),
            foreign: Rc::new(move |call| {
                let _measured = measure(&call);
                dispatch(&*live, call);
            }),
            on_py_tasks: Box::new(move |tell| watched.on_py_tasks(tell)),
            local: memories.clone(),
            doorbells: memories.clone(),
            disk: root.clone().map(|root| Box::new(root) as Box<dyn Disk>),
            root,
            special: SpecialNames {
                extensions: callbacks.extensions(),
                virtuals: callbacks.virtuals(),
            },
            frames: None,
        })
    }
}

fn open(root: &Path) -> Result<Root, Error> {
    Root::open(root).map_err(|cause| Error::FileRoot {
        path: root.to_owned(),
        cause,
    })
}
