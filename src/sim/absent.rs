//! Missing function of the simulator. The module `error` has its text.

/// Missing simulator function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Symbol name.
    pub(crate) symbol: &'static str,
}
