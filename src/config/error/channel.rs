//! Problems of channels.

use std::path::PathBuf;

use super::super::name::NoName;
use super::super::service_error::ServiceProblem;
use super::key::known;
use super::{ExpandError, HtifProblem, KeyProblem, RttProblem, SemihostingProblem};
use crate::mem::{ImageError, MapError};

/// Problem of one channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelProblem {
    /// A key that is missing, unknown or of another type.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// A text that can't be expanded.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// An empty name.
    #[error(transparent)]
    NoName(#[from] NoName),
    /// A problem of the channel's services.
    #[error(transparent)]
    Service(#[from] ServiceProblem),
    /// A problem of the channel's HTIF.
    #[error(transparent)]
    Htif(#[from] HtifProblem),
    /// A problem of the channel's RTT.
    #[error(transparent)]
    Rtt(#[from] RttProblem),
    /// A problem of the channel's semihosting.
    #[error(transparent)]
    Semihosting(#[from] SemihostingProblem),
    /// An unknown protocol.
    #[error("`abi` is `{text}`; valid are auto, mailbox, htif, rtt and semihosting{}", meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?")))]
    Abi {
        /// Value of the key.
        text: String,
        /// Most similar known name.
        meant: Option<&'static str>,
    },
    /// Name that is not a space of the memory configuration.
    #[error("`space`: the memory configuration has no space `{name}`; {}", known("spaces", .known_names))]
    UnknownSpace {
        /// The unknown name.
        name: String,
        /// Names of all spaces.
        known_names: Vec<String>,
    },
    /// A flag that is neither on nor off.
    #[error(
        "`{key}` is the text `{text}`; give true, false, yes, no, on, off, 1 or 0, or a text that expands to one of them"
    )]
    Flag {
        /// `load`, `adopt`, `zero_bss` or `server`.
        key: &'static str,
        /// Value of the flag, expanded.
        text: String,
    },
    /// An ELF file that can't be read or is invalid.
    #[error("`elf`: {0}")]
    Elf(#[from] ImageError),
    /// Channel without an address: neither `base` nor `elf` is present.
    #[error(
        "`base` is missing, and so is `elf`: give the channel's address, or the image with a section .mailbox, or `server: false`"
    )]
    NoAddress,
    /// An image without the section `.mailbox`, and no `base`.
    #[error("`elf`: {} has no section .mailbox{}; link one, or give the channel's address as `base`, \
             or `server: false`{}", .file.display(), others(*.is_auto, *.has_symbols), stripped(*.is_auto && !*.has_symbols))]
    NoMailbox {
        /// Path of the image.
        file: PathBuf,
        /// True if the image selects the protocol.
        is_auto: bool,
        /// True if the image has symbols.
        has_symbols: bool,
    },
    /// `mb_id` without a section `.mailbox` whose channels it counts.
    #[error(
        "`mb_id` is {mb_id}, but there is no image with a section .mailbox; leave it out, and give \
         the channel's own address as `base`"
    )]
    NothingToCount {
        /// Value of `mb_id`.
        mb_id: u64,
    },
    /// An image for a protocol version that this host lacks.
    #[error("`elf`: {} speaks protocol {version}, and this host {} to {}; use a client or a host of the other's version", .file.display(), mailbox_rs::VERSION, mailbox_rs::NEWEST)]
    ImageVersion {
        /// Path of the image.
        file: PathBuf,
        /// Highest version of the image's client.
        version: mailbox_rs::Version,
    },
    /// A pointer width that differs from the image's note.
    #[error("`ptr` is {bits}, but {} has pointers of {image_bits} bits; set it to {image_bits}, or leave it out", .file.display())]
    ImagePtr {
        /// Pointer width of the configuration, in bits.
        bits: u64,
        /// Path of the image.
        file: PathBuf,
        /// Pointer width of the image, in bits.
        image_bits: u64,
    },
    /// A cache line that differs from the image's note.
    #[error("`cache_line` is {bytes}, but {} was compiled for {image_bytes} (MB_CACHE_LINE); set `cache_line: {image_bytes}`, or compile it for {bytes}", .file.display())]
    ImageCacheLine {
        /// Cache line of the configuration, in bytes.
        bytes: u64,
        /// Path of the image.
        file: PathBuf,
        /// Cache line of the image, in bytes.
        image_bytes: u64,
    },
    /// Index of a channel beyond the number in the image's note.
    #[error("`mb_id` is {mb_id}, but {} has {channels} {}; they count from 0", .file.display(), if *.channels == 1 { "channel" } else { "channels" })]
    ImageChannels {
        /// Index of the channel.
        mb_id: u64,
        /// Path of the image.
        file: PathBuf,
        /// Number of the image's channels.
        channels: u32,
    },
    /// A section too small for this channel.
    #[error("`mb_id`: channel {mb_id} of {channel_size:#x} bytes reaches past the end of section .mailbox ({section_size:#x} bytes at {section:#x}) of {}; or `ptr` or `cache_line` differ from the firmware's", .file.display())]
    PastSection {
        /// Index of the channel in the section.
        mb_id: u64,
        /// Distance in bytes between channels.
        channel_size: u64,
        /// Address of the section.
        section: u64,
        /// Size of the section in bytes.
        section_size: u64,
        /// Path of the image.
        file: PathBuf,
    },
    /// A pointer width other than 32 or 64.
    #[error("`ptr` is {bits}; valid are 32 and 64 (bits)")]
    Ptr {
        /// Value of the key, in bits.
        bits: u64,
    },
    /// Pointer width that neither `ptr`, an image nor a Cargo feature gives.
    #[error(
        "`ptr` is missing: without `elf`, and without the Cargo feature `ptr32` or `ptr64`, give \
         `ptr: 32` or `ptr: 64`"
    )]
    NoPtr,
    /// Image to load into the memory of adopted firmware.
    #[error(
        "`adopt` and `load` are both true: the image would replace the memory of the firmware that is to go on; leave `load` out"
    )]
    AdoptsLoaded,
    /// Alignment that the protocol does not allow.
    #[error("`cache_line` is {bytes}; valid are 32, 64, 128 and 256 (bytes), and 0 for none")]
    CacheLine {
        /// Value of the key, in bytes.
        bytes: u64,
    },
    /// A misaligned channel address.
    #[error(
        "the channel's address {address:#x} is not a multiple of {align}; check `base` or the image, `ptr` and `cache_line`"
    )]
    Misaligned {
        /// Address of the channel.
        address: u64,
        /// Required alignment.
        align: u64,
    },
    /// Overlap with another channel's memory.
    #[error(
        "at {address:#x} it overlaps channel `{first}`, which is at {first_address:#x}; give the second its own `mb_id` or `base`"
    )]
    Overlap {
        /// Address of the channel.
        address: u64,
        /// Name of the other channel.
        first: String,
        /// Address of the other channel, in its own space.
        first_address: u64,
    },
    /// A channel outside of the memories of its space.
    #[error("the channel is not in memory: {0}; check `space` and `base`, or map a memory there")]
    NotInMemory(#[from] MapError),
    /// Channel of an image outside of the memories of its space.
    #[error(
        "the channel is not in memory: section .mailbox of {} puts it at {address:#x}{}, and \
         {cause}; {}link the section to a memory of the space, map one there, or give the \
         channel's own address as `base`",
        .file.display(),
        loaded_at(*.address, *.physical),
        if *.allocated { "" } else { "it has no flag SHF_ALLOC, without which linkers give no address: " }
    )]
    SectionNotInMemory {
        /// Path of the image.
        file: PathBuf,
        /// Virtual address of the channel.
        address: u64,
        /// Physical address of the channel.
        physical: u64,
        /// Error of resolving the virtual address.
        cause: MapError,
        /// True if the section has the flag SHF_ALLOC.
        allocated: bool,
    },
}

/// Clause about the evidence of other protocols, if an image without a section `.mailbox` lacks it
/// as well.
fn others(is_auto: bool, has_symbols: bool) -> &'static str {
    match (is_auto, has_symbols) {
        (false, _) => "",
        (true, true) => {
            ", nor the symbols tohost and fromhost of HTIF, nor a trap of semihosting, nor _SEGGER_RTT of RTT"
        }
        (true, false) => ", nor a trap of semihosting, and no symbols",
    }
}

/// Clause about an image whose symbols were removed.
fn stripped(is_stripped: bool) -> &'static str {
    match is_stripped {
        true => {
            "; with HTIF (tohost, fromhost) or RTT (_SEGGER_RTT) link it without --strip-all or -s, and don't run strip on it, or give \
             `tohost` and `fromhost`, or `rtt: {address: …}`"
        }
        false => "",
    }
}

/// Clause about the channel's load address, if it differs from its address.
fn loaded_at(address: u64, physical: u64) -> String {
    if address == physical {
        String::new()
    } else {
        format!(" (loaded at {physical:#x}, where no memory is either)")
    }
}
