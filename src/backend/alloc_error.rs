//! Error of a memory in this process.

use thiserror::Error;

/// Memory that can't be allocated in this process.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "memory `{memory}`: this process has no memory for its {size} bytes; make it smaller, or choose another backend than `static`"
)]
pub struct AllocError {
    /// Name of the memory.
    pub memory: String,
    /// Size in bytes.
    pub size: u64,
}
