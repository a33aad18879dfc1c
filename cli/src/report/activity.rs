//! Number of requests over the time of a run, in a limited number of steps.

/// Maximum number of steps.
const STEPS: usize = 64;

/// Counts of requests by time. Steps become longer during the run, so that memory is constant.
#[derive(Debug)]
pub(super) struct Activity {
    counts: [u64; STEPS],
    /// Logarithm of a step's number of ticks, to base 2.
    log: u32,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            counts: [0; STEPS],
            log: 0,
        }
    }

    /// Counts a request in tick `tick`.
    pub(super) fn add(&mut self, tick: u64) {
        while tick >> self.log >= STEPS as u64 {
            for at in 0..STEPS {
                let pair = self.counts.get(2 * at..2 * at + 2);
                self.counts[at] = pair.map_or(0, |pair| pair.iter().sum());
            }
            self.log += 1;
        }
        // Below `STEPS`.
        if let Some(count) = usize::try_from(tick >> self.log)
            .ok()
            .and_then(|at| self.counts.get_mut(at))
        {
            *count += 1;
        }
    }

    /// Counts of the steps up to that of tick `last`.
    pub(super) fn up_to(&self, last: u64) -> &[u64] {
        let steps = usize::try_from(last >> self.log).unwrap_or(STEPS);
        &self.counts[..steps.saturating_add(1).min(STEPS)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_is_lost_when_steps_become_longer() {
        let mut activity = Activity::new();
        let ticks = [0, 1, 63, 64, 65, 1000, 1_000_000, u64::MAX];
        for (number, tick) in ticks.into_iter().enumerate() {
            activity.add(tick);
            let counts = activity.up_to(tick);
            assert_eq!(counts.iter().sum::<u64>(), number as u64 + 1);
            assert!(counts.last().is_some_and(|last| *last > 0));
        }
        assert_eq!(activity.up_to(u64::MAX).len(), STEPS);
    }
}
