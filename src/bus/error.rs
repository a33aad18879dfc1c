//! Errors of the bus itself.

use thiserror::Error;

use super::Endpoint;

/// Error of a message whose reply was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{endpoint} did not reply to {message}{}", panicked(self.panic.as_deref()))]
pub struct NoReply {
    /// Receiver of the message.
    pub endpoint: Endpoint,
    /// Name of the message.
    pub message: &'static str,
    /// Text of the panic that dropped the reply, if there was one.
    pub panic: Option<String>,
}

fn panicked(panic: Option<&str>) -> String {
    panic.map_or_else(String::new, |text| format!(": it panicked: {text}"))
}

/// Error of an operation of the bus.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BusError {
    /// No reply, and no task, message or foreign call is left that could lead to one.
    #[error("deadlock: {endpoint} can't reply to {message} before the next tick")]
    Stalled {
        /// Receiver of the message.
        endpoint: Endpoint,
        /// Name of the message.
        message: &'static str,
    },
    /// The receiver dropped the reply.
    #[error(transparent)]
    NoReply(#[from] NoReply),
    /// Re-entrant call from a place that does not allow it.
    #[error("{what} is refused inside of {from}: return from it first")]
    Reentrant {
        /// The rejected operation.
        what: &'static str,
        /// Place of the call.
        from: &'static str,
    },
}
