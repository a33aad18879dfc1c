//! Outcomes of operations.

/// Outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperationOutcome {
    /// Result for firmware.
    Value(u64),
    /// The operation waits for input.
    Pending,
    /// End of firmware, with its exit code.
    Exit(u32),
}

/// Result of a failed operation, and of operations without a value.
pub(super) const MINUS_ONE: u64 = u64::MAX;
