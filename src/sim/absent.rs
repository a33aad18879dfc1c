//! Missing function of the simulator. Its text is in `error`.

/// Missing simulator function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Symbol name.
    pub(crate) symbol: &'static str,
}
