//! Buffer of RTT in messages and checkpoints.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// Direction of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// From firmware to the host.
    Up,
    /// From the host to firmware.
    Down,
}

impl Direction {
    /// Returns the name of the direction: `up` or `down`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Number of a buffer among those of its direction, and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferName {
    /// Number, from 0.
    pub number: u32,
    /// Name that firmware gives; `None` without a name, or for bytes that are not text.
    pub name: Option<String>,
}

/// Format: ``1 `log` ``, or the number alone.
impl Display for BufferName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, name } = self;
        match name {
            Some(name) => write!(f, "{number} `{name}`"),
            None => write!(f, "{number}"),
        }
    }
}
