//! From believed configuration to running actors.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::builder::{HostCallback, Started};
use super::{
    Alone, Error, Flusher, Inner, NamedChannel, Observed, Ports, Timeout, Vhost, Watchdog, sockets,
};
use crate::actors::console::{Console, Text};
use crate::actors::files::{Disk, Files, Root, SpecialNames};
use crate::actors::mailbox::{Board, Links, MailboxServer, Setup};
use crate::actors::memory::{Local, Memory};
use crate::actors::rpc::Rpc;
use crate::actors::sockets::Hub;
use crate::attach::{AtExit, Attach, Channel, Reporter, Site, channels as served, end_at_exit};
use crate::bus::{Bus, BusError, Inbox, Party, Port};
use crate::config::{ChannelConfig, ConfigWarning};
use crate::foreign::{Callbacks, Foreign as _, Live, Memories, Paths, Python, make};
use crate::mem::{Backend, Image, MemoryMap, Note, Op, SpaceId, Span, Store, Write, initial};
use crate::messages::announced::Began;
use crate::messages::foreign::{Report, Severity};
use crate::messages::memory::{Access, AccessAt};
use crate::messages::rpc::{PyTasks, Target, Tick};
use crate::messages::{console, files, foreign, mailbox, memory, rpc};
use crate::sim::strand;
use crate::trace::Header;

/// Target of the log's notes about what a system begins with. They are of level info.
const START: &str = "vhost::start";

/// What a system is built of.
pub(crate) struct Parts {
    /// The memories, as they are described.
    pub(crate) map: Rc<MemoryMap>,
    /// The memories, as they are reached.
    pub(crate) memories: Rc<Memories>,
    /// What all of it was read from.
    pub(crate) origin: Header,
    /// The channels.
    pub(crate) channels: Vec<ChannelConfig>,
    /// Doubtful parts of the configurations.
    pub(crate) warnings: Vec<ConfigWarning>,
    /// What the host program answers.
    pub(crate) callbacks: Rc<Callbacks>,
    /// What answers what is no function of messages.
    pub(crate) outside: Outside,
    /// Where firmware's text goes.
    pub(crate) sink: Box<dyn io::Write + Send>,
    /// The sockets, of which some may be open.
    pub(crate) sockets: Rc<RefCell<Hub>>,
    /// What sees all messages from the first one on.
    pub(crate) attached: Vec<Box<dyn Attach>>,
    /// For how long a channel may make no progress.
    pub(crate) timeout: Timeout,
    /// Methods and custom commands of the host program's.
    pub(super) host_callbacks: Vec<(Target, Box<HostCallback>)>,
    /// Code of the host program's for the started system.
    pub(super) started: Vec<Box<Started>>,
}

/// What answers what is no function of messages: the world, or a recording of it.
pub(crate) struct Outside {
    /// Makes the foreign calls.
    pub(crate) foreign: Rc<dyn Fn(foreign::Inbox)>,
    /// Is given whom to tell when Python begins to have tasks that wait for ticks, and when it has none any more.
    pub(crate) on_py_tasks: OnPyTasks,
    /// Carries out accesses to memories of this process.
    pub(crate) local: Rc<dyn Local>,
    /// What doorbells look at.
    pub(crate) sights: Rc<dyn Store>,
    /// What firmware's files are on.
    pub(crate) disk: Option<Box<dyn Disk>>,
    /// Which of them the host program opens.
    pub(crate) special: SpecialNames,
}

/// Takes what is to be told whether Python has tasks.
pub(crate) type OnPyTasks = Box<dyn FnOnce(Box<dyn Fn(bool)>)>;

impl Outside {
    /// The world: the simulator, the memories, the host program, the files below a directory, by `paths`.
    pub(crate) fn live(
        memories: &Rc<Memories>,
        callbacks: &Rc<Callbacks>,
        python: Python,
        paths: Paths,
        file_root: Option<&Path>,
    ) -> Result<Self, Error> {
        let live = Rc::new(Live::new(
            memories.clone(),
            callbacks.clone(),
            python,
            paths,
        ));
        let watched = live.clone();
        Ok(Self {
            foreign: Rc::new(move |call| make(&*live, call)),
            on_py_tasks: Box::new(move |tell| watched.on_py_tasks(tell)),
            local: memories.clone(),
            sights: memories.clone(),
            disk: file_root.map(open).transpose()?,
            special: SpecialNames {
                extensions: callbacks.extensions(),
                virtuals: callbacks.virtuals(),
            },
        })
    }
}

/// What a built system begins with.
pub(crate) struct Beginning {
    host_callbacks: Vec<(Target, Box<HostCallback>)>,
    started: Vec<Box<Started>>,
    warnings: Vec<ConfigWarning>,
    images: Vec<ToLoad>,
    channels: Vec<Setup>,
    links: Links,
}

impl Vhost {
    /// Builds a system and lets it begin.
    pub(crate) fn start(parts: Parts) -> Result<Self, Error> {
        // It would be this thread's in state that moves between threads.
        if strand::is_entered() {
            return Err(Error::InsideCall);
        }
        let (system, beginning) = Self::build(parts)?;
        system.begin(beginning)?;
        Ok(system)
    }

    /// Starts the actors. Its memories can be used, but nothing was done to them yet, and no foreign call was made.
    pub(crate) fn build(parts: Parts) -> Result<(Self, Beginning), Error> {
        let alone = Alone::take()?;
        let Parts {
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
        let site = attach_all(&bus, attached, served(&map, &channels), &foreign)?;
        let observed = Observed::default();
        let memory = {
            let desk = bus.desk(memory::Inbox::PARTY);
            let written = observed.written.clone();
            bus.start(|_| Memory::new(desk, map.clone(), outside.local, &foreign, written))?
        };
        let setups: Vec<Setup> = channels.iter().filter_map(setup).collect();
        let names: Vec<String> = setups.iter().map(|setup| setup.name.clone()).collect();
        let unregistered = names.clone();
        let files = {
            let desk = bus.desk(files::Inbox::PARTY);
            bus.start(|_| Files::new(desk, &foreign, outside.disk, outside.special))?
        };
        let console = {
            let desk = bus.desk(console::Inbox::PARTY);
            let text = Arc::new(Mutex::new(Text::new(names, sink)));
            end_at_exit(&text);
            bus.start(|_| Console::new(desk, text, &foreign))?
        };
        let rpc = start_rpc(&bus, &foreign)?;
        let told = rpc.clone();
        (outside.on_py_tasks)(Box::new(move |alive| told.post(PyTasks { alive })));

        let sockets = sockets::start(&bus, &foreign, sockets)?;

        let board = Rc::new(Board::new(setups.len()));
        let named = channels.iter().map(|channel| NamedChannel {
            name: channel.name.clone(),
            space: map
                .space(channel.space)
                .map_or_else(String::new, |space| space.name.clone()),
            served: channel.mailbox.is_some(),
        });
        let named = named.collect();
        let beginning = Beginning {
            host_callbacks,
            started,
            warnings,
            images: images(&channels),
            channels: setups,
            links: Links {
                memory: memory.clone(),
                rpc: rpc.clone(),
                files,
                console: console.clone(),
                foreign: foreign.clone(),
                store: outside.sights,
                observed: observed.served.clone(),
            },
        };

        let ports = Ports {
            memory,
            rpc,
            console,
            sockets,
            mailbox: OnceCell::new(),
            foreign,
        };
        let system = Inner {
            outside: bus.desk(Party::OUTSIDE),
            bus,
            ports,
            board,
            map,
            memories,
            origin,
            callbacks,
            channels: named,
            site,
            unregistered: RefCell::new(unregistered),
            observed,
            watchdog: Watchdog::off(),
            flusher: Flusher::default(),
            _alone: alone,
        };
        let system = Self(Rc::new(system));
        system.watch(timeout);
        #[cfg(feature = "python")]
        system.serve_python();
        Ok((system, beginning))
    }

    /// Gives the memories their first content, loads the images, and takes the channels. Foreign calls that this makes
    /// may come back.
    pub(crate) fn begin(&self, mut beginning: Beginning) -> Result<(), Error> {
        self.0.memories.register_instances();
        let loader = self.loader();
        for warning in &beginning.warnings {
            loader.note(Severity::Warning, "config", warning.to_string());
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
        for channel in &beginning.channels {
            loader.warn_of_log(channel);
        }
        for (target, callback) in std::mem::take(&mut beginning.host_callbacks) {
            self.register(target, callback)?;
        }
        // A replay takes the channels here.
        self.0.outside.announce(|| Began);
        let started = std::mem::take(&mut beginning.started);
        self.take_channels(beginning)?;
        self.0.bus.settle()?;
        if let Some(text) = self.0.board.fatal() {
            return Err(Error::Fatal(text.to_owned()));
        }
        for started in started {
            started(self).map_err(Error::Setup)?;
        }
        Ok(())
    }

    /// Starts the mailbox server.
    pub(crate) fn take_channels(&self, beginning: Beginning) -> Result<(), Error> {
        let Inner {
            bus, ports, board, ..
        } = &*self.0;
        let Beginning {
            channels, links, ..
        } = beginning;
        for channel in &channels {
            tracing::info!(target: START, "[{}(server)] started!", channel.name);
        }
        let desk = bus.desk(mailbox::Inbox::PARTY);
        let channels = channels
            .into_iter()
            .map(|setup| (setup, bus.doorbell()))
            .collect();
        let mailbox =
            bus.start(|own| MailboxServer::new(desk, bus.spawner(), links, channels, board, &own))?;
        // Nobody else sets it.
        let _ = ports.mailbox.set(mailbox);
        Ok(())
    }

    /// Loads an ELF image into a space.
    ///
    /// # Errors
    /// Where the file is none, or its bytes do not fit the space's memories.
    pub fn load_elf(&self, space: &str, file: &Path) -> Result<(), Error> {
        let space = self.space_id(space)?;
        let bytes = std::fs::read(file).map_err(|cause| Error::Read {
            path: file.to_owned(),
            cause,
        })?;
        let image = Image::parse(bytes, file)?;
        self.loader().load(space, &image, true)
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
) -> Result<Port<rpc::Inbox>, BusError> {
    let desk = bus.desk(rpc::Inbox::PARTY);
    bus.start(|own: Port<rpc::Inbox>| {
        let alarm = bus.alarm(Box::new(move |now| own.post(Tick { now })));
        Rpc::new(desk, foreign, alarm)
    })
}

/// Attaches all of this to what is said on `bus`; findings go to `foreign`.
pub(super) fn attach_all(
    bus: &Bus,
    attached: Vec<Box<dyn Attach>>,
    served: Arc<[Channel]>,
    foreign: &Port<foreign::Inbox>,
) -> Result<Site, Error> {
    let reporter = bus.spawn(|spawner| spawner.start(|_| Reporter::new(foreign)))?;
    let site = Site::new(served, reporter.recipient(), strand::is_entered());
    for what in attached {
        attach(bus, what, &site)?;
    }
    Ok(site)
}

/// Attaches something to what is said on `bus`.
pub(super) fn attach(bus: &Bus, what: Box<dyn Attach>, site: &Site) -> Result<(), Error> {
    let tap = bus.spawn(|spawner| what.attach(site, spawner))??;
    bus.attach(tap);
    Ok(())
}

/// Shows nothing to anybody any more. What was found at the very end goes to `foreign`, and so does who panicked.
pub(super) fn detach_all(bus: &Bus, foreign: &Port<foreign::Inbox>) {
    bus.detach();
    // There is nobody left to tell of the others.
    let _ = panics(bus, foreign);
    let _ = bus.settle();
}

/// Panics that nobody has heard of, to be reported. Those of taps are posted as their findings are: no recording has them.
#[cold]
pub(super) fn panics(bus: &Bus, foreign: &Port<foreign::Inbox>) -> Vec<Report> {
    let mut others = Vec::new();
    for (ticket, text) in bus.take_panics() {
        let report = Report {
            severity: Severity::Error,
            id: "vhost".to_owned(),
            text: format!("{} panicked at {}: {text}", ticket.to(), ticket.name()),
        };
        if ticket.to() == Party::TAP {
            foreign.sent_by(Party::TAP).post(report);
        } else {
            others.push(report);
        }
    }
    others
}

/// An image to load into a space.
struct ToLoad {
    space: SpaceId,
    image: Arc<Image>,
    /// Zeros are written behind its segments.
    zero_bss: bool,
}

/// The images to load, each once a space however many channels it has. One channel with `zero_bss: false` speaks for all.
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

/// The channel, where it is served.
pub(super) fn setup(channel: &ChannelConfig) -> Option<Setup> {
    let mailbox = channel.mailbox?;
    Some(Setup {
        name: channel.name.clone(),
        space: channel.space,
        address: mailbox.address,
        layout: mailbox.layout,
    })
}

fn open(root: &Path) -> Result<Box<dyn Disk>, Error> {
    let root = Root::open(root).map_err(|cause| Error::FileRoot {
        path: root.to_owned(),
        cause,
    })?;
    Ok(Box::new(root))
}

/// Puts content into memories.
struct Loader<'a> {
    bus: &'a Bus,
    map: &'a MemoryMap,
    memory: &'a Port<memory::Inbox>,
    foreign: &'a Port<foreign::Inbox>,
}

impl Loader<'_> {
    /// Gives each memory its first content; one that several spaces see, once.
    fn initialise(&self) -> Result<(), Error> {
        for (id, memory) in self.map.numbered() {
            // What no space sees, nobody can read.
            let Some(space) = self.map.seen_in(id) else {
                continue;
            };
            let content = initial(id, memory, fastrand::u64(..))?;
            if let Some(note) = &content.note {
                let severity = match note {
                    Note::Seed { .. } => Severity::Info,
                    Note::UnknownDigits { .. } => Severity::Warning,
                };
                self.note(severity, &memory.name, note.to_string());
            }
            for op in content.writes() {
                self.bus
                    .ask(self.memory, AccessAt { space, op })?
                    .map_err(Error::Initialise)?;
            }
        }
        Ok(())
    }

    /// Writes an image: the zeros first, where they are wanted, then its bytes.
    fn load(&self, space: SpaceId, image: &Image, zero_bss: bool) -> Result<(), Error> {
        tracing::info!(target: START, "load elf {}", image.file().display());
        for write in image.writes() {
            match write {
                Write::Zero { .. } if !zero_bss => {}
                Write::Zero { address, len } => {
                    let place = self.map.mapped(space, address, len);
                    let mapped: u64 = place.iter().map(|segment| segment.len).sum();
                    if mapped < len {
                        let file = image.file().display();
                        let left = len - mapped;
                        let text = format!(
                            "{file}: {left} of the {len} zeros at {address:#x} are outside of the map, and left out"
                        );
                        self.note(Severity::Info, "load", text);
                    }
                    if mapped > 0 {
                        let filled = self.bus.ask(
                            self.memory,
                            AccessAt {
                                space,
                                op: Op::Fill(place, 0),
                            },
                        )?;
                        filled.map_err(|cause| self.failed(space, address, cause))?;
                    }
                }
                Write::Bytes { address, bytes } => {
                    let span = Span {
                        address,
                        len: bytes.len() as u64,
                    };
                    let op = Op::Write(span, Bytes::copy_from_slice(bytes));
                    let written = self.bus.ask(self.memory, Access { space, op })?;
                    written.map_err(|cause| self.failed(space, address, cause))?;
                }
            }
        }
        Ok(())
    }

    fn failed(&self, space: SpaceId, address: u64, cause: crate::mem::AccessError) -> Error {
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

    /// A channel that reads as zeros is never heard of.
    fn warn_of_log(&self, channel: &Setup) {
        let size = channel.layout.channel_size;
        // Its place was checked with the configuration.
        let place = self.map.resolve(channel.space, channel.address, size);
        let memories = place
            .iter()
            .flatten()
            .filter_map(|at| self.map.memory(at.memory));
        for memory in memories.filter(|memory| memory.backend == Backend::Log) {
            let memory = &memory.name;
            self.foreign.post(Report {
                severity: Severity::Warning,
                id: channel.name.clone(),
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
