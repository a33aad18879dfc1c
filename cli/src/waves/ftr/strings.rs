//! Texts of a file: each has a number, and is written before its first use.

use std::collections::HashMap;

/// Maximum number of texts whose numbers are kept. Then all are forgotten; a repeated text gets
/// another number.
const MAX_TEXTS: usize = 1 << 16;

/// Numbers of texts.
#[derive(Debug, Default)]
pub(super) struct Strings {
    numbers: HashMap<Box<str>, u64>,
    next: u64,
    new: Vec<(u64, Box<str>)>,
}

impl Strings {
    pub(super) fn number(&mut self, text: &str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        if self.numbers.len() >= MAX_TEXTS {
            self.numbers.clear();
        }
        let number = self.next;
        self.next += 1;
        self.numbers.insert(text.into(), number);
        self.new.push((number, text.into()));
        number
    }

    /// Removes and returns unwritten texts with their numbers.
    pub(super) fn take_new(&mut self) -> Vec<(u64, Box<str>)> {
        std::mem::take(&mut self.new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_never_given_twice() {
        let mut strings = Strings::default();
        let mut all = Vec::new();
        for number in 0..3 * MAX_TEXTS {
            strings.number(&(number % (MAX_TEXTS + 1)).to_string());
            if number % 1000 == 0 {
                all.extend(strings.take_new());
            }
        }
        all.extend(strings.take_new());
        assert!(
            all.iter()
                .map(|(number, _)| *number)
                .eq(0..all.len() as u64)
        );
        assert!(strings.numbers.len() <= MAX_TEXTS);
    }
}
