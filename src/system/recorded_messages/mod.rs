//! Messages of a recording, for a replay.
//!
//! - `send_recorded`: recorded messages that are sent again.
//! - `absent`: ports of absent actors, whose messages wait for their recorded replies.

mod absent;
mod send_recorded;

pub(super) use absent::{OnMessage, SendReply, UnansweredMessage, absent_port};
pub(super) use send_recorded::{RecordedMessage, SendRecorded};
