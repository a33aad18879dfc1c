//! The two YAML files: as written (`raw`), then as believed ([`MemoryMap`] and [`ChannelConfig`]).
//!
//! ```
//! use std::path::Path;
//! use vhost::config::{self, Process};
//!
//! let memories = "
//! space:
//!   core0:
//!     - ram: {base: 0x80000000, size: 0x10000, backend: log}
//! ";
//! let mailboxes = "core0: {space: core0, base: 0x80001000, ptr: 32}";
//!
//! let map = config::parse_memory_map(memories, Path::new("mem.yaml"), &Process)?;
//! let channels = config::parse_mailboxes(mailboxes, Path::new("mailbox.yaml"), &map, &Process)?;
//! assert_eq!(channels[0].name, "core0");
//! assert_eq!(channels[0].mailbox.map(|mailbox| mailbox.address), Some(0x8000_1000));
//! # Ok::<(), config::ConfigError>(())
//! ```
//!
//! A configuration is refused as a whole, with the first [`ConfigError`]: file, memory or channel, key, and what to do.
//! Names of files in it are relative to the working directory.

mod error;
mod expand;
mod features;
mod mailboxes;
mod memory;
mod memory_map;
mod parser;
mod raw;
mod shape;
mod surroundings;
mod text;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use error::{
    ByFeature, ChannelProblem, ConfigError, ConfigProblem, ExpandError, KeyProblem, MemoryProblem,
    SpaceProblem,
};
pub(crate) use expand::expand_with;
pub use features::Defaults;
pub use mailboxes::{ChannelConfig, Mailbox};
pub use surroundings::{Process, Surroundings};
pub use text::TextError;
pub use yaml::YamlError;

use crate::mem::MemoryMap;

/// The text of a configuration file, for [`parse_memory_map`], [`parse_mailboxes`] and the header of a trace.
///
/// # Errors
///
/// When the file cannot be read, or is not UTF-8.
pub fn read_text(file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|error| refuse(file, ConfigProblem::Read(error)))
}

/// Believes the text of a memory configuration. `file` is for messages.
///
/// # Errors
///
/// When the text is not YAML, a key is missing, unknown or of another type, a size does not multiply out, memories of a
/// space overlap, a name is unknown, or a file is not there.
pub fn parse_memory_map(
    text: &str,
    file: &Path,
    outside: &dyn Surroundings,
) -> Result<MemoryMap, ConfigError> {
    let document = yaml::parse(text).map_err(|error| refuse(file, error.into()))?;
    memory_map::believe(document, outside).map_err(|problem| refuse(file, problem))
}

/// Believes the text of a mailbox configuration, in its order. `file` is for messages; a text that is from no file has some
/// name of its own.
///
/// # Errors
///
/// When the text is not YAML, a key is missing, unknown or of another type, an image cannot be read, or a channel's place or
/// pointer width does not follow or is not in the memories of its space.
pub fn parse_mailboxes(
    text: &str,
    file: &Path,
    map: &MemoryMap,
    outside: &dyn Surroundings,
) -> Result<Vec<ChannelConfig>, ConfigError> {
    let document = yaml::parse(text).map_err(|error| refuse(file, error.into()))?;
    mailboxes::believe(document, map, outside).map_err(|problem| refuse(file, problem))
}

fn refuse(file: &Path, problem: ConfigProblem) -> ConfigError {
    ConfigError {
        file: file.to_path_buf(),
        problem: Box::new(problem),
    }
}
