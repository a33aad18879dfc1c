//! Configuration errors. Every message names the file, the memory or channel, and the key.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::memory_place::MemoryPlace;
use super::name::NoName;
use super::service_error::ServiceProblem;
use super::yaml::YamlError;
use crate::mem::{ImageError, MapError};

/// An invalid configuration.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}{}", .file.display(), behind_colon(.line), other(.other_line))]
pub struct ConfigError {
    /// The configuration file.
    pub file: PathBuf,
    /// Line of the wrong value, from 1, if known.
    pub line: Option<usize>,
    /// Line of the conflicting value, if two values conflict.
    pub other_line: Option<usize>,
    /// The problem.
    pub problem: Box<ConfigProblem>,
}

/// Problem of a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The file is in another encoding.
    #[error("byte {byte:#04x} is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// First byte that is not UTF-8.
        byte: u8,
    },
    /// The file is not a YAML document.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The document does not have the structure of a configuration.
    #[error("{key}: {wanted}")]
    Form {
        /// Place in the document.
        key: String,
        /// Required form.
        wanted: &'static str,
    },
    /// A memory, space or channel without a name.
    #[error("{of} has an empty name; give it one")]
    NoName {
        /// Kind of the nameless thing, with its place.
        of: String,
    },
    /// Problem of a memory.
    #[error("{memory}: {problem}")]
    Memory {
        /// Name and place of the memory.
        memory: MemoryPlace,
        /// The memory's problem.
        problem: MemoryProblem,
    },
    /// Problem of a space.
    #[error("space `{space}`: {problem}")]
    Space {
        /// Name of the space.
        space: String,
        /// The space's problem.
        problem: SpaceProblem,
    },
    /// Problem of a channel.
    #[error("channel `{channel}`: {problem}")]
    Channel {
        /// Name of the channel.
        channel: String,
        /// The channel's problem.
        problem: ChannelProblem,
    },
}

/// A key that is missing, unknown or of another type. The message is serde's.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// A problem below a key.
    #[error("`{key}`: {source}")]
    At {
        /// The key, dotted if nested.
        key: String,
        /// The problem, as reported by serde.
        source: serde_yaml::Error,
    },
    /// A likely misspelling of a known key.
    #[error("`{key}`: unknown key; did you mean `{meant}`?")]
    NearMiss {
        /// The key, dotted if nested.
        key: String,
        /// The known key that resembles it.
        meant: &'static str,
    },
    /// A misspelling of a key that is present too.
    #[error("`{key}`: unknown key, and `{meant}` is given, too; leave one of them out")]
    Twice {
        /// The key, dotted if nested.
        key: String,
        /// The known key that it is a spelling of.
        meant: &'static str,
    },
    /// Trailing digits of a number that contains a comma.
    #[error("`{key}`: unknown key; a number has no comma: write 1024 or 1_024, and not 1,024")]
    Digits {
        /// The key, dotted if nested.
        key: String,
    },
    /// A key and its value without a blank between them.
    #[error("`{key}`: unknown key; write a space after the colon of `{meant}:`")]
    NoBlank {
        /// The word, dotted if nested.
        key: String,
        /// The known key that it begins with.
        meant: &'static str,
    },
    /// A problem of the map as a whole. The message names the key.
    #[error(transparent)]
    Map(serde_yaml::Error),
}

/// A text with variables that can't be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {}", .problem.in_text(.text))]
pub struct ExpandError {
    /// Key of the text.
    pub key: &'static str,
    /// The text as written.
    pub text: String,
    /// The part that can't be expanded.
    pub problem: ExpandProblem,
}

/// A part of a text that can't be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpandProblem {
    /// An environment variable that is unset or not UTF-8.
    Unset(String),
    /// `${` that is not followed by a name and `}`.
    Unterminated,
    /// `~user` at the beginning.
    OtherHome,
}

impl ExpandProblem {
    fn in_text(&self, text: &str) -> String {
        match self {
            Self::Unset(variable) => format!(
                "the environment variable `{variable}` of `{text}` is not set (or not text); set it, or write `$$` for a plain `$`"
            ),
            Self::Unterminated => format!(
                "`{text}` has `${{` without a name and `}}` behind it; write `${{NAME}}`, or `$$` for a plain `$`"
            ),
            Self::OtherHome => format!(
                "`{text}` begins with another user's home directory, which is not expanded; write the directory's path, or `./~` for a \
                 name that begins with `~`"
            ),
        }
    }
}

/// Problem of one memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryProblem {
    /// A key is missing, unknown or of another type.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// A file name cannot be expanded.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// An empty name.
    #[error(transparent)]
    NoName(#[from] NoName),
    /// A key that belongs to another initialisation method.
    #[error(
        "`{key}` does not belong to this `init.method`; `seed` is for `random`, and `file` for \
         `hex`"
    )]
    OtherMethod {
        /// The offending key.
        key: &'static str,
    },
    /// A number that must not be 0.
    #[error("`{key}` is 0; give at least 1")]
    Zero {
        /// Key of the number.
        key: &'static str,
    },
    /// A width that is not a whole number of bytes.
    #[error("`{key}` of {bits} bits is not a whole number of bytes; give a multiple of 8")]
    NotWholeBytes {
        /// `width` or `bank_width`.
        key: &'static str,
        /// Value of the key.
        bits: u64,
    },
    /// A width beyond the limit of simulators.
    #[error(
        "`{key}` of {bits} bits is more than the {max} bits that are supported; widths are in bits, sizes in bytes"
    )]
    TooWide {
        /// `width` or `bank_width`.
        key: &'static str,
        /// Value of the key.
        bits: u64,
        /// Maximum value.
        max: u64,
    },
    /// A missing key that another key requires.
    #[error("`{key}` is missing; a memory with `{because}` needs it")]
    Missing {
        /// The missing key.
        key: &'static str,
        /// The key that requires it.
        because: &'static str,
    },
    /// A bank key in a memory without banks.
    #[error(
        "`{key}` is for banked memories, but there are no `banks`; list them or leave `{key}` out"
    )]
    NoBanks {
        /// The bank key.
        key: &'static str,
    },
    /// A memory that ends beyond 64 bits.
    #[error(
        "`base` + `size`: {size:#x} bytes at {base:#x} run past the last address, 0xffffffffffffffff"
    )]
    Wraps {
        /// Base address.
        base: u64,
        /// Size in bytes.
        size: u64,
    },
    /// A size that is not a multiple of the word size.
    #[error("`size` of {size} bytes is not a multiple of {unit} bytes, which is {what}")]
    NotWholeWords {
        /// Size in bytes.
        size: u64,
        /// Required divisor in bytes, saturated at 64 bits.
        unit: u64,
        /// Derivation of the divisor.
        what: &'static str,
    },
    /// Dimensions that disagree with the number of words.
    #[error("`array_dims`: {rows} rows × {cols} cols is not {words} words, as given by {what}")]
    ArrayDims {
        /// Rows, given or by default.
        rows: u64,
        /// Columns, given or by default.
        cols: u64,
        /// Number of words.
        words: u64,
        /// Keys that determine the number of words.
        what: &'static str,
    },
    /// More instances than a process should hold.
    #[error(
        "`array_dims`: {instances} rows of arrays are more than the {max} instances that a memory \
         of backend `static` may have, one for each row; leave `array_dims` out, or choose another \
         `backend`"
    )]
    TooManyRows {
        /// Rows of all banks.
        instances: u64,
        /// Maximum number.
        max: u64,
    },
    /// A bank width that does not divide the memory's width.
    #[error("`bank_width` of {bank_width} bits does not divide `width` of {width} bits")]
    BankWidth {
        /// Bank width in bits.
        bank_width: u64,
        /// Memory width in bits.
        width: u64,
    },
    /// Wrong number of bank rows.
    #[error("`banks` has {found} rows, but `size` / (`width` / 8 × `bank_depth`) is {wanted}")]
    BankRows {
        /// Number of rows in the list.
        found: usize,
        /// Number of rows that follows from the sizes.
        wanted: u64,
    },
    /// Wrong number of banks in a row.
    #[error("`banks[{row}]` has {found} columns, but `width` / `bank_width` is {wanted}")]
    BankColumns {
        /// Index of the row, from 0.
        row: usize,
        /// Number of columns in the row.
        found: usize,
        /// Number of columns that follows from the widths.
        wanted: u64,
    },
    /// A missing hex file.
    #[error("`init.file`: file `{}` does not exist", .file.display())]
    NoHexFile {
        /// Path of the file, expanded.
        file: PathBuf,
    },
    /// A path of a memory with backend `api`, which has no HDL paths.
    #[error(
        "`path`: the backend `api` accesses black boxes only; leave `path` out, or choose another \
         `backend`{0}"
    )]
    PathInApi(ByFeature),
    /// A memory of backend `static` without a path, which identifies its buffer.
    #[error(
        "`path` is missing: the backend `static` requires it and has no black boxes; give `path`, \
         or choose another `backend`{0}"
    )]
    StaticBlackBox(ByFeature),
}

/// True if a memory's backend is the default of a Cargo feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByFeature(pub bool);

impl fmt::Display for ByFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 {
            " (this one is the default, by Cargo feature)"
        } else {
            ""
        })
    }
}

/// Problem of one space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceProblem {
    /// A name of no shared memory.
    #[error("there is no shared memory `{name}`; {}", known("shared", .known_names))]
    UnknownShared {
        /// The unknown name.
        name: String,
        /// Names of all shared memories.
        known_names: Vec<String>,
    },
    /// Two memories of the same name.
    #[error("two memories are named `{name}`; rename one")]
    SameName {
        /// Name of both memories.
        name: String,
    },
    /// Two memories that overlap in part. Containment is allowed.
    #[error(
        "`base`: memory `{first}` ({first_base:#x} to {first_end:#x}) overlaps memory `{second}` ({second_base:#x} to {second_end:#x}) \
         in part; one that contains the other is fine, and the one that is listed first wins"
    )]
    Overlap {
        /// The memory that starts first.
        first: String,
        /// Its base address.
        first_base: u64,
        /// Address of its last byte.
        first_end: u64,
        /// The other memory.
        second: String,
        /// Its base address.
        second_base: u64,
        /// Address of its last byte.
        second_end: u64,
    },
}

/// Problem of one channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelProblem {
    /// A key is missing, unknown or of another type.
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
    /// A name of no space in the memory configuration.
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
        /// `load`, `zero_bss` or `server`.
        key: &'static str,
        /// Value of the flag, expanded.
        text: String,
    },
    /// An ELF file that can't be read or is invalid.
    #[error("`elf`: {0}")]
    Elf(#[from] ImageError),
    /// Neither `base` nor `elf` is present, so the channel has no address.
    #[error(
        "`base` is missing, and so is `elf`: give the channel's address, or the image with a section .mailbox, or `server: false`"
    )]
    NoAddress,
    /// An image without the section `.mailbox`, and no `base`.
    #[error("`elf`: {} has no section .mailbox; link one, or give the channel's address as `base`, \
             or `server: false`", .file.display())]
    NoMailbox {
        /// Path of the image.
        file: PathBuf,
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
    /// A channel that the image's note does not count.
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
    /// No pointer width from `ptr`, an image or a Cargo feature.
    #[error(
        "`ptr` is missing: without `elf`, and without the Cargo feature `ptr32` or `ptr64`, give \
         `ptr: 32` or `ptr: 64`"
    )]
    NoPtr,
    /// An alignment that the protocol does not have.
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
    /// A channel of an image, outside of the memories of its space.
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

/// Clause about the channel's load address, if it differs from its address.
fn loaded_at(address: u64, physical: u64) -> String {
    if address == physical {
        String::new()
    } else {
        format!(" (loaded at {physical:#x}, where no memory is either)")
    }
}

/// ":12", or empty.
fn behind_colon(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

/// " (the other one is in line 12)", or empty.
fn other(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| {
        format!(" (the other one is in line {line})")
    })
}

/// "spaces: `a`, `b`", or "spaces: none".
fn known(what: &str, names: &[String]) -> String {
    if names.is_empty() {
        format!("{what}: none")
    } else {
        format!("{what}: `{}`", names.join("`, `"))
    }
}
