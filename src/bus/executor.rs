//! Task executor of a bus: polls ready tasks in the order in which they were woken.
//!
//! It has no threads, timers or thread-local state: a bus may be polled from any thread, one at a
//! time.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use actix::{Actor, Addr};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

type Task = LocalBoxFuture<'static, ()>;

/// Tasks of one bus.
pub(super) struct Executor {
    tasks: RefCell<FuturesUnordered<Task>>,
    spawner: Spawner,
    waker: Waker,
}

/// Handle that adds tasks and actors to a bus. Code outside of this crate can only pass it to
/// functions of the crate.
pub struct Spawner {
    /// Tasks not yet in the executor.
    spawned: Rc<RefCell<Vec<Task>>>,
    ready: Arc<Ready>,
}

/// Readiness of the tasks of an executor.
#[derive(Debug, Clone)]
pub(super) struct Readiness(Arc<Ready>);

impl Readiness {
    /// True if a task may be able to make progress.
    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.0.0.load(Ordering::Relaxed)
    }
}

/// Waker of the executor, which marks it as ready.
#[derive(Debug, Default)]
struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Executor {
    pub(super) fn new() -> Self {
        let ready: Arc<Ready> = Arc::default();
        Self {
            tasks: RefCell::default(),
            waker: Waker::from(ready.clone()),
            spawner: Spawner {
                spawned: Rc::default(),
                ready,
            },
        }
    }

    pub(super) fn spawner(&self) -> &Spawner {
        &self.spawner
    }

    /// True if a task may be able to make progress.
    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.spawner.ready.0.load(Ordering::Relaxed)
    }

    /// Readiness of this executor's tasks.
    pub(super) fn readiness(&self) -> Readiness {
        Readiness(self.spawner.ready.clone())
    }

    /// Polls until no task can make progress. Returns false if none could, or if called from a
    /// running task.
    pub(super) fn run_until_stalled(&self) -> bool {
        if !self.is_ready() {
            return false;
        }
        let Ok(mut tasks) = self.tasks.try_borrow_mut() else {
            return false;
        };
        let mut context = Context::from_waker(&self.waker);
        while self.spawner.ready.0.swap(false, Ordering::Acquire) {
            tasks.extend(self.spawner.spawned.take());
            // One call polls many tasks, until one has ended or none is ready.
            while let Poll::Ready(Some(())) = tasks.poll_next_unpin(&mut context) {}
        }
        true
    }
}

/// Drops tasks that were never polled. Such a task may hold a [`Spawner`], which refers to the list
/// of these tasks.
impl Drop for Executor {
    fn drop(&mut self) {
        drop(self.spawner.spawned.take());
    }
}

impl Spawner {
    /// Returns another handle. Not public: a system may move between threads, so attached code must
    /// not keep a handle.
    pub(crate) fn handle(&self) -> Self {
        Self {
            spawned: self.spawned.clone(),
            ready: self.ready.clone(),
        }
    }

    /// Adds a task. A panic ends this task only.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let task = AssertUnwindSafe(task).catch_unwind().map(drop);
        // A host program may run inside of tokio. Its cooperative budget does not apply to these
        // tasks.
        let task = tokio::task::unconstrained(task);
        self.spawned.borrow_mut().push(task.boxed_local());
        self.ready.0.store(true, Ordering::Release);
    }

    /// Starts an actor, created by `make` in its context. [`Actor::start`] does not work on a bus.
    pub(crate) fn start<A: Actor<Context = actix::Context<A>>>(
        &self,
        make: impl FnOnce(&mut actix::Context<A>) -> A,
    ) -> Addr<A> {
        let mut context = actix::Context::new();
        let actor = make(&mut context);
        let address = actix::AsyncContext::address(&context);
        self.spawn(context.into_future(actor));
        address
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}
