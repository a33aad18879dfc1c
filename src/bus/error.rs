//! What can go wrong on the bus itself.

use thiserror::Error;

use super::Party;

/// A message whose reply was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{party} gave no answer to {message}{}", panicked(self.panic.as_deref()))]
pub struct Unanswered {
    /// Who was asked.
    pub party: Party,
    /// What.
    pub message: &'static str,
    /// The text of the panic, where one was the cause.
    pub panic: Option<String>,
}

fn panicked(panic: Option<&str>) -> String {
    panic.map_or_else(String::new, |text| format!(": it panicked: {text}"))
}

/// Why the bus could not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BusError {
    /// Nothing is left to run that could lead to an answer.
    #[error(
        "nobody can answer {message}: {party} waits for something that only simulated time brings"
    )]
    NobodyAnswers {
        /// Who was asked.
        party: Party,
        /// What.
        message: &'static str,
    },
    /// The one that was asked dropped the reply.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// A call that must not come from where it came.
    #[error("{what} was called from inside {from}")]
    Reentered {
        /// The call.
        what: &'static str,
        /// From where.
        from: &'static str,
    },
}
