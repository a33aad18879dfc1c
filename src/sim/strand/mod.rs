//! The strand of the process: calls into the C ABI from any thread, one at a time.
//!
//! A simulator guarantees serial calls, but not calls from one thread: with `verilator --threads`,
//! a model is initialised on one thread and evaluated on others. The host of the C ABI therefore
//! belongs to no thread. It belongs to the *strand*: the thread that is inside a call, during that
//! call. A call that begins while another thread is inside one is refused. It is not queued,
//! because the thread inside may be waiting for the one outside. The exception is a thread that is
//! inside *briefly*, for one access to memory on behalf of Python ([`enter_briefly`]). It does not
//! wait for other threads, so others wait for it: a thread of Python never makes a call of the
//! simulator fail.
//!
//! # Soundness of `!Send` state
//!
//! The host is a graph of [`Rc`](std::rc::Rc)s and [`Cell`](std::cell::Cell)s. Threads may use it
//! in turn, because:
//!
//! 1. the graph is reached only through a [`StrandCell`], and its reference lives no longer than an
//!    [`Entered`];
//! 2. there is one [`Entered`] chain at a time: [`enter`] takes ownership with an acquiring
//!    compare-and-swap, and dropping the outermost guard releases it with a releasing store. So the
//!    actions of one thread happen before those of the next;
//! 3. nothing outside refers to the graph: values that the Rust API passes to code inside the
//!    strand are borrowed for the call or [`Send`], and callbacks in the graph are [`Send`].
//!    `tests/send.rs` has the list;
//! 4. nothing in the graph refers to thread-local state: the executor has none, and state of a
//!    system is a [`StrandLocal`].
//!
//! All systems of the C ABI share the strand: a call for one system is refused while another thread
//! is inside a call for another.

mod local;

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use thiserror::Error;

pub(crate) use self::local::{StrandLocal, strand_local};
use super::current_system::SystemId;

/// Thread inside a call, by its [`token`].
static OWNER: Owner = Owner::new();

/// Error: another thread is inside a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "another thread is inside a call of vhost: calls may come from any thread, but one at a time (in Verilator, \
     `--threads-dpi all` lets DPI calls overlap)"
)]
pub(crate) struct Overlap;

/// True in a process that was forked while another thread owned the strand. That thread's call
/// never ends here.
static ORPHANED: AtomicBool = AtomicBool::new(false);

/// True in a process that was forked while this thread was inside a call, and not by [`keep`].
static FORKED_INSIDE: AtomicBool = AtomicBool::new(false);

/// Releases, in a child right after a fork, the strand of a thread that does not exist any more.
/// Uses only atomics.
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

/// State of the strand when this process was forked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForkedWhile {
    /// No thread was inside, or this thread was by [`keep`].
    Idle,
    /// This thread was inside a call.
    Inside,
    /// Another thread was inside a call.
    OtherInside,
}

/// State of the strand when this process was forked.
pub(crate) fn forked_while() -> ForkedWhile {
    if ORPHANED.load(Ordering::Relaxed) {
        ForkedWhile::OtherInside
    } else if FORKED_INSIDE.load(Ordering::Relaxed) {
        ForkedWhile::Inside
    } else {
        ForkedWhile::Idle
    }
}

/// True while this thread owns the strand by [`keep`].
static KEPT: AtomicBool = AtomicBool::new(false);

/// Keeps the strand after the outermost guard: other threads can't enter until [`enter_kept`].
pub(crate) fn keep(entered: Entered) {
    KEPT.store(true, Ordering::Relaxed);
    std::mem::forget(entered);
}

/// Runs a fork by this thread, which is inside, and stays inside in both processes.
pub(super) fn keeping<T>(fork: impl FnOnce() -> T) -> T {
    let before = KEPT.swap(true, Ordering::Relaxed);
    let forked = fork();
    KEPT.store(before, Ordering::Relaxed);
    forked
}

/// Guard of a strand that this thread keeps by [`keep`]. Dropping it leaves the strand.
pub(crate) fn enter_kept() -> Option<Entered> {
    // Not by `then_some`, because dropping an unused guard would release the strand.
    (is_entered() && KEPT.swap(false, Ordering::Relaxed)).then(|| Entered {
        outermost: true,
        _here: PhantomData,
    })
}

/// Ownership of the strand. One thread may nest guards; the outermost one releases it.
#[derive(Debug)]
#[must_use = "the strand is left when this is dropped"]
pub(crate) struct Entered {
    outermost: bool,
    /// The owner is this thread.
    _here: PhantomData<*const ()>,
}

/// True if the system is settled: see [`Entered::settle`].
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Enters the strand until the guard is dropped. Waits for a thread that is inside briefly.
#[inline]
pub(crate) fn enter() -> Result<Entered, Overlap> {
    let outermost = OWNER.claim(token(), 0)?;
    SETTLED.store(false, Ordering::Relaxed);
    Ok(Entered {
        outermost,
        _here: PhantomData,
    })
}

/// Enters the strand if no thread is inside, not even this one. The system may still be
/// [settled](Entered::is_settled).
#[inline]
pub(crate) fn enter_free() -> Option<Entered> {
    // As in `enter_kept`.
    OWNER.claim_free(token()).then(|| Entered {
        outermost: true,
        _here: PhantomData,
    })
}

/// Enters the strand for an action that waits for no other thread. Calls of other threads wait
/// until the guard is dropped.
#[cfg(feature = "python")]
pub(crate) fn enter_briefly() -> Result<Entered, Overlap> {
    let outermost = OWNER.claim(token(), BRIEF)?;
    SETTLED.store(false, Ordering::Relaxed);
    Ok(Entered {
        outermost,
        _here: PhantomData,
    })
}

/// Code that the thread inside the strand runs: [`LIBRARY`] for the library's, else [`FOREIGN`],
/// with the system that foreign code has selected above it.
static RUNNING_CODE: AtomicUsize = AtomicUsize::new(LIBRARY);

const LIBRARY: usize = 0;
const FOREIGN: usize = 1;

/// A selected system is one more than its bits, above [`FOREIGN`].
const SELECTED: u32 = 1;

/// Guard of a switch between code of the library and foreign code: a function of the testbench, a
/// memory of a C model, Python, a callback of a host program, or code that the simulator runs for
/// VPI. The guard's end also ends a selection of a system by the foreign code.
///
/// Has no effect outside of the strand.
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

    /// Begins foreign code in a poll of a settled tick: this thread is inside the strand, in code
    /// of the library.
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

    /// Ends the guard without a change, because another thread is inside.
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
    /// True if this is the only guard of this thread.
    #[inline]
    pub(crate) fn is_outermost(&self) -> bool {
        self.outermost
    }

    /// True if no thread has entered the strand since [`settle`](Self::settle), other than by
    /// [`enter_free`].
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        SETTLED.load(Ordering::Relaxed)
    }

    /// Records if the system is settled, until a thread enters the strand other than by
    /// [`enter_free`].
    #[inline]
    pub(crate) fn settle(&self, is_settled: bool) {
        SETTLED.store(is_settled, Ordering::Relaxed);
    }

    /// Leaves the strand while `act` runs, so that simulated time can advance and other calls may
    /// come from any thread. Returns the strand, or [`Overlap`] if another thread is inside a call
    /// by then, and the result of `act`, which may panic.
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

/// Identity of this thread: the address of its control block, which is unique among live threads.
/// Even, and never zero. Async-signal-safe.
#[inline]
fn token() -> usize {
    // SAFETY: it takes no arguments, and never fails.
    let thread = unsafe { libc::pthread_self() };
    thread as usize
}

/// Owner of an exclusive resource.
struct Owner(AtomicUsize);

/// Value without an owner. No token is zero.
const FREE: usize = 0;

/// Bit in addition to the token of an owner for which others wait.
const BRIEF: usize = 1;

impl Owner {
    const fn new() -> Self {
        Self(AtomicUsize::new(FREE))
    }

    /// Makes a thread the owner, briefly or not. Returns false if it is the owner already.
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

    /// Makes a thread the owner if there is none. Returns false for any owner, including this
    /// thread.
    #[inline]
    fn claim_free(&self, thread: usize) -> bool {
        let claimed = self
            .0
            .compare_exchange(FREE, thread, Ordering::Acquire, Ordering::Relaxed);
        claimed.is_ok()
    }

    #[inline]
    fn is(&self, thread: usize) -> bool {
        // Only this thread writes its token.
        self.0.load(Ordering::Relaxed) & !BRIEF == thread
    }

    #[inline]
    fn release(&self) {
        self.0.store(FREE, Ordering::Release);
    }
}

/// State of the strand. It is never dropped, because a process that ends needs no cleanup.
#[derive(Debug)]
pub(crate) struct StrandCell<T>(UnsafeCell<T>);

// SAFETY: the value is reached only by `get`, while the strand is owned; see the module's
// documentation.
unsafe impl<T> Sync for StrandCell<T> {}

impl<T> StrandCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Value, while the strand is owned.
    #[inline]
    pub(crate) fn get<'a>(&'a self, _: &'a Entered) -> &'a T {
        // SAFETY: no unique reference exists, and the guard shows that no other thread has a
        // reference.
        unsafe { &*self.0.get() }
    }
}

/// Further guard of a thread that is inside the strand.
#[inline]
fn enter_again() -> Option<Entered> {
    is_entered().then_some(Entered {
        outermost: false,
        _here: PhantomData,
    })
}
