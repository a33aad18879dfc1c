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
pub(super) type Bytes = [[u8; size_of::<u32>()]; WORDS];

/// Fills the buffer with the watched bytes. Returns false if they can't be read.
pub(crate) type ReadFn = dyn Fn(&mut [u8]) -> bool;

/// Faster form of [`ReadFn`]. The flag is true in a tick of a settled system, where the check of
/// the thread is skipped. Returns the number of bytes read.
pub(crate) type QuickReadFn = dyn Fn(&mut [u8], bool) -> usize;

/// Callback with the bytes read, when a watched word has changed since the last poll. It gets
/// `None` if the bytes can't be read. The doorbell is then disarmed until its next watch is set.
pub(crate) type ChangeFn = dyn Fn(Option<&[u8]>);

/// Doorbell, polled by the bus. Its owner sets the watched bytes.
#[derive(Clone, Default)]
pub(crate) struct Doorbell(Rc<Inner>);

/// Doorbells of a bus.
#[derive(Default)]
pub(super) struct Doorbells {
    doorbells: RefCell<Vec<Doorbell>>,
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
    words: WatchedWords,
    /// Faster reader, called before `reader`.
    quick_reader: Option<Box<QuickReadFn>>,
    reader: Box<ReadFn>,
    on_change: Box<ChangeFn>,
    state: Cell<WatchState>,
}

/// State of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WatchState {
    /// Not polled yet.
    New,
    Polled,
    /// Replaced by another watch, or removed.
    Removed,
}

/// Watched words, as last read. They are stored inline, since thousands of doorbells are polled in
/// each tick. Most watches have two words. A watch of a single word stores the word twice.
struct WatchedWords {
    first: [Word; 2],
    others: SmallVec<[Word; 4]>,
}

/// Watched word of 32 bits. A wider load would stall on the preceding narrower stores to the
/// buffer.
#[derive(Clone, Default)]
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
        let doorbell = Doorbell(Rc::new(Inner {
            watch: RefCell::default(),
            changes: self.changes.clone(),
        }));
        self.doorbells.borrow_mut().push(doorbell.clone());
        doorbell
    }

    /// True if a watch was set, and has not been polled yet.
    #[inline]
    pub(super) fn any_new(&self) -> bool {
        self.changes.new.get()
    }

    /// Polls the watches that were set since the last poll. Returns true if a callback was called.
    pub(super) fn poll_new(&self) -> bool {
        self.changes.new.take() && self.poll(Scan::New)
    }

    /// Polls the watches. Returns true if a callback was called or a watch changed during the poll.
    pub(super) fn poll(&self, scan: Scan) -> bool {
        let mut any_called = false;
        // Shared, since a reader may re-enter the bus and change a watch.
        for watch in &*self.watches() {
            any_called |= watch.poll(scan);
        }
        any_called
    }

    /// The watches of all doorbells.
    pub(super) fn watches(&self) -> Rc<[Rc<Watch>]> {
        if self.changes.any.get() {
            self.collect();
        }
        self.watches.borrow().clone()
    }

    /// True if `watches` has the watches of all doorbells.
    pub(super) fn are_watches(&self, watches: &Rc<[Rc<Watch>]>) -> bool {
        !self.changes.any.get() && Rc::ptr_eq(&self.watches.borrow(), watches)
    }

    #[cold]
    fn collect(&self) {
        self.changes.any.set(false);
        let doorbells = self.doorbells.borrow();
        let watches = doorbells
            .iter()
            .filter_map(|doorbell| doorbell.0.watch.borrow().clone());
        self.watches.replace(watches.collect());
    }
}

impl Watch {
    /// Creates a watch of every word of the first `len` bytes, at most [`DOORBELL_BYTES`].
    pub(crate) fn new(len: usize, reader: Box<ReadFn>, on_change: Box<ChangeFn>) -> Self {
        let len = len.min(DOORBELL_BYTES);
        Self {
            len,
            words: WatchedWords::at(0..len.div_ceil(size_of::<u32>())),
            quick_reader: None,
            reader,
            on_change,
            state: Cell::new(WatchState::New),
        }
    }

    /// Restricts the watch to the words at these byte offsets, multiples of 4. Without an offset,
    /// it is restricted to the first word.
    #[must_use]
    pub(crate) fn only(self, offsets: impl IntoIterator<Item = usize>) -> Self {
        let offsets = offsets.into_iter().map(|offset| offset / size_of::<u32>());
        let words = WatchedWords::at(offsets.filter(|at| *at < WORDS));
        Self { words, ..self }
    }

    /// Adds a faster reader. The usual reader is called if the faster one fails.
    #[must_use]
    pub(crate) fn quickly(self, quick_reader: Option<Box<QuickReadFn>>) -> Self {
        Self {
            quick_reader,
            ..self
        }
    }

    #[inline(always)]
    fn read(&self, to: &mut Bytes, is_settled: bool) -> bool {
        let to = &mut to.as_flattened_mut()[..self.len];
        match &self.quick_reader {
            Some(quick) if quick(to, is_settled) == self.len => true,
            _ => (self.reader)(to),
        }
    }

    /// Reads the words, in a tick of a settled system or in another, and compares them with the
    /// last poll. Unless they are equal, [`call_changed`](Self::call_changed) must be called.
    #[inline(always)]
    pub(super) fn read_and_compare(&self, read: &mut Bytes, is_settled: bool) -> Polled {
        if self.state.get() == WatchState::Removed {
            return Polled::Unchanged;
        }
        if !self.read(read, is_settled) {
            return Polled::Unreadable;
        }
        // The reader may have re-entered the bus and removed the watch.
        if self.state.get() == WatchState::Polled && self.words.equal(read) {
            Polled::Unchanged
        } else {
            Polled::Changed
        }
    }

    fn check(&self, scan: Scan, read: &mut Bytes) -> Polled {
        match scan {
            Scan::New if self.state.get() != WatchState::New => Polled::Unchanged,
            Scan::All if self.state.get() == WatchState::Polled => {
                match self.read_and_compare(read, false) {
                    Polled::Unchanged => Polled::Changed,
                    polled => polled,
                }
            }
            _ => self.read_and_compare(read, false),
        }
    }

    /// Polls once. Returns true if the callback was called or the watch was removed during the
    /// poll.
    pub(super) fn poll(&self, scan: Scan) -> bool {
        let mut read = Bytes::default();
        match self.check(scan, &mut read) {
            Polled::Unchanged => false,
            polled => {
                self.call_changed(polled, &read);
                true
            }
        }
    }

    /// Calls the callback with the bytes read, unless the watch was removed during the poll.
    #[cold]
    #[inline(never)]
    pub(super) fn call_changed(&self, polled: Polled, read: &Bytes) {
        if self.state.get() == WatchState::Removed {
            return;
        }
        if polled == Polled::Unreadable {
            // It is not polled again.
            self.state.set(WatchState::Removed);
            return (self.on_change)(None);
        }
        self.words.set(read);
        self.state.set(WatchState::Polled);
        (self.on_change)(Some(&read.as_flattened()[..self.len]));
    }
}

impl WatchedWords {
    /// Words at these positions.
    fn at(positions: impl Iterator<Item = usize>) -> Self {
        let mut words = positions.map(|at| Word {
            at: at as u32,
            seen: Cell::default(),
        });
        let first = words.next().unwrap_or_default();
        let second = words.next().unwrap_or_else(|| first.clone());
        Self {
            first: [first, second],
            others: words.collect(),
        }
    }

    /// True if all words equal those of the last poll.
    #[inline(always)]
    fn equal(&self, read: &Bytes) -> bool {
        let [first, second] = &self.first;
        first.equals(read)
            && second.equals(read)
            && self.others.iter().all(|word| word.equals(read))
    }

    /// Stores the words of the last poll.
    fn set(&self, read: &Bytes) {
        for word in self.first.iter().chain(&self.others) {
            word.seen.set(word.of(read));
        }
    }
}

impl Word {
    #[inline(always)]
    fn of(&self, bytes: &Bytes) -> [u8; 4] {
        bytes[self.at as usize % WORDS]
    }

    #[inline(always)]
    fn equals(&self, bytes: &Bytes) -> bool {
        self.seen.get() == self.of(bytes)
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
            before.state.set(WatchState::Removed);
        }
    }
}

/// Result of a poll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Polled {
    #[default]
    Unchanged,
    /// A word has changed, or the callback is called without a change.
    Changed,
    Unreadable,
}

/// Selection of the polled watches, and condition of their callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// All watches are polled; a callback is called on a change.
    Changed,
    /// All watches are polled; every callback is called.
    All,
    /// Only watches without an earlier poll are polled; their callbacks are called.
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
