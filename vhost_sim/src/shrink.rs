//! Minimisation of a failing scenario.

use crate::scenario::Scenario;

/// Smallest scenario found for which `fails` is true. Removes channels, steps, taps, clients and
/// options while it stays true.
pub fn shrink(scenario: &Scenario, fails: &mut dyn FnMut(&Scenario) -> bool) -> Scenario {
    let mut best = scenario.clone();
    loop {
        let before = best.clone();
        one_by_one(
            &mut best,
            fails,
            |it| it.channels.len(),
            |it, at, count| {
                it.channels.drain(at..at + count);
            },
        );
        for channel in 0..best.channels.len() {
            one_by_one(
                &mut best,
                fails,
                |it| it.channels[channel].steps.len(),
                |it, at, count| {
                    it.channels[channel].steps.drain(at..at + count);
                },
            );
        }
        one_by_one(
            &mut best,
            fails,
            |it| it.clients.len(),
            |it, at, count| {
                it.clients.drain(at..at + count);
            },
        );
        one_by_one(
            &mut best,
            fails,
            |it| it.taps.len(),
            |it, at, count| {
                it.taps.drain(at..at + count);
            },
        );
        let simpler: [fn(&mut Scenario); 6] = [
            |it| it.record = false,
            |it| it.disk = false,
            |it| it.bursts.clear(),
            |it| it.notify.clear(),
            |it| it.checkpoints.clear(),
            |it| it.ticks = it.ticks.min(20),
        ];
        for change in simpler {
            attempt(&mut best, fails, change);
        }
        for channel in 0..best.channels.len() {
            let simpler: [fn(&mut crate::scenario::Channel); 5] = [
                |it| it.device = None,
                |it| it.next = None,
                |it| it.line = 0,
                |it| it.mailbox = 0,
                |it| it.base = 0x1000,
            ];
            for change in simpler {
                attempt(&mut best, fails, |it| change(&mut it.channels[channel]));
            }
        }
        if best == before {
            return best;
        }
    }
}

fn attempt(
    best: &mut Scenario,
    fails: &mut dyn FnMut(&Scenario) -> bool,
    change: impl FnOnce(&mut Scenario),
) {
    let mut smaller = best.clone();
    change(&mut smaller);
    if smaller != *best && fails(&smaller) {
        *best = smaller;
    }
}

/// Removes runs of elements, first long ones, then single ones.
fn one_by_one(
    best: &mut Scenario,
    fails: &mut dyn FnMut(&Scenario) -> bool,
    len: impl Fn(&Scenario) -> usize,
    remove: impl Fn(&mut Scenario, usize, usize),
) {
    let mut count = len(best);
    while count > 0 {
        let mut at = 0;
        while at + count <= len(best) {
            let mut smaller = best.clone();
            remove(&mut smaller, at, count);
            if fails(&smaller) {
                *best = smaller;
            } else {
                at += count;
            }
        }
        count /= 2;
    }
}
