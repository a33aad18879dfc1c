//! Words last read by a channel's doorbell, and the channel's task that waits for a change.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

use crate::actors::service::Failure;
use crate::bus::{ActorContext, Bus, DOORBELL_BYTES, Doorbell, TickTimer, Watch};
use crate::mem::{AccessError, Segment, Segments, Store, look_at};
use crate::messages::ChannelId;
use crate::messages::htif::{HostWords, TohostRang, WORD};

/// Doorbell of an HTIF channel, with a timer for halves of commands.
pub(crate) struct HtifBell {
    bell: Doorbell,
    timer: TickTimer,
    alarm: Rc<Alarm>,
}

/// Tick in which the task is to be woken.
#[derive(Default)]
struct Alarm {
    due: Cell<u64>,
    /// Waker of the channel's task, while it waits.
    task: Cell<Option<Waker>>,
}

impl Alarm {
    fn wake(&self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }
}

impl HtifBell {
    /// Doorbell and timer of a bus.
    pub(crate) fn on(bus: &Bus) -> Self {
        let alarm = Rc::new(Alarm::default());
        let shared = alarm.clone();
        let timer = bus.timer(Box::new(move |tick| {
            if shared.due.get() <= tick {
                shared.wake();
            }
        }));
        Self {
            bell: bus.doorbell(),
            timer,
            alarm,
        }
    }
}

/// Waits for changes of a channel's words.
pub(super) struct HostPoller {
    bell: HtifBell,
    store: Rc<dyn Store>,
    place: HostPlace,
    seen: Rc<Seen>,
}

/// Locations of the two words.
pub(super) struct HostPlace {
    pub(super) tohost: Segments,
    pub(super) fromhost: Segments,
}

struct Seen {
    channel: ChannelId,
    context: ActorContext,
    alarm: Rc<Alarm>,
    last: Cell<HostWords>,
    /// Tick in which the words were read.
    since: Cell<u64>,
    /// Error of the doorbell's last read.
    read_error: RefCell<Option<AccessError>>,
}

impl HostPoller {
    /// Polls the words at `place` in `store` by `bell`.
    pub(super) fn new(
        channel: ChannelId,
        context: ActorContext,
        bell: HtifBell,
        store: Rc<dyn Store>,
        place: HostPlace,
    ) -> Self {
        let seen = Rc::new(Seen {
            channel,
            context,
            alarm: bell.alarm.clone(),
            last: Cell::default(),
            since: Cell::default(),
            read_error: RefCell::default(),
        });
        Self {
            bell,
            store,
            place,
            seen,
        }
    }

    /// Words last read.
    ///
    /// # Errors
    /// Fails if the words can't be read.
    pub(super) fn words(&self) -> Result<HostWords, Failure> {
        match self.seen.read_error.take() {
            Some(cause) => Err(cause.into()),
            None => Ok(self.seen.last.get()),
        }
    }

    /// Tick since which the words are as they are.
    pub(super) fn since(&self) -> u64 {
        self.seen.since.get()
    }

    /// Has the task woken by a change of the words, and in tick `due`, if there is one.
    pub(super) fn wake_later(&self, context: &Context<'_>, due: Option<u64>) {
        self.bell.alarm.task.set(Some(context.waker().clone()));
        self.bell.alarm.due.set(due.unwrap_or(u64::MAX));
        self.bell.timer.set_enabled(due.is_some());
    }

    /// Polls `tohost` from now on, and `fromhost` if a response waits for it. The first poll of the next tick rings, also if nothing has
    /// changed: firmware may repeat a command that the host has just taken.
    pub(super) fn watch(&self, and_fromhost: bool) {
        self.seen.last.set(HostWords::default());
        let HostPlace { tohost, fromhost } = &self.place;
        let fromhost = and_fromhost.then(|| fromhost.iter()).into_iter().flatten();
        let segments: Rc<[Segment]> = tohost.iter().chain(fromhost).copied().collect();
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
        let seen = self.seen.clone();
        let ring = move |bytes: Option<&[u8]>| seen.rang(bytes.and_then(words));
        let len: u64 = segments.iter().map(|segment| segment.len).sum();
        let len = usize::try_from(len).unwrap_or(DOORBELL_BYTES);
        let watch = Watch::new(len, Box::new(read), Box::new(ring));
        self.bell.bell.watch(watch.quickly(quick_look));
    }

    /// Stops polling.
    pub(super) fn end(&self) {
        self.bell.bell.disarm();
        self.bell.timer.set_enabled(false);
    }
}

/// Decodes the words; `None` if there are too few bytes.
fn words(bytes: &[u8]) -> Option<HostWords> {
    let (words, _) = bytes.as_chunks::<{ WORD as usize }>();
    let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
    Some(HostWords {
        tohost: words.next()?,
        fromhost: words.next(),
    })
}

impl Seen {
    fn rang(&self, words: Option<HostWords>) {
        if let Some(words) = words {
            self.last.set(words);
            self.since.set(self.context.now());
        }
        self.context.emit(|| TohostRang {
            channel: self.channel,
            words,
            read_error: self.read_error.borrow().clone(),
        });
        self.alarm.wake();
    }
}
