//! Free-running counters of a queue.
//!
//! Source: protocol, section *Layout*.

use crate::layout::QUEUE_LEN;

/// Producer or consumer index: counts every entry ever passed, and wraps at 2^32.
///
/// The low three bits are the slot. The bit above distinguishes full from empty.
///
/// ```
/// use mailbox_rs::Index;
///
/// let mut producer = Index(u32::MAX);
/// let consumer = producer;
/// assert!(Index::is_empty(producer, consumer));
/// for _ in 0..8 {
///     producer = producer.next();
/// }
/// assert_eq!(producer, Index(7));
/// assert!(Index::is_full(producer, consumer));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Index(pub u32);

impl Index {
    /// Slot of the index, below [`QUEUE_LEN`].
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.0 % QUEUE_LEN
    }

    /// Next index.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// Returns true for an empty queue.
    #[must_use]
    pub const fn is_empty(producer: Self, consumer: Self) -> bool {
        producer.position() == consumer.position()
    }

    /// Returns true for a full queue.
    #[must_use]
    pub const fn is_full(producer: Self, consumer: Self) -> bool {
        producer.position() == consumer.position() ^ QUEUE_LEN
    }

    /// Slot and the bit above it: the inputs of both rules.
    const fn position(self) -> u32 {
        self.0 % (2 * QUEUE_LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All indices less than four queues away from the wrap at 2^32, as signed distances.
    const NEAR: core::ops::Range<i64> = -32..32;

    fn at(distance: i64) -> Index {
        Index(distance.rem_euclid(1 << 32) as u32)
    }

    #[test]
    fn every_index_near_the_wrap_has_its_slot_and_its_next() {
        for distance in NEAR {
            assert_eq!(i64::from(at(distance).slot()), distance.rem_euclid(8));
            assert_eq!(at(distance).next(), at(distance + 1));
        }
    }

    /// Rules of the protocol, in terms of the number of entries that a queue holds.
    #[test]
    fn every_pair_of_indices_near_the_wrap_is_empty_full_or_neither() {
        let mut possible = 0;
        for consumer in NEAR {
            for producer in NEAR {
                let held = producer - consumer;
                let (p, c) = (at(producer), at(consumer));
                // A queue holds 0 to 8 entries; the fourth bit can't tell other distances apart.
                assert_eq!(Index::is_empty(p, c), held.rem_euclid(16) == 0);
                assert_eq!(Index::is_full(p, c), held.rem_euclid(16) == 8);
                if (0..=8).contains(&held) {
                    possible += 1;
                    assert_eq!(Index::is_empty(p, c), held == 0);
                    assert_eq!(Index::is_full(p, c), held == 8);
                }
            }
        }
        assert_eq!(possible, 64 * 9 - (1..=8).sum::<usize>());
    }

    proptest! {
        #[test]
        fn rules_of_slot_and_bit_three(p: u32, c: u32) {
            let same_slot = p & 7 == c & 7;
            let same_bit = p & 8 == c & 8;
            prop_assert_eq!(Index::is_empty(Index(p), Index(c)), same_slot && same_bit);
            prop_assert_eq!(Index::is_full(Index(p), Index(c)), same_slot && !same_bit);
        }

        #[test]
        fn between_empty_and_full_are_eight_steps(start: u32) {
            let consumer = Index(start);
            let mut producer = consumer;
            for held in 0..=8 {
                prop_assert_eq!(Index::is_empty(producer, consumer), held == 0);
                prop_assert_eq!(Index::is_full(producer, consumer), held == 8);
                producer = producer.next();
            }
        }
    }
}
