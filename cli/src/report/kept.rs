//! The first and the last items of a sequence of any length.

use std::collections::VecDeque;

/// Keeps at most a number of items: the first half and the last half. Those between are counted.
#[derive(Debug)]
pub(super) struct Kept<T> {
    first: Vec<T>,
    last: VecDeque<T>,
    most: usize,
    left_out: u64,
}

impl<T> Kept<T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            first: Vec::new(),
            last: VecDeque::new(),
            most: most.max(2),
            left_out: 0,
        }
    }

    pub(super) fn push(&mut self, item: T) {
        if self.first.len() < self.most.div_ceil(2) {
            self.first.push(item);
            return;
        }
        if self.last.len() >= self.most / 2 {
            self.last.pop_front();
            self.left_out += 1;
        }
        self.last.push_back(item);
    }

    /// Kept items, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.last)
    }

    /// Number of kept items in front of the gap, and of items in the gap.
    pub(super) fn gap(&self) -> (usize, u64) {
        (self.first.len(), self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_kept() {
        for most in 2..9 {
            for count in 0..30_usize {
                let mut kept = Kept::new(most);
                (0..count).for_each(|item| kept.push(item));
                let (first, left_out) = kept.gap();
                let left_out = usize::try_from(left_out).unwrap();
                assert_eq!(left_out, count.saturating_sub(most));
                let expected = (0..first).chain(first + left_out..count);
                assert!(kept.iter().copied().eq(expected), "{most} of {count}");
            }
        }
    }
}
