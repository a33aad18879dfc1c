//! Location of a memory in its file.

use std::fmt;

/// Location of a memory in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemoryPlace {
    /// Memory that is not from a file.
    Alone(String),
    /// A shared memory.
    Shared(String),
    /// A memory in the list of a space.
    Of {
        /// Name of the memory.
        memory: String,
        /// Name of the space.
        space: String,
    },
}

impl MemoryPlace {
    /// Keys from the top of the file to the memory.
    pub(super) fn path(&self) -> Vec<&str> {
        match self {
            Self::Alone(_) => Vec::new(),
            Self::Shared(name) => vec!["shared", name],
            Self::Of { memory, space } => vec!["space", space, memory],
        }
    }
}

impl fmt::Display for MemoryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone(name) => write!(f, "memory `{name}`"),
            Self::Shared(name) => write!(f, "shared memory `{name}`"),
            Self::Of { memory, space } => write!(f, "memory `{memory}` of space `{space}`"),
        }
    }
}
