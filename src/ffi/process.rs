//! The one system of the process, and the thread that it belongs to.
//!
//! The system is kept where only its own thread finds it, so that a call from another can't race with anything; which
//! thread that is, is the one thing that threads share.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Error;
use super::exit::end_recordings_at_exit;
use super::guard::catch;
use crate::attach::Named;
use crate::messages::announced::Observing;
use crate::sim::{scope, testbench};
use crate::system::{InitPaths, Sockets, Standalone, Timeout, Vhost};

/// How far the system is.
#[derive(Clone)]
enum Stage {
    /// There is none.
    Empty,
    /// It is being built or shut down.
    Busy,
    /// It can be used. Until it has begun, every call comes from inside a foreign call.
    Running {
        vhost: Rc<Vhost>,
        /// Nobody called `mb_init`: it was built from the environment at first use.
        unasked: bool,
    },
    /// It could not be built.
    Failed(Rc<str>),
}

// No destructor runs on these: `exit` ends thread-locals before it calls functions that may still use them, and a
// process that ends without `mb_shutdown` must end in peace.
thread_local! {
    static STAGE: ManuallyDrop<RefCell<Stage>> =
        const { ManuallyDrop::new(RefCell::new(Stage::Empty)) };
    static SOCKETS: ManuallyDrop<OnceCell<Standalone>> = const { ManuallyDrop::new(OnceCell::new()) };
    static THREAD: Cell<u64> = const { Cell::new(NOBODY) };
    /// What is to be observed, asked for before or while there is a system.
    static OBSERVED: Cell<u32> = const { Cell::new(0) };
    /// For how long a channel may make no progress, where somebody has said it.
    static TIMEOUT: Cell<Option<Timeout>> = const { Cell::new(None) };
    /// What is to be attached to a system that is not built yet.
    static ATTACHED: ManuallyDrop<RefCell<Vec<Named>>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// The thread that a system belongs to.
static OWNER: AtomicU64 = AtomicU64::new(NOBODY);

const NOBODY: u64 = 0;

/// The system, built from the environment where there is none yet. On the path of every tick, hence inlined.
#[inline(always)]
pub(super) fn system() -> Result<Rc<Vhost>, Error> {
    match running()? {
        Some(vhost) => Ok(vhost),
        None => first_use(),
    }
}

#[cold]
fn first_use() -> Result<Rc<Vhost>, Error> {
    claim()?;
    scope::see();
    build(InitPaths::default(), true)
}

/// The system, if there is one. On the path of every tick, hence inlined.
#[inline(always)]
pub(super) fn running() -> Result<Option<Rc<Vhost>>, Error> {
    match stage() {
        Stage::Running { vhost, .. } => {
            scope::see();
            Ok(Some(vhost))
        }
        stage => not_running(&stage).map(|()| None),
    }
}

/// The system, if there is one. One that is to come is this thread's: what is asked for is kept for it.
fn running_or_to_come() -> Result<Option<Rc<Vhost>>, Error> {
    let vhost = running()?;
    if vhost.is_none() {
        claim()?;
    }
    Ok(vhost)
}

/// Fails unless it is in order that there is none.
#[cold]
fn not_running(stage: &Stage) -> Result<(), Error> {
    match stage {
        Stage::Empty => refuse_other_thread(),
        Stage::Failed(cause) => Err(Error::StillFailed(cause.to_string())),
        Stage::Busy | Stage::Running { .. } => Err(Error::Busy),
    }
}

/// What can be observed: requests that are served.
pub(super) const SERVED: u32 = 1;
/// What can be observed: what is written into memory.
pub(super) const WRITTEN: u32 = 2;

/// Has the testbench told of what it asks for, until the system is shut down.
pub(super) fn observe(what: u32) -> Result<(), Error> {
    if what & !(SERVED | WRITTEN) != 0 {
        return Err(Error::NotObservable { what });
    }
    let vhost = running_or_to_come()?;
    OBSERVED.set(OBSERVED.get() | what);
    vhost.as_deref().map(observe_in);
    Ok(())
}

fn observe_in(vhost: &Vhost) {
    let what = OBSERVED.get();
    if what != 0 {
        vhost.observe(Observing {
            served: what & SERVED != 0,
            written: what & WRITTEN != 0,
        });
    }
}

/// Reports channels that make no progress, until the system is shut down.
pub(super) fn watch(timeout: Timeout) -> Result<(), Error> {
    let vhost = running_or_to_come()?;
    TIMEOUT.set(Some(timeout));
    if let Some(vhost) = vhost {
        vhost.watch(timeout);
    }
    Ok(())
}

/// Attaches something ready-made, now or as soon as there is a system. A system that is shut down takes it along.
pub(super) fn attach(named: Vec<Named>) -> Result<(), Error> {
    match running_or_to_come()? {
        Some(vhost) => named
            .into_iter()
            .try_for_each(|what| Ok(vhost.attach(what)?)),
        None => {
            ATTACHED.with(|attached| attached.borrow_mut().extend(named));
            Ok(())
        }
    }
}

/// Does something with the sockets. They need no system, but are the system's where there is one. Where they are called
/// from says nothing of where the testbench's exports are.
pub(super) fn with_sockets<T>(
    act: impl FnOnce(Sockets<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    match stage() {
        Stage::Running { vhost, .. } => act(vhost.sockets()),
        Stage::Busy => Err(Error::Busy),
        Stage::Empty | Stage::Failed(_) => {
            claim()?;
            with_standalone(|standalone| act(standalone.sockets()))
        }
    }
}

/// Sends what is queued on sockets, where there is no system to do it.
pub(super) fn flush_sockets() -> Result<(), Error> {
    SOCKETS.with(|sockets| sockets.get().map_or(Ok(()), |open| Ok(open.flush()?)))
}

fn with_standalone<T>(act: impl FnOnce(&Standalone) -> Result<T, Error>) -> Result<T, Error> {
    SOCKETS.with(|sockets| match sockets.get() {
        Some(standalone) => act(standalone),
        None => {
            let standalone = Standalone::new()?;
            act(sockets.get_or_init(|| standalone))
        }
    })
}

/// Refuses a call that comes from inside a foreign call; a report that an exported function makes is one too, though
/// the bus knows nothing of it.
#[inline]
pub(super) fn refuse_abroad() -> Result<(), Error> {
    let abroad = STAGE.with(|stage| match &*stage.borrow() {
        Stage::Running { vhost, .. } => vhost.is_abroad(),
        Stage::Empty | Stage::Busy | Stage::Failed(_) => false,
    });
    if abroad || testbench::is_reporting() {
        return Err(Error::Abroad);
    }
    Ok(())
}

/// Builds the system.
pub(super) fn start(paths: InitPaths) -> Result<(), Error> {
    match stage() {
        Stage::Running { vhost, unasked } => {
            // Built before anyone could say from what: if from the environment, this is it.
            if !unasked || paths != InitPaths::default() {
                return Err(Error::Running);
            }
            scope::tell();
            enter(Stage::Running {
                vhost: vhost.clone(),
                unasked: false,
            });
            Ok(vhost.register_channels()?)
        }
        Stage::Busy => Err(Error::Busy),
        Stage::Empty | Stage::Failed(_) => {
            claim()?;
            scope::tell();
            Ok(build(paths, false)?.register_channels()?)
        }
    }
}

/// Drops the system, and closes all sockets.
pub(super) fn stop() -> Result<(), Error> {
    match stage() {
        Stage::Running { .. } | Stage::Failed(_) => {}
        Stage::Busy => return Err(Error::Busy),
        Stage::Empty => refuse_other_thread()?,
    }
    let ended = match enter(Stage::Busy) {
        Stage::Running { vhost, .. } => catch(|| {
            // Only this place keeps it when nothing of it is running.
            Rc::into_inner(vhost).ok_or(Error::Abroad)?.shutdown();
            Ok(())
        }),
        _ => catch(close_sockets),
    };
    enter(Stage::Empty);
    OBSERVED.set(0);
    TIMEOUT.set(None);
    ATTACHED.with(|attached| attached.borrow_mut().clear());
    scope::forget();
    let me = thread();
    // It may have been nobody's.
    let _ = OWNER.compare_exchange(me, NOBODY, Ordering::AcqRel, Ordering::Acquire);
    ended
}

fn build(paths: InitPaths, unasked: bool) -> Result<Rc<Vhost>, Error> {
    enter(Stage::Busy);
    end_recordings_at_exit();
    let built = catch(|| {
        let attached = ATTACHED.with(|attached| attached.borrow().clone());
        let (vhost, beginning) =
            with_standalone(|sockets| Ok(Vhost::from_environment(paths, sockets, attached)?))?;
        let vhost = Rc::new(vhost);
        // Already now: foreign calls that it makes to begin may use it.
        enter(Stage::Running {
            vhost: vhost.clone(),
            unasked,
        });
        observe_in(&vhost);
        if let Some(timeout) = TIMEOUT.get() {
            vhost.watch(timeout);
        }
        if testbench::takes_lines() {
            vhost.redirect_lines()?;
        }
        vhost.begin(beginning)?;
        Ok(vhost)
    });
    built.inspect_err(|error| {
        enter(Stage::Failed(error.to_string().into()));
    })
}

fn close_sockets() -> Result<(), Error> {
    SOCKETS.with(|sockets| {
        sockets
            .get()
            .map_or(Ok(()), |open| Ok(open.sockets().close_all()?))
    })
}

#[inline]
fn stage() -> Stage {
    STAGE.with(|stage| stage.borrow().clone())
}

fn enter(next: Stage) -> Stage {
    STAGE.with(|stage| stage.replace(next))
}

/// Makes this thread the owner, unless another is.
fn claim() -> Result<(), Error> {
    let me = thread();
    match OWNER.compare_exchange(NOBODY, me, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(()),
        Err(owner) if owner == me => Ok(()),
        Err(_) => Err(Error::OtherThread),
    }
}

fn refuse_other_thread() -> Result<(), Error> {
    let owner = OWNER.load(Ordering::Acquire);
    if owner == NOBODY || owner == thread() {
        Ok(())
    } else {
        Err(Error::OtherThread)
    }
}

/// This thread's number, never another's.
fn thread() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(NOBODY);
    THREAD.with(|thread| {
        if thread.get() == NOBODY {
            thread.set(COUNT.fetch_add(1, Ordering::Relaxed) + 1);
        }
        thread.get()
    })
}
