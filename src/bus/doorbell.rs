//! Doorbells: a few words of simulated memory that are polled on every tick.
//!
//! Polling sends no message: an idle tick costs the reads and a comparison.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use smallvec::SmallVec;

/// Maximum number of bytes that one poll reads.
pub(crate) const DOORBELL_BYTES: usize = 64;

/// Number of words that one poll reads.
const WORDS: usize = DOORBELL_BYTES / size_of::<u32>();

/// Words read by one poll.
type Bytes = [[u8; size_of::<u32>()]; WORDS];

/// Fills the buffer with the watched bytes. False if they can't be read.
pub(crate) type Look = dyn Fn(&mut [u8]) -> bool;

/// Called with the bytes read when a watched word has changed since the last poll; with `None` when the bytes can't be read, after which
/// the doorbell is disarmed until it watches something else.
pub(crate) type Ring = dyn Fn(Option<&[u8]>);

/// A doorbell polled by the bus. Its owner sets the watched bytes.
#[derive(Clone, Default)]
pub(crate) struct Doorbell(Rc<Inner>);

/// Doorbells of a bus.
#[derive(Default)]
pub(super) struct Doorbells {
    bells: RefCell<Vec<Doorbell>>,
    /// Watches of all doorbells, as of the last poll.
    watches: RefCell<Rc<[Rc<Watch>]>>,
    changes: Rc<WatchChanges>,
}

/// Changes of the watches of a bus.
#[derive(Default)]
struct WatchChanges {
    /// True if a watch was set or removed since the last poll.
    any: Cell<bool>,
    /// True if a watch was set, and has not been polled yet.
    new: Cell<bool>,
}

/// Watched bytes, their reader and the callback on changes.
pub(crate) struct Watch {
    /// Number of bytes that a poll reads.
    len: usize,
    /// Watched words, as last read.
    words: SmallVec<[Word; 6]>,
    /// Faster reader, tried before `look`.
    quick_look: Option<Box<Look>>,
    look: Box<Look>,
    ring: Box<Ring>,
    /// True after the first poll.
    looked: Cell<bool>,
    /// True once the doorbell has another watch, or none.
    removed: Cell<bool>,
}

/// A watched word of 32 bits. A wider load would stall on the narrower stores that have just filled the buffer.
struct Word {
    /// Position in the bytes read, in words.
    at: u32,
    seen: Cell<[u8; 4]>,
}

#[derive(Default)]
struct Inner {
    watch: RefCell<Option<Rc<Watch>>>,
    changes: Rc<WatchChanges>,
}

impl Doorbells {
    /// Adds a doorbell without a watch.
    pub(super) fn add(&self) -> Doorbell {
        let bell = Doorbell(Rc::new(Inner {
            watch: RefCell::default(),
            changes: self.changes.clone(),
        }));
        self.bells.borrow_mut().push(bell.clone());
        bell
    }

    /// True if a watch was set, and has not been polled yet.
    #[inline]
    pub(super) fn any_new(&self) -> bool {
        self.changes.new.get()
    }

    /// Polls the watches that were set since the last poll. True if a callback was called.
    pub(super) fn poll_new(&self) -> bool {
        self.changes.new.take() && self.poll(Scan::New)
    }

    /// Polls the watches. True if a callback was called or a watch changed meanwhile.
    #[inline(always)]
    pub(super) fn poll(&self, scan: Scan) -> bool {
        if self.changes.any.get() {
            self.collect();
        }
        // Cloned, since a reader may come back to the bus and change a watch.
        let watches = self.watches.borrow().clone();
        let mut rang = false;
        for watch in &*watches {
            rang |= watch.poll(scan);
        }
        rang
    }

    #[cold]
    fn collect(&self) {
        self.changes.any.set(false);
        let bells = self.bells.borrow();
        let watches = bells
            .iter()
            .filter_map(|bell| bell.0.watch.borrow().clone());
        self.watches.replace(watches.collect());
    }
}

impl Watch {
    /// Watches every word of the first `len` bytes, at most [`DOORBELL_BYTES`].
    pub(crate) fn new(len: usize, look: Box<Look>, ring: Box<Ring>) -> Self {
        let len = len.min(DOORBELL_BYTES);
        Self {
            len,
            words: words(0..len.div_ceil(size_of::<u32>())),
            quick_look: None,
            look,
            ring,
            looked: Cell::new(false),
            removed: Cell::new(false),
        }
    }

    /// Restricts the watch to the words at these byte offsets, multiples of 4.
    #[must_use]
    pub(crate) fn only(self, offsets: impl IntoIterator<Item = usize>) -> Self {
        let offsets = offsets.into_iter().map(|offset| offset / size_of::<u32>());
        let words = words(offsets.filter(|at| *at < WORDS));
        Self { words, ..self }
    }

    /// Adds a faster reader, tried before the usual one. The usual one is called if it fails.
    #[must_use]
    pub(crate) fn quickly(self, quick_look: Option<Box<Look>>) -> Self {
        Self { quick_look, ..self }
    }

    #[inline]
    fn read(&self, to: &mut Bytes) -> bool {
        let to = &mut to.as_flattened_mut()[..self.len];
        match &self.quick_look {
            Some(look) if look(to) => true,
            _ => (self.look)(to),
        }
    }

    /// True if all watched words equal those of the last poll.
    #[inline]
    fn has_seen(&self, now: &Bytes) -> bool {
        self.words
            .iter()
            .all(|word| word.seen.get() == word.of(now))
    }

    /// Polls once. True if the callback was called or the watch was removed meanwhile.
    #[inline(always)]
    fn poll(&self, scan: Scan) -> bool {
        let looked = self.looked.get();
        if self.removed.get() || (scan == Scan::New && looked) {
            return false;
        }
        let mut now = Bytes::default();
        let readable = self.read(&mut now);
        let is_quiet = readable && looked && scan == Scan::Changed && self.has_seen(&now);
        if is_quiet && !self.removed.get() {
            return false;
        }
        self.ring_with(readable.then_some(&now));
        true
    }

    /// Calls the callback. The reader may have come back to the bus and removed the watch: the bytes it read are of no use then.
    #[cold]
    #[inline(never)]
    fn ring_with(&self, now: Option<&Bytes>) {
        if self.removed.get() {
            return;
        }
        let bytes = now.map(|now| {
            for word in &self.words {
                word.seen.set(word.of(now));
            }
            self.looked.set(true);
            &now.as_flattened()[..self.len]
        });
        // A watch that can't be read is not polled again.
        self.removed.set(bytes.is_none());
        (self.ring)(bytes);
    }
}

/// Words at these positions. They are stored inline, since thousands of doorbells are polled in each tick.
fn words(positions: impl Iterator<Item = usize>) -> SmallVec<[Word; 6]> {
    let word = |at| Word {
        at: at as u32,
        seen: Cell::default(),
    };
    positions.map(word).collect()
}

impl Word {
    #[inline]
    fn of(&self, bytes: &Bytes) -> [u8; 4] {
        bytes[self.at as usize % WORDS]
    }
}

impl Doorbell {
    /// Replaces the watch. The first poll of the new one calls its callback.
    pub(crate) fn watch(&self, watch: Watch) {
        self.0.changes.new.set(true);
        self.replace(Some(Rc::new(watch)));
    }

    /// Removes the watch.
    pub(crate) fn disarm(&self) {
        self.replace(None);
    }

    fn replace(&self, watch: Option<Rc<Watch>>) {
        self.0.changes.any.set(true);
        if let Some(before) = self.0.watch.replace(watch) {
            before.removed.set(true);
        }
    }
}

/// Selection of the watches that are polled and of those whose callback is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// Polls all; calls back on changes.
    Changed,
    /// Polls all; always calls back.
    All,
    /// Polls only watches that have never been polled; calls back.
    New,
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watch = self.0.watch.borrow();
        write!(
            f,
            "Doorbell({:?} bytes)",
            watch.as_ref().map(|watch| watch.len)
        )
    }
}
