//! Construction of running actors from a validated configuration.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::actors::{
    start_console, start_files, start_memory, start_rpc_with_client, start_sockets,
};
use super::defmt::ImageFrames;
use super::loader::{START, ToLoad, images};
use super::stubs::{self, ToReplace};
use super::system_components::{HostCallback, OnStart, SystemComponents};
use crate::actors::console::Text;
use crate::actors::memory::Resolver;
use crate::actors::service::{ChannelProgress, Peers};
use crate::attach::channels as served;
use crate::bus::{Bus, Endpoint};
use crate::config::{ChannelConfig, ConfigDiagnostic, loaded_image};
use crate::foreign::host_code;
use crate::messages::events::SystemStarted;
use crate::messages::foreign::Severity;
use crate::messages::rpc::{PyTasks, Target};
use crate::messages::{ChannelDescriptor, Interface, Name};
use crate::sim::strand;
use crate::system::Error;
use crate::system::running::{
    Flusher, FrontEnds, Inner, Observed, Ports, ServerComponents, SpaceNames, ThreadClaim, Vhost,
    Watchdog, attach_all, known_images,
};

/// Pending start of a built system.
pub(crate) struct PendingStart {
    host_callbacks: Vec<(Target, Box<HostCallback>)>,
    started: Vec<Box<OnStart>>,
    diagnostics: Vec<ConfigDiagnostic>,
    images: Vec<ToLoad>,
    /// Channels whose images have traps of semihosting to replace.
    stubs: Vec<ToReplace>,
    channels: Arc<[ChannelDescriptor]>,
    peers: Peers,
}

impl Vhost {
    /// Builds and starts a system.
    pub(crate) fn start(components: SystemComponents) -> Result<Self, Error> {
        // The state of the C ABI moves between threads; an actor would belong to this thread.
        if strand::is_entered() {
            return Err(Error::InsideCall);
        }
        let (system, pending_start) = Self::build(components)?;
        system.begin(pending_start)?;
        Ok(system)
    }

    /// Starts the actors. Memories are usable but still empty; no foreign call has been made.
    pub(crate) fn build(components: SystemComponents) -> Result<(Self, PendingStart), Error> {
        let claim = ThreadClaim::take()?;
        let bus = Bus::new();
        let (map, channels) = (components.map, components.channels);
        let served = served(&map, &channels);
        let environment = components.environment;
        let foreign = bus.foreign(environment.foreign);
        let attach_context = attach_all(&bus, components.attached, served.clone(), &foreign)?;
        let observed = Observed::default();
        let resolver = Rc::new(Resolver {
            map: map.clone(),
            local: environment.local,
            observed: observed.written.clone(),
        });
        let direct = environment.direct.map(|direct| direct.elided(&bus));
        let (elided, poll) = direct.unzip();
        let (memory, accesses) = start_memory(&bus, &foreign, resolver, elided)?;
        let names: Vec<Name> = served.iter().map(|channel| channel.name.clone()).collect();
        let files = start_files(&bus, &foreign, environment.disk, environment.special)?;
        let text = Text::new(names.clone(), components.sink);
        let text = text.with_error_sink(components.error_sink);
        let (console, prints, lines) = start_console(&bus, &foreign, text, poll.is_some())?;
        let (rpc, calls) = start_rpc_with_client(&bus, &foreign, poll)?;
        let rpc_port = rpc.clone();
        (environment.on_py_tasks)(Box::new(move |alive| rpc_port.post(PyTasks { alive })));
        let frames = environment.frames;
        let sockets = start_sockets(&bus, &foreign, components.sockets.clone())?;
        let pending_start = PendingStart {
            host_callbacks: components.host_callbacks,
            started: components.started,
            diagnostics: components.diagnostics,
            images: images(&channels),
            stubs: to_replace(&channels),
            peers: Peers {
                memory: accesses.clone(),
                rpc: calls,
                files: files.clone(),
                console: prints,
                sockets: sockets.clone(),
                frames: frames.unwrap_or_else(|| Rc::new(ImageFrames::of(&channels))),
                foreign: foreign.clone(),
                store: environment.doorbells,
                served: observed.served.clone(),
            },
            channels: served,
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
        let system = Self(Rc::new(Inner {
            external: bus.context(Endpoint::EXTERNAL),
            bus,
            ports,
            progress: Rc::new(ChannelProgress::of(&pending_start.channels)),
            space_names: SpaceNames::of(&map),
            map,
            memories: components.memories,
            header: components.header,
            callbacks: components.callbacks,
            images: RefCell::new(known_images(&channels)),
            configured: channels,
            attach_context,
            unregistered: RefCell::new(names),
            observed,
            root: environment.root,
            watchdog: Watchdog::off(),
            flusher: Flusher::default(),
            lines,
            hub: components.sockets,
            stubs: RefCell::default(),
            _claim: claim,
        }));
        system.watch(components.timeout);
        #[cfg(feature = "python")]
        system.serve_python();
        Ok((system, pending_start))
    }

    /// Initialises the memories, loads the images and starts the front ends. Foreign calls made
    /// here may re-enter.
    pub(crate) fn begin(&self, pending_start: PendingStart) -> Result<(), Error> {
        self.prepare(pending_start).inspect_err(|_| {
            // Earlier warnings may explain the error.
            let _ = self.0.bus.run_until_idle();
        })
    }

    fn prepare(&self, mut pending_start: PendingStart) -> Result<(), Error> {
        self.0.memories.register_instances();
        let loader = self.loader();
        for diagnostic in &pending_start.diagnostics {
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
        } in &pending_start.images
        {
            loader.load(*space, image, *zero_bss)?;
        }
        for to_replace in &pending_start.stubs {
            let stub = stubs::install(&loader, to_replace)?;
            self.0.stubs.borrow_mut().extend(stub);
        }
        for channel in &*pending_start.channels {
            loader.warn_of_log(channel);
        }
        for (target, callback) in std::mem::take(&mut pending_start.host_callbacks) {
            self.register(target, callback)?;
        }
        // A replay starts the front ends here.
        self.0.external.emit(|| SystemStarted);
        let started = std::mem::take(&mut pending_start.started);
        self.start_front_ends(pending_start)?;
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
    pub(crate) fn start_front_ends(&self, pending_start: PendingStart) -> Result<(), Error> {
        let Inner {
            bus,
            ports,
            progress,
            lines,
            ..
        } = &*self.0;
        let PendingStart {
            channels, peers, ..
        } = &pending_start;
        for channel in &**channels {
            tracing::info!(target: START, "[{}(server)] started!", channel.name);
        }
        let front_ends = FrontEnds::start(&ServerComponents {
            bus,
            peers,
            channels,
            progress,
        })?;
        let front_ends = Rc::new(front_ends);
        let servers = front_ends.clone();
        lines.set_front_ends(Box::new(move |failed| {
            if let Some(server) = servers.of(failed.channel) {
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
