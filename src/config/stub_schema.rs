//! Place of the code that replaces traps of semihosting, as written.

use serde::Deserialize;

use super::number::Number;

/// Place of the code as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "an address, `auto` or `none`")]
pub(super) enum RawStub {
    Address(Number),
    Word(String),
}
