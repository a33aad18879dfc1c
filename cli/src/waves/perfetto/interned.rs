//! Frequent texts: each is written once, and then referred to by its number.

use std::collections::HashMap;

use super::packets::{Interned, InternedData};

/// Maximum number of texts. Then all are forgotten, in the reader, too.
const MAX_TEXTS: usize = 1 << 16;

/// Numbers of texts of one kind.
#[derive(Debug, Default)]
struct Table(HashMap<Box<str>, u64>);

impl Table {
    /// Number of a text, from 1 on. A text without a number is added to `new`.
    fn number(&mut self, text: &str, new: &mut Vec<Interned>) -> u64 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = self.0.len() as u64 + 1;
        self.0.insert(text.into(), number);
        new.push(Interned {
            iid: Some(number),
            text: Some(text.to_owned()),
        });
        number
    }
}

/// Numbers of texts, and texts that the next packet must define.
#[derive(Debug, Default)]
pub(super) struct Texts {
    categories: Table,
    names: Table,
    value_names: Table,
    values: Table,
    new: InternedData,
}

impl Texts {
    pub(super) fn category(&mut self, text: &str) -> u64 {
        let new = &mut self.new.event_categories;
        self.categories.number(text, new)
    }

    pub(super) fn name(&mut self, text: &str) -> u64 {
        self.names.number(text, &mut self.new.event_names)
    }

    pub(super) fn value_name(&mut self, text: &str) -> u64 {
        let new = &mut self.new.debug_annotation_names;
        self.value_names.number(text, new)
    }

    pub(super) fn value(&mut self, text: &str) -> u64 {
        let new = &mut self.new.debug_annotation_string_values;
        self.values.number(text, new)
    }

    /// Removes and returns texts without a definition.
    pub(super) fn take_new(&mut self) -> Option<InternedData> {
        let new = std::mem::take(&mut self.new);
        (new != InternedData::default()).then_some(new)
    }

    /// Forgets all texts if there are too many. Returns true if there are none: the next packet
    /// declares it.
    pub(super) fn is_fresh(&mut self) -> bool {
        let tables = [
            &self.categories,
            &self.names,
            &self.value_names,
            &self.values,
        ];
        let count: usize = tables.map(|table| table.0.len()).iter().sum();
        if count >= MAX_TEXTS {
            *self = Self::default();
        }
        count == 0 || count >= MAX_TEXTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_defined_again() {
        let mut texts = Texts::default();
        assert!(texts.is_fresh());
        assert_eq!(
            (texts.name("a"), texts.value("a"), texts.name("a")),
            (1, 1, 1)
        );
        let new = texts.take_new().unwrap();
        assert_eq!((new.event_names.len(), texts.take_new()), (1, None));
        for number in 0..MAX_TEXTS {
            texts.value(&number.to_string());
        }
        assert!(texts.is_fresh());
        assert_eq!(texts.name("b"), 1);
        assert!(!texts.is_fresh());
    }
}
