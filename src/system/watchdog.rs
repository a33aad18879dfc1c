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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::messages::ChannelId;

    #[test]
    fn ticks_with_or_without_a_severity() {
        let patience = |ticks, severity| Ok(Patience { ticks, severity });
        assert_eq!("0".parse(), patience(0, Severity::Warning));
        assert_eq!("1000".parse(), patience(1000, Severity::Warning));
        for severity in Severity::ALL {
            let text = format!("7:{}", severity.name());
            assert_eq!(text.parse(), patience(7, severity));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "many",
            "-1",
            "1.5",
            "0x10",
            "10:",
            ":fatal",
            "10:loud",
            "10:fatal:",
            "10 :fatal",
            "18446744073709551616",
        ] {
            assert_eq!(text.parse::<Patience>(), Err(NoPatience), "{text:?}");
        }
    }

    /// What happens to a channel before a tick ends.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        Nothing,
        Progress(u32),
        Exit(u32),
        Set(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            12 => Just(Event::Nothing),
            2 => (0..3_u32).prop_map(Event::Progress),
            1 => (0..3_u32).prop_map(Event::Exit),
            1 => (0..8_u64).prop_map(Event::Set),
        ]
    }

    proptest! {
        /// It barks when one does that counts the ticks of each channel one by one.
        #[test]
        fn it_barks_when_ticks_are_counted_one_by_one(events in prop::collection::vec(event(), 0..300)) {
            let board = Board::new(3);
            let watchdog = Watchdog::asleep();
            // Ticks without progress of each; none once it has exited.
            let mut quiet = [Some(0_u64); 3];
            let mut limit = 0;
            for (now, event) in (1..).zip(events) {
                quiet.iter_mut().flatten().for_each(|ticks| *ticks += 1);
                match event {
                    Event::Nothing => {}
                    Event::Progress(channel) => {
                        board.progress(ChannelId(channel), now);
                        quiet[channel as usize] = quiet[channel as usize].and(Some(0));
                    }
                    Event::Exit(channel) => {
                        board.exited(ChannelId(channel), 0);
                        quiet[channel as usize] = None;
                    }
                    Event::Set(ticks) => {
                        watchdog.set(Patience { ticks, severity: Severity::Error }, now);
                        limit = ticks;
                        quiet.iter_mut().flatten().for_each(|ticks| *ticks = 0);
                    }
                }
                let barks = if watchdog.is_due(now) { watchdog.look(now, &board) } else { vec![] };
                let expected: Vec<usize> = (0..3).filter(|at| limit > 0 && quiet[*at] == Some(limit)).collect();
                prop_assert_eq!(barks, expected, "tick {}", now);
            }
        }
    }
}
