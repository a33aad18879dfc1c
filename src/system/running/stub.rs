//! Code in place of the traps of a channel.

use mailbox_rs::PtrWidth;

use crate::mem::SpaceId;

/// Code in place of the traps of a channel.
pub(in crate::system) struct Stub {
    pub(in crate::system) channel: String,
    pub(in crate::system) space: SpaceId,
    pub(in crate::system) address: u64,
    pub(in crate::system) ptr_width: PtrWidth,
    /// Number of replaced traps.
    pub(in crate::system) replaced: u64,
}
