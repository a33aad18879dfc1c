//! The strand of the process: calls into the C ABI, one at a time, from any thread.
//!
//! A simulator promises serial calls, not calls from one thread: with `verilator --threads`, a model is initialised on one
//! thread and evaluated on others. The host of the C ABI therefore belongs to no thread. It belongs to the *strand*: the
//! thread that is inside a call, for as long as the call lasts. A call that begins while another thread is inside one is
//! refused; it is not queued, since the thread inside may be waiting for the one outside. The exception is a thread that is inside
//! *briefly*, for one access to memory on behalf of Python ([`enter_briefly`]). It waits for nobody, so others wait for it: a thread
//! of Python's own never makes a call of the simulator's fail.
//!
//! # Why `!Send` state may live here
//!
//! The host is a graph of [`Rc`](std::rc::Rc)s and [`Cell`](std::cell::Cell)s. It is sound that threads use it in turn, since
//!
//! 1. the graph is reached through a [`StrandCell`] alone, and its reference lives no longer than an [`Entered`];
//! 2. there is one [`Entered`] chain at a time: [`enter`] takes ownership with an acquiring compare-and-swap, and dropping the
//!    outermost guard gives it back with a releasing store, so what one thread did happens before what the next one does;
//! 3. nothing of the graph is held outside: what the Rust API hands to code that runs inside the strand is borrowed for the
//!    call or [`Send`], and callbacks that the graph keeps are [`Send`]. `tests/send.rs` has the list;
//! 4. nothing of the graph refers to thread-local state: the executor has none, and what is per system is a [`StrandLocal`].
//!
//! All systems of the C ABI share the strand: a call for one is refused while another thread is inside a call for another.

mod local;

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use thiserror::Error;

pub(crate) use self::local::{StrandLocal, strand_local};
use super::current_system::SystemId;

/// The thread inside a call, by its [token](token).
static OWNER: Owner = Owner::new();

/// Another thread is inside a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "another thread is inside a call of vhost: calls may come from any thread, but one at a time (in Verilator, \
     `--threads-dpi all` lets DPI calls overlap)"
)]
pub(crate) struct Overlap;

/// True in a process that was forked while the strand was another thread's: what that thread was about is never ended.
static ORPHANED: AtomicBool = AtomicBool::new(false);

/// True in a process that was forked while this thread was inside, not by [`keep`].
static FORKED_INSIDE: AtomicBool = AtomicBool::new(false);

/// In a child, right after a fork: gives back the strand of a thread that there is no more. Uses atomics alone.
pub(super) fn forked() {
    let owner = OWNER.0.load(Ordering::Relaxed) & !BRIEF;
    if owner == token() {
        let kept = KEPT.load(Ordering::Relaxed);
        FORKED_INSIDE.store(!kept, Ordering::Relaxed);
    } else if owner != FREE {
        ORPHANED.store(true, Ordering::Relaxed);
        RUNNING_CODE.store(LIBRARY, Ordering::Relaxed);
        OWNER.release();
    }
}

/// State of the strand when this process was forked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForkedWhile {
    /// No thread was inside, or this thread by [`keep`].
    Idle,
    /// This thread was inside a call.
    Inside,
    /// Another thread was.
    OtherInside,
}

/// State of the strand when this process was forked off.
pub(crate) fn forked_while() -> ForkedWhile {
    if ORPHANED.load(Ordering::Relaxed) {
        ForkedWhile::OtherInside
    } else if FORKED_INSIDE.load(Ordering::Relaxed) {
        ForkedWhile::Inside
    } else {
        ForkedWhile::Idle
    }
}

/// True while the strand is this thread's by [`keep`].
static KEPT: AtomicBool = AtomicBool::new(false);

/// Stays in the strand when the outermost guard is gone: other threads are kept out of it until [`enter_kept`].
pub(crate) fn keep(entered: Entered) {
    KEPT.store(true, Ordering::Relaxed);
    std::mem::forget(entered);
}

/// Runs a fork by this thread, which is inside: it goes on inside in both processes.
pub(super) fn keeping<T>(fork: impl FnOnce() -> T) -> T {
    let before = KEPT.swap(true, Ordering::Relaxed);
    let forked = fork();
    KEPT.store(before, Ordering::Relaxed);
    forked
}

/// The guard of a strand that this thread keeps by [`keep`]. The strand is left when it is dropped.
pub(crate) fn enter_kept() -> Option<Entered> {
    // Not by `then_some`: a guard that is dropped gives the strand back.
    (is_entered() && KEPT.swap(false, Ordering::Relaxed)).then(|| Entered {
        outermost: true,
        _here: PhantomData,
    })
}

/// Ownership of the strand. Nested guards of one thread are fine; the outermost one gives it back.
#[derive(Debug)]
#[must_use = "the strand is left when this is dropped"]
pub(crate) struct Entered {
    outermost: bool,
    /// The owner is this thread.
    _here: PhantomData<*const ()>,
}

/// True if the system is settled: see [`Entered::settle`].
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Enters the strand, until the guard is dropped. Waits for a thread that is inside briefly.
#[inline]
pub(crate) fn enter() -> Result<Entered, Overlap> {
    let outermost = OWNER.claim(token(), 0)?;
    SETTLED.store(false, Ordering::Relaxed);
    Ok(Entered {
        outermost,
        _here: PhantomData,
    })
}

/// Enters the strand if no thread is inside, not even this one. The system may still be [settled](Entered::is_settled).
#[inline]
pub(crate) fn enter_free() -> Option<Entered> {
    // As in `enter_kept`.
    OWNER.claim_free(token()).then(|| Entered {
        outermost: true,
        _here: PhantomData,
    })
}

/// Enters the strand for something that waits for no other thread. Calls from others wait until the guard is dropped.
#[cfg(feature = "python")]
pub(crate) fn enter_briefly() -> Result<Entered, Overlap> {
    let outermost = OWNER.claim(token(), BRIEF)?;
    SETTLED.store(false, Ordering::Relaxed);
    Ok(Entered {
        outermost,
        _here: PhantomData,
    })
}

/// Code that the thread inside the strand runs: [`LIBRARY`] for the library's, else [`FOREIGN`], with the system that foreign code has selected
/// above it.
static RUNNING_CODE: AtomicUsize = AtomicUsize::new(LIBRARY);

const LIBRARY: usize = 0;
const FOREIGN: usize = 1;

/// A selected system is one more than its bits, above [`FOREIGN`].
const SELECTED: u32 = 1;

/// Guard of a change between code of the library and foreign code: a function of the testbench, a
/// memory of a C model, Python, a callback of a host program, or code that the simulator runs for
/// VPI. A system that foreign code selects is forgotten with its guard.
///
/// Outside of the strand it does nothing.
#[must_use = "it ends when this is dropped"]
pub(crate) struct CodeGuard {
    before: Option<usize>,
}

impl CodeGuard {
    /// Begins foreign code, which the library calls.
    #[inline]
    pub(crate) fn foreign() -> Self {
        Self::begin(FOREIGN)
    }

    /// Begins code of the library, which foreign code may have called.
    #[inline]
    pub(crate) fn library() -> Self {
        Self::begin(LIBRARY)
    }

    #[inline]
    fn begin(code: usize) -> Self {
        let before = is_entered().then(|| {
            let before = RUNNING_CODE.load(Ordering::Relaxed);
            RUNNING_CODE.store(code, Ordering::Relaxed);
            before
        });
        Self { before }
    }

    /// Begins foreign code in a poll of a settled tick: this thread is inside the strand, in code of the library.
    #[inline]
    pub(crate) fn foreign_in_poll() -> Self {
        debug_assert!(is_entered() && RUNNING_CODE.load(Ordering::Relaxed) == LIBRARY);
        RUNNING_CODE.store(FOREIGN, Ordering::Relaxed);
        Self {
            before: Some(LIBRARY),
        }
    }

    /// System that the foreign code around this guard has selected.
    pub(crate) fn selected(&self) -> Option<SystemId> {
        let selected = self.before? >> SELECTED;
        SystemId::of_bits(selected.checked_sub(1)?)
    }

    /// Selects a system for the foreign code around this guard, until that returns.
    pub(crate) fn select(&mut self, system: SystemId) {
        self.before = Some(((system.bits() + 1) << SELECTED) | FOREIGN);
    }

    /// Ends without a change: another thread is inside.
    fn forget(mut self) {
        self.before = None;
    }
}

impl Drop for CodeGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.before {
            RUNNING_CODE.store(before, Ordering::Relaxed);
        }
    }
}

/// True while the thread inside the strand runs foreign code, which the library has called.
pub(crate) fn in_foreign_code() -> bool {
    RUNNING_CODE.load(Ordering::Relaxed) != LIBRARY
}

/// True if any thread is inside the strand.
pub(super) fn is_owned() -> bool {
    OWNER.0.load(Ordering::Relaxed) != FREE
}

/// True if this thread is inside the strand.
#[inline]
pub(crate) fn is_entered() -> bool {
    OWNER.is(token())
}

impl Entered {
    /// True where no other guard of this thread was there before.
    #[inline]
    pub(crate) fn is_outermost(&self) -> bool {
        self.outermost
    }

    /// True if no thread has entered the strand since [`settle`](Self::settle), but by [`enter_free`].
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        SETTLED.load(Ordering::Relaxed)
    }

    /// Notes whether the system is settled, until a thread enters the strand in another way than by [`enter_free`].
    #[inline]
    pub(crate) fn settle(&self, is_settled: bool) {
        SETTLED.store(is_settled, Ordering::Relaxed);
    }

    /// Leaves the strand while `act` runs: simulated time passes in it, and other calls may come
    /// from any thread. Returns the strand again, or [`Overlap`] if another thread is inside a call
    /// by then; and the result of `act`, which may panic.
    pub(crate) fn leave_during<T>(
        self,
        act: impl FnOnce() -> T,
    ) -> (Result<Self, Overlap>, thread::Result<T>) {
        if !self.outermost {
            return (Ok(self), catch_unwind(AssertUnwindSafe(act)));
        }
        // A call that enters meanwhile starts in code of the library.
        let library = CodeGuard::library();
        // No guard exists meanwhile, whatever `act` does.
        drop(self);
        let outcome = catch_unwind(AssertUnwindSafe(act));
        let entered = enter();
        if entered.is_err() {
            library.forget();
        }
        (entered, outcome)
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        if self.outermost {
            OWNER.release();
        }
    }
}

/// Identity of this thread: the address of its control block, which no other living thread has. Even, and never zero. Async-signal-safe.
#[inline]
fn token() -> usize {
    // SAFETY: it takes nothing, and never fails.
    let thread = unsafe { libc::pthread_self() };
    thread as usize
}

/// The owner of something that one thread has at a time.
struct Owner(AtomicUsize);

/// No token is zero.
const FREE: usize = 0;

/// Set beside the token of an owner that others wait for.
const BRIEF: usize = 1;

impl Owner {
    const fn new() -> Self {
        Self(AtomicUsize::new(FREE))
    }

    /// Makes a thread the owner, briefly or not. False if it was already.
    #[inline]
    fn claim(&self, thread: usize, brief: usize) -> Result<bool, Overlap> {
        loop {
            match self.0.compare_exchange(
                FREE,
                thread | brief,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(true),
                Err(owner) if owner & !BRIEF == thread => return Ok(false),
                Err(owner) if owner & BRIEF != 0 => thread::yield_now(),
                Err(_) => return Err(Overlap),
            }
        }
    }

    /// Makes a thread the owner if there is none. False if there is one, also this thread.
    #[inline]
    fn claim_free(&self, thread: usize) -> bool {
        let claimed = self
            .0
            .compare_exchange(FREE, thread, Ordering::Acquire, Ordering::Relaxed);
        claimed.is_ok()
    }

    #[inline]
    fn is(&self, thread: usize) -> bool {
        // Only this thread writes its own token.
        self.0.load(Ordering::Relaxed) & !BRIEF == thread
    }

    #[inline]
    fn release(&self) {
        self.0.store(FREE, Ordering::Release);
    }
}

/// State of the strand. It is never dropped: a process that just ends has nothing to tear down.
#[derive(Debug)]
pub(crate) struct StrandCell<T>(UnsafeCell<T>);

// SAFETY: the value is reached by `get` alone, for as long as the strand is owned; see the module's documentation.
unsafe impl<T> Sync for StrandCell<T> {}

impl<T> StrandCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value, while the strand is owned.
    #[inline]
    pub(crate) fn get<'a>(&'a self, _: &'a Entered) -> &'a T {
        // SAFETY: nobody has a unique reference, and the guard says that no other thread has any.
        unsafe { &*self.0.get() }
    }
}

/// One more guard of a thread that is inside the strand.
#[inline]
fn enter_again() -> Option<Entered> {
    is_entered().then_some(Entered {
        outermost: false,
        _here: PhantomData,
    })
}
