//! Texts of a request and its response.

use std::fmt::{self, Display};

use mailbox_rs::{Request, RequestEntry, Response};

/// Displays a request.
pub(super) struct RequestText<'a>(pub(super) &'a RequestEntry);

impl Display for RequestText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Request::try_from(self.0) {
            Ok(request) => write!(f, "{request}"),
            Err(problem) => write!(f, "{}: {problem}", self.0),
        }
    }
}

/// Displays a response.
pub(super) struct ResponseText(pub(super) Response);

impl Display for ResponseText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Response::Empty => f.write_str("done"),
            Response::Value(value) => write!(f, "gives {value:#x}"),
            Response::Error(errno) => write!(f, "fails: {errno}"),
        }
    }
}
