//! Doorbells: a few bytes of simulated memory, looked at on every tick, that tell of work.
//!
//! Looking is no message: an idle tick costs the reads and a comparison.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// The most bytes that one doorbell watches.
pub const DOORBELL_BYTES: usize = 64;

/// Looks at the watched bytes: fills the buffer, or tells by `false` that they can't be read.
pub type Look = dyn Fn(&mut [u8]) -> bool;

/// Is told what was seen, where it differs from last time; `None` where it could not be read, after
/// which the bell is silent until it watches something else.
pub type Ring = dyn Fn(Option<&[u8]>);

/// A doorbell that the bus looks at. Its owner says what it watches.
#[derive(Clone, Default)]
pub struct Doorbell(Rc<Inner>);

#[derive(Default)]
struct Inner {
    watch: RefCell<Option<Rc<Watch>>>,
    /// Set when any doorbell of the bus watches something else.
    changed: Rc<Cell<bool>>,
}

struct Watch {
    len: usize,
    look: Box<Look>,
    ring: Box<Ring>,
    /// Whether there was a look at all.
    looked: Cell<bool>,
    /// What it saw, by words. Wider ones would have to wait for bytes that were written a moment ago in other pieces.
    seen: Box<[Cell<u32>]>,
}

impl Doorbell {
    /// Doorbell that watches nothing, and sets `changed` when it does.
    pub(super) fn new(changed: &Rc<Cell<bool>>) -> Self {
        Self(Rc::new(Inner {
            watch: RefCell::default(),
            changed: changed.clone(),
        }))
    }

    /// Watches `len` bytes (at most [`DOORBELL_BYTES`]). Their first sight rings.
    pub fn watch(&self, len: usize, look: Box<Look>, ring: Box<Ring>) {
        let len = len.min(DOORBELL_BYTES);
        let watch = Watch {
            len,
            look,
            ring,
            looked: Cell::new(false),
            seen: vec![Cell::new(0); len.div_ceil(size_of::<u32>())].into(),
        };
        self.0.changed.set(true);
        drop(self.0.watch.replace(Some(Rc::new(watch))));
    }

    /// Watches nothing any more.
    pub fn silence(&self) {
        drop(self.0.watch.take());
    }

    /// Looks once. True if it rang, or if there is something new to look at.
    #[inline]
    pub(super) fn look(&self, looks: Looks) -> bool {
        let Some(watch) = self.0.watch.borrow().clone() else {
            return false;
        };
        let looked = watch.looked.get();
        if looks == Looks::First && looked {
            return false;
        }
        let mut now = [0; DOORBELL_BYTES];
        let readable = (watch.look)(&mut now[..watch.len]);
        let calm = readable && looked && looks == Looks::Usual && watch.has_seen(&now);
        if calm && self.watches(&watch) {
            return false;
        }
        self.heed(&watch, readable, &now);
        true
    }

    /// Rings, unless what was looked at is no longer watched.
    #[cold]
    #[inline(never)]
    fn heed(&self, watch: &Rc<Watch>, readable: bool, now: &[u8; DOORBELL_BYTES]) {
        // A look may come back and change what is watched: what it saw is of no interest then.
        if !self.watches(watch) {
            return;
        }
        if !readable {
            self.silence();
            (watch.ring)(None);
            return;
        }
        watch.keep(now);
        watch.looked.set(true);
        (watch.ring)(Some(&now[..watch.len]));
    }

    fn watches(&self, watch: &Rc<Watch>) -> bool {
        let present = self.0.watch.borrow();
        present.as_ref().is_some_and(|it| Rc::ptr_eq(it, watch))
    }
}

impl Watch {
    /// True if this was seen last time.
    #[inline]
    fn has_seen(&self, now: &[u8; DOORBELL_BYTES]) -> bool {
        let words = now.as_chunks().0;
        let mut seen = self.seen.iter().zip(words);
        seen.all(|(seen, now)| seen.get() == u32::from_ne_bytes(*now))
    }

    /// Keeps what was seen.
    fn keep(&self, now: &[u8; DOORBELL_BYTES]) {
        let words = now.as_chunks().0;
        for (seen, now) in self.seen.iter().zip(words) {
            seen.set(u32::from_ne_bytes(*now));
        }
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
        let watch = self.0.watch.borrow();
        write!(
            f,
            "Doorbell({:?} bytes)",
            watch.as_ref().map(|watch| watch.len)
        )
    }
}
