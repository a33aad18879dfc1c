//! The system: configuration turned into actors on a bus, and what can be done with it.

mod backdoor;
mod build;
mod builder;
mod entry;
mod error;
mod flusher;
mod log;
mod origin;
#[cfg(feature = "python")]
mod python;
mod replay;
mod sockets;
mod spaces;
mod watchdog;

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::path::Path;
use std::rc::{Rc, Weak};
use std::time::Instant;

pub(crate) use build::Beginning;
pub use builder::Builder;
pub(crate) use entry::InitPaths;
pub use entry::{
    CallbackResult, MailboxInitPaths, mailbox_init, mailbox_init_with_config,
    mailbox_init_with_paths, mb_server_run,
};
pub use error::Error;
use flusher::Flusher;
pub use replay::{ActorName, Difference, NoSuchActor, Replay, ReplayError, Replayed};
pub use sockets::Sockets;
pub(crate) use sockets::Standalone;
pub use spaces::{MemoryView, SpaceView, Spaces};
pub(crate) use watchdog::Timeout;
use watchdog::Watchdog;

use crate::actors::mailbox::Board;
use crate::attach::{Attach, Site};
use crate::bus::{Bus, Desk, Port};
use crate::foreign::{CallResult, Callbacks, Memories};
use crate::mem::MemoryMap;
use crate::messages::announced::{Notified, Observing};
use crate::messages::foreign::{Register, Report, Severity, Untold};
use crate::messages::mailbox::Status;
use crate::messages::rpc::{Offer, Progress, Target, When};
use crate::messages::{self, console, foreign, mailbox, memory, rpc};
use crate::sim::strand::{is_entered, strand_local};
use crate::trace::{Header, Payloads};

/// A running host: the actors that serve firmware, and the backdoor into its memories.
///
/// It lives on one thread, and there is one a thread at a time. Nothing happens between calls: firmware
/// is served in [`tick`](Self::tick). The system of the C ABI is another one, which moves between threads: [`with_host`](crate::with_host)
/// has it.
pub struct Vhost(Rc<Inner>);

struct Inner {
    bus: Bus,
    /// For what callers from outside announce.
    outside: Desk,
    ports: Ports,
    board: Rc<Board>,
    map: Rc<MemoryMap>,
    memories: Rc<Memories>,
    /// How a recording of it begins.
    origin: Header,
    callbacks: Rc<Callbacks>,
    channels: Vec<NamedChannel>,
    /// For what is attached.
    site: Site,
    /// Channels that the testbench is yet to be told of.
    unregistered: RefCell<Vec<String>>,
    observed: Observed,
    watchdog: Watchdog,
    flusher: Flusher,
    _alone: Alone,
}

/// The ways to the parties that calls from outside are for.
struct Ports {
    memory: Port<memory::Inbox>,
    rpc: Port<rpc::Inbox>,
    console: Port<console::Inbox>,
    sockets: Port<messages::sockets::Inbox>,
    /// Not before the memories have their first content.
    mailbox: OnceCell<Port<mailbox::Inbox>>,
    foreign: Port<foreign::Inbox>,
}

/// What the testbench has asked to be told of.
#[derive(Debug, Default)]
struct Observed {
    served: Rc<Cell<bool>>,
    written: Rc<Cell<bool>>,
}

impl Observed {
    /// It asks for more.
    fn add(&self, what: Observing) {
        let Self { served, written } = self;
        served.set(served.get() || what.served);
        written.set(written.get() || what.written);
    }
}

/// A channel, as far as its users ask about it.
struct NamedChannel {
    name: String,
    space: String,
    /// Whether there is a mailbox, or an image to load only.
    served: bool,
}

/// How a channel stands at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelExit {
    /// Its name.
    pub name: String,
    /// Its exit code; none where it has not exited.
    pub code: Option<u32>,
}

/// A call of firmware's, as the host program's methods and commands see it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Name of the channel that calls.
    pub channel: &'a str,
    /// Arguments, zero-extended. Of a custom command these are all words that a request has room for after the id (19),
    /// whatever firmware said of their number: the command takes as many as it has, and what follows may be anything.
    pub args: &'a [u64],
}

impl Vhost {
    /// One clock: takes new requests, serves them, and asks again those who said "pending". Gives the
    /// number of channels that have not exited.
    ///
    /// # Errors
    /// [`Error::Fatal`] once service has ended for good, and [`Error::Bus`] from inside a callback.
    pub fn tick(&self) -> Result<usize, Error> {
        let inner = &*self.0;
        if !inner.unregistered.borrow().is_empty() {
            self.register_at_last()?;
        }
        let worked = inner.bus.tick()?;
        if worked {
            self.report_panics()?;
        }
        if inner.bus.unflushed() && inner.flusher.tick(worked, Instant::now) {
            inner.bus.flush();
        }
        if inner.watchdog.is_due(inner.bus.now()) {
            self.fire()?;
        }
        match inner.board.fatal() {
            None => Ok(inner.board.served()),
            Some(text) => Err(Error::Fatal(text.to_owned())),
        }
    }

    /// Something was written to a mailbox: the next tick looks at every channel.
    pub fn notify(&self) {
        self.0.outside.announce(|| Notified);
        self.0.bus.notify();
    }

    /// How each channel stands: a line that says who owes the next step, and indented ones with indices and the last
    /// requests. Another text while the system is being built.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn status(&self) -> Result<String, Error> {
        let Some(mailbox) = self.0.ports.mailbox.get() else {
            return Ok("the system is being built".to_owned());
        };
        let statuses = self.0.bus.ask(mailbox, Status)?;
        Ok(statuses
            .iter()
            .map(|status| format!("{status}\n"))
            .collect())
    }

    /// Reports with this severity each channel that makes no progress for so many ticks from now on, and what
    /// [`status`](Self::status) says: once, until it makes progress again. [`Severity::Fatal`] ends service. With 0 ticks
    /// nothing is reported.
    ///
    /// Progress is a handshake, a request that is taken, one that is over, an exit. A method that says "pending" once more
    /// is none, nor is firmware that computes.
    pub fn watchdog(&self, ticks: u64, severity: Severity) {
        self.watch(Timeout { ticks, severity });
    }

    pub(crate) fn watch(&self, timeout: Timeout) {
        self.0.watchdog.set(timeout, self.0.bus.now());
    }

    /// Some channel may be stuck.
    #[cold]
    fn fire(&self) -> Result<(), Error> {
        let Inner {
            bus,
            board,
            watchdog,
            ..
        } = &*self.0;
        if board.fatal().is_some() {
            return Ok(());
        }
        let stuck = watchdog.look(bus.now(), board);
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
            board.fail(&format!("watchdog: {text}"));
        }
        let reported = self.report(severity, "watchdog", text);
        // Whoever reads it may well kill the process.
        bus.flush();
        reported
    }

    /// Ticks so far.
    pub fn now(&self) -> u64 {
        self.0.bus.now()
    }

    /// How each served channel stands, in the order of the configuration.
    pub fn exits(&self) -> Vec<ChannelExit> {
        let served = self.0.channels.iter().filter(|channel| channel.served);
        let names = served.map(|channel| channel.name.clone());
        let exits = names.zip(self.0.board.exits());
        exits
            .map(|(name, code)| ChannelExit { name, code })
            .collect()
    }

    /// Whether this call comes from inside a foreign call, such as a method of the testbench.
    pub fn is_abroad(&self) -> bool {
        self.0.bus.abroad()
    }

    /// Answers CALLs of this method by `callback`; the testbench is no longer asked.
    ///
    /// A call that is pending is asked again on every tick. Where a tick passes without, firmware has reset the channel,
    /// and what `callback` is asked next is another call.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn register_method(
        &self,
        name: impl Into<String>,
        callback: impl FnMut(&Vhost, Call<'_>) -> CallResult + Send + 'static,
    ) -> Result<(), Error> {
        self.register(Target::Method(name.into()), callback)
    }

    /// Answers custom commands of this id (requests OTHER) by `callback`.
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
        let system: Weak<Inner> = Rc::downgrade(&self.0);
        let callback = move |channel: &str, args: &[u64]| {
            let vhost = Vhost(system.upgrade().ok_or("the system is gone")?);
            callback(&vhost, Call { channel, args })
        };
        self.0
            .callbacks
            .register(target.clone(), Box::new(callback));
        Ok(self.0.bus.ask(&self.0.ports.rpc, Offer { target })?)
    }

    /// Asks a method once, as firmware's CALL does on every tick.
    ///
    /// # Errors
    /// Where the testbench can't be asked.
    pub fn poll_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, Error> {
        let channel = channel.to_owned();
        let ask = rpc::Call {
            channel: channel.clone(),
            target: Target::Method(method.to_owned()),
            args: args.to_vec(),
            when: When::Now,
        };
        let answer = self.0.bus.ask(&self.0.ports.rpc, ask)?;
        let answered = answer.map_err(|cause| Error::Call { channel, cause })?;
        Ok(answered.progress)
    }

    /// Attaches a logger, a checker or whatever else is to see what is said from now on; [`attach`](crate::attach) has ready-made
    /// ones.
    ///
    /// # Errors
    /// [`Error::Attach`] where it has no place here, [`Error::Bus`] from inside a tap.
    pub fn attach(&self, what: impl Attach) -> Result<(), Error> {
        build::attach(&self.0.bus, Box::new(what), &self.0.site)
    }

    /// Records every message and reply in `file` from now on, for whoever wants to read it. For a replay it takes a recording from
    /// the start: [`Builder::record`].
    ///
    /// # Errors
    /// [`Error::Trace`] where the file can't be written.
    pub fn record(&self, file: impl AsRef<Path>, payloads: Payloads) -> Result<(), Error> {
        let header = Header {
            payloads,
            ..self.0.origin.clone()
        };
        self.0.bus.attach(origin::recorder(file.as_ref(), &header)?);
        Ok(())
    }

    /// Tells the testbench of what it asks for from now on.
    pub(crate) fn observe(&self, what: Observing) {
        self.0.outside.announce(|| what);
        self.0.observed.add(what);
    }

    /// Has the testbench show firmware's lines.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub(crate) fn redirect_lines(&self) -> Result<(), Error> {
        Ok(self.0.bus.ask(&self.0.ports.console, console::Redirect)?)
    }

    /// Shows something to the user, as the system's own reports are.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn report(&self, severity: Severity, id: &str, text: &str) -> Result<(), Error> {
        let report = Report {
            severity,
            id: id.to_owned(),
            text: text.to_owned(),
        };
        Ok(self.0.bus.ask(&self.0.ports.foreign, report)?)
    }

    /// Tells the testbench of each channel, once. Where it can't be told now, the first tick tries again.
    pub(crate) fn register_channels(&self) -> Result<(), Error> {
        for (channel, _) in self.register_each()? {
            self.0.unregistered.borrow_mut().push(channel);
        }
        Ok(())
    }

    /// Tells the testbench of the channels that it was not told of; there is no other try.
    #[cold]
    fn register_at_last(&self) -> Result<(), Error> {
        for (channel, untold) in self.register_each()? {
            let text = format!("channel `{channel}`: {untold}");
            self.report(Severity::Error, "sv_registery_ch", &text)?;
        }
        Ok(())
    }

    /// Those that the testbench can't be told of.
    fn register_each(&self) -> Result<Vec<(String, Untold)>, Error> {
        // A tap may not do this, and no channel is lost where one tries.
        self.0.bus.settle()?;
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

    /// A panic that nobody heard of is an error of the host's own.
    #[cold]
    fn report_panics(&self) -> Result<(), Error> {
        let Inner { bus, ports, .. } = &*self.0;
        for report in build::panics(bus, &ports.foreign) {
            bus.ask(&ports.foreign, report)?;
        }
        Ok(bus.settle()?)
    }

    /// Puts out text that is left, and closes the sockets. The system ends when it is dropped.
    pub fn shutdown(self) {
        // Nothing is left to tell the user with.
        let _ = self.sockets().close_all();
        let _ = self
            .0
            .bus
            .ask(&self.0.ports.console, console::Finish { channel: None });
        // Lines that the testbench is to show.
        let _ = self.0.bus.settle();
        self.detach();
    }
}

impl Vhost {
    /// Nothing is shown to anybody any more. What somebody found at the very end is still told.
    fn detach(&self) {
        build::detach_all(&self.0.bus, &self.0.ports.foreign);
    }
}

/// Reservation for the one system of the C ABI, or of a thread of a Rust program.
struct Alone {
    /// It is the C ABI's.
    moves: bool,
}

strand_local! {
    static TAKEN: Cell<bool> = Cell::new(false);
}

impl Alone {
    fn take() -> Result<Self, Error> {
        // A thread that is ending can't have one.
        let taken = TAKEN.with(|taken| taken.replace(true)).unwrap_or(true);
        if taken {
            Err(Error::AlreadyRunning)
        } else {
            let moves = is_entered();
            Ok(Self { moves })
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // A thread may drop its own system inside a call of the C ABI, too.
        let _ = TAKEN.with_value_of(self.moves, |taken| taken.set(false));
    }
}

impl fmt::Debug for Vhost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vhost")
            .field("bus", &self.0.bus)
            .field("board", &self.0.board)
            .finish()
    }
}
