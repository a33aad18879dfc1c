//! Running system: actors on a bus, and its Rust API.

mod backdoor;
mod builder;
mod checkpoint;
mod defmt;
mod entry;
mod environment;
mod error;
mod flusher;
mod front_ends;
mod held;
mod known_images;
mod loader;
mod log;
mod methods;
mod origin;
mod parts;
#[cfg(feature = "python")]
mod python;
mod registration;
mod replay;
mod semihosting;
mod send_recorded;
mod snapshots;
mod sockets;
mod space_names;
mod spaces;
mod stdin;
mod stubs;
mod symbols;
mod taps;
mod thread_claim;
mod ticks;
mod unstarted;
mod watchdog;
mod wiring;

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

pub use builder::Builder;
pub use checkpoint::{Checkpoint, CheckpointError};
pub(crate) use entry::InitPaths;
pub use entry::{
    MailboxInitPaths, mailbox_init, mailbox_init_with_config, mailbox_init_with_paths,
    mb_server_run,
};
pub use error::{CallbackResult, Error};
use flusher::Flusher;
use front_ends::FrontEnds;
use known_images::KnownImage;
pub use methods::Call;
pub use replay::{ActorName, Cut, Difference, NoSuchActor, Replay, ReplayError, Replayed};
pub use snapshots::Snapshots;
pub(crate) use sockets::SocketService;
pub use sockets::Sockets;
use space_names::SpaceNames;
pub use spaces::{MemoryView, SpaceView, Spaces};
use stubs::Stub;
pub use stubs::unreplaced_traps;
use thread_claim::ThreadClaim;
pub(crate) use unstarted::record_failure;
pub(crate) use watchdog::Timeout;
use watchdog::Watchdog;
pub(crate) use wiring::PendingStart;

use crate::actors::console::Lines;
use crate::actors::files::Root;
use crate::actors::memory::MemoryClient;
use crate::actors::service::ChannelProgress;
use crate::actors::sockets::Hub;
use crate::attach::{Attach, AttachContext};
use crate::backend::Backends;
use crate::bus::{ActorContext, Bus, Port};
use crate::foreign::Callbacks;
use crate::mem::MemoryMap;
use crate::messages::announced::ObserveFlags;
use crate::messages::foreign::{Report, Severity};
use crate::messages::{
    self, ChannelDescriptor, ChannelId, Name, console, files, foreign, memory, rpc,
};
use crate::sim::strand::Abroad;
use crate::trace::{Header, Payloads};

/// Running host: the actors that serve firmware, and the backdoor into its memories.
///
/// Bound to one thread, one per thread at a time. Firmware is served in [`tick`](Self::tick) only. The C ABI has a system of
/// its own, which moves between threads: see [`with_host`](crate::with_host).
pub struct Vhost(Rc<Inner>);

struct Inner {
    bus: Bus,
    /// Sender of external events.
    outside: ActorContext,
    ports: Ports,
    progress: Rc<ChannelProgress>,
    map: Rc<MemoryMap>,
    space_names: SpaceNames,
    memories: Rc<Backends>,
    /// Header of a recording of it.
    origin: Header,
    callbacks: Rc<Callbacks>,
    channels: Vec<NamedChannel>,
    /// Images whose symbols can be looked up.
    images: RefCell<Vec<KnownImage>>,
    /// Recipient of findings.
    attach_context: AttachContext,
    /// Channels not yet registered with the testbench.
    unregistered: RefCell<Vec<Name>>,
    observed: Observed,
    watchdog: Watchdog,
    /// Root directory of firmware's files.
    root: Option<Root>,
    flusher: Flusher,
    /// Text of the channels.
    lines: Rc<Lines>,
    /// Listeners and clients that the socket manager serves.
    hub: Rc<RefCell<Hub>>,
    /// Code in place of traps of semihosting, by channel.
    stubs: RefCell<Vec<Stub>>,
    _claim: ThreadClaim,
}

/// References to the actors that receive external calls.
struct Ports {
    memory: Port<memory::Inbox>,
    /// MemoryClient of the memory actor.
    accesses: MemoryClient,
    rpc: Port<rpc::Inbox>,
    files: Port<files::Inbox>,
    console: Port<console::Inbox>,
    sockets: Port<messages::sockets::Inbox>,
    /// Set once memories are initialised.
    front_ends: OnceCell<Rc<FrontEnds>>,
    foreign: Port<foreign::Inbox>,
}

/// Events requested by the testbench.
#[derive(Debug, Default)]
struct Observed {
    served: Rc<Cell<bool>>,
    written: Rc<Cell<bool>>,
}

impl Observed {
    /// Adds a request.
    fn add(&self, what: ObserveFlags) {
        let Self { served, written } = self;
        served.set(served.get() || what.served);
        written.set(written.get() || what.written);
    }
}

impl Observed {
    /// All requests so far.
    fn flags(&self) -> ObserveFlags {
        ObserveFlags {
            served: self.served.get(),
            written: self.written.get(),
        }
    }
}

/// Channel data for queries.
struct NamedChannel {
    name: String,
    space: String,
    /// True if there is a mailbox, false if there is an image only.
    served: bool,
}

/// State of a channel at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelExit {
    /// Channel name.
    pub name: String,
    /// Exit code; `None` before the exit.
    pub code: Option<u32>,
}

impl Vhost {
    /// Status text of all channels: one line on the next step due, indented lines with queue indices and last requests.
    /// A different text while the system is being built.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn status(&self) -> Result<String, Error> {
        let _home = Abroad::go(false);
        let Some(front_ends) = self.0.ports.front_ends.get() else {
            return Ok("the system is being built".to_owned());
        };
        let Inner {
            bus,
            ports,
            progress,
            ..
        } = &*self.0;
        let mut texts: Vec<(ChannelId, String)> = Vec::new();
        for server in front_ends.iter() {
            let statuses = server.statuses(bus, &ports.memory, progress)?;
            texts.extend(server.ids().iter().copied().zip(statuses));
        }
        texts.sort_by_key(|(id, _)| *id);
        let lines = texts.into_iter().map(|(_, status)| status + "\n");
        Ok(lines.collect())
    }

    /// Has firmware's paths lead from another directory from now on. Open files stay open.
    ///
    /// # Errors
    /// [`Error::FileRoot`] for a directory that can't be opened, [`Error::NoFileRoot`] in a system that was built without one.
    pub fn set_file_root(&self, root: impl AsRef<Path>) -> Result<(), Error> {
        let _home = Abroad::go(false);
        let path = root.as_ref();
        let open = self.0.root.as_ref().ok_or(Error::NoFileRoot)?;
        open.move_to(path).map_err(|cause| Error::FileRoot {
            path: path.to_owned(),
            cause,
        })
    }

    /// Number of ticks so far.
    pub fn now(&self) -> u64 {
        self.0.bus.now()
    }

    /// State of each served channel, in the order of the configuration.
    pub fn exits(&self) -> Vec<ChannelExit> {
        let served = self.0.channels.iter().filter(|channel| channel.served);
        let names = served.map(|channel| channel.name.clone());
        let exits = names.zip(self.0.progress.exits());
        exits
            .map(|(name, code)| ChannelExit { name, code })
            .collect()
    }

    /// Served channels, in the order of the configuration.
    pub fn channels(&self) -> Arc<[ChannelDescriptor]> {
        self.0.attach_context.channels().clone()
    }

    /// Tests for a call from inside a foreign call, such as a method of the testbench.
    pub fn is_abroad(&self) -> bool {
        self.0.bus.in_foreign_call()
    }

    /// Attaches a logger, a checker or another tap to all later messages; [`attach`](crate::attach) has ready-made ones.
    ///
    /// # Errors
    /// [`Error::Attach`] if it is unsuitable for this system, [`Error::Bus`] from inside a tap.
    pub fn attach(&self, what: impl Attach) -> Result<(), Error> {
        let _home = Abroad::go(false);
        taps::attach(&self.0.bus, Box::new(what), &self.0.attach_context)
    }

    /// Records every later message and reply in `file`, for reading. A replay needs a recording from the start:
    /// [`Builder::record`].
    ///
    /// # Errors
    /// [`Error::Trace`] if the file can't be written.
    pub fn record(&self, file: impl AsRef<Path>, payloads: Payloads) -> Result<(), Error> {
        let _home = Abroad::go(false);
        let header = Header {
            payloads,
            ..self.0.origin.clone()
        };
        self.0.bus.attach(origin::recorder(file.as_ref(), &header)?);
        Ok(())
    }

    /// Reports requested events to the testbench from now on.
    pub(crate) fn observe(&self, what: ObserveFlags) {
        self.0.outside.emit(|| what);
        self.0.observed.add(what);
    }

    /// Routes firmware's lines to the testbench.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub(crate) fn redirect_lines(&self) -> Result<(), Error> {
        Ok(self.0.bus.ask(&self.0.ports.console, console::Redirect)?)
    }

    /// Sends a report, like one of the system's own.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn report(&self, severity: Severity, id: &str, text: &str) -> Result<(), Error> {
        let _home = Abroad::go(false);
        let report = Report {
            severity,
            id: id.to_owned(),
            text: text.to_owned(),
        };
        Ok(self.0.bus.ask(&self.0.ports.foreign, report)?)
    }

    /// Error of the first text of firmware that could not be written, to the console or to a standard stream that is passed through. The
    /// text is lost, which was reported, and firmware of protocol 0.3 was told.
    pub fn output_error(&self) -> Option<io::Error> {
        let errno = self.0.lines.first_failure()?;
        Some(io::Error::from_raw_os_error(errno.0))
    }

    /// Number of findings of attached checkers that are errors. A run with such findings has failed.
    pub fn error_findings(&self) -> u64 {
        self.0.attach_context.found().count()
    }

    /// Flushes text, reports the number of [error findings](Self::error_findings), and closes the sockets. Dropping the value ends the
    /// system.
    pub fn shutdown(self) {
        // No recipient is left for errors.
        let _ = self.sockets().close_all();
        let _ = self
            .0
            .bus
            .ask(&self.0.ports.console, console::Finish { channel: None });
        // Lines for the testbench.
        let _ = self.0.bus.run_until_idle();
        if let Some(found) = self.0.attach_context.found().summary() {
            // Findings are in no recording: it has this report in their place.
            let _ = self.report(found.severity, &found.id, &found.text);
        }
        self.detach();
    }
}

impl Vhost {
    /// Detaches all taps. Last findings are still reported.
    fn detach(&self) {
        taps::detach_all(&self.0.bus, &self.0.ports.foreign);
    }
}

impl fmt::Debug for Vhost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vhost")
            .field("bus", &self.0.bus)
            .field("progress", &self.0.progress)
            .finish()
    }
}
