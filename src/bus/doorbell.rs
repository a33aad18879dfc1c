//! Doorbells: a few words of simulated memory, looked at on every tick, that tell of work.
//!
//! Looking is no message: an idle tick costs the reads and a comparison.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use smallvec::SmallVec;

/// Most bytes that one look reads.
pub const DOORBELL_BYTES: usize = 64;

/// Words of what a look reads.
const WORDS: usize = DOORBELL_BYTES / size_of::<u32>();

/// What one look has read.
type Bytes = [[u8; size_of::<u32>()]; WORDS];

/// Fills the buffer with the watched bytes. False where they can't be read.
pub type Look = dyn Fn(&mut [u8]) -> bool;

/// Called with the bytes that were read where a word differs from the look before; with `None` where they can't be read, after
/// which the bell is silent until it watches something else.
pub type Ring = dyn Fn(Option<&[u8]>);

/// A doorbell that the bus looks at. Its owner says what it watches.
#[derive(Clone, Default)]
pub struct Doorbell(Rc<Inner>);

/// What a doorbell watches.
pub struct Watch {
    /// Bytes that a look reads.
    len: usize,
    /// Words that make a difference, as last seen.
    words: SmallVec<[Word; 6]>,
    /// Tried before `look`.
    quick_look: Option<Box<Look>>,
    look: Box<Look>,
    ring: Box<Ring>,
    /// There was a look.
    looked: Cell<bool>,
}

/// A watched word. A wider one would have to wait for bytes that were written a moment ago in other pieces.
struct Word {
    /// Position in what is read, in words.
    at: u32,
    seen: Cell<[u8; 4]>,
}

#[derive(Default)]
struct Inner {
    watch: Cell<Option<Rc<Watch>>>,
    /// Number of changes of what is watched.
    changes: Cell<u64>,
    /// Set when any doorbell of the bus watches something else.
    changed: Rc<Cell<bool>>,
}

impl Watch {
    /// Watches the words of `len` bytes, [`DOORBELL_BYTES`] at most.
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

    /// Watches the words at these offsets alone, which are multiples of 4.
    #[must_use]
    pub fn only(self, offsets: impl IntoIterator<Item = usize>) -> Self {
        let offsets = offsets.into_iter().map(|offset| offset / size_of::<u32>());
        let words = words(offsets.filter(|at| *at < WORDS));
        Self { words, ..self }
    }

    /// Tries this look first. Where it fails, the other one is taken.
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

    /// True if this was seen last time.
    #[inline]
    fn has_seen(&self, now: &Bytes) -> bool {
        self.words
            .iter()
            .all(|word| word.seen.get() == word.of(now))
    }

    /// Keeps what was seen.
    fn keep(&self, now: &Bytes) {
        for word in &self.words {
            word.seen.set(word.of(now));
        }
        self.looked.set(true);
    }
}

/// Words at these positions. Together, since thousands of doorbells are looked at in each tick.
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
    /// Doorbell that watches nothing, and sets `changed` when it does.
    pub(super) fn new(changed: &Rc<Cell<bool>>) -> Self {
        Self(Rc::new(Inner {
            changed: changed.clone(),
            ..Inner::default()
        }))
    }

    /// Watches something else from now on. Its first sight rings.
    pub fn watch(&self, watch: Watch) {
        self.0.changed.set(true);
        self.replace(Some(Rc::new(watch)));
    }

    /// Watches nothing any more.
    pub fn silence(&self) {
        self.replace(None);
    }

    fn replace(&self, watch: Option<Rc<Watch>>) {
        self.0.changes.set(self.0.changes.get() + 1);
        drop(self.0.watch.replace(watch));
    }

    /// Looks once. True if it rang, or if there is something new to look at.
    #[inline(always)]
    pub(super) fn look(&self, looks: Looks) -> bool {
        let Some(watch) = self.watched() else {
            return false;
        };
        let looked = watch.looked.get();
        if looks == Looks::First && looked {
            return false;
        }
        let changes = self.0.changes.get();
        let mut now = Bytes::default();
        let readable = watch.read(&mut now);
        let is_current = self.0.changes.get() == changes;
        if is_current && readable && looked && looks == Looks::Usual && watch.has_seen(&now) {
            return false;
        }
        // A look may come back and change what is watched: what it saw is of no interest then.
        if is_current {
            self.heed(&watch, readable.then_some(&now));
        }
        true
    }

    /// Rings.
    #[cold]
    #[inline(never)]
    fn heed(&self, watch: &Watch, now: Option<&Bytes>) {
        match now {
            None => {
                self.silence();
                (watch.ring)(None);
            }
            Some(now) => {
                watch.keep(now);
                (watch.ring)(Some(&now.as_flattened()[..watch.len]));
            }
        }
    }

    /// What is watched. It may be replaced during a look.
    #[inline]
    fn watched(&self) -> Option<Rc<Watch>> {
        let watch = self.0.watch.take();
        self.0.watch.set(watch.clone());
        watch
    }
}

/// Which looks are taken, and which of them ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// All; what differs from last time rings.
    Usual,
    /// All; whatever is seen rings.
    Always,
    /// Only those at something that was not looked at before.
    First,
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
