//! What a channel's doorbell has seen, and the channel's task that waits for it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use mailbox_rs::Layout;

use super::failure::Failure;
use super::watch::Watched;
use crate::bus::{Desk, Doorbell};
use crate::mem::{AccessError, Segments, Store};
use crate::messages::ChannelId;
use crate::messages::mailbox::{Rang, Sight};

/// Looks out for a channel's words to change.
pub(super) struct Lookout {
    bell: Doorbell,
    store: Rc<dyn Store>,
    seen: Rc<Seen>,
}

struct Seen {
    channel: ChannelId,
    desk: Desk,
    last: Cell<Sight>,
    /// Why the doorbell could not look.
    blind: RefCell<Option<AccessError>>,
    /// The channel's task, while it waits.
    task: Cell<Option<Waker>>,
}

impl Lookout {
    /// Looks by `bell`, at what is in `store`.
    pub(super) fn new(
        channel: ChannelId,
        desk: Desk,
        bell: Doorbell,
        store: Rc<dyn Store>,
    ) -> Self {
        let seen = Seen {
            channel,
            desk,
            last: Cell::new(Sight::NOTHING),
            blind: RefCell::default(),
            task: Cell::default(),
        };
        Self {
            bell,
            store,
            seen: Rc::new(seen),
        }
    }

    /// What was seen last.
    pub(super) fn last(&self) -> Sight {
        self.seen.last.get()
    }

    /// The words are known to be so: the host wrote them.
    pub(super) fn expect(&self, sight: Sight) {
        self.seen.last.set(sight);
    }

    /// Waits until what is seen is what `wanted` looks for.
    ///
    /// # Errors
    /// Where the words can't be read.
    pub(super) async fn sighted<T>(
        &self,
        wanted: impl Fn(&Sight) -> Option<T>,
    ) -> Result<T, Failure> {
        poll_fn(|context| {
            if let Some(cause) = self.seen.blind.take() {
                return Poll::Ready(Err(cause.into()));
            }
            let found = wanted(&self.last());
            if found.is_none() {
                self.seen.wake_later(context.waker());
            }
            found.map_or(Poll::Pending, |found| Poll::Ready(Ok(found)))
        })
        .await
    }

    /// Looks at these words of the channel at `place` from now on.
    pub(super) fn watch(&self, watched: Watched, layout: &Layout, place: &Segments) {
        let look = Rc::new(watched.look(layout, place));
        let (store, seen, plan) = (self.store.clone(), self.seen.clone(), look.clone());
        let faster = match &plan.segments[..] {
            [only] => store.looker(only),
            _ => None,
        };
        let read = move |to: &mut [u8]| {
            if let Some(look) = &faster
                && look(to)
            {
                plan.blank(to);
                return true;
            }
            let mut rest = &mut *to;
            for segment in &plan.segments {
                let len = usize::try_from(segment.len).unwrap_or(rest.len());
                let (part, after) = std::mem::take(&mut rest).split_at_mut(len);
                if let Err(error) = store.look(segment, part) {
                    seen.blind.replace(Some(error));
                    return false;
                }
                rest = after;
            }
            plan.blank(to);
            true
        };
        let (len, seen) = (look.len, self.seen.clone());
        let ring = move |bytes: Option<&[u8]>| {
            seen.rang(bytes.and_then(|bytes| look.sight(bytes)));
        };
        self.bell.watch(len, Box::new(read), Box::new(ring));
    }

    /// Looks no more.
    pub(super) fn end(&self) {
        self.bell.silence();
    }
}

impl Seen {
    /// The doorbell rang.
    fn rang(&self, sight: Option<Sight>) {
        self.desk.announce(|| Rang {
            channel: self.channel,
            sight,
            blind: self.blind.borrow().clone(),
        });
        if let Some(sight) = sight {
            self.last.set(sight);
        }
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    fn wake_later(&self, waker: &Waker) {
        let known = self.task.take().filter(|known| known.will_wake(waker));
        self.task.set(known.or_else(|| Some(waker.clone())));
    }
}
