//! From believed configuration to running actors.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::Dir;

use super::{Alone, Error, Inner, NamedChannel, Ports, Vhost};
use crate::actors::console::Console;
use crate::actors::files::{Files, SpecialNames, open_root};
use crate::actors::mailbox::{Board, Links, MailboxServer, Setup};
use crate::actors::memory::Memory;
use crate::actors::rpc::Rpc;
use crate::bus::{Bus, Inbox, Port, Tap};
use crate::config::ChannelConfig;
use crate::foreign::{self, Callbacks, Foreign, Memories};
use crate::mem::{Backend, Image, MemoryMap, Note, Op, SpaceId, Span, Store, Write, initial};
use crate::messages::foreign::{Report, Severity};
use crate::messages::memory::{Access, AccessAt};
use crate::messages::rpc::{PyTasks, Tick};
use crate::messages::{console, files, mailbox, memory, rpc};

/// What a system is built of.
pub(crate) struct Parts {
    /// The memories, as they are described.
    pub(crate) map: Rc<MemoryMap>,
    /// The memories, as they are reached.
    pub(crate) memories: Rc<Memories>,
    /// The channels.
    pub(crate) channels: Vec<ChannelConfig>,
    /// The directory that firmware's files are in.
    pub(crate) file_root: Option<PathBuf>,
    /// What the host program answers.
    pub(crate) callbacks: Rc<Callbacks>,
    /// Who makes the foreign calls.
    pub(crate) foreign: Rc<dyn Foreign>,
    /// Where firmware's text goes.
    pub(crate) sink: Box<dyn io::Write>,
    /// What sees all messages from the first one on.
    pub(crate) taps: Vec<Box<dyn Tap>>,
}

/// What a built system begins with.
pub(crate) struct Beginning {
    images: Vec<(SpaceId, Arc<Image>)>,
    channels: Vec<Setup>,
    links: Links,
}

impl Vhost {
    /// Builds a system and lets it begin.
    pub(crate) fn start(parts: Parts) -> Result<Self, Error> {
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
            channels,
            file_root,
            callbacks,
            foreign,
            sink,
            taps,
        } = parts;
        let root = file_root.as_deref().map(open).transpose()?;
        memories.register_instances();
        let store: Rc<dyn Store> = memories.clone();

        let bus = Bus::new();
        for tap in taps {
            bus.attach(tap);
        }
        let outside = foreign.clone();
        let foreign = bus.foreign(Rc::new(move |call| foreign::make(&*foreign, call)));
        let memory = {
            let desk = bus.desk(memory::Inbox::PARTY);
            bus.start(|_| Memory::new(desk, map.clone(), store.clone(), &foreign))?
        };
        let setups: Vec<Setup> = channels.iter().filter_map(setup).collect();
        let names: Vec<String> = setups.iter().map(|setup| setup.name.clone()).collect();
        let unregistered = names.clone();
        let files = {
            let desk = bus.desk(files::Inbox::PARTY);
            let special = SpecialNames {
                extensions: callbacks.extensions(),
                virtuals: callbacks.virtuals(),
            };
            bus.start(|_| Files::new(desk, &foreign, root, special))?
        };
        let console = {
            let desk = bus.desk(console::Inbox::PARTY);
            bus.start(|_| Console::new(desk, names, sink))?
        };
        let rpc = {
            let desk = bus.desk(rpc::Inbox::PARTY);
            bus.start(|own: Port<rpc::Inbox>| {
                let alarm = bus.alarm(Box::new(move |now| own.post(Tick { now })));
                Rpc::new(desk, &foreign, alarm)
            })?
        };
        let told = rpc.clone();
        outside.on_py_tasks(Box::new(move |alive| told.post(PyTasks { alive })));

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
            images: images(&channels),
            channels: setups,
            links: Links {
                memory: memory.clone(),
                rpc: rpc.clone(),
                files,
                console: console.clone(),
                foreign: foreign.clone(),
                store,
            },
        };

        let ports = Ports {
            memory,
            rpc,
            console,
            mailbox: OnceCell::new(),
            foreign,
        };
        let system = Inner {
            bus,
            ports,
            board,
            map,
            memories,
            callbacks,
            channels: named,
            unregistered: RefCell::new(unregistered),
            _alone: alone,
        };
        let system = Self(Rc::new(system));
        #[cfg(feature = "python")]
        system.serve_python();
        Ok((system, beginning))
    }

    /// Gives the memories their first content, loads the images, and takes the channels. Foreign calls that this makes
    /// may come back.
    pub(crate) fn begin(&self, beginning: Beginning) -> Result<(), Error> {
        let Inner {
            bus, ports, board, ..
        } = &*self.0;
        let Beginning {
            images,
            channels,
            links,
        } = beginning;
        let loader = self.loader();
        loader.initialise()?;
        for (space, image) in images {
            loader.load(space, &image)?;
        }
        for channel in &channels {
            loader.warn_of_log(channel);
        }
        let desk = bus.desk(mailbox::Inbox::PARTY);
        let channels = channels
            .into_iter()
            .map(|setup| (setup, bus.doorbell()))
            .collect();
        let mailbox = bus.start(|_| MailboxServer::new(desk, links, channels, board))?;
        // Nobody else sets it.
        let _ = ports.mailbox.set(mailbox);
        bus.settle()?;
        board
            .fatal()
            .map_or(Ok(()), |text| Err(Error::Fatal(text.to_owned())))
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
        self.loader().load(space, &image)
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

/// What is loaded where, each once however many channels the image has.
fn images(channels: &[ChannelConfig]) -> Vec<(SpaceId, Arc<Image>)> {
    let mut images: Vec<(SpaceId, Arc<Image>)> = Vec::new();
    for channel in channels {
        let Some(image) = &channel.load else { continue };
        let known = |(space, other): &(SpaceId, Arc<Image>)| {
            *space == channel.space && Arc::ptr_eq(other, image)
        };
        if !images.iter().any(known) {
            images.push((channel.space, image.clone()));
        }
    }
    images
}

/// The channel, where it is served.
fn setup(channel: &ChannelConfig) -> Option<Setup> {
    let mailbox = channel.mailbox?;
    Some(Setup {
        name: channel.name.clone(),
        space: channel.space,
        address: mailbox.address,
        layout: mailbox.layout,
    })
}

fn open(root: &Path) -> Result<Dir, Error> {
    open_root(root).map_err(|cause| Error::FileRoot {
        path: root.to_owned(),
        cause,
    })
}

/// Puts content into memories.
struct Loader<'a> {
    bus: &'a Bus,
    map: &'a MemoryMap,
    memory: &'a Port<memory::Inbox>,
    foreign: &'a Port<crate::messages::foreign::Inbox>,
}

impl Loader<'_> {
    /// Gives each memory its first content; one that several spaces see, once.
    fn initialise(&self) -> Result<(), Error> {
        for (id, memory) in self.map.numbered() {
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
                    .ask(self.memory, AccessAt { op })?
                    .map_err(Error::Initialise)?;
            }
        }
        Ok(())
    }

    /// Writes an image: the zeros first, then its bytes.
    fn load(&self, space: SpaceId, image: &Image) -> Result<(), Error> {
        for write in image.writes() {
            match write {
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
