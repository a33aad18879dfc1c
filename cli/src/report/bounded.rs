//! First and last items of a sequence of any length.

use std::collections::VecDeque;

use serde::Serialize;

/// Keeps a limited number of items: the first half and the last half. Of the items in between, it
/// keeps the first important ones, up to a quarter of that number, and counts the others.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    first: Vec<T>,
    between: Vec<T>,
    last: VecDeque<T>,
    most: usize,
    left_out: u64,
    matters: fn(&T) -> bool,
}

/// Place where items are omitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Gap {
    /// Number of kept items before it.
    pub(super) first: usize,
    /// Number of kept items in it.
    pub(super) kept: usize,
    /// Number of omitted items.
    pub(super) left_out: u64,
}

impl<T> Bounded<T> {
    /// No items so far. `matters`: true for an item that is kept between the halves.
    pub(super) fn new(most: usize, matters: fn(&T) -> bool) -> Self {
        Self {
            first: Vec::new(),
            between: Vec::new(),
            last: VecDeque::new(),
            most: most.max(2),
            left_out: 0,
            matters,
        }
    }

    pub(super) fn push(&mut self, item: T) {
        if self.first.len() < self.most.div_ceil(2) {
            self.first.push(item);
            return;
        }
        if self.last.len() >= self.most / 2
            && let Some(item) = self.last.pop_front()
        {
            if self.between.len() < self.most.div_ceil(4) && (self.matters)(&item) {
                self.between.push(item);
            } else {
                self.left_out += 1;
            }
        }
        self.last.push_back(item);
    }

    /// Bounded items, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.between).chain(&self.last)
    }

    pub(super) fn gap(&self) -> Gap {
        Gap {
            first: self.first.len(),
            kept: self.between.len(),
            left_out: self.left_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_kept() {
        for most in 2..9 {
            for count in 0..30_usize {
                let mut kept = Bounded::new(most, |_| false);
                (0..count).for_each(|item| kept.push(item));
                let Gap {
                    first, left_out, ..
                } = kept.gap();
                let left_out = usize::try_from(left_out).unwrap();
                assert_eq!(left_out, count.saturating_sub(most));
                let expected = (0..first).chain(first + left_out..count);
                assert!(kept.iter().copied().eq(expected), "{most} of {count}");
            }
        }
    }

    #[test]
    fn important_items_are_kept_between_them() {
        let mut kept = Bounded::new(8, |item| item % 10 == 5);
        (0..100).for_each(|item| kept.push(item));
        let expected = [0, 1, 2, 3, 5, 15, 96, 97, 98, 99];
        assert!(kept.iter().eq(&expected));
        let gap = Gap {
            first: 4,
            kept: 2,
            left_out: 90,
        };
        assert_eq!(kept.gap(), gap);
    }
}
