//! Identity of a recorded run among others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Properties that identify a run: name, design, seed, revision, machine and command. All are texts that the library passes on.
///
/// A recording with at least one property has them behind its header, in format 4 or a newer one. Keys that a reader does not know are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    properties: BTreeMap<String, String>,
}

impl RunIdentity {
    /// Name of the run, unique in the tables of many.
    pub const ID: &str = "id";
    /// Name of the design or test.
    pub const DESIGN: &str = "design";
    /// Seed of the run's random decisions.
    pub const SEED: &str = "seed";
    /// Revision of the sources.
    pub const REVISION: &str = "revision";
    /// Name of the machine.
    pub const HOST: &str = "host";
    /// Command that runs it again.
    pub const COMMAND: &str = "command";
    /// Start of the recording: milliseconds since 1970, as a decimal number. Set by the library where a run has other properties.
    pub const STARTED: &str = "started";
    /// Build ids of the images as hex digits, one a line, in the order of their paths; an empty line for an image without one. Set by the
    /// library where a run has other properties and an image a build id.
    pub const BUILD_IDS: &str = "build_ids";

    /// Value of a property.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str)
    }

    /// Sets a property. A blank value removes it.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        if value.trim().is_empty() {
            self.properties.remove(&key);
        } else {
            self.properties.insert(key, value);
        }
    }

    /// True if no property is known.
    pub fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }

    /// Properties, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let properties = self.properties.iter();
        properties.map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
