//! Problems of channels with semihosting.

use crate::mem::MapError;

/// Problem of a channel with semihosting.
#[derive(Debug, thiserror::Error)]
pub enum SemihostingProblem {
    /// A key of mailboxes.
    #[error("`{key}` is a key of `abi: mailbox`, and `abi` is semihosting; leave it out")]
    KeyOfMailbox {
        /// The key.
        key: &'static str,
    },
    /// A key of semihosting in a channel of another protocol.
    #[error(
        "`{key}` is a key of `abi: semihosting`, and this channel has another protocol; leave it out, or give `abi: semihosting`"
    )]
    KeyOfSemihosting {
        /// The key.
        key: &'static str,
    },
    /// An unknown word in place of an address.
    #[error(
        "`stub` is `{word}`; give an address, `auto` for one that the host finds, or `none` where the testbench sees the traps"
    )]
    Word {
        /// Value of the key.
        word: String,
    },
    /// A misaligned stub.
    #[error("`stub` is {address:#x}; give a multiple of 8")]
    Misaligned {
        /// Value of the key.
        address: u64,
    },
    /// A stub outside of the memories of the space.
    #[error(
        "`stub` at {address:#x} is not in memory: {cause}; give an address with 4352 bytes that firmware does not use"
    )]
    NotInMemory {
        /// Value of the key.
        address: u64,
        /// Error of resolving the address.
        cause: MapError,
    },
    /// A stub in the image.
    #[error(
        "`stub` at {address:#x} overlaps the image's segment at {segment:#x}; give an address with 4352 bytes that firmware does not use"
    )]
    InImage {
        /// Value of the key.
        address: u64,
        /// Address of the segment.
        segment: u64,
    },
}
