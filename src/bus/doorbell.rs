//! Doorbells: a few words of simulated memory that are polled on every tick.
//!
//! Polling sends no message: an idle tick costs the reads and a comparison.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use smallvec::SmallVec;

/// Maximum number of bytes that one poll reads.
pub const DOORBELL_BYTES: usize = 64;

/// Number of words that one poll reads.
const WORDS: usize = DOORBELL_BYTES / size_of::<u32>();

/// Words read by one poll.
type Bytes = [[u8; size_of::<u32>()]; WORDS];

/// Fills the buffer with the watched bytes. False if they can't be read.
pub type Look = dyn Fn(&mut [u8]) -> bool;

/// Called with the bytes read when a watched word has changed since the last poll; with `None` when the bytes can't be read, after which
/// the doorbell is disarmed until it watches something else.
pub type Ring = dyn Fn(Option<&[u8]>);

/// A doorbell polled by the bus. Its owner sets the watched bytes.
#[derive(Clone, Default)]
pub struct Doorbell(Rc<Inner>);

/// Watched bytes, their reader and the callback on changes.
pub struct Watch {
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
}

/// A watched word of 32 bits. A wider load would stall on the narrower stores that have just filled the buffer.
struct Word {
    /// Position in the bytes read, in words.
    at: u32,
    seen: Cell<[u8; 4]>,
}

#[derive(Default)]
struct Inner {
    watch: Cell<Option<Rc<Watch>>>,
    /// Number of changes of the watch.
    changes: Cell<u64>,
    /// Set when the watch of any doorbell of the bus changes.
    changed: Rc<Cell<bool>>,
}

impl Watch {
    /// Watches every word of the first `len` bytes, at most [`DOORBELL_BYTES`].
    pub fn new(len: usize, look: Box<Look>, ring: Box<Ring>) -> Self {
        let len = len.min(DOORBELL_BYTES);
        Self {
            len,
            words: words(0..len.div_ceil(size_of::<u32>())),
            quick_look: None,
            look,
            ring,
            looked: Cell::new(false),
        }
    }

    /// Restricts the watch to the words at these byte offsets, multiples of 4.
    #[must_use]
    pub fn only(self, offsets: impl IntoIterator<Item = usize>) -> Self {
        let offsets = offsets.into_iter().map(|offset| offset / size_of::<u32>());
        let words = words(offsets.filter(|at| *at < WORDS));
        Self { words, ..self }
    }

    /// Adds a faster reader, tried before the usual one. The usual one is called if it fails.
    #[must_use]
    pub fn quickly(self, quick_look: Option<Box<Look>>) -> Self {
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

    /// Keeps the watched words for the next comparison.
    fn keep(&self, now: &Bytes) {
        for word in &self.words {
            word.seen.set(word.of(now));
        }
        self.looked.set(true);
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
    /// A doorbell without a watch. It sets `changed` when it gets one.
    pub(super) fn new(changed: &Rc<Cell<bool>>) -> Self {
        Self(Rc::new(Inner {
            changed: changed.clone(),
            ..Inner::default()
        }))
    }

    /// Replaces the watch. The first poll of the new one calls its callback.
    pub fn watch(&self, watch: Watch) {
        self.0.changed.set(true);
        self.replace(Some(Rc::new(watch)));
    }

    /// Removes the watch.
    pub fn disarm(&self) {
        self.replace(None);
    }

    fn replace(&self, watch: Option<Rc<Watch>>) {
        self.0.changes.set(self.0.changes.get() + 1);
        drop(self.0.watch.replace(watch));
    }

    /// Polls once. True if the callback was called or the watch changed meanwhile.
    #[inline(always)]
    pub(super) fn look(&self, scan: Scan) -> bool {
        let Some(watch) = self.watched() else {
            return false;
        };
        let looked = watch.looked.get();
        if scan == Scan::New && looked {
            return false;
        }
        let changes = self.0.changes.get();
        let mut now = Bytes::default();
        let readable = watch.read(&mut now);
        let is_current = self.0.changes.get() == changes;
        if is_current && readable && looked && scan == Scan::Changed && watch.has_seen(&now) {
            return false;
        }
        // The reader may come back to the bus and change the watch. The bytes it read are of no use then.
        if is_current {
            self.heed(&watch, readable.then_some(&now));
        }
        true
    }

    /// Calls the callback. Disarms the doorbell first if the bytes can't be read.
    #[cold]
    #[inline(never)]
    fn heed(&self, watch: &Watch, now: Option<&Bytes>) {
        match now {
            None => {
                self.disarm();
                (watch.ring)(None);
            }
            Some(now) => {
                watch.keep(now);
                (watch.ring)(Some(&now.as_flattened()[..watch.len]));
            }
        }
    }

    /// Current watch, shared: it may be replaced during a poll.
    #[inline]
    fn watched(&self) -> Option<Rc<Watch>> {
        let watch = self.0.watch.take();
        self.0.watch.set(watch.clone());
        watch
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
        let watch = self.watched();
        write!(
            f,
            "Doorbell({:?} bytes)",
            watch.as_ref().map(|watch| watch.len)
        )
    }
}
