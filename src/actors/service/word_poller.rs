//! Words of firmware that a channel's task waits for: their poll by doorbell, and the wake of the task.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Context;

use bytes::Bytes;

use super::Failure;
use super::tick_alarm::TickAlarm;
use crate::bus::{ActorContext, Bus, DOORBELL_BYTES, Doorbell, Watch};
use crate::mem::{AccessError, Segment, Store, look_at};
use crate::messages::ChannelId;
use crate::messages::front_end::WordsRang;

/// Waits for changes of words that a front end selects, and for a tick.
pub(in crate::actors) struct WordPoller {
    bell: Doorbell,
    store: Rc<dyn Store>,
    seen: Rc<Seen>,
}

struct Seen {
    channel: ChannelId,
    context: ActorContext,
    /// Wake of the channel's task.
    alarm: TickAlarm,
    /// Bytes last read; empty before the first read.
    last: RefCell<Bytes>,
    /// Tick in which they were read.
    since: Cell<u64>,
    /// True after a ring that the task has not taken.
    has_rung: Cell<bool>,
    /// Error of the doorbell's last read.
    read_error: RefCell<Option<AccessError>>,
}

impl WordPoller {
    /// Poller of a channel, whose words are in `store`.
    pub(in crate::actors) fn new(
        bus: &Bus,
        channel: ChannelId,
        context: ActorContext,
        store: Rc<dyn Store>,
    ) -> Self {
        let alarm = TickAlarm::new(bus, channel, context.clone());
        let seen = Seen {
            channel,
            context,
            alarm,
            last: RefCell::default(),
            since: Cell::default(),
            has_rung: Cell::new(false),
            read_error: RefCell::default(),
        };
        Self {
            bell: bus.doorbell(),
            store,
            seen: Rc::new(seen),
        }
    }

    /// Bytes last read; empty before the first read since the last [`watch`](Self::watch).
    ///
    /// # Errors
    /// Fails if they can't be read.
    pub(in crate::actors) fn bytes(&self) -> Result<Bytes, Failure> {
        match self.seen.read_error.take() {
            Some(cause) => Err(cause.into()),
            None => Ok(self.seen.last.borrow().clone()),
        }
    }

    /// Tick since which the bytes are as they are.
    pub(in crate::actors) fn since(&self) -> u64 {
        self.seen.since.get()
    }

    /// Has the task woken by a change of the bytes, and in tick `due`, if there is one.
    pub(in crate::actors) fn wake_later(&self, context: &Context<'_>, due: Option<u64>) {
        self.seen.alarm.wake_later(context, due);
    }

    /// Polls these segments from now on, at most `DOORBELL_BYTES`. The first poll rings, also if nothing has changed: firmware may
    /// repeat a word that the host has just taken.
    pub(in crate::actors) fn watch(&self, segments: impl IntoIterator<Item = Segment>) {
        self.replace(segments, None);
    }

    /// Polls these segments from now on, of which only the words at these offsets ring.
    pub(in crate::actors) fn watch_words(
        &self,
        segments: impl IntoIterator<Item = Segment>,
        words: Vec<usize>,
    ) {
        self.replace(segments, Some(words));
    }

    fn replace(&self, segments: impl IntoIterator<Item = Segment>, words: Option<Vec<usize>>) {
        *self.seen.last.borrow_mut() = Bytes::new();
        let segments: Rc<[Segment]> = segments.into_iter().collect();
        let quick_look = match &segments[..] {
            [only] => self.store.looker(only),
            _ => None,
        };
        let (store, seen, plan) = (self.store.clone(), self.seen.clone(), segments.clone());
        let read = move |to: &mut [u8]| {
            let looked = look_at(&*store, &plan, to);
            looked
                .map_err(|error| seen.read_error.replace(Some(error)))
                .is_ok()
        };
        let len: u64 = segments.iter().map(|segment| segment.len).sum();
        let len = usize::try_from(len).unwrap_or(DOORBELL_BYTES);
        let seen = self.seen.clone();
        let ring = move |bytes: Option<&[u8]>| seen.rang(&segments, bytes);
        let watch = Watch::new(len, Box::new(read), Box::new(ring));
        let watch = watch.quickly(quick_look);
        self.bell.watch(match words {
            Some(words) => watch.only(words),
            None => watch,
        });
    }

    /// True if the words have changed since the last call.
    pub(in crate::actors) fn take_ring(&self) -> bool {
        self.seen.has_rung.take()
    }

    /// Polls nothing, until the next [`watch`](Self::watch).
    pub(in crate::actors) fn rest(&self) {
        self.bell.disarm();
    }

    /// Stops polling.
    pub(in crate::actors) fn end(&self) {
        self.bell.disarm();
        self.seen.alarm.end();
    }
}

impl Seen {
    fn rang(&self, segments: &[Segment], bytes: Option<&[u8]>) {
        if let Some(bytes) = bytes {
            *self.last.borrow_mut() = Bytes::copy_from_slice(bytes);
            self.since.set(self.context.now());
        }
        self.context.emit(|| WordsRang {
            channel: self.channel,
            segments: segments.iter().copied().collect(),
            words: bytes.map(Bytes::copy_from_slice),
            read_error: self.read_error.borrow().clone(),
        });
        self.has_rung.set(true);
        self.alarm.wake();
    }
}
