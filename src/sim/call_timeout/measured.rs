//! Subject of a measured interval, for the report.

use super::text::SharedText;

/// Outermost foreign call.
pub(super) static CALL: SharedText = SharedText::new();

/// Methods of the testbench that are pending since the last tick.
pub(super) static METHODS: SharedText = SharedText::new();

/// Location in the testbench of the last call to the library.
pub(super) static CALLER: SharedText = SharedText::new();

/// Interval without an advance of simulated time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A foreign call runs.
    Call,
    /// The simulator runs, and a method of the testbench is pending.
    Pending,
}
