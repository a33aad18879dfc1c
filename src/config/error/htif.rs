//! Problems of channels with HTIF.

use std::path::PathBuf;

use crate::mem::MapError;

/// Problem of a channel with HTIF.
#[derive(Debug, thiserror::Error)]
pub enum HtifProblem {
    /// Key of a mailbox.
    #[error("`{key}` is a key of `abi: mailbox`; leave it out, or give `tohost` and `fromhost`")]
    KeyOfMailbox {
        /// The key.
        key: &'static str,
    },
    /// A key of HTIF in a channel with a mailbox.
    #[error(
        "`{key}` is a key of `abi: htif`, and this channel has a mailbox; leave it out, or give `abi: htif`"
    )]
    KeyOfHtif {
        /// The key.
        key: &'static str,
    },
    /// A word without an address.
    #[error(
        "`abi` is htif, and there is no address of `{name}`: {}give the address as `{name}`",
        match file {
            Some(file) => format!("{} has no such symbol; define it (and link without --strip-all or -s), or ", file.display()),
            None => "give the image as `elf`, or ".to_owned(),
        }
    )]
    NoWord {
        /// `tohost` or `fromhost`.
        name: &'static str,
        /// Path of the image, if there is one.
        file: Option<PathBuf>,
    },
    /// A word or a signature outside of the memories of the space.
    #[error(
        "`{name}` at {address:#x} is not in memory: {cause}; check `space` and the image, or map a memory there"
    )]
    NotInMemory {
        /// Name of the symbol.
        name: &'static str,
        /// Address of the symbol.
        address: u64,
        /// Error of resolving the address.
        cause: MapError,
    },
    /// Words that overlap.
    #[error("`tohost` at {tohost:#x} and `fromhost` at {fromhost:#x} overlap; each has 8 bytes")]
    Overlap {
        /// Address of `tohost`.
        tohost: u64,
        /// Address of `fromhost`.
        fromhost: u64,
    },
    /// A signature without its symbols.
    #[error(
        "`signature` needs the symbols begin_signature and end_signature of an image; {}, or leave it out",
        match file {
            Some(file) => format!("define them in {}", file.display()),
            None => "give the image as `elf`".to_owned(),
        }
    )]
    NoSignature {
        /// Path of the image, if there is one.
        file: Option<PathBuf>,
    },
    /// A signature that ends before its beginning.
    #[error(
        "`signature`: end_signature at {end:#x} is before begin_signature at {begin:#x}; check the linker script"
    )]
    SignatureEnds {
        /// Address of `begin_signature`.
        begin: u64,
        /// Address of `end_signature`.
        end: u64,
    },
    /// An empty name of the signature's file.
    #[error(
        "`signature` is empty; name a file below the root of firmware's files, or leave it out"
    )]
    NoSignatureFile,
    /// Invalid number of bytes in a line.
    #[error("`granularity` is {bytes}; valid are 1 to {most} (bytes in a line of the signature)")]
    Granularity {
        /// Value of the key.
        bytes: u64,
        /// Maximum value.
        most: u64,
    },
}
