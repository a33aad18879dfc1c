//! Construction of running actors from a validated configuration.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use super::builder::{HostCallback, Started};
use super::environment::{DirectCalls, Environment};
use super::{
    Error, Flusher, Inner, NamedChannel, Observed, Ports, SpaceNames, ThreadClaim, Timeout, Vhost,
    Watchdog, sockets,
};
use crate::actors::console::{Console, Text};
use crate::actors::files::Files;
use crate::actors::mailbox::{ChannelProgress, MailboxServer, Peers};
use crate::actors::memory::{ElidedAccesses, Memory, MemoryClient, Resolver};
use crate::actors::rpc::{Dispatch, ElidedPolls, Rpc, RpcClient};
use crate::actors::sockets::Hub;
use crate::attach::{AtExit, Attach, Reporter, Site, channels as served, end_at_exit};
use crate::backend::Backends;
use crate::bus::{Bus, BusError, Endpoint, Inbox, Port};
use crate::config::{ChannelConfig, ConfigWarning};
use crate::foreign::{Callbacks, host_code};
use crate::mem::{
    AccessError, Backend, Image, MemoryMap, Op, Placement, SpaceId, Span, Write, initial,
};
use crate::messages::announced::SystemStarted;
use crate::messages::foreign::{Report, Severity};
use crate::messages::memory::{Access, AccessSegments};
use crate::messages::rpc::{PyTasks, Target};
use crate::messages::{ChannelDescriptor, Name, console, files, foreign, mailbox, memory, rpc};
use crate::sim::strand;
use crate::trace::Header;

/// Log target of notes on a system's start, at level info.
const START: &str = "vhost::start";

/// Origin of reports on loaded images.
const LOAD: &str = "load";

/// Components of a system.
pub(crate) struct SystemParts {
    /// Memory descriptions.
    pub(crate) map: Rc<MemoryMap>,
    /// Memory access.
    pub(crate) memories: Rc<Backends>,
    /// Recorded configuration inputs.
    pub(crate) origin: Header,
    /// Configured channels.
    pub(crate) channels: Vec<ChannelConfig>,
    /// Warnings of the configurations.
    pub(crate) warnings: Vec<ConfigWarning>,
    /// Callbacks of the host program.
    pub(crate) callbacks: Rc<Callbacks>,
    /// Sources of nondeterminism.
    pub(crate) outside: Environment,
    /// Sink of firmware's text.
    pub(crate) sink: Box<dyn io::Write + Send>,
    /// Sockets, some possibly open.
    pub(crate) sockets: Rc<RefCell<Hub>>,
    /// Taps from the first message on.
    pub(crate) attached: Vec<Box<dyn Attach>>,
    /// Maximum ticks of a channel without progress.
    pub(crate) timeout: Timeout,
    /// Methods and custom commands of the host program.
    pub(super) host_callbacks: Vec<(Target, Box<HostCallback>)>,
    /// Code of the host program for the started system.
    pub(super) started: Vec<Box<Started>>,
}

/// Pending start of a built system.
pub(crate) struct PendingStart {
    host_callbacks: Vec<(Target, Box<HostCallback>)>,
    started: Vec<Box<Started>>,
    warnings: Vec<ConfigWarning>,
    images: Vec<ToLoad>,
    channels: Arc<[ChannelDescriptor]>,
    links: Peers,
}

impl Vhost {
    /// Builds and starts a system.
    pub(crate) fn start(parts: SystemParts) -> Result<Self, Error> {
        // An actor would belong to this thread, inside state that moves between threads.
        if strand::is_entered() {
            return Err(Error::InsideCall);
        }
        let (system, beginning) = Self::build(parts)?;
        system.begin(beginning)?;
        Ok(system)
    }

    /// Starts the actors. Memories are usable but still empty; no foreign call has been made.
    pub(crate) fn build(parts: SystemParts) -> Result<(Self, PendingStart), Error> {
        let claim = ThreadClaim::take()?;
        let SystemParts {
            map,
            memories,
            origin,
            channels,
            warnings,
            callbacks,
            outside,
            sink,
            sockets,
            attached,
            timeout,
            host_callbacks,
            started,
        } = parts;

        let bus = Bus::new();
        let foreign = bus.foreign(outside.foreign);
        let served = served(&map, &channels);
        let site = attach_all(&bus, attached, served.clone(), &foreign)?;
        let observed = Observed::default();
        let resolver = Rc::new(Resolver {
            map: map.clone(),
            local: outside.local,
            observed: observed.written.clone(),
        });
        let memory = {
            let context = bus.context(memory::Inbox::ENDPOINT);
            bus.start(|_| Memory::new(context, resolver.clone(), &foreign))?
        };
        let (accesses, poll) = match outside.direct {
            None => (None, None),
            Some(DirectCalls {
                store,
                report,
                poll,
            }) => {
                let elision = bus.elision().clone();
                let accesses = Rc::new(ElidedAccesses {
                    elision,
                    store,
                    report,
                });
                (Some(accesses), Some(poll))
            }
        };
        let accesses = MemoryClient::new(&memory, &foreign, resolver, accesses);
        let names: Vec<Name> = served.iter().map(|channel| channel.name.clone()).collect();
        let unregistered = names.clone();
        let files = {
            let context = bus.context(files::Inbox::ENDPOINT);
            bus.start(|_| Files::new(context, &foreign, outside.disk, outside.special))?
        };
        let console = {
            let context = bus.context(console::Inbox::ENDPOINT);
            let text = Arc::new(Mutex::new(Text::new(names, sink)));
            end_at_exit(&text);
            bus.start(|_| Console::new(context, text, &foreign))?
        };
        let (rpc, dispatch) = start_rpc(&bus, &foreign)?;
        let polls = poll.map(|poll| {
            Rc::new(ElidedPolls {
                elision: bus.elision().clone(),
                dispatch,
                poll,
            })
        });
        let calls = RpcClient::new(bus.context(Endpoint::EXTERNAL), &rpc, polls);
        let told = rpc.clone();
        (outside.on_py_tasks)(Box::new(move |alive| told.post(PyTasks { alive })));

        let hub = sockets;
        let sockets = sockets::start(&bus, &foreign, hub.clone())?;

        let progress = Rc::new(ChannelProgress::new(served.len()));
        let named = channels.iter().map(|channel| NamedChannel {
            name: channel.name.clone(),
            space: map
                .space(channel.space)
                .map_or_else(String::new, |space| space.name.clone()),
            served: channel.mailbox.is_some(),
        });
        let named = named.collect();
        let beginning = PendingStart {
            host_callbacks,
            started,
            warnings,
            images: images(&channels),
            channels: served,
            links: Peers {
                memory: accesses.clone(),
                rpc: calls,
                files,
                console: console.clone(),
                foreign: foreign.clone(),
                store: outside.doorbells,
                served: observed.served.clone(),
            },
        };

        let ports = Ports {
            memory,
            accesses,
            rpc,
            console,
            sockets,
            mailbox: OnceCell::new(),
            foreign,
        };
        let system = Inner {
            outside: bus.context(Endpoint::EXTERNAL),
            bus,
            ports,
            progress,
            space_names: SpaceNames::of(&map),
            map,
            memories,
            origin,
            callbacks,
            channels: named,
            site,
            unregistered: RefCell::new(unregistered),
            observed,
            root: outside.root,
            watchdog: Watchdog::off(),
            flusher: Flusher::default(),
            hub,
            _claim: claim,
        };
        let system = Self(Rc::new(system));
        system.watch(timeout);
        #[cfg(feature = "python")]
        system.serve_python();
        Ok((system, beginning))
    }

    /// Initialises the memories, loads the images and takes the channels. Foreign calls made here may re-enter.
    pub(crate) fn begin(&self, beginning: PendingStart) -> Result<(), Error> {
        self.prepare(beginning).inspect_err(|_| {
            // Earlier warnings may explain the error.
            let _ = self.0.bus.run_until_idle();
        })
    }

    fn prepare(&self, mut beginning: PendingStart) -> Result<(), Error> {
        self.0.memories.register_instances();
        let loader = self.loader();
        for warning in &beginning.warnings {
            let severity = match warning.doubt.is_warning() {
                true => Severity::Warning,
                false => Severity::Info,
            };
            loader.note(severity, "config", warning.to_string());
        }
        loader.initialise()?;
        for ToLoad {
            space,
            image,
            zero_bss,
        } in &beginning.images
        {
            loader.load(*space, image, *zero_bss)?;
        }
        for channel in &*beginning.channels {
            loader.warn_of_log(channel);
        }
        for (target, callback) in std::mem::take(&mut beginning.host_callbacks) {
            self.register(target, callback)?;
        }
        // A replay takes the channels here.
        self.0.outside.emit(|| SystemStarted);
        let started = std::mem::take(&mut beginning.started);
        self.take_channels(beginning)?;
        self.0.bus.run_until_idle()?;
        if let Some(text) = self.0.progress.fatal() {
            return Err(Error::Fatal(text.to_owned()));
        }
        for started in started {
            host_code::run("the function of `on_start`", || started(self))
                .map_err(Into::into)
                .flatten()
                .map_err(Error::Setup)?;
        }
        Ok(())
    }

    /// Starts the mailbox server.
    pub(crate) fn take_channels(&self, beginning: PendingStart) -> Result<(), Error> {
        let Inner {
            bus,
            ports,
            progress,
            ..
        } = &*self.0;
        let PendingStart {
            channels, links, ..
        } = beginning;
        for channel in &*channels {
            tracing::info!(target: START, "[{}(server)] started!", channel.name);
        }
        let context = bus.context(mailbox::Inbox::ENDPOINT);
        let channels = channels
            .iter()
            .map(|channel| (channel.clone(), bus.doorbell()))
            .collect();
        let mailbox = bus.start(|own| {
            MailboxServer::new(context, bus.spawner(), links, channels, progress, &own)
        })?;
        // This is the only place that sets it.
        let _ = ports.mailbox.set(mailbox);
        Ok(())
    }

    /// Loads an ELF image into a space.
    ///
    /// # Errors
    /// A file that is no image, or bytes outside of the space's memories.
    pub fn load_elf(&self, space: &str, file: &Path) -> Result<(), Error> {
        let space = self.space_id(space.as_bytes())?;
        let image = Image::open(file)?;
        let loader = self.loader();
        for doubt in image.doubts().iter().filter(|doubt| !doubt.is_of_mailbox()) {
            let text = format!("image {} {doubt}", file.display());
            loader.note(Severity::Warning, LOAD, text);
        }
        loader.load(space, &image, true)
    }

    fn loader(&self) -> Loader<'_> {
        let Inner {
            bus, map, ports, ..
        } = &*self.0;
        Loader {
            bus,
            map,
            memory: &ports.memory,
            foreign: &ports.foreign,
        }
    }
}

/// Puts out the lines that firmware has begun: `exit` destroys no system.
impl AtExit for Text {
    fn end(&mut self) -> io::Result<()> {
        Text::end(self);
        Ok(())
    }
}

/// Starts the RPC dispatcher on a bus.
pub(super) fn start_rpc(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
) -> Result<(Port<rpc::Inbox>, Rc<Dispatch>), BusError> {
    let context = bus.context(rpc::Inbox::ENDPOINT);
    let dispatch = Dispatch::on(bus);
    let shared = dispatch.clone();
    let port = bus.start(|own| {
        shared.serve(own);
        Rpc::new(context, foreign, shared)
    })?;
    Ok((port, dispatch))
}

/// Attaches taps to `bus`; their findings go to `foreign`.
pub(super) fn attach_all(
    bus: &Bus,
    attached: Vec<Box<dyn Attach>>,
    served: Arc<[ChannelDescriptor]>,
    foreign: &Port<foreign::Inbox>,
) -> Result<Site, Error> {
    let reporter = bus.spawn(|spawner| spawner.start(|_| Reporter::new(foreign)))?;
    let site = Site::new(served, reporter.recipient(), strand::is_entered());
    for what in attached {
        attach(bus, what, &site)?;
    }
    Ok(site)
}

/// Attaches a tap to `bus`.
pub(super) fn attach(bus: &Bus, what: Box<dyn Attach>, site: &Site) -> Result<(), Error> {
    let tap = bus.spawn(|spawner| what.attach(site, spawner))??;
    bus.attach(tap);
    Ok(())
}

/// Detaches all taps. Last findings and panics go to `foreign`.
pub(super) fn detach_all(bus: &Bus, foreign: &Port<foreign::Inbox>) {
    bus.detach();
    // No recipient is left for the others.
    let _ = panics(bus, foreign);
    let _ = bus.run_until_idle();
}

/// Panics not yet reported. Those of taps are posted like findings, outside of recordings.
#[cold]
pub(super) fn panics(bus: &Bus, foreign: &Port<foreign::Inbox>) -> Vec<Report> {
    let mut others = Vec::new();
    for (ticket, text) in bus.take_panics() {
        let report = Report {
            severity: Severity::Error,
            id: "vhost".to_owned(),
            text: format!("{} panicked at {}: {text}", ticket.to(), ticket.name()),
        };
        if ticket.to() == Endpoint::TAP {
            foreign.with_sender(Endpoint::TAP).post(report);
        } else {
            others.push(report);
        }
    }
    others
}

/// Image to load into a space.
struct ToLoad {
    space: SpaceId,
    image: Arc<Image>,
    /// Writes zeros behind the segments.
    zero_bss: bool,
}

/// Images to load, once per space however many channels it has. One channel with `zero_bss: false` suffices.
fn images(channels: &[ChannelConfig]) -> Vec<ToLoad> {
    let mut images: Vec<ToLoad> = Vec::new();
    for channel in channels {
        let Some(image) = &channel.load else { continue };
        let known = images
            .iter_mut()
            .find(|load| load.space == channel.space && Arc::ptr_eq(&load.image, image));
        match known {
            Some(load) => load.zero_bss &= channel.zero_bss,
            None => images.push(ToLoad {
                space: channel.space,
                image: image.clone(),
                zero_bss: channel.zero_bss,
            }),
        }
    }
    images
}

/// Initialisation of memories.
struct Loader<'a> {
    bus: &'a Bus,
    map: &'a MemoryMap,
    memory: &'a Port<memory::Inbox>,
    foreign: &'a Port<foreign::Inbox>,
}

impl Loader<'_> {
    /// Initialises each memory once, also one seen by several spaces.
    fn initialise(&self) -> Result<(), Error> {
        for ((id, memory), space) in self.map.numbered().zip(self.map.first_spaces()) {
            // A memory outside of all spaces is unreadable.
            let Some(space) = space else {
                continue;
            };
            let content = initial(id, memory, fastrand::u64(..))?;
            for note in &content.notes {
                let severity = match note.is_warning() {
                    true => Severity::Warning,
                    false => Severity::Info,
                };
                self.note(severity, &memory.name, note.to_string());
            }
            for op in content.writes() {
                self.bus
                    .ask(self.memory, AccessSegments { space, op })?
                    .map_err(Error::Initialise)?;
            }
        }
        Ok(())
    }

    /// Writes an image: zeros first, if requested, then its bytes. Writes nothing of an image that does not fit.
    fn load(&self, space: SpaceId, image: &Image, zero_bss: bool) -> Result<(), Error> {
        tracing::info!(target: START, "load elf {}", image.file().display());
        let placement = Placement::of(self.map, space, image, zero_bss);
        if let Some(error) = placement.errors.into_iter().next() {
            return Err(error.into());
        }
        for left_out in &placement.left_out {
            self.note(Severity::Info, LOAD, left_out.to_string());
        }
        let content = image.content()?;
        for write in image.writes() {
            match write {
                Write::Zero { .. } if !zero_bss => {}
                Write::Zero { address, len } => {
                    let place = self.map.mapped(space, address, len);
                    if place.is_empty() {
                        continue;
                    }
                    let op = Op::Fill(place, 0);
                    let filled = self.bus.ask(self.memory, AccessSegments { space, op })?;
                    filled.map_err(|cause| self.failed(space, address, cause))?;
                }
                Write::Bytes(segment) => {
                    for piece in content.pieces(&segment) {
                        let (address, bytes) = piece?;
                        let len = bytes.len() as u64;
                        let op = Op::Write(Span { address, len }, bytes);
                        let written = self.bus.ask(self.memory, Access { space, op })?;
                        written.map_err(|cause| self.failed(space, address, cause))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn failed(&self, space: SpaceId, address: u64, cause: AccessError) -> Error {
        let space = self
            .map
            .space(space)
            .map_or_else(String::new, |space| space.name.clone());
        Error::Access {
            space,
            address,
            cause,
        }
    }

    /// Memory that reads as zeros rings no doorbell.
    fn warn_of_log(&self, channel: &ChannelDescriptor) {
        let memories = channel
            .place
            .iter()
            .filter_map(|at| self.map.memory(at.memory));
        for memory in memories.filter(|memory| memory.backend == Backend::Log) {
            let memory = &memory.name;
            self.foreign.post(Report {
                severity: Severity::Warning,
                id: channel.name.to_string(),
                text: format!(
                    "its mailbox is in memory `{memory}` of backend `log`, which reads as zeros: no request will ever be \
                     seen; give the memory another `backend`"
                ),
            });
        }
    }

    fn note(&self, severity: Severity, id: &str, text: String) {
        let id = id.to_owned();
        self.foreign.post(Report { severity, id, text });
    }
}
