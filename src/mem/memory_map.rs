//! All memories and address spaces of a system.

use super::{Memory, Space};

/// All memories and spaces of a system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryMap {
    /// Memories. Each is listed once, however many spaces contain it.
    pub memories: Vec<Memory>,
    /// Spaces, in the order of the configuration.
    pub spaces: Vec<Space>,
}
