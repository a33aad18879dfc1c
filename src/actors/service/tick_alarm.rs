//! Wait of a channel's task for a tick.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::Opening;
use crate::bus::TickTimer;
use crate::messages::announced::WaitOver;

/// Wait for a tick, of at most one task. While none waits, ticks cost nothing.
pub(super) struct TickAlarm {
    timer: TickTimer,
    waiting: Rc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// First tick in which the task goes on.
    due: Cell<u64>,
    is_over: Cell<bool>,
    task: Cell<Option<Waker>>,
}

impl TickAlarm {
    /// Alarm of a channel.
    pub(super) fn new(opening: &Opening<'_>) -> Self {
        let waiting = Rc::new(Waiting::default());
        let shared = waiting.clone();
        let (channel, context) = (opening.id, opening.context.clone());
        let timer = opening.bus.timer(Box::new(move |tick| {
            if shared.due.get() <= tick && !shared.is_over.replace(true) {
                context.emit(|| WaitOver { channel });
                if let Some(task) = shared.task.take() {
                    task.wake();
                }
            }
        }));
        Self { timer, waiting }
    }

    /// Waits until a tick that is still to come.
    pub(super) async fn until(&self, tick: u64) {
        let Self { timer, waiting } = self;
        waiting.due.set(tick);
        waiting.is_over.set(false);
        timer.set_enabled(true);
        // Also where the wait is dropped.
        let _enabled = Enabled(timer);
        poll_fn(|context| match waiting.is_over.get() {
            true => Poll::Ready(()),
            false => {
                waiting.task.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await;
    }
}

/// Disables a timer when it is dropped.
struct Enabled<'a>(&'a TickTimer);

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        self.0.set_enabled(false);
    }
}
