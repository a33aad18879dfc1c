//! Values by the kind of a message.

use rustc_hash::FxHashMap;

use crate::bus::MessageKindId;

/// Number of slots.
const SLOTS: usize = 256;

/// Values by the kind of a message. A run has few kinds, and looks one up for each event. Each kind
/// has a slot, through which it is found without a search unless another kind has taken the slot.
#[derive(Debug)]
pub(crate) struct KindMap<T> {
    /// Values in the order of their insertion.
    values: Vec<(MessageKindId, T)>,
    positions: FxHashMap<MessageKindId, usize>,
    /// Positions of the kinds that were looked up last.
    slots: [usize; SLOTS],
}

impl<T> KindMap<T> {
    /// Value of a kind.
    #[inline]
    pub(crate) fn get(&mut self, id: MessageKindId) -> Option<&mut T> {
        let at = self.slots[id.table_hash() % SLOTS];
        let at = match self.values.get(at) {
            Some((known, _)) if *known == id => at,
            _ => self.search(id)?,
        };
        self.values.get_mut(at).map(|(_, value)| value)
    }

    /// Searches for the position of a kind, which takes its slot.
    #[inline(never)]
    fn search(&mut self, id: MessageKindId) -> Option<usize> {
        let at = *self.positions.get(&id)?;
        self.slots[id.table_hash() % SLOTS] = at;
        Some(at)
    }

    /// Adds a kind without a value so far.
    pub(crate) fn insert(&mut self, id: MessageKindId, value: T) -> &mut T {
        self.positions.insert(id, self.values.len());
        &mut self.values.push_mut((id, value)).1
    }
}

// A derived implementation would require `T: Default`.
impl<T> Default for KindMap<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            positions: FxHashMap::default(),
            slots: [0; SLOTS],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Several kinds with the same slot, looked up in turns.
    #[test]
    fn a_kind_keeps_its_value_when_another_has_taken_its_slot() {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let id = |number: usize| MessageKindId::of_names(NAMES[number % 3], NAMES[number % 2]);
        let ids: Vec<MessageKindId> = (0..30).map(id).collect();
        let mut map = KindMap::default();
        for (value, id) in ids.iter().enumerate() {
            assert_eq!(map.get(*id), None);
            map.insert(*id, value);
            for (value, id) in ids[..=value].iter().enumerate() {
                assert_eq!(map.get(*id).copied(), Some(value));
            }
        }
    }
}
