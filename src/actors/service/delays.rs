//! Tasks that wait for a tick.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};

use crate::bus::{Bus, TickTimer};

/// Tasks of a bus that wait for a tick. Without any, ticks cost nothing.
pub(crate) struct Delays {
    timer: TickTimer,
    waiting: RefCell<Vec<Rc<Waiting>>>,
}

/// A task that waits for a tick. Only the list owns it once the task is dropped.
struct Waiting {
    until: u64,
    is_over: Cell<bool>,
    task: Cell<Option<Waker>>,
}

impl Delays {
    /// Tasks of this bus.
    pub(crate) fn on(bus: &Bus) -> Rc<Self> {
        Rc::new_cyclic(|own: &Weak<Self>| {
            let own = own.clone();
            let timer = bus.timer(Box::new(move |tick| {
                if let Some(delays) = own.upgrade() {
                    delays.ring(tick);
                }
            }));
            Self {
                timer,
                waiting: RefCell::default(),
            }
        })
    }

    /// Waits for a tick that is still to come.
    pub(super) async fn until(&self, tick: u64) {
        let waiting = Rc::new(Waiting {
            until: tick,
            is_over: Cell::new(false),
            task: Cell::default(),
        });
        {
            let mut all = self.waiting.borrow_mut();
            all.retain(|other| Rc::strong_count(other) > 1);
            all.push(waiting.clone());
        }
        self.timer.set_enabled(true);
        poll_fn(|context| match waiting.is_over.get() {
            true => Poll::Ready(()),
            false => {
                waiting.task.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await;
    }

    fn ring(&self, tick: u64) {
        let mut due = Vec::new();
        self.waiting.borrow_mut().retain(|waiting| {
            let is_due = waiting.until <= tick;
            if is_due {
                due.push(waiting.clone());
            }
            !is_due && Rc::strong_count(waiting) > 1
        });
        self.timer.set_enabled(!self.waiting.borrow().is_empty());
        for waiting in due {
            waiting.is_over.set(true);
            if let Some(task) = waiting.task.take() {
                task.wake();
            }
        }
    }
}

impl fmt::Debug for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delays")
            .field("waiting", &self.waiting.borrow().len())
            .finish_non_exhaustive()
    }
}
