//! Configured names without an up buffer in the control block.

use super::block::Block;
use super::channel::Channel;
use crate::messages::foreign::Severity;
use crate::messages::rtt::Direction;

/// Number of ticks after which a control block counts as set up, even if firmware leaves buffers
/// unused.
const SET_UP_TICKS: u64 = 1024;

impl Channel {
    /// Tick in which configured names are compared, if firmware leaves buffers unused. `None` after
    /// that, and without configured names.
    pub(super) fn names_due(&self, found: u64) -> Option<u64> {
        let has_names = !(self.place.up.is_empty() && self.place.modes.is_empty());
        let is_due = has_names && !self.are_names_checked.get();
        is_due.then(|| found.saturating_add(SET_UP_TICKS))
    }

    /// Warns once of entries in `rtt.up` and `rtt.mode` without an up buffer.
    pub(super) async fn warn_of_unknown(&self, block: &Block, found: u64) {
        let Some(due) = self.names_due(found) else {
            return;
        };
        let up = (0..block.header.up).zip(&block.descriptors);
        let is_set_up = up.clone().all(|(_, it)| it.is_set_up());
        if !is_set_up && self.context.now() < due {
            return;
        }
        self.are_names_checked.set(true);
        let mut known = vec![];
        for (number, descriptor) in up.filter(|(_, it)| it.is_set_up()) {
            known.push(self.name(Direction::Up, number, descriptor.name).await);
        }
        let configured = self.place.up.keys().chain(self.place.modes.keys());
        let mut unknown: Vec<_> = configured
            .filter(|key| {
                let is_of = |number: &u32| number.to_string() == **key;
                let by_number = (0..block.header.up).any(|number| is_of(&number));
                let mut names = known.iter().filter_map(|it| it.name.as_ref());
                !by_number && !names.any(|name| name == *key)
            })
            .map(|key| format!("`{key}`"))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return;
        }
        let known: Vec<_> = known.iter().map(ToString::to_string).collect();
        let known = match known.is_empty() {
            true => "none is set up".to_owned(),
            false => format!("it has {}", known.join(", ")),
        };
        let text = format!(
            "RTT: the control block at {:#x} has no up buffer {}, of `rtt.up` or `rtt.mode`; {known}",
            block.address,
            unknown.join(", ")
        );
        self.service.report(Severity::Warning, &text);
    }
}
