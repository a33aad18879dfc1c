//! Configuration errors. Every message names the file, the memory or channel, and the key.

mod channel;
mod expand;
mod htif;
mod key;
mod memory;
mod rtt;
mod semihosting;

use std::io;
use std::path::PathBuf;

pub use channel::ChannelProblem;
pub use expand::{ExpandError, ExpandProblem};
pub use htif::HtifProblem;
pub use key::KeyProblem;
use key::known;
pub use memory::{ByFeature, MemoryProblem};
pub use rtt::RttProblem;
pub use semihosting::SemihostingProblem;

use super::memory_place::MemoryPlace;
use super::yaml::YamlError;

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
    /// A file that can't be read.
    #[error("can't be read: {0}")]
    Read(#[source] io::Error),
    /// A file in another encoding.
    #[error("byte {byte:#04x} is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// First byte that is not UTF-8.
        byte: u8,
    },
    /// A file that is not a YAML document.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A document without the structure of a configuration.
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
        /// Kind of the item without a name, with its place.
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

/// Problem of one space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceProblem {
    /// Name that is not a shared memory.
    #[error("there is no shared memory `{name}`; {}", known("shared", .known_names))]
    UnknownShared {
        /// The unknown name.
        name: String,
        /// Names of all shared memories.
        known_names: Vec<String>,
    },
    /// An item with variables that can't be expanded.
    #[error("{}", .problem.in_text(.text))]
    Expand {
        /// The item as written.
        text: String,
        /// The part that can't be expanded.
        problem: ExpandProblem,
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
        /// Base address of the first memory.
        first_base: u64,
        /// Last address of the first memory.
        first_end: u64,
        /// The other memory.
        second: String,
        /// Base address of the second memory.
        second_base: u64,
        /// Last address of the second memory.
        second_end: u64,
    },
}

/// Formats a line number, such as ":12"; empty without one.
fn behind_colon(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

/// Formats a line number, such as " (the other one is in line 12)"; empty without one.
fn other(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| {
        format!(" (the other one is in line {line})")
    })
}
