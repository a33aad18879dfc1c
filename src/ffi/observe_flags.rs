//! Bits of `mb_observe`.

use crate::messages::events::ObserveFlags;

/// Requests that are served.
pub(super) const SERVED: u32 = 1;
/// Bytes that are written into memory.
pub(super) const WRITTEN: u32 = 2;

/// Events of these bits.
pub(super) fn observing(what: u32) -> ObserveFlags {
    ObserveFlags {
        served: what & SERVED != 0,
        written: what & WRITTEN != 0,
    }
}
