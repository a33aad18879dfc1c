//! Construction of running actors from a validated configuration.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;

use super::actors::{start_rpc, start_sockets};
use super::defmt::ImageFrames;
use super::environment::DirectCalls;
use super::loader::{START, ToLoad, images};
use super::parts::{HostCallback, Started, SystemParts};
use super::stubs::{self, ToReplace};
use crate::actors::console::{Console, ConsoleClient, ElidedPrints, Lines, Text};
use crate::actors::files::Files;
use crate::actors::memory::{ElidedAccesses, Memory, MemoryClient, Resolver};
use crate::actors::rpc::{ElidedPolls, RpcClient};
use crate::actors::service::{ChannelProgress, Peers};
use crate::attach::{AtExit, channels as served, end_at_exit};
use crate::bus::{Bus, Endpoint, Inbox as _};
use crate::config::{ChannelConfig, ConfigDiagnostic, loaded_image};
use crate::foreign::host_code;
use crate::messages::events::SystemStarted;
use crate::messages::foreign::Severity;
use crate::messages::rpc::{PyTasks, Target};
use crate::messages::{ChannelDescriptor, Interface, Name, console, files, memory};
use crate::sim::strand;
use crate::system::Error;
use crate::system::running::{
    Flusher, FrontEnds, Inner, Observed, Ports, SpaceNames, Surroundings, ThreadClaim, Vhost,
    Watchdog, attach_all, known_images,
};

/// Pending start of a built system.
pub(crate) struct PendingStart {
    host_callbacks: Vec<(Target, Box<HostCallback>)>,
    started: Vec<Box<Started>>,
    diagnostics: Vec<ConfigDiagnostic>,
    images: Vec<ToLoad>,
    /// Channels whose images have traps of semihosting to replace.
    stubs: Vec<ToReplace>,
    channels: Arc<[ChannelDescriptor]>,
    peers: Peers,
}

impl Vhost {
    /// Builds and starts a system.
    pub(crate) fn start(parts: SystemParts) -> Result<Self, Error> {
        // The state of the C ABI moves between threads; an actor would belong to this thread.
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
            diagnostics,
            callbacks,
            outside,
            sink,
            error_sink,
            sockets,
            attached,
            timeout,
            host_callbacks,
            started,
        } = parts;

        let bus = Bus::new();
        let foreign = bus.foreign(outside.foreign);
        let served = served(&map, &channels);
        let attach_context = attach_all(&bus, attached, served.clone(), &foreign)?;
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
                access,
                report,
                poll,
            }) => {
                let elision = bus.elision().clone();
                let accesses = Rc::new(ElidedAccesses {
                    elision,
                    store,
                    access,
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
        let (console, prints, lines) = {
            let context = bus.context(console::Inbox::ENDPOINT);
            let text = Text::new(names, sink).with_error_sink(error_sink);
            let text = Arc::new(Mutex::new(text));
            end_at_exit(&text);
            let lines = Lines::new(context.clone(), text, &foreign);
            let console = bus.start(|_| Console::new(context, lines.clone()))?;
            let elision = bus.elision().clone();
            let elided = poll.is_some().then(|| ElidedPrints {
                elision,
                lines: lines.clone(),
            });
            let prints = ConsoleClient::new(&console, elided.map(Rc::new));
            (console, prints, lines)
        };
        let (rpc, dispatch) = start_rpc(&bus, &foreign)?;
        let polls = poll.map(|poll| {
            Rc::new(ElidedPolls {
                elision: bus.elision().clone(),
                dispatch,
                poll,
                foreign: foreign.clone(),
            })
        });
        let calls = RpcClient::new(bus.context(Endpoint::EXTERNAL), &rpc, polls);
        let told = rpc.clone();
        (outside.on_py_tasks)(Box::new(move |alive| told.post(PyTasks { alive })));

        let frames = outside.frames;
        let frames = frames.unwrap_or_else(|| Rc::new(ImageFrames::of(&channels)));
        let hub = sockets;
        let sockets = start_sockets(&bus, &foreign, hub.clone())?;

        let progress = Rc::new(ChannelProgress::of(&served));
        let known = known_images(&channels);
        let beginning = PendingStart {
            host_callbacks,
            started,
            diagnostics,
            images: images(&channels),
            stubs: to_replace(&channels),
            channels: served,
            peers: Peers {
                memory: accesses.clone(),
                rpc: calls,
                files: files.clone(),
                console: prints,
                sockets: sockets.clone(),
                frames,
                foreign: foreign.clone(),
                store: outside.doorbells,
                served: observed.served.clone(),
            },
        };

        let ports = Ports {
            memory,
            accesses,
            rpc,
            files,
            console,
            sockets,
            front_ends: OnceCell::new(),
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
            configured: channels,
            images: RefCell::new(known),
            attach_context,
            unregistered: RefCell::new(unregistered),
            observed,
            root: outside.root,
            watchdog: Watchdog::off(),
            flusher: Flusher::default(),
            lines,
            hub,
            stubs: RefCell::default(),
            _claim: claim,
        };
        let system = Self(Rc::new(system));
        system.watch(timeout);
        #[cfg(feature = "python")]
        system.serve_python();
        Ok((system, beginning))
    }

    /// Initialises the memories, loads the images and starts the front ends. Foreign calls made
    /// here may re-enter.
    pub(crate) fn begin(&self, beginning: PendingStart) -> Result<(), Error> {
        self.prepare(beginning).inspect_err(|_| {
            // Earlier warnings may explain the error.
            let _ = self.0.bus.run_until_idle();
        })
    }

    fn prepare(&self, mut beginning: PendingStart) -> Result<(), Error> {
        self.0.memories.register_instances();
        let loader = self.loader();
        for diagnostic in &beginning.diagnostics {
            let severity = match diagnostic.kind.is_warning() {
                true => Severity::Warning,
                false => Severity::Info,
            };
            loader.note(severity, "config", diagnostic.to_string());
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
        for to_replace in &beginning.stubs {
            let stub = stubs::install(&loader, to_replace)?;
            self.0.stubs.borrow_mut().extend(stub);
        }
        for channel in &*beginning.channels {
            loader.warn_of_log(channel);
        }
        for (target, callback) in std::mem::take(&mut beginning.host_callbacks) {
            self.register(target, callback)?;
        }
        // A replay starts the front ends here.
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

    /// Starts the front ends.
    pub(crate) fn take_channels(&self, beginning: PendingStart) -> Result<(), Error> {
        let Inner {
            bus,
            ports,
            progress,
            lines,
            ..
        } = &*self.0;
        let PendingStart {
            channels, peers, ..
        } = &beginning;
        for channel in &**channels {
            tracing::info!(target: START, "[{}(server)] started!", channel.name);
        }
        let front_ends = FrontEnds::start(&Surroundings {
            bus,
            peers,
            channels,
            progress,
        })?;
        let front_ends = Rc::new(front_ends);
        let told = front_ends.clone();
        lines.set_front_ends(Box::new(move |failed| {
            if let Some(server) = told.of(failed.channel) {
                server.output_failed(failed);
            }
        }));
        // This is the only place that sets it.
        let _ = ports.front_ends.set(front_ends);
        Ok(())
    }
}

/// Served channels with semihosting whose images are loaded.
fn to_replace(channels: &[ChannelConfig]) -> Vec<ToReplace> {
    let loaded = channels.iter().filter_map(|channel| {
        let Some(Interface::Semihosting(semihosting)) = &channel.interface else {
            return None;
        };
        Some(ToReplace {
            channel: channel.name.clone(),
            space: channel.space,
            image: loaded_image(channels, channel)?.clone(),
            semihosting: semihosting.clone(),
        })
    });
    loaded.collect()
}

/// Prints firmware's incomplete lines, since `exit` drops no system.
impl AtExit for Text {
    fn end(&mut self) -> io::Result<()> {
        Text::end(self);
        Ok(())
    }

    fn name(&self) -> String {
        "firmware's text".to_owned()
    }
}
