//! Running system: actors on a bus, and its Rust API.

mod backdoor;
mod build;
mod builder;
mod entry;
mod environment;
mod error;
mod flusher;
mod loader;
mod log;
mod origin;
mod parts;
#[cfg(feature = "python")]
mod python;
mod replay;
mod snapshots;
mod sockets;
mod space_names;
mod spaces;
mod stdin;
mod taps;
mod watchdog;

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::path::Path;
use std::rc::{Rc, Weak};
use std::time::Instant;

pub(crate) use build::PendingStart;
pub use builder::Builder;
pub(crate) use entry::InitPaths;
pub use entry::{
    CallbackResult, MailboxInitPaths, mailbox_init, mailbox_init_with_config,
    mailbox_init_with_paths, mb_server_run,
};
pub use error::Error;
use flusher::Flusher;
pub use replay::{ActorName, Difference, NoSuchActor, Replay, ReplayError, Replayed};
pub use snapshots::Snapshots;
pub(crate) use sockets::SocketService;
pub use sockets::Sockets;
use space_names::SpaceNames;
pub use spaces::{MemoryView, SpaceView, Spaces};
pub(crate) use watchdog::Timeout;
use watchdog::Watchdog;

use crate::actors::files::Root;
use crate::actors::mailbox::{ChannelProgress, statuses};
use crate::actors::memory::MemoryClient;
use crate::actors::sockets::Hub;
use crate::attach::{Attach, AttachContext};
use crate::backend::Backends;
use crate::bus::{ActorContext, Bus, Port, TickWork};
use crate::foreign::{CallResult, Callbacks};
use crate::mem::MemoryMap;
use crate::messages::announced::{Notified, ObserveFlags};
use crate::messages::foreign::{NotifyError, Register, Report, Severity};
use crate::messages::rpc::{Progress, RegisterTarget, Schedule, Target};
use crate::messages::{self, Name, console, foreign, mailbox, memory, rpc};
use crate::sim::strand::{Abroad, is_entered, strand_local};
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
    /// Recipient of findings.
    attach_context: AttachContext,
    /// Channels not yet registered with the testbench.
    unregistered: RefCell<Vec<Name>>,
    observed: Observed,
    watchdog: Watchdog,
    /// Root directory of firmware's files.
    root: Option<Root>,
    flusher: Flusher,
    /// Listeners and clients that the socket manager serves.
    hub: Rc<RefCell<Hub>>,
    _claim: ThreadClaim,
}

/// References to the actors that receive external calls.
struct Ports {
    memory: Port<memory::Inbox>,
    /// MemoryClient of the memory actor.
    accesses: MemoryClient,
    rpc: Port<rpc::Inbox>,
    console: Port<console::Inbox>,
    sockets: Port<messages::sockets::Inbox>,
    /// Set once memories are initialised.
    mailbox: OnceCell<Port<mailbox::Inbox>>,
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

/// Call of firmware to a method or command of the host program.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Name of the calling channel.
    pub channel: &'a str,
    /// Arguments, zero-extended. A custom command gets all 19 words after the id, whatever count firmware sent; words beyond
    /// its own arguments are undefined.
    pub args: &'a [u64],
}

impl Vhost {
    /// Executes one clock: takes new requests, serves them, and polls pending calls. Returns the number of channels that have
    /// not exited.
    ///
    /// # Errors
    /// [`Error::Fatal`] after the end of service, [`Error::Bus`] from inside a callback.
    #[inline]
    pub fn tick(&self) -> Result<usize, Error> {
        let inner = &*self.0;
        if !inner.unregistered.borrow().is_empty() {
            self.register_at_last()?;
        }
        let worked = inner.bus.tick()?;
        self.end_tick(worked)
    }

    /// Tick until which the system is settled: until then a tick has nothing to do but to poll the doorbells and pending calls, unless the
    /// system is used before. 0 if it is not settled.
    pub(crate) fn settled_until(&self) -> u64 {
        let inner = &*self.0;
        let is_registered = inner.unregistered.borrow().is_empty();
        let is_settled =
            is_registered && inner.bus.is_settled() && inner.progress.fatal().is_none();
        if is_settled { inner.watchdog.due() } else { 0 }
    }

    /// Begins a tick of a [settled](Self::settled_until) system. Returns the resulting work, if there is any, for
    /// [`finish_tick`](Self::finish_tick); without any the tick is over.
    #[inline(always)]
    pub(crate) fn begin_settled_tick(&self) -> Option<TickWork> {
        self.0.bus.begin_settled_tick()
    }

    /// Carries out the work of a tick that [began settled](Self::begin_settled_tick).
    pub(crate) fn finish_tick(&self, work: TickWork) -> Result<usize, Error> {
        self.0.bus.finish_tick(work);
        self.end_tick(true)
    }

    /// Number of channels that have not exited.
    #[inline(always)]
    pub(crate) fn served(&self) -> usize {
        self.0.progress.served()
    }

    /// Ends a tick that had some work or none.
    #[inline(always)]
    fn end_tick(&self, worked: bool) -> Result<usize, Error> {
        let inner = &*self.0;
        if worked || inner.bus.unflushed() {
            self.follow_up(worked)?;
        }
        if inner.watchdog.is_due(inner.bus.now()) {
            self.fire()?;
        }
        match inner.progress.fatal() {
            None => Ok(inner.progress.served()),
            Some(text) => Err(Error::Fatal(text.to_owned())),
        }
    }

    /// Reports panics of a tick with work, and has recordings written out where it is time.
    #[inline(never)]
    fn follow_up(&self, worked: bool) -> Result<(), Error> {
        let Inner { bus, flusher, .. } = &*self.0;
        if worked && bus.any_panics() {
            self.report_panics()?;
        }
        if bus.unflushed() && flusher.tick(worked, Instant::now) {
            bus.flush();
        }
        Ok(())
    }

    /// Writes out what recordings and logs have buffered.
    pub(crate) fn flush(&self) {
        if self.0.bus.unflushed() {
            self.0.bus.flush();
        }
    }

    /// Has recordings and logs write out what they have buffered before each foreign call.
    pub(crate) fn flush_before_calls(&self) {
        self.0.bus.flush_before_calls(true);
    }

    /// Doorbell: a mailbox was written; the next tick looks at every channel.
    pub fn notify(&self) {
        self.0.outside.emit(|| Notified);
        self.0.bus.notify();
    }

    /// Status text of all channels: one line on the next step due, indented lines with queue indices and last requests.
    /// A different text while the system is being built.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn status(&self) -> Result<String, Error> {
        let _home = Abroad::go(false);
        let Some(mailbox) = self.0.ports.mailbox.get() else {
            return Ok("the system is being built".to_owned());
        };
        let Inner {
            bus,
            ports,
            progress,
            ..
        } = &*self.0;
        let statuses = statuses(bus, mailbox, &ports.memory, progress)?;
        Ok(statuses
            .iter()
            .map(|status| format!("{status}\n"))
            .collect())
    }

    /// Reports each channel that makes no progress for this many ticks from now on, with this severity and its
    /// [`status`](Self::status): once, until it makes progress again. [`Severity::Fatal`] ends service; 0 ticks disable it.
    ///
    /// Progress is a handshake, a request taken or completed, an exit. A repeated "pending" is none, nor is computing firmware.
    pub fn watchdog(&self, ticks: u64, severity: Severity) {
        self.watch(Timeout { ticks, severity });
    }

    pub(crate) fn watch(&self, timeout: Timeout) {
        self.0.watchdog.set(timeout, self.0.bus.now());
    }

    /// Reports channels that are stuck.
    #[cold]
    fn fire(&self) -> Result<(), Error> {
        let Inner {
            bus,
            progress,
            watchdog,
            ..
        } = &*self.0;
        if progress.fatal().is_some() {
            return Ok(());
        }
        let stuck = watchdog.look(bus.now(), progress);
        if stuck.is_empty() {
            return Ok(());
        }
        let exits = self.exits();
        let stuck = stuck.iter().filter_map(|at| exits.get(*at));
        let names: Vec<&str> = stuck.map(|exit| exit.name.as_str()).collect();
        let (names, Timeout { ticks, severity }) = (names.join(", "), watchdog.timeout());
        let text = format!("no progress for {ticks} ticks: {names}\n{}", self.status()?);
        let text = text.trim_end();
        if severity == Severity::Fatal {
            progress.fail(&format!("watchdog: {text}"));
        }
        let reported = self.report(severity, "watchdog", text);
        // A reader of the report may kill the process.
        bus.flush();
        reported
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

    /// Tests for a call from inside a foreign call, such as a method of the testbench.
    pub fn is_abroad(&self) -> bool {
        self.0.bus.in_foreign_call()
    }

    /// Registers `callback` for CALLs of this method; the testbench is no longer asked for it.
    ///
    /// A pending call is polled on every tick. A tick without a poll means that firmware has reset the channel, and the next
    /// poll belongs to another call.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn register_method(
        &self,
        name: impl Into<String>,
        callback: impl FnMut(&Vhost, Call<'_>) -> CallResult + Send + 'static,
    ) -> Result<(), Error> {
        self.register(Target::Method(name.into().into()), callback)
    }

    /// Registers `callback` for custom commands (requests OTHER) of this id.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn register_command(
        &self,
        id: u64,
        callback: impl FnMut(&Vhost, Call<'_>) -> CallResult + Send + 'static,
    ) -> Result<(), Error> {
        self.register(Target::Command(id), callback)
    }

    fn register(
        &self,
        target: Target,
        mut callback: impl FnMut(&Vhost, Call<'_>) -> CallResult + 'static,
    ) -> Result<(), Error> {
        let _home = Abroad::go(false);
        let system: Weak<Inner> = Rc::downgrade(&self.0);
        let callback = move |channel: &str, args: &[u64]| {
            let vhost = Vhost(system.upgrade().ok_or("the system has ended")?);
            callback(&vhost, Call { channel, args })
        };
        self.0
            .callbacks
            .register(target.clone(), Box::new(callback));
        Ok(self
            .0
            .bus
            .ask(&self.0.ports.rpc, RegisterTarget { target })?)
    }

    /// Polls a method once, as firmware's CALL does on every tick.
    ///
    /// # Errors
    /// A testbench that can't be called.
    pub fn poll_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, Error> {
        let _home = Abroad::go(false);
        let ask = rpc::Call {
            channel: channel.into(),
            target: Target::Method(method.into()),
            args: args.to_vec(),
            schedule: Schedule::Now,
        };
        let answer = self.0.bus.ask(&self.0.ports.rpc, ask)?;
        let answered = answer.map_err(|cause| Error::Call {
            channel: channel.to_owned(),
            cause,
        })?;
        Ok(answered.progress)
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

    /// Registers each channel with the testbench, once. After a failure the first tick tries again.
    pub(crate) fn register_channels(&self) -> Result<(), Error> {
        for (channel, _) in self.register_each()? {
            self.0.unregistered.borrow_mut().push(channel);
        }
        Ok(())
    }

    /// Registers the remaining channels with the testbench, with no further retry.
    #[cold]
    fn register_at_last(&self) -> Result<(), Error> {
        for (channel, untold) in self.register_each()? {
            let text = format!("channel `{channel}`: {untold}");
            self.report(Severity::Error, "sv_registery_ch", &text)?;
        }
        Ok(())
    }

    /// Channels that can't be registered.
    fn register_each(&self) -> Result<Vec<(Name, NotifyError)>, Error> {
        // Refused inside a tap: the channels stay pending.
        self.0.bus.run_until_idle()?;
        let mut failed = Vec::new();
        for channel in self.0.unregistered.take() {
            let register = Register {
                channel: channel.clone(),
            };
            if let Err(untold) = self.0.bus.ask(&self.0.ports.foreign, register)? {
                failed.push((channel, untold));
            }
        }
        Ok(failed)
    }

    /// Panic without a receiver: an internal error of the host.
    #[cold]
    fn report_panics(&self) -> Result<(), Error> {
        let Inner { bus, ports, .. } = &*self.0;
        for report in taps::panics(bus, &ports.foreign) {
            bus.ask(&ports.foreign, report)?;
        }
        Ok(bus.run_until_idle()?)
    }

    /// Flushes text and closes the sockets. Dropping the value ends the system.
    pub fn shutdown(self) {
        // No recipient is left for errors.
        let _ = self.sockets().close_all();
        let _ = self
            .0
            .bus
            .ask(&self.0.ports.console, console::Finish { channel: None });
        // Lines for the testbench.
        let _ = self.0.bus.run_until_idle();
        self.detach();
    }
}

impl Vhost {
    /// Detaches all taps. Last findings are still reported.
    fn detach(&self) {
        taps::detach_all(&self.0.bus, &self.0.ports.foreign);
    }
}

/// Reservation of the one system of the C ABI, or of a Rust program's thread.
struct ThreadClaim {
    /// True for the C ABI.
    moves: bool,
}

strand_local! {
    static TAKEN: Cell<bool> = Cell::new(false);
}

impl ThreadClaim {
    fn take() -> Result<Self, Error> {
        // Unavailable on a thread that is ending.
        let taken = TAKEN.with(|taken| taken.replace(true)).unwrap_or(true);
        if taken {
            Err(Error::AlreadyRunning)
        } else {
            let moves = is_entered();
            Ok(Self { moves })
        }
    }
}

impl Drop for ThreadClaim {
    fn drop(&mut self) {
        // A thread may drop its own system inside a call of the C ABI.
        let _ = TAKEN.with_value_of(self.moves, |taken| taken.set(false));
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
