//! Watchdog for channels without progress.

use std::cell::{Cell, RefCell};
use std::str::FromStr;

use crate::actors::service::ChannelProgress;
use crate::messages::foreign::Severity;

/// Timeout and severity of the watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WatchdogTimeout {
    /// Ticks without progress; 0 disables it.
    pub(crate) ticks: u64,
    pub(crate) severity: Severity,
}

impl WatchdogTimeout {
    /// Disabled watchdog.
    pub(crate) const NEVER: Self = Self {
        ticks: 0,
        severity: Severity::Warning,
    };
}

/// `1000`, or `1000:fatal`.
impl FromStr for WatchdogTimeout {
    type Err = InvalidTimeout;

    fn from_str(text: &str) -> Result<Self, InvalidTimeout> {
        let (ticks, severity) = match text.split_once(':') {
            None => (text, Severity::Warning),
            Some((ticks, name)) => (ticks, Severity::named(name).ok_or(InvalidTimeout)?),
        };
        let ticks = ticks.parse().map_err(|_| InvalidTimeout)?;
        Ok(Self { ticks, severity })
    }
}

/// Invalid text of a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidTimeout;

/// Watchdog on the channels' progress. A tick costs one comparison: progress is checked only when a
/// channel may be overdue.
#[derive(Debug)]
pub(in crate::system) struct Watchdog {
    timeout: Cell<WatchdogTimeout>,
    /// Tick of the next check.
    due: Cell<u64>,
    /// Start of the count; earlier ticks are ignored.
    from: Cell<u64>,
    /// Per channel, the progress after which it last fired.
    fired: RefCell<Vec<Option<u64>>>,
}

impl Watchdog {
    /// Disabled watchdog.
    pub(in crate::system) fn off() -> Self {
        Self {
            timeout: Cell::new(WatchdogTimeout::NEVER),
            due: Cell::new(u64::MAX),
            from: Cell::new(0),
            fired: RefCell::default(),
        }
    }

    /// Restarts the count at this tick.
    pub(in crate::system) fn set(&self, timeout: WatchdogTimeout, now: u64) {
        self.timeout.set(timeout);
        self.from.set(now);
        self.fired.borrow_mut().clear();
        self.due.set(match timeout.ticks {
            0 => u64::MAX,
            ticks => now.saturating_add(ticks),
        });
    }

    pub(in crate::system) fn timeout(&self) -> WatchdogTimeout {
        self.timeout.get()
    }

    /// Tick of the next check.
    pub(in crate::system) fn due(&self) -> u64 {
        self.due.get()
    }

    /// True if a check is due.
    pub(in crate::system) fn is_due(&self, now: u64) -> bool {
        now >= self.due.get()
    }

    /// Takes the overdue channels, by position: each once, until it makes progress again.
    pub(in crate::system) fn take_overdue(
        &self,
        now: u64,
        progress: &ChannelProgress,
    ) -> Vec<usize> {
        let ticks = self.timeout.get().ticks;
        let mut fired = self.fired.borrow_mut();
        let (mut stuck, mut due) = (Vec::new(), u64::MAX);
        for (at, progress) in progress.progresses().enumerate() {
            let Some(progress) = progress else { continue };
            if fired.len() <= at {
                fired.resize(at + 1, None);
            }
            let since = progress.max(self.from.get());
            let end = since.saturating_add(ticks);
            let known = fired[at] == Some(since);
            if !known && end <= now {
                fired[at] = Some(since);
                stuck.push(at);
            }
            // Later progress has a later deadline.
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
        let timeout = |ticks, severity| Ok(WatchdogTimeout { ticks, severity });
        assert_eq!("0".parse(), timeout(0, Severity::Warning));
        assert_eq!("1000".parse(), timeout(1000, Severity::Warning));
        for severity in Severity::ALL {
            let text = format!("7:{}", severity.name());
            assert_eq!(text.parse(), timeout(7, severity));
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
            assert_eq!(
                text.parse::<WatchdogTimeout>(),
                Err(InvalidTimeout),
                "{text:?}"
            );
        }
    }

    /// Step of a channel before the end of a tick.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Nothing,
        Progress(u32),
        Exit(u32),
        Set(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            12 => Just(Step::Nothing),
            2 => (0..3_u32).prop_map(Step::Progress),
            1 => (0..3_u32).prop_map(Step::Exit),
            1 => (0..8_u64).prop_map(Step::Set),
        ]
    }

    proptest! {
        /// Compares with a model that counts each channel's ticks one by one.
        #[test]
        fn it_fires_when_ticks_are_counted_one_by_one(steps in prop::collection::vec(step(), 0..300)) {
            let progress = ChannelProgress::new(3);
            let watchdog = Watchdog::off();
            // Ticks without progress per channel; `None` after the exit.
            let mut quiet = [Some(0_u64); 3];
            let mut limit = 0;
            for (now, step) in (1..).zip(steps) {
                quiet.iter_mut().flatten().for_each(|ticks| *ticks += 1);
                match step {
                    Step::Nothing => {}
                    Step::Progress(channel) => {
                        progress.progress(ChannelId(channel), now);
                        quiet[channel as usize] = quiet[channel as usize].and(Some(0));
                    }
                    Step::Exit(channel) => {
                        progress.exited(ChannelId(channel), 0);
                        quiet[channel as usize] = None;
                    }
                    Step::Set(ticks) => {
                        watchdog.set(WatchdogTimeout { ticks, severity: Severity::Error }, now);
                        limit = ticks;
                        quiet.iter_mut().flatten().for_each(|ticks| *ticks = 0);
                    }
                }
                let fires = if watchdog.is_due(now) { watchdog.take_overdue(now, &progress) } else { vec![] };
                let expected: Vec<usize> = (0..3).filter(|at| limit > 0 && quiet[*at] == Some(limit)).collect();
                prop_assert_eq!(fires, expected, "tick {}", now);
            }
        }
    }
}
