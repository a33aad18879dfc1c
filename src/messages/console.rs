//! What the console is sent.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ChannelId;
use crate::bus::inbox;

/// Takes text of a channel and puts out the lines that it completes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// Whose.
    pub channel: ChannelId,
    /// UTF-8, though nobody promised it.
    pub text: Bytes,
}

/// Puts out the line that a channel has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// Whose; every channel's where there is none.
    pub channel: Option<ChannelId>,
}

/// Gives lines to the testbench from now on, which shows them among its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect;

inbox! {
    /// All that the console is sent.
    "console" {
        Print -> (),
        Finish -> (),
        Redirect -> (),
    }
}
