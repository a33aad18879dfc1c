//! Switches, on or off, in the usual spellings.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::error::ChannelProblem;
use super::expand::expand_flag;
use super::external_inputs::ConfigEnvironment;

/// Flag as written: a YAML boolean or number as text, or a text to be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flag(String);

impl Flag {
    /// Expands and parses the flag of `key`. Unset variables expand to nothing. A text that
    /// consists of them is true.
    pub(super) fn value(
        &self,
        key: &'static str,
        outside: &dyn ConfigEnvironment,
    ) -> Result<bool, ChannelProblem> {
        self.value_or(true, key, outside)
    }

    /// As [`value`](Self::value), with another value for a text that consists of unset variables.
    pub(super) fn value_or(
        &self,
        unset: bool,
        key: &'static str,
        outside: &dyn ConfigEnvironment,
    ) -> Result<bool, ChannelProblem> {
        let text = expand_flag(&self.0, key, outside)?;
        if text.is_empty() && !self.0.is_empty() {
            return Ok(unset);
        }
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(ChannelProblem::Flag { key, text }),
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

struct AnyForm;

impl Visitor<'_> for AnyForm {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, yes, no, on, off, 1, 0, or a text that expands to one of them")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Flag, E> {
        Ok(Flag(value.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
        Ok(Flag(text.to_owned()))
    }
}
