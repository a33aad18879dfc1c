//! Segments of a run: its parts in which time does not go back. A restore of a checkpoint begins a
//! segment.

use vhost::messages::events::RestoreBegun;
use vhost::trace::Content;

use crate::trace::DecodedEntry;

/// Part of a run in which time does not go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Number of the segment; the first is 1.
    pub(crate) number: u64,
    /// Tick of the checkpoint at its beginning; `None` for the first segment.
    pub(crate) checkpoint: Option<u64>,
}

/// Counter of segments.
#[derive(Debug)]
pub(crate) struct Segments {
    present: Segment,
    /// Last tick of the current segment.
    last: u64,
}

impl Segments {
    pub(crate) fn new() -> Self {
        Self {
            present: Segment {
                number: 1,
                checkpoint: None,
            },
            last: 0,
        }
    }

    /// Segment of the following entries.
    pub(crate) fn present(&self) -> Segment {
        self.present
    }

    /// Processes an entry. Returns true if a segment begins after it.
    ///
    /// A restore to a later tick begins none, as in a process that has just started.
    pub(crate) fn follow(&mut self, decoded: &DecodedEntry) -> bool {
        self.last = self.last.max(decoded.entry.tick);
        let is_message = matches!(decoded.entry.content, Content::Message { .. });
        let Some(begun) = decoded.is::<RestoreBegun>().filter(|_| is_message) else {
            return false;
        };
        self.restore(begun.tick)
    }

    fn restore(&mut self, tick: u64) -> bool {
        let is_back = tick < self.last;
        if is_back {
            self.present = Segment {
                number: self.present.number.saturating_add(1),
                checkpoint: Some(tick),
            };
            self.last = tick;
        }
        is_back
    }
}

impl Segment {
    /// Text after the name of a group of the segment; empty for the first one.
    pub(crate) fn suffix(self) -> String {
        match self.checkpoint {
            None => String::new(),
            Some(tick) => format!(
                ", segment {}, from the checkpoint of tick {tick}",
                self.number
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_begins_where_time_goes_back() {
        let mut segments = Segments::new();
        assert_eq!(segments.present().suffix(), "");
        assert!(!segments.restore(500), "of another process");
        segments.last = 900;
        assert!(!segments.restore(900));
        assert!(segments.restore(500));
        assert!(!segments.restore(500));
        assert!(segments.restore(0));
        let expected = ", segment 3, from the checkpoint of tick 0";
        assert_eq!(segments.present().suffix(), expected);
    }
}
