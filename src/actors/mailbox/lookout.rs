//! What a channel's doorbell has seen, and the channel's task that waits for it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use mailbox_rs::{Index, Layout, QUEUE_LEN, RequestEntry, State};

use super::failure::Failure;
use super::queues::parse_request;
use super::watch::Watched;
use crate::bus::{Desk, Doorbell, Watch};
use crate::mem::{AccessError, Segments, Store, read as read_bytes};
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
    /// Entries of the requests before `last.request_put` that the channel's task has not taken: none of them, or all.
    entries: RefCell<VecDeque<RequestEntry>>,
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
            entries: RefCell::default(),
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
        self.seen.entries.borrow_mut().clear();
    }

    /// Takes the entry of a request, where it was read with the words.
    pub(super) fn request(&self, index: Index) -> Option<RequestEntry> {
        let mut entries = self.seen.entries.borrow_mut();
        let first = self.last().request_put.wrapping_sub(entries.len() as u32);
        if first != index.0 {
            entries.clear();
        }
        entries.pop_front()
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
        let quick_look = match &plan.segments[..] {
            [only] => store.looker(only),
            _ => None,
        };
        let read = move |to: &mut [u8]| {
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
            true
        };
        let (len, offsets) = (look.len, look.offsets());
        let (seen, store) = (self.seen.clone(), self.store.clone());
        let (layout, place) = (*layout, place.clone());
        let ring = move |bytes: Option<&[u8]>| {
            let sight = bytes.and_then(|bytes| look.sight(bytes));
            seen.rang(sight, |index| {
                let mut entry = [0; RequestEntry::MAX_SIZE];
                let entry = &mut entry[..RequestEntry::size(layout.ptr_width)];
                let at = layout.request_entry(index.slot());
                read_bytes(&*store, &place, at, entry)?;
                Ok(parse_request(entry, layout.ptr_width))
            });
        };
        let watch = Watch::new(len, Box::new(read), Box::new(ring));
        self.bell.watch(watch.only(offsets).quickly(quick_look));
    }

    /// Looks no more.
    pub(super) fn end(&self) {
        self.bell.silence();
    }
}

impl Seen {
    /// The doorbell rang. Entries of new requests are read at once.
    fn rang(
        &self,
        sight: Option<Sight>,
        read: impl Fn(Index) -> Result<RequestEntry, AccessError>,
    ) {
        let first = self.last.get().request_put;
        let count = sight.map_or(0, |sight| self.new_requests(sight));
        let read = (0..count).try_for_each(|at| {
            let entry = read(Index(first.wrapping_add(at)))?;
            self.entries.borrow_mut().push_back(entry);
            Ok(())
        });
        let sight = read.map_or_else(
            |error| {
                self.blind.replace(Some(error));
                self.entries.borrow_mut().clear();
                None
            },
            |()| sight,
        );
        if let Some(sight) = sight {
            self.last.set(sight);
        }
        self.desk.announce(|| {
            let entries = self.entries.borrow();
            let known = entries.len().saturating_sub(count as usize);
            Rang {
                channel: self.channel,
                sight,
                entries: entries.range(known..).copied().collect(),
                blind: self.blind.borrow().clone(),
            }
        });
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// Number of requests that were put since the last ring. 0 where the channel is not in a session, or the queue can't hold so many:
    /// then the known entries are forgotten.
    fn new_requests(&self, sight: Sight) -> u32 {
        let last = self.last.get();
        let count = sight.request_put.wrapping_sub(last.request_put);
        let mut entries = self.entries.borrow_mut();
        let room = QUEUE_LEN.saturating_sub(entries.len() as u32);
        let is_ready = [last, sight].iter().all(|it| it.state == State::READY.0);
        if is_ready && count <= room {
            return count;
        }
        entries.clear();
        0
    }

    fn wake_later(&self, waker: &Waker) {
        let known = self.task.take().filter(|known| known.will_wake(waker));
        self.task.set(known.or_else(|| Some(waker.clone())));
    }
}
