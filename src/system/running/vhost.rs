//! Running system: its actors, and the state that its calls share.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;

use super::flusher::Flusher;
use super::front_ends::FrontEnds;
use super::known_images::KnownImage;
use super::space_names::SpaceNames;
use super::stub::Stub;
use super::thread_claim::ThreadClaim;
use super::watchdog::Watchdog;
use crate::actors::console::Lines;
use crate::actors::files::Root;
use crate::actors::memory::MemoryClient;
use crate::actors::service::ChannelProgress;
use crate::actors::sockets::Hub;
use crate::attach::AttachContext;
use crate::backend::Backends;
use crate::bus::{ActorContext, Bus, Port};
use crate::config::ChannelConfig;
use crate::foreign::Callbacks;
use crate::mem::MemoryMap;
use crate::messages::events::ObserveFlags;
use crate::messages::{self, Name, console, files, foreign, memory, rpc};
use crate::trace::Header;

/// Running host: the actors that serve firmware, and the backdoor into its memories.
///
/// A system is bound to one thread, and a thread has one system at a time. Firmware is served only
/// in [`tick`](Self::tick). Systems of the C ABI move between threads: see
/// [`with_host`](crate::with_host).
pub struct Vhost(pub(in crate::system) Rc<Inner>);

pub(in crate::system) struct Inner {
    pub(in crate::system) bus: Bus,
    /// Sender of external events.
    pub(in crate::system) external: ActorContext,
    pub(in crate::system) ports: Ports,
    pub(in crate::system) progress: Rc<ChannelProgress>,
    pub(in crate::system) map: Rc<MemoryMap>,
    pub(in crate::system) space_names: SpaceNames,
    pub(in crate::system) memories: Rc<Backends>,
    /// Header of a recording of this system.
    pub(in crate::system) header: Header,
    pub(in crate::system) callbacks: Rc<Callbacks>,
    /// Channels of the configuration, served or not.
    pub(in crate::system) configured: Vec<ChannelConfig>,
    /// Images whose symbols can be looked up.
    pub(in crate::system) images: RefCell<Vec<KnownImage>>,
    /// Recipient of findings.
    pub(in crate::system) attach_context: AttachContext,
    /// Channels not yet registered with the testbench.
    pub(in crate::system) unregistered: RefCell<Vec<Name>>,
    pub(in crate::system) observed: Observed,
    pub(in crate::system) watchdog: Watchdog,
    /// Root directory of firmware's files.
    pub(in crate::system) root: Option<Root>,
    pub(in crate::system) flusher: Flusher,
    /// Text of the channels.
    pub(in crate::system) lines: Rc<Lines>,
    /// Listeners and clients that the socket manager serves.
    pub(in crate::system) hub: Rc<RefCell<Hub>>,
    /// Code in place of traps of semihosting, by channel.
    pub(in crate::system) stubs: RefCell<Vec<Stub>>,
    pub(in crate::system) _claim: ThreadClaim,
}

/// References to the actors that receive external calls.
pub(in crate::system) struct Ports {
    pub(in crate::system) memory: Port<memory::Inbox>,
    /// Client of the memory actor.
    pub(in crate::system) accesses: MemoryClient,
    pub(in crate::system) rpc: Port<rpc::Inbox>,
    pub(in crate::system) files: Port<files::Inbox>,
    pub(in crate::system) console: Port<console::Inbox>,
    pub(in crate::system) sockets: Port<messages::sockets::Inbox>,
    /// Set once memories are initialised.
    pub(in crate::system) front_ends: OnceCell<Rc<FrontEnds>>,
    pub(in crate::system) foreign: Port<foreign::Inbox>,
}

/// Events requested by the testbench.
#[derive(Debug, Default)]
pub(in crate::system) struct Observed {
    pub(in crate::system) served: Rc<Cell<bool>>,
    pub(in crate::system) written: Rc<Cell<bool>>,
}

impl Observed {
    /// Adds a request.
    pub(in crate::system) fn add(&self, what: ObserveFlags) {
        let Self { served, written } = self;
        served.set(served.get() || what.served);
        written.set(written.get() || what.written);
    }

    /// All requests so far.
    pub(in crate::system) fn flags(&self) -> ObserveFlags {
        ObserveFlags {
            served: self.served.get(),
            written: self.written.get(),
        }
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
