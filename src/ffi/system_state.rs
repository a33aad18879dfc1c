//! State of one system of the C ABI. [`systems`](super::systems) has further systems.
//!
//! It is accessed only inside the [strand](mod@crate::sim::strand), which [`guard`](super::guard)
//! enters for every exported function.

use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::c_int;
use std::rc::Rc;
use std::time::Duration;

use super::error::{Error, catch};
use super::exit::end_recordings_at_exit;
use super::fork::FORKS;
use super::host::configure;
use super::observe_flags::{SERVED, WRITTEN, observing};
use super::refused_calls;
use super::returned_strings::ReturnedStrings;
use super::unused_arrays;
use super::zero_time::{self, ZeroTimeLoop};
use crate::attach::Builtin;
use crate::bus::SettledTicks;
use crate::config::vhost_variables::{CALL_TIMEOUT, SCOPE};
use crate::foreign::report;
use crate::messages::foreign::Severity;
use crate::sim::call_timeout;
use crate::sim::fork::watch_forks;
use crate::sim::strand::{self, StrandCell};
use crate::sim::time::simulated_time;
use crate::sim::{SimError, keep_loaded, lifetime, scope, testbench, vpi_testbench};
use crate::system::{InitPaths, SocketService, Sockets, Vhost, WatchdogTimeout, record_failure};

/// The first system.
pub(super) static FIRST_SYSTEM_STATE: StrandCell<SystemState> = StrandCell::new(SystemState::new());

/// System of the C ABI, and settings made before it is built.
pub(super) struct SystemState {
    state: RefCell<State>,
    /// Sockets, which work without a system.
    sockets: OnceCell<SocketService>,
    /// Events to observe, set before or after the system is built: [`SERVED`], [`WRITTEN`].
    observed: Cell<u32>,
    /// Timeout of the watchdog, set before or after the system is built.
    timeout: Cell<Option<WatchdogTimeout>>,
    /// Loggers and checkers for a system that is not built yet.
    attached: RefCell<Vec<Builtin>>,
    /// Calls at one simulated time.
    zero_time: ZeroTimeLoop,
    /// Settled system. Valid if no other call came since it was set.
    pub(super) settled: RefCell<Option<Settled>>,
    /// True after the first attempt to build a system.
    has_tried: Cell<bool>,
    /// Strings returned to C.
    pub(super) returned: ReturnedStrings,
}

/// Settled system.
pub(super) struct Settled {
    pub(super) vhost: Rc<Vhost>,
    pub(super) ticks: SettledTicks,
    /// Tick up to which the system is settled.
    pub(super) until: u64,
    /// Number of channels that have not exited.
    pub(super) served: c_int,
}

/// Number of channels that have not exited, for C.
pub(super) fn served_count(served: usize) -> c_int {
    c_int::try_from(served).unwrap_or(c_int::MAX)
}

/// State of the system's life.
#[derive(Clone)]
enum State {
    /// No system.
    Empty,
    /// System under construction or shutdown.
    Busy,
    /// Usable system. Before its start is complete, every call comes from inside a foreign call.
    Running {
        vhost: Rc<Vhost>,
        /// Built from the environment at first use, without `mb_init`.
        implicit: bool,
    },
    /// System that could not be built.
    Failed(Rc<str>),
}

/// Report of a system that is built again implicitly.
const OVER: &str = "the previous system's simulation was deleted without `mb_shutdown`; starting a \
                    new system; call `mb_shutdown` before a model is deleted";

/// Sets the DPI scope of the testbench's exports. `origin` is the source of the name.
pub(super) fn name_scope(name: &str, origin: &'static str) -> Result<(), Error> {
    let found = scope::name(name).map_err(SimError::Absent)?;
    if found {
        Ok(())
    } else {
        let name = name.to_owned();
        Err(Error::NoSuchScope { name, origin })
    }
}

/// Sets the scope of the environment variable, unless one was set.
fn name_scope_of_environment() -> Result<(), Error> {
    match SCOPE.value() {
        Some(name) if !scope::is_named() => name_scope(&name.to_string_lossy(), SCOPE.name),
        _ => Ok(()),
    }
}

/// Starts the timeout of foreign calls that the environment configures, and ends the previous
/// system's. Returns true if there is one.
fn start_call_timeout() -> Result<bool, Error> {
    call_timeout::stop();
    let Some(value) = CALL_TIMEOUT.value() else {
        return Ok(false);
    };
    let seconds = value.to_str().and_then(|value| value.trim().parse().ok());
    let limit = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match limit {
        Some(Duration::ZERO) => Ok(false),
        Some(limit) => {
            call_timeout::start(limit).map_err(Error::CallTimeoutThread)?;
            Ok(true)
        }
        None => Err(Error::CallTimeout(value.to_string_lossy().into_owned())),
    }
}

/// Reports a number of calls without an advance of simulated time.
#[cold]
fn report_zero_time(vhost: &Vhost, calls: u64) -> Result<(), Error> {
    let text = zero_time::text(calls, vhost.now(), &vhost.status()?);
    report(Severity::Warning, "vhost", &text);
    Ok(())
}

/// Ends the snapshots of a process that exits, because they keep the recording open.
fn end_snapshots() {
    if let Ok(strand) = &strand::enter() {
        FORKS.get(strand).end_snapshots();
    }
}

impl SystemState {
    pub(super) const fn new() -> Self {
        Self {
            state: RefCell::new(State::Empty),
            sockets: OnceCell::new(),
            observed: Cell::new(0),
            timeout: Cell::new(None),
            attached: RefCell::new(Vec::new()),
            returned: ReturnedStrings::new(),
            zero_time: ZeroTimeLoop::new(),
            settled: RefCell::new(None),
            has_tried: Cell::new(false),
        }
    }

    /// Returns the system. If there is none, it is built from the environment. Inlined, because
    /// every tick calls it.
    #[inline(always)]
    pub(super) fn system(&self) -> Result<Rc<Vhost>, Error> {
        match self.running()? {
            Some(vhost) => Ok(vhost),
            None => self.first_use(),
        }
    }

    /// Returns the system for a call that takes no simulated time. Too many such calls at one time
    /// are reported.
    #[inline(always)]
    pub(super) fn system_at_once(&self) -> Result<Rc<Vhost>, Error> {
        let vhost = self.system()?;
        if let Some(calls) = self.zero_time.count(vhost.now(), simulated_time) {
            report_zero_time(&vhost, calls)?;
        }
        Ok(vhost)
    }

    #[cold]
    fn first_use(&self) -> Result<Rc<Vhost>, Error> {
        scope::adopt_of_call();
        self.build(InitPaths::default(), true)
    }

    /// Returns the system, if there is one. Inlined, because every tick calls it.
    #[inline(always)]
    pub(super) fn running(&self) -> Result<Option<Rc<Vhost>>, Error> {
        match &*self.state.borrow() {
            State::Running { vhost, .. } => {
                scope::adopt_of_call();
                Ok(Some(vhost.clone()))
            }
            State::Empty => Ok(None),
            State::Failed(cause) => Err(Error::StillFailed(cause.to_string())),
            State::Busy => Err(Error::Busy),
        }
    }

    /// Records that the system is settled up to tick `until`, with the parts that its ticks use.
    /// Returns false inside of a settled tick.
    #[inline(always)]
    pub(super) fn settle(&self, vhost: &Rc<Vhost>, until: u64) -> bool {
        // Borrowed while doorbells are polled, which may cause nested calls.
        let Ok(mut settled) = self.settled.try_borrow_mut() else {
            return false;
        };
        let served = served_count(vhost.served());
        match &mut *settled {
            Some(known) if vhost.has_settled_ticks(&known.ticks) => {
                (known.until, known.served) = (until, served);
            }
            unknown => {
                let ticks = vhost.settled_ticks();
                *unknown = Some(Settled {
                    vhost: vhost.clone(),
                    ticks,
                    until,
                    served,
                });
            }
        }
        true
    }

    /// Adds events for the testbench to observe, until the system is shut down.
    pub(super) fn observe(&self, what: u32) -> Result<(), Error> {
        if what & !(SERVED | WRITTEN) != 0 {
            return Err(Error::NotObservable { what });
        }
        let vhost = self.running()?;
        self.observed.set(self.observed.get() | what);
        if let Some(vhost) = vhost {
            self.observe_in(&vhost);
        }
        Ok(())
    }

    fn observe_in(&self, vhost: &Vhost) {
        let what = self.observed.get();
        if what != 0 {
            vhost.observe(observing(what));
        }
    }

    /// Sets the timeout of the watchdog, until the system is shut down.
    pub(super) fn watch(&self, timeout: WatchdogTimeout) -> Result<(), Error> {
        let vhost = self.running()?;
        self.timeout.set(Some(timeout));
        if let Some(vhost) = vhost {
            vhost.watch(timeout);
        }
        Ok(())
    }

    /// Attaches loggers and checkers, now or as soon as there is a system. They end with the
    /// system.
    pub(super) fn attach(&self, named: Vec<Builtin>) -> Result<(), Error> {
        match self.running()? {
            Some(vhost) => named
                .into_iter()
                .try_for_each(|what| Ok(vhost.attach(what)?)),
            None => {
                self.attached.borrow_mut().extend(named);
                Ok(())
            }
        }
    }

    /// Uses the sockets. They work without a system, but belong to the system if there is one. The
    /// caller's scope is not used as the scope of the testbench's exports.
    pub(super) fn with_sockets<T>(
        &self,
        act: impl FnOnce(Sockets<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.state() {
            State::Running { vhost, .. } => act(vhost.sockets()),
            State::Busy => Err(Error::Busy),
            State::Empty | State::Failed(_) => act(self.standalone()?.sockets()),
        }
    }

    /// Sends queued bytes of sockets if there is no system to do it.
    pub(super) fn flush_sockets(&self) -> Result<(), Error> {
        self.sockets.get().map_or(Ok(()), |open| Ok(open.flush()?))
    }

    fn standalone(&self) -> Result<&SocketService, Error> {
        if let Some(standalone) = self.sockets.get() {
            return Ok(standalone);
        }
        keep_loaded();
        watch_forks();
        let standalone = SocketService::new()?;
        Ok(self.sockets.get_or_init(|| standalone))
    }

    /// Rejects a call from inside a foreign call. A report by an exported function counts as a
    /// foreign call, although the bus does not make it.
    #[cold]
    #[inline(never)]
    pub(super) fn reject_reentrant(&self) -> Result<(), Error> {
        let inside = match &*self.state.borrow() {
            State::Running { vhost, .. } => vhost.in_foreign_call(),
            State::Empty | State::Busy | State::Failed(_) => false,
        };
        if inside || testbench::is_reporting() {
            return Err(Error::Reentrant);
        }
        Ok(())
    }

    /// Builds the system.
    pub(super) fn start(&self, paths: InitPaths) -> Result<(), Error> {
        match self.state() {
            State::Running { vhost, .. } if scope::simulation_is_over() => {
                drop(vhost);
                let late = lifetime::take_late();
                self.end_system()?;
                scope::renew();
                scope::adopt_of_init();
                let vhost = self.build(paths, false)?;
                let late = late.map(|late| format!("; {late}")).unwrap_or_default();
                vhost.report(Severity::Warning, "mb_init", &format!("{OVER}{late}"))?;
                Ok(vhost.register_channels()?)
            }
            State::Running { vhost, implicit } => {
                // Built implicitly before a call of `mb_init`. If that call also means the
                // environment, this is its system.
                if !implicit || paths != InitPaths::default() {
                    return Err(Error::Running);
                }
                scope::adopt_of_init();
                self.set_state(State::Running {
                    vhost: vhost.clone(),
                    implicit: false,
                });
                Ok(vhost.register_channels()?)
            }
            State::Busy => Err(Error::Busy),
            State::Empty | State::Failed(_) => {
                scope::adopt_of_init();
                Ok(self.build(paths, false)?.register_channels()?)
            }
        }
    }

    /// True if there is a system, even one under construction or shutdown.
    pub(super) fn is_running(&self) -> bool {
        !matches!(&*self.state.borrow(), State::Empty | State::Failed(_))
    }

    /// Drops the system, and closes its sockets.
    pub(super) fn stop(&self) -> Result<(), Error> {
        let ended = self.end_system();
        if !matches!(ended, Err(Error::Busy | Error::Reentrant)) {
            self.observed.set(0);
            self.timeout.set(None);
            self.attached.borrow_mut().clear();
            vpi_testbench::drop_calls();
            scope::forget();
        }
        ended
    }

    fn end_system(&self) -> Result<(), Error> {
        // Borrowed while its doorbells are polled.
        let settled = self
            .settled
            .try_borrow_mut()
            .map(|mut settled| settled.take());
        drop(settled.map_err(|_| Error::Reentrant)?);
        match &*self.state.borrow() {
            State::Busy => return Err(Error::Busy),
            // A host program further up the stack uses the system.
            State::Running { vhost, .. } if Rc::strong_count(vhost) > 1 => {
                return Err(Error::Reentrant);
            }
            State::Running { .. } | State::Empty | State::Failed(_) => {}
        }
        report_counts();
        let ended = match self.set_state(State::Busy) {
            State::Running { vhost, .. } => catch(|| {
                // Only this place keeps the system while no code of it is running.
                Rc::into_inner(vhost).ok_or(Error::Reentrant)?.shutdown();
                Ok(())
            }),
            _ => catch(|| self.close_sockets()),
        };
        self.set_state(State::Empty);
        ended
    }

    fn build(&self, paths: InitPaths, implicit: bool) -> Result<Rc<Vhost>, Error> {
        report_counts();
        self.set_state(State::Busy);
        vpi_testbench::begin();
        keep_loaded();
        watch_forks();
        end_recordings_at_exit(end_snapshots);
        let built = catch(|| {
            name_scope_of_environment()?;
            let measured = start_call_timeout()?;
            let attached = self.attached.borrow().clone();
            let sockets = self.standalone()?;
            let built = Vhost::from_environment(paths, sockets, attached, configure);
            // A process that has had a system keeps the recording of that system.
            if let (Err(error), false) = (&built, self.has_tried.replace(true)) {
                record_failure("mb_init", error);
            }
            let (vhost, pending_start) = built?;
            let vhost = Rc::new(vhost);
            // Set before the start is complete, because foreign calls of the start may use the
            // system.
            self.set_state(State::Running {
                vhost: vhost.clone(),
                implicit,
            });
            self.observe_in(&vhost);
            if measured {
                vhost.flush_before_calls();
            }
            if let Some(timeout) = self.timeout.get() {
                vhost.watch(timeout);
            }
            if testbench::takes_lines() {
                vhost.redirect_lines()?;
            }
            unused_arrays::warn(&vhost, |_| true);
            vhost.begin(pending_start)?;
            Ok(vhost)
        });
        built.inspect_err(|error| {
            self.set_state(State::Failed(error.to_string().into()));
        })
    }

    /// Writes buffered recordings of the system, if there is one, to their files. The caller may
    /// call for another system: its scope is not used as the scope of the exports.
    pub(super) fn flush(&self) {
        if let State::Running { vhost, .. } = self.state() {
            vhost.flush();
        }
    }

    /// Closes the parent's sockets and clients in this process, a child.
    pub(super) fn abandon_sockets(&self) -> Result<(), Error> {
        match self.sockets.get() {
            Some(open) if open.has_any() => self.with_sockets(|sockets| Ok(sockets.abandon()?)),
            _ => Ok(()),
        }
    }

    fn close_sockets(&self) -> Result<(), Error> {
        self.sockets
            .get()
            .map_or(Ok(()), |open| Ok(open.sockets().close_all()?))
    }

    fn state(&self) -> State {
        self.state.borrow().clone()
    }

    fn set_state(&self, next: State) -> State {
        self.state.replace(next)
    }
}

/// Reports the number of calls that were refused or have failed without a report, before the system
/// begins or ends.
fn report_counts() {
    for text in [refused_calls::take_count(), lifetime::take_late()]
        .into_iter()
        .flatten()
    {
        report(Severity::Error, "vhost", &text);
    }
}
