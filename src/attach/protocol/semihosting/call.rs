//! Operation in service.

use crate::mem::Span;

/// Source of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RequestedBy {
    /// By the words of the code in place of traps.
    Words,
    /// Call of the testbench.
    Testbench,
}

/// Operation without a result so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) operation: u64,
    pub(super) argument: u64,
    /// True after its parameter block is known.
    pub(super) has_parameters: bool,
    /// Words of its parameter block.
    pub(super) words: Vec<u64>,
    /// Memory that the host may write.
    pub(super) named: Vec<Span>,
    /// Result, after the event of the operation.
    pub(super) result: Option<u64>,
    /// True after the host has written the result.
    pub(super) is_written: bool,
}
