//! Firmware's access to a channel.

use crate::layout::Layout;

/// 32-bit words of one channel.
///
/// Every field of a channel is one such word, or two with the lower first. Implementations:
/// [`Native`](super::Native) for the program's own memory, the mock's window for simulated memory.
///
/// Offsets are in bytes from the channel's base, multiples of 4, and below the layout's channel
/// size. Each access reaches memory exactly once, in program order.
pub trait Words {
    /// Loads the word at `offset`.
    fn load(&self, offset: u64) -> u32;

    /// Stores `value` at `offset`.
    fn store(&self, offset: u64, value: u32);

    /// Field layout of the channel.
    fn layout(&self) -> &Layout;

    /// Address of the channel's base, for the cache [`Hooks`](super::Hooks).
    fn base(&self) -> u64;
}
