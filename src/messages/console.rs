//! Messages to the console.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ChannelId;
use crate::bus::inbox;

/// Appends text of a channel, and prints the lines that it completes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// Source of the text.
    pub channel: ChannelId,
    /// Text. UTF-8 is expected, but not guaranteed.
    pub text: Bytes,
}

/// Prints the incomplete line of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// Channel to finish; `None` for all channels.
    pub channel: Option<ChannelId>,
}

/// Sends later lines to the testbench, which prints them with its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect;

inbox! {
    /// All messages to the console.
    "console" {
        Print -> () { channel: channel, payload: text },
        Finish -> () { channel: channel, payload: none },
        Redirect -> () { channel: none, payload: none },
    }
}
