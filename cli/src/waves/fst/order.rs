//! Changes in the order of their times.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::waves::requests::Timed;

/// Number of requests that may be answered while another one is in service, before that one counts
/// as long.
const WINDOW: usize = 1 << 16;

/// Change of the signals of a channel.
///
/// Changes of one channel at the same time may not be in the order of their places, if more
/// requests are answered in a tick than it has steps.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) time: u64,
    /// Number of the request, times two; plus one for its end.
    pub(super) place: u64,
    pub(super) lane: usize,
    pub(super) what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Taken {
        kind: &'static str,
        request: String,
    },
    /// Request with its result.
    Answered(String),
}

impl Change {
    pub(super) fn begin(timed: &Timed, what: What) -> Self {
        Self {
            time: timed.begin,
            place: timed.number.saturating_mul(2),
            lane: timed.lane,
            what,
        }
    }

    pub(super) fn end(timed: &Timed, what: What) -> Self {
        Self {
            time: timed.end,
            place: timed.number.saturating_mul(2).saturating_add(1),
            lane: timed.lane,
            what,
        }
    }

    /// Number of the request on its channel.
    pub(super) fn number(&self) -> u64 {
        self.place / 2
    }
}

/// End times of the last requests.
#[derive(Debug)]
pub(super) struct Window {
    ends: VecDeque<u64>,
    size: usize,
    /// End time of the last request before these.
    begin: u64,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            ends: VecDeque::new(),
            size: WINDOW,
            begin: 0,
        }
    }

    /// True if a request was taken before the window. The survey and the export get the same
    /// result.
    pub(super) fn is_long(&self, timed: &Timed) -> bool {
        timed.begin < self.begin
    }

    /// Advances the window behind a request.
    pub(super) fn pass(&mut self, timed: &Timed) {
        self.ends.push_back(timed.end);
        if self.ends.len() > self.size {
            let end = self.ends.pop_front().unwrap_or_default();
            self.begin = self.begin.max(end);
        }
    }
}

/// Changes that wait for earlier ones: at most those of a window, and the beginnings of long
/// requests.
pub(super) struct Order {
    window: Window,
    waiting: BinaryHeap<Reverse<Change>>,
}

impl Order {
    pub(super) fn new(long: Vec<Change>) -> Self {
        Self {
            window: Window::new(),
            waiting: long.into_iter().map(Reverse).collect(),
        }
    }

    pub(super) fn is_long(&self, timed: &Timed) -> bool {
        self.window.is_long(timed)
    }

    pub(super) fn push(&mut self, change: Change) {
        self.waiting.push(Reverse(change));
    }

    pub(super) fn pass(&mut self, timed: &Timed) {
        self.window.pass(timed);
    }

    /// Next change, if no earlier one can follow.
    pub(super) fn next_ready(&mut self) -> Option<Change> {
        let Reverse(first) = self.waiting.peek()?;
        if first.time > self.window.begin {
            return None;
        }
        self.next()
    }

    /// Next change, at the end of the run.
    pub(super) fn next(&mut self) -> Option<Change> {
        self.waiting.pop().map(|Reverse(change)| change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> What {
        What::Taken {
            kind: "CALL",
            request: String::new(),
        }
    }

    /// Requests of many channels, with increasing end times.
    fn requests(random: &mut fastrand::Rng, count: u64) -> Vec<Timed> {
        const LANES: usize = 5;
        let mut lanes = [(0, 0); LANES];
        let mut now = 0;
        let requests = (0..count).map(|_| {
            now += random.u64(..2);
            let lane = random.usize(..LANES);
            let (number, before) = lanes[lane];
            let timed = Timed {
                lane,
                number,
                begin: random.u64(before..=now.max(before)),
                end: now.max(before),
            };
            lanes[lane] = (number + 1, timed.end);
            timed
        });
        requests.collect()
    }

    #[test]
    fn changes_come_in_order_and_none_is_lost() {
        let mut random = fastrand::Rng::with_seed(1);
        for size in [1, 2, 7, 100] {
            let all = requests(&mut random, 2000);
            let window = || Window {
                size,
                ..Window::new()
            };
            let mut survey = window();
            let mut long = Vec::new();
            for timed in &all {
                if survey.is_long(timed) {
                    long.push(Change::begin(timed, taken()));
                }
                survey.pass(timed);
            }
            let most = long.len() + 2 * size + 2;
            let mut order = Order {
                window: window(),
                ..Order::new(long)
            };
            let mut found = Vec::new();
            for timed in &all {
                if !order.is_long(timed) {
                    order.push(Change::begin(timed, taken()));
                }
                order.push(Change::end(timed, What::Answered(String::new())));
                order.pass(timed);
                found.extend(std::iter::from_fn(|| order.next_ready()));
                assert!(order.waiting.len() <= most, "{}", order.waiting.len());
            }
            found.extend(std::iter::from_fn(|| order.next()));
            assert_eq!(found.len(), 2 * all.len());
            assert!(found.is_sorted_by_key(|change| change.time), "{size}");
            for lane in 0..5 {
                let own: Vec<&Change> = found.iter().filter(|it| it.lane == lane).collect();
                for pair in own.windows(2) {
                    let in_order = pair[0].place < pair[1].place;
                    assert!(in_order || pair[0].time == pair[1].time, "{pair:?}");
                }
            }
        }
    }
}
