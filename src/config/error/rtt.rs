//! Problems of channels with RTT.

use std::path::PathBuf;

use crate::mem::MapError;

/// Problem of a channel with RTT.
#[derive(Debug, thiserror::Error)]
pub enum RttProblem {
    /// Key of a mailbox.
    #[error(
        "`{key}` is a key of `abi: mailbox`; leave it out, or give the place of RTT's control block as `rtt.address`"
    )]
    KeyOfMailbox {
        /// The key.
        key: &'static str,
    },
    /// Keys of RTT in a channel of another protocol.
    #[error(
        "`rtt` is a key of `abi: rtt`, and this channel has another protocol; leave it out, or give `abi: rtt`"
    )]
    KeyOfRtt,
    /// Missing location of the control block.
    #[error(
        "`abi` is rtt, and there is no control block: {}give its address as `rtt.address`, or a range as `rtt.search`",
        match file {
            Some(file) => format!("{} has no symbol _SEGGER_RTT; link without --strip-all or -s, or ", file.display()),
            None => "give the image as `elf`, or ".to_owned(),
        }
    )]
    NoBlock {
        /// Path of the image, if there is one.
        file: Option<PathBuf>,
    },
    /// An address and a range at the same time.
    #[error(
        "`rtt.address` and `rtt.search` are given; the control block has one place: leave one of them out"
    )]
    TwoPlaces,
    /// An empty list of ranges.
    #[error("`rtt.search` is empty; give a range, or leave it out")]
    NoRange,
    /// A control block or a range outside of the memories of the space.
    #[error(
        "`rtt`: {address:#x} is not in memory: {cause}; check `space` and the image, or map a memory there"
    )]
    NotInMemory {
        /// First address.
        address: u64,
        /// Error of resolving the address.
        cause: MapError,
    },
    /// Invalid range.
    #[error(
        "`rtt.search`: from {from:#x} to {to:#x} there is no room for a control block; give the first address, and the address behind the last"
    )]
    Range {
        /// First address.
        from: u64,
        /// Address behind the last byte.
        to: u64,
    },
    /// An unknown target.
    #[error(
        "`rtt.up.{name}` is `{word}`; valid are console, lines, none, defmt, {{file: PATH}}, {{socket: PORT}} and {{method: NAME}}"
    )]
    Target {
        /// Name or number of the up channel.
        name: String,
        /// The value.
        word: String,
    },
    /// An unknown mode.
    #[error("`rtt.mode.{name}` is `{word}`; valid are skip, trim and block")]
    Mode {
        /// Name or number of the up channel.
        name: String,
        /// The value.
        word: String,
    },
    /// An empty name.
    #[error("`rtt.up.{name}`: the name is empty; give the path of a file, or the name of a method")]
    Empty {
        /// Name or number of the up channel.
        name: String,
    },
}
