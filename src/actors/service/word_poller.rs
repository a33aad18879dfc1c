//! Words of firmware that a channel's task waits for: polls by a doorbell, and the wake of the
//! task.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Context;

use bytes::Bytes;

use super::Failure;
use super::tick_alarm::TickAlarm;
use crate::bus::{ActorContext, Bus, DOORBELL_BYTES, Doorbell, Watch};
use crate::mem::{AccessError, Segment, Segments, Store, peek_at};
use crate::messages::ChannelId;
use crate::messages::front_end::WordsRang;

/// Number of bytes of a word that is polled in turns.
const WORD: usize = 4;

/// Waits for changes of words that a front end selects, and for a tick.
pub(in crate::actors) struct WordPoller {
    doorbell: Doorbell,
    store: Rc<dyn Store>,
    seen: Rc<PolledWords>,
}

/// Read of several words at once.
pub(in crate::actors) struct TurnRead {
    /// Segments to read, at most `DOORBELL_BYTES`.
    pub(in crate::actors) segments: Segments,
    /// Offsets of the words in the bytes read.
    pub(in crate::actors) offsets: Vec<usize>,
    /// Position of the first of these words among all words.
    pub(in crate::actors) first: usize,
}

struct PolledWords {
    channel: ChannelId,
    context: ActorContext,
    /// Wakes the channel's task.
    alarm: TickAlarm,
    /// Bytes last read; empty before the first read.
    last: RefCell<Bytes>,
    /// Tick in which the bytes last changed.
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
        let seen = PolledWords {
            channel,
            context,
            alarm,
            last: RefCell::default(),
            since: Cell::default(),
            has_rung: Cell::new(false),
            read_error: RefCell::default(),
        };
        Self {
            doorbell: bus.doorbell(),
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

    /// Bytes last read, even if they can't be read now.
    pub(in crate::actors) fn last(&self) -> Bytes {
        self.seen.last.borrow().clone()
    }

    /// Tick in which the bytes last changed.
    pub(in crate::actors) fn since(&self) -> u64 {
        self.seen.since.get()
    }

    /// Registers the task to be woken by a change of the bytes, and in tick `due` if one is given.
    pub(in crate::actors) fn wake_later(&self, context: &Context<'_>, due: Option<u64>) {
        self.seen.alarm.wake_later(context, due);
    }

    /// Polls these segments from now on, at most `DOORBELL_BYTES`. The first poll rings even
    /// without a change, because firmware may repeat a word that the host has just taken.
    pub(in crate::actors) fn watch(&self, segments: impl IntoIterator<Item = Segment>) {
        self.replace(segments, None);
    }

    /// Polls these segments from now on. Only changes of the words at these offsets ring.
    pub(in crate::actors) fn watch_words(
        &self,
        segments: impl IntoIterator<Item = Segment>,
        words: Vec<usize>,
    ) {
        self.replace(segments, Some(words));
    }

    /// Polls these words of 32 bits from now on. Each tick makes one of the reads, in turns; the
    /// first poll makes all of them.
    pub(in crate::actors) fn watch_in_turns(
        &self,
        words: impl IntoIterator<Item = Segment>,
        reads: Vec<TurnRead>,
    ) {
        let (store, seen) = (self.store.clone(), self.seen.clone());
        let state = RefCell::new(Vec::new());
        let read = move |to: &mut [u8]| {
            let mut state = state.borrow_mut();
            let is_first = state.len() != to.len();
            state.resize(to.len(), 0);
            // Selected by the tick, so that a replay, which skips idle ticks, makes the same reads.
            let turn = seen.context.now() % reads.len().max(1) as u64;
            let due = (0..).zip(&reads).filter(|(at, _)| is_first || *at == turn);
            for (_, read) in due {
                if let Err(error) = read.peek(&*store, &mut state) {
                    seen.read_error.replace(Some(error));
                    return false;
                }
            }
            to.copy_from_slice(&state);
            true
        };
        let segments: Rc<[Segment]> = words.into_iter().collect();
        let watch = self.watch_of(segments, read);
        self.doorbell.watch(watch);
    }

    fn replace(&self, segments: impl IntoIterator<Item = Segment>, words: Option<Vec<usize>>) {
        let segments: Rc<[Segment]> = segments.into_iter().collect();
        let quick_peek = match &segments[..] {
            [only] => self.store.peeker(only),
            _ => None,
        };
        let (store, seen, plan) = (self.store.clone(), self.seen.clone(), segments.clone());
        let read = move |to: &mut [u8]| {
            let peeked = peek_at(&*store, &plan, to);
            peeked
                .map_err(|error| seen.read_error.replace(Some(error)))
                .is_ok()
        };
        let watch = self.watch_of(segments, read);
        let watch = watch.quickly(quick_peek);
        self.doorbell.watch(match words {
            Some(words) => watch.only(words),
            None => watch,
        });
    }

    /// Doorbell for the bytes of these segments.
    fn watch_of(
        &self,
        segments: Rc<[Segment]>,
        read: impl Fn(&mut [u8]) -> bool + 'static,
    ) -> Watch {
        *self.seen.last.borrow_mut() = Bytes::new();
        let len: u64 = segments.iter().map(|segment| segment.len).sum();
        let len = usize::try_from(len).unwrap_or(DOORBELL_BYTES);
        let seen = self.seen.clone();
        let on_change = move |bytes: Option<&[u8]>| seen.on_change(&segments, bytes);
        Watch::new(len, Box::new(read), Box::new(on_change))
    }

    /// True if the doorbell has rung since the last call.
    pub(in crate::actors) fn take_ring(&self) -> bool {
        self.seen.has_rung.take()
    }

    /// Suspends polling, until the next [`watch`](Self::watch).
    pub(in crate::actors) fn rest(&self) {
        self.doorbell.disarm();
    }

    /// Stops polling.
    pub(in crate::actors) fn end(&self) {
        self.doorbell.disarm();
        self.seen.alarm.end();
    }
}

impl TurnRead {
    /// Reads the words of this read to their places among all words.
    fn peek(&self, store: &dyn Store, all: &mut [u8]) -> Result<(), AccessError> {
        let mut bytes = [0; DOORBELL_BYTES];
        let len: u64 = self.segments.iter().map(|segment| segment.len).sum();
        let len = usize::try_from(len).unwrap_or(DOORBELL_BYTES);
        let bytes = &mut bytes[..len.min(DOORBELL_BYTES)];
        peek_at(store, &self.segments, bytes)?;
        let places = all.chunks_exact_mut(WORD).skip(self.first);
        for (offset, place) in self.offsets.iter().zip(places) {
            if let Some(word) = bytes.get(*offset..*offset + WORD) {
                place.copy_from_slice(word);
            }
        }
        Ok(())
    }
}

impl PolledWords {
    fn on_change(&self, segments: &[Segment], bytes: Option<&[u8]>) {
        // A notified tick rings even with unchanged bytes.
        if let Some(bytes) = bytes.filter(|bytes| self.last.borrow().as_ref() != *bytes) {
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
