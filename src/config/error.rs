//! What can be wrong with a configuration: every message names the file, the memory or channel, and the key.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::name::NoName;
use super::place::Whose;
use super::yaml::YamlError;
use crate::mem::{ImageError, MapError};

/// A configuration that is refused.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}{}", .file.display(), behind_colon(.line), other(.other_line))]
pub struct ConfigError {
    /// The configuration file.
    pub file: PathBuf,
    /// The line of the value that is wrong, from 1, where it can be told.
    pub line: Option<usize>,
    /// Line of the other value, where two do not go together.
    pub other_line: Option<usize>,
    /// What is wrong with it.
    pub problem: Box<ConfigProblem>,
}

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The file is in another encoding.
    #[error("byte {byte:#04x} is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// The first byte that is not.
        byte: u8,
    },
    /// The file is no YAML document.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The document has another form than a configuration.
    #[error("{key}: {wanted}")]
    Form {
        /// Where in the document.
        key: String,
        /// What should be there.
        wanted: &'static str,
    },
    /// A memory, space or channel without a name.
    #[error("{of} has an empty name; give it one")]
    NoName {
        /// The kind of thing, with its place.
        of: String,
    },
    /// A memory is refused.
    #[error("{memory}: {problem}")]
    Memory {
        /// The memory's name and where it stands.
        memory: Whose,
        /// What is wrong with it.
        problem: MemoryProblem,
    },
    /// A space is refused.
    #[error("space `{space}`: {problem}")]
    Space {
        /// The space's name.
        space: String,
        /// What is wrong with it.
        problem: SpaceProblem,
    },
    /// A channel is refused.
    #[error("channel `{channel}`: {problem}")]
    Channel {
        /// The channel's name.
        channel: String,
        /// What is wrong with it.
        problem: ChannelProblem,
    },
}

/// A key that is missing, unknown or of another type. The text is serde's.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// Somewhere below a key.
    #[error("`{key}`: {source}")]
    At {
        /// The key, dotted where it is nested.
        key: String,
        /// What is wrong with it.
        source: serde_yaml::Error,
    },
    /// A key that is hardly meant as it is written.
    #[error("`{key}`: there is no such key; did you mean `{meant}`?")]
    NearMiss {
        /// The key, dotted where it is nested.
        key: String,
        /// The known key that is like it.
        meant: &'static str,
    },
    /// A key beside the one that is meant.
    #[error("`{key}`: there is no such key, and `{meant}` is there, too; leave one of them out")]
    Twice {
        /// The key, dotted where it is nested.
        key: String,
        /// The known key that it is another spelling of.
        meant: &'static str,
    },
    /// A part of a number, behind a comma.
    #[error(
        "`{key}`: there is no such key; a number has no comma: write 1024 or 1_024, and not 1,024"
    )]
    Digits {
        /// The key, dotted where it is nested.
        key: String,
    },
    /// A key and its value in one word.
    #[error("`{key}`: there is no such key; write a blank behind the colon of `{meant}:`")]
    NoBlank {
        /// The word, behind the keys around it where it is nested.
        key: String,
        /// The known key that it begins with.
        meant: &'static str,
    },
    /// In the map as a whole: the message names the key.
    #[error(transparent)]
    Map(serde_yaml::Error),
}

/// A text whose variables cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {}", .problem.in_text(.text))]
pub struct ExpandError {
    /// The key whose text it is.
    pub key: &'static str,
    /// The text as written.
    pub text: String,
    /// The part that has no value.
    pub problem: ExpandProblem,
}

/// A part of a text that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpandProblem {
    /// An environment variable that is not set, or not text.
    Unset(String),
    /// `${` without a name and `}`.
    Unterminated,
    /// `~user` at the start.
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

/// What is wrong with one memory.
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
    /// A key of another method of initialisation.
    #[error("`{key}`: `init.method` is another one; `seed` is for `random`, and `file` for `hex`")]
    OtherMethod {
        /// The key.
        key: &'static str,
    },
    /// A number that must not be zero.
    #[error("`{key}` is 0; give at least 1")]
    Zero {
        /// The key.
        key: &'static str,
    },
    /// A width that is not a whole number of bytes.
    #[error("`{key}` of {bits} bits is not a whole number of bytes; give a multiple of 8")]
    NotWholeBytes {
        /// `width` or `bank_width`.
        key: &'static str,
        /// Its value.
        bits: u64,
    },
    /// A width that no simulator has.
    #[error(
        "`{key}` of {bits} bits is more than the {max} bits that are supported; widths are in bits, sizes in bytes"
    )]
    TooWide {
        /// `width` or `bank_width`.
        key: &'static str,
        /// Its value.
        bits: u64,
        /// The largest value.
        max: u64,
    },
    /// A key that another one makes necessary.
    #[error("`{key}` is missing; a memory with `{because}` needs it")]
    Missing {
        /// The missing key.
        key: &'static str,
        /// The key that is there.
        because: &'static str,
    },
    /// A key of banks in a memory without them.
    #[error(
        "`{key}` is for banked memories, but there are no `banks`; list them or leave `{key}` out"
    )]
    NoBanks {
        /// The key that is there.
        key: &'static str,
    },
    /// A memory that does not end within 64 bits.
    #[error(
        "`base` + `size`: {size:#x} bytes at {base:#x} run past the last address, 0xffffffffffffffff"
    )]
    Wraps {
        /// Its first byte.
        base: u64,
        /// Bytes.
        size: u64,
    },
    /// A size that is not a number of words.
    #[error("`size` of {size} bytes is not a multiple of {unit} bytes, which is {what}")]
    NotWholeWords {
        /// Bytes.
        size: u64,
        /// Bytes that it must be a multiple of; the largest number where 64 bits cannot count them.
        unit: u64,
        /// What the unit is made of.
        what: &'static str,
    },
    /// Dimensions that do not make the words there are.
    #[error("`array_dims`: {rows} rows × {cols} cols is not the {words} words that {what} makes")]
    ArrayDims {
        /// Rows, given or by default.
        rows: u64,
        /// Columns, given or by default.
        cols: u64,
        /// Words there are.
        words: u64,
        /// The keys that make them.
        what: &'static str,
    },
    /// More instances than a process should hold.
    #[error(
        "`array_dims`: {instances} rows of arrays are more than the {max} that a memory of backend `static` may have, each an instance of \
         its own; leave `array_dims` out, or choose another `backend`"
    )]
    TooManyRows {
        /// Rows of all banks.
        instances: u64,
        /// The largest number.
        max: u64,
    },
    /// Banks that do not fill the width.
    #[error("`bank_width` of {bank_width} bits does not divide `width` of {width} bits")]
    BankWidth {
        /// Bits.
        bank_width: u64,
        /// Bits.
        width: u64,
    },
    /// Too few or too many rows of banks.
    #[error("`banks` has {found} rows, but `size` / (`width` / 8 × `bank_depth`) is {wanted}")]
    BankRows {
        /// Rows in the list.
        found: usize,
        /// Rows that the sizes ask for.
        wanted: u64,
    },
    /// Too few or too many banks in a row.
    #[error("`banks[{row}]` has {found} columns, but `width` / `bank_width` is {wanted}")]
    BankColumns {
        /// The row, from 0.
        row: usize,
        /// Columns in the row.
        found: usize,
        /// Columns that the widths ask for.
        wanted: u64,
    },
    /// The hex file is not there.
    #[error("`init.file`: there is no file `{}`", .file.display())]
    NoHexFile {
        /// The file, expanded.
        file: PathBuf,
    },
    /// The C API knows no HDL paths.
    #[error(
        "`path`: the backend `api` reaches black boxes only; leave `path` out, or choose another `backend`{0}"
    )]
    PathInApi(ByFeature),
    /// A static buffer is identified by its path.
    #[error(
        "`path` is missing: the backend `static` needs it, it keeps no black boxes; give `path`, or choose another `backend`{0}"
    )]
    StaticBlackBox(ByFeature),
}

/// Whether a memory's backend is the choice of a Cargo feature.
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

/// What is wrong with one space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceProblem {
    /// A name that no shared memory has.
    #[error("there is no shared memory `{name}`; {}", known("shared", .known_names))]
    UnknownShared {
        /// The name.
        name: String,
        /// The names there are.
        known_names: Vec<String>,
    },
    /// Two memories of one name.
    #[error("two memories are named `{name}`; rename one")]
    SameName {
        /// The name.
        name: String,
    },
    /// Two memories that share addresses, of which neither contains the other.
    #[error(
        "`base`: memory `{first}` ({first_base:#x} to {first_end:#x}) overlaps memory `{second}` ({second_base:#x} to {second_end:#x}) \
         in part; one that contains the other is fine, and the one that is listed first wins"
    )]
    Overlap {
        /// The one that starts first.
        first: String,
        /// Its first byte.
        first_base: u64,
        /// Its last byte.
        first_end: u64,
        /// The other.
        second: String,
        /// Its first byte.
        second_base: u64,
        /// Its last byte.
        second_end: u64,
    },
}

/// What is wrong with one channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelProblem {
    /// A key is missing, unknown or of another type.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// A text cannot be expanded.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// An empty name.
    #[error(transparent)]
    NoName(#[from] NoName),
    /// A name that no space of the memory configuration has.
    #[error("`space`: the memory configuration has no space `{name}`; {}", known("spaces", .known_names))]
    UnknownSpace {
        /// The name.
        name: String,
        /// The names there are.
        known_names: Vec<String>,
    },
    /// A flag that is neither on nor off.
    #[error(
        "`{key}` is the text `{text}`; give true, false, yes, no, on, off, 1 or 0, or a text that expands to one of them"
    )]
    Flag {
        /// `load`, `zero_bss` or `server`.
        key: &'static str,
        /// Its value, expanded.
        text: String,
    },
    /// The ELF file cannot be read, or is refused.
    #[error("`elf`: {0}")]
    Elf(#[from] ImageError),
    /// Nothing says where the channel is.
    #[error(
        "`base` is missing, and so is `elf`: give the channel's address, or the image with a section .mailbox, or `server: false`"
    )]
    NoAddress,
    /// The image does not say where the channel is.
    #[error("`elf`: {} has no section .mailbox; link one in, or give the channel's address as `base`, or `server: false`", .file.display())]
    NoMailbox {
        /// The image.
        file: PathBuf,
    },
    /// A number that counts channels of a section, where the address is from elsewhere.
    #[error(
        "`mb_id` is {mb_id}, but it counts the channels of an image's section .mailbox, and there is none; leave it out, and give the channel's own address as `base`"
    )]
    NothingToCount {
        /// Its value.
        mb_id: u64,
    },
    /// The section is too small for this channel.
    #[error("`mb_id`: channel {mb_id} of {channel_size:#x} bytes reaches past the end of section .mailbox ({section_size:#x} bytes at {section:#x}) of {}; or `ptr` or `cache_line` differ from the firmware's", .file.display())]
    PastSection {
        /// Which channel of the section.
        mb_id: u64,
        /// Bytes of a channel, to the next.
        channel_size: u64,
        /// The section's address.
        section: u64,
        /// Bytes of the section.
        section_size: u64,
        /// The image.
        file: PathBuf,
    },
    /// Another pointer width than 32 or 64.
    #[error("`ptr` is {bits}; it is 32 or 64, in bits")]
    Ptr {
        /// Its value.
        bits: u64,
    },
    /// Nothing says the pointer width.
    #[error(
        "`ptr` is missing: without `elf`, and without the Cargo feature `ptr32` or `ptr64`, say `ptr: 32` or `ptr: 64`"
    )]
    NoPtr,
    /// Another alignment than the protocol has.
    #[error("`cache_line` is {bytes}; it is 32, 64, 128 or 256 bytes, or 0 for none")]
    CacheLine {
        /// Its value.
        bytes: u64,
    },
    /// An address that no such channel can have.
    #[error(
        "the channel's address {address:#x} is not a multiple of {align}; check `base` or the image, `ptr` and `cache_line`"
    )]
    Misaligned {
        /// The channel's address.
        address: u64,
        /// What it must be a multiple of.
        align: u64,
    },
    /// Another channel has the same memory.
    #[error(
        "at {address:#x} it overlaps channel `{first}`, which is at {first_address:#x}; give the second its own `mb_id` or `base`"
    )]
    Overlap {
        /// The channel's address.
        address: u64,
        /// The channel that is there.
        first: String,
        /// That channel's address, in its own space.
        first_address: u64,
    },
    /// The channel is not in the memories of its space.
    #[error("the channel is not in memory: {0}; check `space` and `base`, or map a memory there")]
    NotInMemory(#[from] MapError),
    /// The channel of an image is not in the memories of its space.
    #[error(
        "the channel is not in memory: section .mailbox of {} puts it at {address:#x}{}, and {cause}; {}link the section for a memory of \
         the space, map one there, or give the channel's own address as `base`",
        .file.display(),
        loaded_at(*.address, *.physical),
        if *.allocated { "" } else { "it has no flag SHF_ALLOC, without which linkers give no address: " }
    )]
    SectionNotInMemory {
        /// The image.
        file: PathBuf,
        /// The channel's virtual address.
        address: u64,
        /// The channel's physical address.
        physical: u64,
        /// What is missing at the virtual address.
        cause: MapError,
        /// The section has the flag SHF_ALLOC.
        allocated: bool,
    },
}

/// The address at which the channel is loaded, where that is another one.
fn loaded_at(address: u64, physical: u64) -> String {
    if address == physical {
        String::new()
    } else {
        format!(" (loaded at {physical:#x}, where there is none either)")
    }
}

/// ":12", or nothing.
fn behind_colon(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

/// " (the other one is in line 12)", or nothing.
fn other(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| {
        format!(" (the other one is in line {line})")
    })
}

/// "spaces: `a`, `b`", or that there are none.
fn known(what: &str, names: &[String]) -> String {
    if names.is_empty() {
        format!("{what}: none")
    } else {
        format!("{what}: `{}`", names.join("`, `"))
    }
}
