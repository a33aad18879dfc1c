//! Choices of injected faults.
//!
//! Each choice takes the next numbers of a sequence that the seed determines. A run with the same
//! requests, such as a replay, therefore has the same faults.

use mailbox_rs::Errno;

use super::Opening;
use super::session::Random;
use super::tick_alarm::TickAlarm;
use crate::messages::Faults;

/// Choices of the faults of one channel.
pub(in crate::actors) struct FaultInjector {
    pub(super) faults: Faults,
    random: Random,
    pub(super) alarm: TickAlarm,
}

impl FaultInjector {
    /// Creates the choices from the seed and the name of a channel; `None` without faults.
    pub(super) fn of(opening: &Opening<'_>) -> Option<Self> {
        let channel = opening.descriptor;
        let faults = channel.services.faults.clone()?;
        Some(Self {
            random: Random::new(faults.seed, &channel.name),
            alarm: TickAlarm::new(opening.bus, opening.id, opening.context.clone()),
            faults,
        })
    }

    /// State of the choices.
    pub(super) fn state(&self) -> u64 {
        self.random.state()
    }

    /// Continues the choices from a state.
    pub(super) fn set_state(&self, state: u64) {
        self.random.set_state(state);
    }

    /// True with a probability in units of 2⁻⁶³.
    pub(super) fn happens(&self, probability: u64) -> bool {
        probability > 0 && self.random.next() >> 1 < probability
    }

    /// Failure of an operation by these rules. At most one of them applies.
    pub(super) fn failure(&self, rules: &[(Errno, u64)]) -> Option<Errno> {
        if rules.is_empty() {
            return None;
        }
        let mut chosen = self.random.next() >> 1;
        for (errno, probability) in rules {
            if chosen < *probability {
                return Some(*errno);
            }
            chosen -= probability;
        }
        None
    }

    /// Random number in `from..=to`.
    pub(super) fn number(&self, from: u64, to: u64) -> u64 {
        let count = u128::from(to - from) + 1;
        let number = (u128::from(self.random.next()) * count) >> 64;
        from + number as u64
    }
}
