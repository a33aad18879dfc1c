//! Problems of channels with semihosting.

use crate::mem::MapError;

/// Problem of a channel with semihosting.
#[derive(Debug, thiserror::Error)]
pub enum SemihostingProblem {
    /// Key of a mailbox.
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
    /// Unknown word instead of an address.
    #[error(
        "`stub` is `{word}`; give an address, `auto` for one that the host finds, or `none` where the testbench sees the traps"
    )]
    Word {
        /// Value of the key.
        word: String,
    },
    /// Misaligned code.
    #[error("`stub` is {address:#x}; give a multiple of {align}")]
    Misaligned {
        /// Value of the key.
        address: u64,
        /// Alignment of the code.
        align: u64,
    },
    /// Code outside of the memories of the space.
    #[error(
        "`stub` at {address:#x} is not in memory: {cause}; give an address with 4480 bytes that firmware does not use"
    )]
    NotInMemory {
        /// Value of the key.
        address: u64,
        /// Error of resolving the address.
        cause: MapError,
    },
    /// Code within the image.
    #[error(
        "`stub` at {address:#x} overlaps the image's segment at {segment:#x}; give an address with 4480 bytes that firmware does not use"
    )]
    InImage {
        /// Value of the key.
        address: u64,
        /// Address of the segment.
        segment: u64,
    },
    /// Unknown CPU instead of instructions.
    #[error(
        "`flush` is `{name}`; {}give `vexriscv`, `rocket`, or a list of instructions that write back and drop the data cache",
        .meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default()
    )]
    FlushCpu {
        /// Value of the key.
        name: String,
        /// Similar known name.
        meant: Option<&'static str>,
    },
    /// No instructions, or too many.
    #[error("`flush` has {count} instructions; give 1 to {most}")]
    FlushLength {
        /// Number of instructions.
        count: usize,
        /// Maximum number.
        most: usize,
    },
    /// Word that is not an instruction of 32 bits.
    #[error("`flush` has {word:#x}; give instructions of 32 bits that are not compressed")]
    FlushWord {
        /// The word.
        word: u64,
    },
    /// Instructions for code that is not used.
    #[error(
        "`flush` is for the code in place of traps, and `stub` is none: the testbench serves the traps and drops what the cache has; leave \
         `flush` out"
    )]
    FlushWithoutCode,
    /// No harts, or more than the code has words for.
    #[error(
        "`harts` is {harts}; give 1 to {most}: the code in place of traps has words for as many; leave `harts` out for firmware that is \
         compiled with the extension A, which is for any number"
    )]
    Harts {
        /// Number of harts.
        harts: u64,
        /// Maximum number.
        most: u64,
    },
    /// Several harts with flags in the same cache line.
    #[error(
        "`flush` is given with `harts` {harts}: harts with data caches take turns by a lock; compile firmware with the extension A, and \
         leave `harts` out"
    )]
    FlushAndHarts {
        /// Number of harts.
        harts: u64,
    },
}
