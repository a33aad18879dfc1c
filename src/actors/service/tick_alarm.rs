//! Wakes a channel's task in a tick.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::bus::{ActorContext, Bus, TickTimer};
use crate::messages::ChannelId;
use crate::messages::events::WaitOver;

/// Wakes at most one task in a tick, or before. A tick has no cost while no task waits for one.
pub(super) struct TickAlarm {
    timer: TickTimer,
    waiting: Rc<PendingWake>,
}

#[derive(Default)]
struct PendingWake {
    /// First tick in which the task is woken.
    due: Cell<u64>,
    /// True once a tick has woken the task.
    is_over: Cell<bool>,
    /// Waker of the task, while it waits.
    waker: Cell<Option<Waker>>,
}

impl TickAlarm {
    /// Alarm of a channel.
    pub(super) fn new(bus: &Bus, channel: ChannelId, context: ActorContext) -> Self {
        let waiting = Rc::new(PendingWake::default());
        let shared = waiting.clone();
        let timer = bus.timer(Box::new(move |tick| {
            if shared.due.get() <= tick
                && let Some(waker) = shared.waker.take()
            {
                shared.is_over.set(true);
                context.emit(|| WaitOver { channel });
                waker.wake();
            }
        }));
        Self { timer, waiting }
    }

    /// Registers the task to be woken by [`wake`](Self::wake), and in tick `due` if one is given.
    pub(super) fn wake_later(&self, context: &Context<'_>, due: Option<u64>) {
        self.waiting.waker.set(Some(context.waker().clone()));
        self.waiting.due.set(due.unwrap_or(u64::MAX));
        self.waiting.is_over.set(false);
        self.timer.set_enabled(due.is_some());
    }

    /// Wakes the task, if it waits.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waiting.waker.take() {
            waker.wake();
        }
    }

    /// Waits until a future tick. Only that tick ends the wait.
    pub(super) async fn until(&self, tick: u64) {
        // Disabled also if the wait is dropped.
        let _enabled = Enabled(&self.timer);
        self.waiting.is_over.set(false);
        poll_fn(|context| match self.waiting.is_over.get() {
            true => Poll::Ready(()),
            false => {
                self.wake_later(context, Some(tick));
                Poll::Pending
            }
        })
        .await;
    }

    /// Stops waking the task.
    pub(super) fn end(&self) {
        self.timer.set_enabled(false);
    }
}

/// Disables a timer when it is dropped.
struct Enabled<'a>(&'a TickTimer);

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        self.0.set_enabled(false);
    }
}
