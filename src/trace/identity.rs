//! Identity of a recorded run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Properties that identify a run: name, design, seed, revision, machine and command. All are texts
/// that the library does not interpret.
///
/// A recording with at least one property stores them after its header, in format 4 or a newer one.
/// Keys that a reader does not know are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    properties: BTreeMap<String, String>,
}

impl RunIdentity {
    /// Name of the run, unique in tables of many runs.
    pub const ID: &str = "id";
    /// Name of the design or test.
    pub const DESIGN: &str = "design";
    /// Seed of the run's random decisions.
    pub const SEED: &str = "seed";
    /// Revision of the sources.
    pub const REVISION: &str = "revision";
    /// Name of the machine.
    pub const HOST: &str = "host";
    /// Command that repeats the run.
    pub const COMMAND: &str = "command";
    /// Start of the recording: milliseconds since 1970, as a decimal number. Set by the library if
    /// a run has other properties.
    pub const STARTED: &str = "started";
    /// Build ids of the images as hex digits, one in a line, in the order of the images' paths. An
    /// image without one has an empty line. Set by the library if a run has other properties and an
    /// image has a build id.
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

    /// True if the run has no property.
    pub fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }

    /// Properties, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let properties = self.properties.iter();
        properties.map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
