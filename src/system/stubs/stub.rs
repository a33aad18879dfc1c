//! Code in place of the traps of a channel.

use mailbox_rs::PtrWidth;

use super::code::MOST;
use crate::mem::SpaceId;

/// Code in place of the traps of a channel.
pub(in crate::system) struct Stub {
    pub(in crate::system) channel: String,
    pub(in crate::system) space: SpaceId,
    pub(super) address: u64,
    pub(super) ptr_width: PtrWidth,
    /// Number of replaced traps.
    pub(super) replaced: u64,
}

impl Stub {
    /// Number of replaced traps.
    pub(in crate::system) fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Sets the number of replaced traps, whose parts are in restored memory.
    pub(in crate::system) fn restore(&mut self, replaced: u64) {
        self.replaced = replaced.min(MOST);
    }
}
