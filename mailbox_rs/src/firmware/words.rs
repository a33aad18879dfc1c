//! How firmware reaches its channel.

use crate::layout::Layout;

/// The 32-bit words of one channel.
///
/// Every field of a channel is one such word or two, the lower first, so that loading and storing these is all it takes:
/// [`Native`](super::Native) for the memory the program runs in, the mock's window for a simulated one.
///
/// Offsets count bytes from the channel's base, are multiples of 4 and stay below the layout's channel size. Each
/// access reaches the memory once, in program order.
pub trait Words {
    /// The word at `offset`.
    fn load(&self, offset: u64) -> u32;

    /// Stores `value` at `offset`.
    fn store(&self, offset: u64, value: u32);

    /// Where the channel's fields are.
    fn layout(&self) -> &Layout;

    /// The address of the channel's base, as [`Hooks`](super::Hooks) for the cache are to know it.
    fn base(&self) -> u64;
}
