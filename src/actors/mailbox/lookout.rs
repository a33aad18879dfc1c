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
use crate::bus::{Desk, Doorbell};
use crate::mem::{AccessError, Segments, Store, part};
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
        let (len, seen, store) = (look.len, self.seen.clone(), self.store.clone());
        let (layout, place) = (*layout, place.clone());
        let ring = move |bytes: Option<&[u8]>| {
            let sight = bytes.and_then(|bytes| look.sight(bytes));
            seen.rang(sight, |index| {
                let mut entry = [0; RequestEntry::MAX_SIZE];
                let entry = &mut entry[..RequestEntry::size(layout.ptr_width)];
                let at = layout.request_entry(index.slot());
                let mut rest = &mut *entry;
                for segment in part(&place, at, rest.len() as u64) {
                    let len = usize::try_from(segment.len).unwrap_or(rest.len());
                    let (part, after) = std::mem::take(&mut rest).split_at_mut(len);
                    store.read(&segment, part)?;
                    rest = after;
                }
                Ok(parse_request(entry, layout.ptr_width))
            });
        };
        self.bell.watch(len, Box::new(read), Box::new(ring));
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
        let entries = sight.map_or(Ok(Vec::new()), |sight| {
            self.new_requests(sight).map(read).collect()
        });
        let (sight, entries) = match entries {
            Ok(entries) => (sight, entries),
            Err(error) => {
                self.blind.replace(Some(error));
                (None, Vec::new())
            }
        };
        if let Some(sight) = sight {
            self.last.set(sight);
            self.entries.borrow_mut().extend(&entries);
        }
        self.desk.announce(|| Rang {
            channel: self.channel,
            sight,
            entries,
            blind: self.blind.borrow().clone(),
        });
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// Indices of requests that were put since the last ring. None where that is not a session's, or more than the queue holds: then
    /// those that are known already are forgotten.
    fn new_requests(&self, sight: Sight) -> impl Iterator<Item = Index> + use<> {
        let (last, put) = (self.last.get(), sight.request_put);
        let count = put.wrapping_sub(last.request_put);
        let known = self.entries.borrow().len();
        let is_ready = [last, sight].iter().all(|it| it.state == State::READY.0);
        let fits = usize::try_from(count).is_ok_and(|count| known + count <= QUEUE_LEN as usize);
        if !is_ready || !fits {
            self.entries.borrow_mut().clear();
        }
        let count = if is_ready && fits { count } else { 0 };
        (0..count).map(move |at| Index(last.request_put.wrapping_add(at)))
    }

    fn wake_later(&self, waker: &Waker) {
        let known = self.task.take().filter(|known| known.will_wake(waker));
        self.task.set(known.or_else(|| Some(waker.clone())));
    }
}
