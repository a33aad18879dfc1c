//! Comparison of two recordings, entry by entry.

use std::collections::HashMap;

use super::{Content, Entry};

/// Correspondence between the messages of two recordings, whose numbers may differ.
#[derive(Debug, Default)]
pub struct Matcher {
    /// Sequence numbers of unanswered messages, from the first recording's to the second's.
    open: HashMap<u64, u64>,
    /// True if ticks may differ.
    ignores_ticks: bool,
}

impl Matcher {
    /// Correspondence that does not compare the ticks of entries, such as between two simulators.
    pub fn ignoring_ticks() -> Self {
        Self {
            ignores_ticks: true,
            ..Self::default()
        }
    }

    /// True if two entries are equal: kind, content and tick. Entries must be passed in recorded
    /// order.
    pub fn is(&mut self, one: &Entry, other: &Entry) -> bool {
        let same_tick = self.ignores_ticks || one.tick == other.tick;
        if !same_tick || one.kind != other.kind || one.content != other.content {
            return false;
        }
        match one.content {
            Content::Message { .. } => {
                let root = if one.root == one.sequence {
                    other.sequence
                } else {
                    // A root that was answered earlier is compared by its number only.
                    self.open.get(&one.root).copied().unwrap_or(other.root)
                };
                if one.kind.to != "nobody" {
                    self.open.insert(one.sequence, other.sequence);
                }
                root == other.root
            }
            Content::Reply { .. } | Content::Dropped => {
                self.open.remove(&one.sequence) == Some(other.sequence)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::trace::Kind;

    /// Entry of message `sequence`, whose reply goes to `root`.
    fn entry(sequence: u64, root: u64, content: Content) -> Entry {
        let kind = Kind {
            from: "mailbox".to_owned(),
            to: "memory".to_owned(),
            name: "Access".to_owned(),
        };
        Entry {
            frame: sequence,
            sequence,
            root,
            tick: 1,
            kind: Arc::new(kind),
            content,
        }
    }

    fn message() -> Content {
        Content::Message {
            body: vec![1].into(),
            awaited: true,
        }
    }

    #[test]
    fn numbers_of_messages_may_differ_but_not_their_pairing() {
        let mut same = Matcher::default();
        let printed = [(1, 1), (2, 1), (3, 3)];
        for (sequence, root) in printed {
            let (one, other) = (sequence, sequence + 10);
            assert!(same.is(
                &entry(one, root, message()),
                &entry(other, root + 10, message())
            ));
        }
        let dropped = |sequence, root| entry(sequence, root, Content::Dropped);
        assert!(same.is(&dropped(2, 1), &dropped(12, 11)));
        assert!(!same.is(&dropped(1, 1), &dropped(13, 13)));
        // One recording forwards the message, and the other answers it.
        assert!(!same.is(&entry(4, 3, message()), &entry(14, 14, message())));
    }

    #[test]
    fn ticks_are_compared_unless_they_are_ignored() {
        let one = entry(1, 1, message());
        let later = Entry {
            tick: 2,
            ..one.clone()
        };
        assert!(!Matcher::default().is(&one, &later));
        assert!(Matcher::ignoring_ticks().is(&one, &later));
    }
}
