//! Barks where a channel makes no progress.

use std::cell::{Cell, RefCell};
use std::str::FromStr;

use crate::actors::mailbox::Board;
use crate::messages::foreign::Severity;

/// When it barks, and how loudly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Ticks without progress; 0 for never.
    pub(crate) ticks: u64,
    pub(crate) severity: Severity,
}

impl Patience {
    /// It never barks.
    pub(crate) const ENDLESS: Self = Self {
        ticks: 0,
        severity: Severity::Warning,
    };
}

/// `1000`, or `1000:fatal`.
impl FromStr for Patience {
    type Err = NoPatience;

    fn from_str(text: &str) -> Result<Self, NoPatience> {
        let (ticks, severity) = match text.split_once(':') {
            None => (text, Severity::Warning),
            Some((ticks, name)) => (ticks, Severity::named(name).ok_or(NoPatience)?),
        };
        let ticks = ticks.parse().map_err(|_| NoPatience)?;
        Ok(Self { ticks, severity })
    }
}

/// A text that says no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoPatience;

/// Watches the board. A tick costs it one comparison: it looks only when a channel may have been too long without progress.
#[derive(Debug)]
pub(super) struct Watchdog {
    patience: Cell<Patience>,
    /// The tick of the next look.
    due: Cell<u64>,
    /// Ticks before this one don't count.
    from: Cell<u64>,
    /// For each channel the progress after which it has barked already.
    barked: RefCell<Vec<Option<u64>>>,
}

impl Watchdog {
    /// One that never barks.
    pub(super) fn asleep() -> Self {
        Self {
            patience: Cell::new(Patience::ENDLESS),
            due: Cell::new(u64::MAX),
            from: Cell::new(0),
            barked: RefCell::default(),
        }
    }

    /// Counts anew, from this tick on.
    pub(super) fn set(&self, patience: Patience, now: u64) {
        self.patience.set(patience);
        self.from.set(now);
        self.barked.borrow_mut().clear();
        self.due.set(match patience.ticks {
            0 => u64::MAX,
            ticks => now.saturating_add(ticks),
        });
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience.get()
    }

    /// Whether there may be something to bark at.
    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.due.get()
    }

    /// The channels that it barks at, by their positions: each once, until it makes progress again.
    pub(super) fn look(&self, now: u64, board: &Board) -> Vec<usize> {
        let ticks = self.patience.get().ticks;
        let mut barked = self.barked.borrow_mut();
        let (mut stuck, mut due) = (Vec::new(), u64::MAX);
        for (at, progress) in board.progresses().enumerate() {
            let Some(progress) = progress else { continue };
            if barked.len() <= at {
                barked.resize(at + 1, None);
            }
            let since = progress.max(self.from.get());
            let end = since.saturating_add(ticks);
            let known = barked[at] == Some(since);
            if !known && end <= now {
                barked[at] = Some(since);
                stuck.push(at);
            }
            // What makes progress from now on is not due before that.
            due = due.min(if end <= now {
                now.saturating_add(ticks)
            } else {
                end
            });
        }
        self.due.set(due);
        stuck
    }
}
