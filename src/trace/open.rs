//! Messages without a reply so far.

use rustc_hash::FxHashMap;

/// Values of the messages without a reply so far, by sequence number. Most messages are answered at
/// once. The most recent ones are in a list, and older ones in a map.
#[derive(Debug)]
pub(crate) struct OpenMessages<T> {
    /// Most recent messages, oldest first.
    last: Vec<(u64, T)>,
    earlier: FxHashMap<u64, T>,
}

/// Maximum number of messages in the list.
const LAST: usize = 8;

impl<T> OpenMessages<T> {
    /// Adds a message. Replaces one with the same number.
    pub(crate) fn insert(&mut self, sequence: u64, value: T) {
        drop(self.remove(sequence));
        if self.last.len() == LAST {
            let (sequence, value) = self.last.remove(0);
            self.earlier.insert(sequence, value);
        }
        self.last.push((sequence, value));
    }

    /// Removes a message.
    pub(crate) fn remove(&mut self, sequence: u64) -> Option<T> {
        match self.place(sequence) {
            Some(at) => Some(self.last.remove(at).1),
            None if self.earlier.is_empty() => None,
            None => self.earlier.remove(&sequence),
        }
    }

    /// Value of a message.
    pub(crate) fn get(&self, sequence: u64) -> Option<&T> {
        match self.place(sequence) {
            Some(at) => self.last.get(at).map(|(_, value)| value),
            None if self.earlier.is_empty() => None,
            None => self.earlier.get(&sequence),
        }
    }

    fn place(&self, sequence: u64) -> Option<usize> {
        self.last.iter().rposition(|(of, _)| *of == sequence)
    }
}

// A derived implementation would require `T: Default`.
impl<T> Default for OpenMessages<T> {
    fn default() -> Self {
        Self {
            last: Vec::new(),
            earlier: FxHashMap::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_are_those_of_a_map(
            acts in proptest::collection::vec((0..30_u64, any::<bool>()), 0..200),
        ) {
            let mut open = OpenMessages::default();
            let mut model = HashMap::new();
            for (value, (sequence, adds)) in acts.into_iter().enumerate() {
                if adds {
                    open.insert(sequence, value);
                    model.insert(sequence, value);
                } else {
                    prop_assert_eq!(open.remove(sequence), model.remove(&sequence));
                }
                for sequence in 0..30 {
                    prop_assert_eq!(open.get(sequence), model.get(&sequence));
                }
                prop_assert!(open.last.len() <= LAST);
            }
        }
    }
}
