//! Words last read by a channel's doorbell, and the wait of the channel's task for a change.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use mailbox_rs::{Index, Layout, QUEUE_LEN, RequestEntry, State};

use super::queues::parse_request;
use super::watched_words::Watched;
use crate::actors::service::Failure;
use crate::bus::{ActorContext, Doorbell, Watch};
use crate::mem::{AccessError, Segments, Store, peek_at, read as read_bytes};
use crate::messages::ChannelId;
use crate::messages::mailbox::{ChannelWords, DoorbellRang};

/// Waits for changes of a channel's words.
pub(super) struct ChannelPoller {
    doorbell: Doorbell,
    store: Rc<dyn Store>,
    seen: Rc<PolledChannel>,
}

struct PolledChannel {
    channel: ChannelId,
    context: ActorContext,
    last: Cell<ChannelWords>,
    /// Entries of the requests just before `last.request_producer`, read along with the words and
    /// not yet taken by the channel's task. It has all unserved requests or none.
    entries: RefCell<VecDeque<RequestEntry>>,
    /// Error of the doorbell's last read.
    read_error: RefCell<Option<AccessError>>,
    /// Waker of the channel's task, while it waits.
    waker: Cell<Option<Waker>>,
}

impl ChannelPoller {
    /// Creates a poller of words in `store`, with the doorbell `doorbell`.
    pub(super) fn new(
        channel: ChannelId,
        context: ActorContext,
        doorbell: Doorbell,
        store: Rc<dyn Store>,
    ) -> Self {
        let seen = PolledChannel {
            channel,
            context,
            last: Cell::new(ChannelWords::UNREAD),
            entries: RefCell::default(),
            read_error: RefCell::default(),
            waker: Cell::default(),
        };
        Self {
            doorbell,
            store,
            seen: Rc::new(seen),
        }
    }

    /// Words last read.
    pub(super) fn last(&self) -> ChannelWords {
        self.seen.last.get()
    }

    /// Sets the words after a write by the host itself.
    pub(super) fn assume(&self, words: ChannelWords) {
        self.seen.last.set(words);
        self.seen.entries.borrow_mut().clear();
    }

    /// Takes the entry of a request, if it was read along with the words.
    pub(super) fn take_request(&self, index: Index) -> Option<RequestEntry> {
        let mut entries = self.seen.entries.borrow_mut();
        let first = self
            .last()
            .request_producer
            .wrapping_sub(entries.len() as u32);
        if first != index.0 {
            entries.clear();
        }
        entries.pop_front()
    }

    /// Waits until `wanted` returns a result for the words.
    ///
    /// # Errors
    /// Fails if the words can't be read.
    pub(super) async fn wait_for<T>(
        &self,
        wanted: impl Fn(&ChannelWords) -> Option<T>,
    ) -> Result<T, Failure> {
        poll_fn(|context| {
            if let Some(cause) = self.seen.read_error.take() {
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

    /// Polls these words of the channel at `place` from now on.
    pub(super) fn watch(&self, watched: Watched, layout: &Layout, place: &Segments) {
        let plan = Rc::new(watched.read_plan(layout, place));
        let quick_peek = match &plan.segments[..] {
            [only] => self.store.peeker(only),
            _ => None,
        };
        let (len, offsets) = (plan.len, plan.offsets());
        let (store, seen, polled) = (self.store.clone(), self.seen.clone(), plan.clone());
        let read = move |to: &mut [u8]| {
            peek_at(&*store, &polled.segments, to)
                .map_err(|error| seen.read_error.replace(Some(error)))
                .is_ok()
        };
        let (seen, store) = (self.seen.clone(), self.store.clone());
        let (layout, place) = (*layout, place.clone());
        let on_change = move |bytes: Option<&[u8]>| {
            let words = bytes.and_then(|bytes| plan.words(bytes));
            seen.on_change(words, |index| {
                let mut entry = [0; RequestEntry::MAX_SIZE];
                let entry = &mut entry[..RequestEntry::size(layout.ptr_width)];
                let at = layout.request_entry(index.slot());
                read_bytes(&*store, &place, at, entry)?;
                Ok(parse_request(entry, layout.ptr_width))
            });
        };
        let watch = Watch::new(len, Box::new(read), Box::new(on_change));
        self.doorbell.watch(watch.only(offsets).quickly(quick_peek));
    }

    /// Stops polling.
    pub(super) fn end(&self) {
        self.doorbell.disarm();
    }
}

impl PolledChannel {
    /// Handles a change of the words. Entries of new requests are read at once.
    fn on_change(
        &self,
        words: Option<ChannelWords>,
        read: impl Fn(Index) -> Result<RequestEntry, AccessError>,
    ) {
        let first = self.last.get().request_producer;
        let count = words.map_or(0, |words| self.new_requests(words));
        let read = (0..count).try_for_each(|at| {
            let entry = read(Index(first.wrapping_add(at)))?;
            self.entries.borrow_mut().push_back(entry);
            Ok(())
        });
        let words = read.map_or_else(
            |error| {
                self.read_error.replace(Some(error));
                self.entries.borrow_mut().clear();
                None
            },
            |()| words,
        );
        if let Some(words) = words {
            self.last.set(words);
        }
        self.context.emit(|| {
            let entries = self.entries.borrow();
            let known = entries.len().saturating_sub(count as usize);
            DoorbellRang {
                channel: self.channel,
                words,
                entries: entries.range(known..).copied().collect(),
                read_error: self.read_error.borrow().clone(),
            }
        });
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Number of requests put since the last change. It is 0 outside of a session, and if the queue
    /// can't hold that many: then the entries read before are dropped.
    fn new_requests(&self, words: ChannelWords) -> u32 {
        let last = self.last.get();
        let count = words.request_producer.wrapping_sub(last.request_producer);
        let mut entries = self.entries.borrow_mut();
        let room = QUEUE_LEN.saturating_sub(entries.len() as u32);
        let is_ready = [last, words].iter().all(|it| it.state == State::READY.0);
        if is_ready && count <= room {
            return count;
        }
        entries.clear();
        0
    }

    fn wake_later(&self, waker: &Waker) {
        let known = self.waker.take().filter(|known| known.will_wake(waker));
        self.waker.set(known.or_else(|| Some(waker.clone())));
    }
}
