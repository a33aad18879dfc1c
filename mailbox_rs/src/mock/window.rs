//! Word access to a channel in a memory.

use super::Memory;
use crate::firmware::Words;
use crate::layout::Layout;

/// Words of the channel at an address of a [`Memory`], for a [`Client`](crate::firmware::Client) or
/// [`Channel`](crate::firmware::Channel).
#[derive(Clone, Debug)]
pub struct Window<M> {
    pub(super) memory: M,
    base: u64,
    layout: Layout,
}

impl<M: Memory> Window<M> {
    /// Channel at `base`.
    pub const fn new(memory: M, base: u64, layout: Layout) -> Self {
        Self {
            memory,
            base,
            layout,
        }
    }
}

impl<M: Memory> Words for Window<M> {
    fn load(&self, offset: u64) -> u32 {
        let mut word = [0; 4];
        self.memory.read(self.base.wrapping_add(offset), &mut word);
        u32::from_le_bytes(word)
    }

    fn store(&self, offset: u64, value: u32) {
        self.memory
            .write(self.base.wrapping_add(offset), &value.to_le_bytes());
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn base(&self) -> u64 {
        self.base
    }
}
