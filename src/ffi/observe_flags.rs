//! Bits of `mb_observe`.

use crate::messages::events::ObserveFlags;

/// Served requests.
pub(super) const SERVED: u32 = 1;
/// Writes to memory.
pub(super) const WRITTEN: u32 = 2;

/// Selection of these bits.
pub(super) fn observing(what: u32) -> ObserveFlags {
    ObserveFlags {
        served: what & SERVED != 0,
        written: what & WRITTEN != 0,
    }
}
