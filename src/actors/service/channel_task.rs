//! Task of a channel, whose future a restore can replace.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use crate::bus::Spawner;

/// Service of a channel until its end.
pub(super) type Serving = LocalBoxFuture<'static, ()>;

/// Task of one channel. It stays on the bus after its future has completed, so that a new one can
/// follow.
pub(super) struct ChannelTask(Rc<Inner>);

#[derive(Default)]
struct Inner {
    serving: RefCell<Option<Serving>>,
    /// Waker of the task, from its first poll on.
    waker: OnceCell<Waker>,
}

/// Error for a task that is running.
#[derive(Debug)]
pub(super) struct Running;

impl ChannelTask {
    /// Task without a future.
    pub(super) fn spawn(spawner: &Spawner) -> Self {
        let inner: Rc<Inner> = Rc::default();
        let task = inner.clone();
        spawner.spawn(poll_fn(move |context| {
            task.waker.get_or_init(|| context.waker().clone());
            if let Ok(mut serving) = task.serving.try_borrow_mut()
                && let Some(future) = &mut *serving
                && future.poll_unpin(context).is_ready()
            {
                *serving = None;
            }
            Poll::Pending
        }));
        Self(inner)
    }

    /// Drops the future, with everything that it awaits.
    pub(super) fn end(&self) -> Result<(), Running> {
        let mut serving = self.0.serving.try_borrow_mut().map_err(|_| Running)?;
        *serving = None;
        Ok(())
    }

    /// Replaces the future.
    pub(super) fn begin(&self, serving: Serving) -> Result<(), Running> {
        *self.0.serving.try_borrow_mut().map_err(|_| Running)? = Some(serving);
        if let Some(waker) = self.0.waker.get() {
            waker.wake_by_ref();
        }
        Ok(())
    }
}

impl fmt::Debug for ChannelTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelTask").finish_non_exhaustive()
    }
}
