//! Requests of a run with their times.

use std::collections::HashMap;
use std::sync::Arc;

use vhost::messages::ServedRequest;

use super::steps::Steps;
use super::{MAX_NAMES, MAX_TEXT_LEN};
use crate::output::{Sanitized, truncated};
use crate::trace::{DecodedEntry, OpenRequest};

/// Served request with its times. Requests of one channel do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timed {
    /// Number of the channel, from 0 on.
    pub(super) lane: usize,
    /// Number of the request on its channel, from 0 on.
    pub(super) number: u64,
    /// Time at which it was taken.
    pub(super) begin: u64,
    /// Time after its response.
    pub(super) end: u64,
}

/// Requests that get no response, with the names of their channels.
pub(super) type Dropped = Vec<(Arc<str>, OpenRequest)>;

/// Request that gets no response.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) timed: Timed,
    /// Tick in which the host observed it.
    pub(super) seen: u64,
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// Channels of a segment, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    numbers: HashMap<Arc<str>, usize>,
    names: Vec<Arc<str>>,
    states: Vec<LaneState>,
}

#[derive(Debug, Default, Clone, Copy)]
struct LaneState {
    requests: u64,
    /// End of the last request.
    end: u64,
}

impl Lanes {
    /// Channels that are known before their first request.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut lanes = Self::default();
        for name in names {
            lanes.number(&Arc::from(name));
        }
        lanes
    }

    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Number of a channel, which is added if it is unknown.
    pub(super) fn number(&mut self, name: &Arc<str>) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.names.len() >= MAX_NAMES {
            return MAX_NAMES - 1;
        }
        let number = self.names.len();
        self.numbers.insert(name.clone(), number);
        self.names.push(name.clone());
        self.states.push(LaneState::default());
        number
    }

    /// Begins a segment: each channel restarts its count of requests.
    pub(super) fn restart(&mut self) {
        self.states.fill(LaneState::default());
    }

    /// Request of an entry at time `now`, if the entry is its event.
    pub(super) fn request<'a>(
        &mut self,
        decoded: &'a DecodedEntry,
        now: u64,
        steps: &Steps,
    ) -> Option<(Timed, &'a dyn ServedRequest)> {
        let served = decoded.served()?;
        let lane = self.number(decoded.channel.as_ref()?);
        let timed = self.timed(lane, steps.begin_of(served.since()), now)?;
        Some((timed, served))
    }

    /// Requests that get no response up to time `now`: the oldest of each channel, in the order of
    /// the channels.
    pub(super) fn unanswered(
        &mut self,
        dropped: Dropped,
        now: u64,
        steps: &Steps,
    ) -> Vec<Unanswered> {
        let mut oldest: Vec<Unanswered> = Vec::new();
        let mut before: Option<Arc<str>> = None;
        // Sorted by channel, oldest first.
        for (channel, request) in dropped {
            if before.as_ref() == Some(&channel) {
                continue;
            }
            let lane = self.number(&channel);
            if let Some(timed) = self.timed(lane, steps.begin_of(request.seen), now) {
                let text = request.text();
                oldest.push(Unanswered {
                    timed,
                    seen: request.seen,
                    kind: request.kind(),
                    text: truncated(format_args!("{}", Sanitized(&text)), MAX_TEXT_LEN),
                });
            }
            before = Some(channel);
        }
        oldest.sort_by_key(|unanswered| unanswered.timed.lane);
        oldest
    }

    fn timed(&mut self, lane: usize, since: u64, now: u64) -> Option<Timed> {
        let state = self.states.get_mut(lane)?;
        let end = now.saturating_add(1).max(state.end);
        let begin = since.min(now).max(state.end);
        let number = state.requests;
        *state = LaneState {
            requests: number.saturating_add(1),
            end,
        };
        Some(Timed {
            lane,
            number,
            begin,
            end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_a_channel_do_not_overlap() {
        let mut lanes = Lanes::of(["core0", "core1"].into_iter());
        let mut random = fastrand::Rng::with_seed(3);
        let mut steps = Steps::new(4);
        let (mut tick, mut ends) = (0, [0; 2]);
        for _ in 0..1000 {
            tick += random.u64(..2);
            let now = steps.advance(tick);
            let lane = random.usize(..2);
            let since = steps.begin_of(random.u64(..=tick + 3));
            let timed = lanes.timed(lane, since, now).unwrap();
            assert!(timed.begin >= ends[lane], "{timed:?}");
            assert!(timed.end >= timed.begin && timed.end > now, "{timed:?}");
            ends[lane] = timed.end;
        }
        assert_eq!(lanes.timed(2, 0, 0), None);
    }
}
