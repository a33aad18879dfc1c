//! The two YAML files: as written (`schema`), and after validation ([`MemoryMap`] and
//! [`ChannelConfig`]).
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
//! assert_eq!(channels[0].mailbox().map(|mailbox| mailbox.address), Some(0x8000_1000));
//! # Ok::<(), config::ConfigError>(())
//! ```
//!
//! An invalid configuration is rejected with the first [`ConfigError`]: file, memory or channel,
//! key, and remedy. File names in a configuration are relative to the working directory.

mod channel;
mod channel_services;
mod claims;
mod diagnostic;
mod error;
mod expand;
mod external_inputs;
mod faults;
mod features;
mod file_context;
mod flag;
mod flush;
mod found_traps;
mod further_protocols;
mod hdl_shape;
mod htif;
mod images;
mod key_path;
mod locate;
mod mailbox_address;
mod mailboxes;
mod memory;
mod memory_map;
mod memory_place;
mod name;
mod nearest;
mod number;
mod overlaps;
mod parser;
mod rtt;
mod rtt_schema;
mod schema;
mod semihosting;
mod service_error;
mod stub_place;
mod stub_schema;
mod text;
mod unknown_keys;
mod unserved;
pub mod vhost_variables;
mod yaml;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub use channel::ChannelConfig;
#[doc(hidden)]
pub use channel_services::parse_period;
pub use diagnostic::{ConfigDiagnostic, DiagnosticKind, KeyHint, Unserved, Used};
pub use error::{
    ByFeature, ChannelProblem, ConfigError, ConfigProblem, ExpandError, ExpandProblem, HtifProblem,
    KeyProblem, MemoryProblem, RttProblem, SemihostingProblem, SpaceProblem,
};
pub(crate) use expand::expand_with;
pub use external_inputs::{ConfigEnvironment, Process};
pub use features::Defaults;
pub(crate) use flush::MAX_FLUSH_INSTRUCTIONS;
#[doc(hidden)]
pub use further_protocols::loaded_image;
pub(crate) use further_protocols::same_firmware;
pub use memory_place::MemoryPlace;
pub use name::NoName;
pub(crate) use semihosting::MAX_HARTS;
pub use service_error::ServiceProblem;
pub use text::TextError;
pub use vhost_variables::{VARIABLES, Variable};
pub use yaml::YamlError;

use file_context::FileContext;

use crate::guest;
use crate::mem::MemoryMap;

/// Reads the text of a configuration file, for [`parse_memory_map`], [`parse_mailboxes`] and the
/// header of a trace.
///
/// # Errors
///
/// Fails if the file can't be read or is not UTF-8.
#[doc(hidden)]
pub fn read_text(file: &Path) -> Result<String, ConfigError> {
    let bytes =
        guest::read(file).map_err(|error| refuse(file, None, ConfigProblem::Read(error)))?;
    String::from_utf8(bytes).map_err(|error| {
        let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        let byte = bad.first().copied().unwrap_or_default();
        refuse(file, Some(line), ConfigProblem::NotUtf8 { byte })
    })
}

/// Expands a file name from an environment variable or an argument (`key`), with the rules for
/// paths in the files. A value that is not UTF-8 is unchanged.
///
/// # Errors
///
/// Fails if a variable in the value is not set.
#[doc(hidden)]
pub fn expand_path(
    value: &OsStr,
    key: &'static str,
    outside: &dyn ConfigEnvironment,
) -> Result<PathBuf, ExpandError> {
    match value.to_str() {
        Some(text) => expand::expand(text, key, outside).map(PathBuf::from),
        None => Ok(PathBuf::from(value)),
    }
}

/// Parses and validates a memory configuration. `file` is for messages.
///
/// # Errors
///
/// Fails if the text is not YAML; if a key is missing, misspelled or of another type; if sizes are
/// inconsistent; if memories of a space partially overlap; if a name is unknown; or if a file is
/// missing.
pub fn parse_memory_map(
    text: &str,
    file: &Path,
    outside: &dyn ConfigEnvironment,
) -> Result<MemoryMap, ConfigError> {
    let document = yaml::parse(text).map_err(|error| refuse(file, error.line(), error.into()))?;
    memory_map::validate(document, FileContext { file, outside })
        .map_err(|problem| refuse_in(file, text, problem))
}

/// Parses and validates a mailbox configuration. Channels keep the order of the text. `file` is for
/// messages, and may be any name for a text that is not from a file.
///
/// # Errors
///
/// Fails if the text is not YAML; if a key is missing, misspelled or of another type; if an image
/// can't be read; or if a channel's address or pointer width is undetermined or not in the memories
/// of its space.
pub fn parse_mailboxes(
    text: &str,
    file: &Path,
    map: &MemoryMap,
    outside: &dyn ConfigEnvironment,
) -> Result<Vec<ChannelConfig>, ConfigError> {
    let document = yaml::parse(text).map_err(|error| refuse(file, error.line(), error.into()))?;
    mailboxes::validate(document, map, FileContext { file, outside })
        .map_err(|problem| refuse_in(file, text, problem))
}

/// Adds the line of the wrong value to a problem. A missing or default key has the line of the
/// surrounding map.
fn refuse_in(file: &Path, text: &str, problem: ConfigProblem) -> ConfigError {
    let line = match problem.path() {
        // An empty document has no value.
        path if path.is_empty() && problem.is_of_document() => locate::line(text, &[]).or(Some(1)),
        path => {
            let mut ways = (1..=path.len()).rev();
            ways.find_map(|len| line_of(text, &path[..len]))
        }
    };
    let other_line = problem.other_path().and_then(|path| line_of(text, &path));
    let other_line = other_line.filter(|other| Some(*other) != line);
    ConfigError {
        other_line,
        ..refuse(file, line, problem)
    }
}

/// Line, from 1, of the value at a path. A memory listed by name is looked up among the shared
/// ones.
fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let shared = match path {
        ["space", _, memory] => locate::line(text, &["shared", memory]),
        _ => None,
    };
    locate::line(text, path).or(shared)
}

fn refuse(file: &Path, line: Option<usize>, problem: ConfigProblem) -> ConfigError {
    ConfigError {
        file: file.to_path_buf(),
        line,
        other_line: None,
        problem: Box::new(problem),
    }
}
