//! Messages to the console.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ChannelId;
use super::checkpoint::SavedText;
use crate::bus::inbox;

/// Appends text of a channel, and prints the lines that it completes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// Source of the text.
    pub channel: ChannelId,
    /// Text. UTF-8 is expected, but not guaranteed.
    pub text: Bytes,
}

/// Appends text of a channel's standard error. Prints the lines that it completes, marked as
/// standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintError {
    /// Source of the text.
    pub channel: ChannelId,
    /// Text. UTF-8 is expected, but not guaranteed.
    pub text: Bytes,
}

/// Appends text of a further source of a channel. Prints the lines that it completes, with its
/// mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintMarked {
    /// Channel of the text.
    pub channel: ChannelId,
    /// Number of the source within the channel. Each has a line of its own.
    pub source: u32,
    /// Mark in front of each line, such as the name of a buffer.
    pub mark: String,
    /// Text. UTF-8 is expected, but not guaranteed.
    pub text: Bytes,
}

/// Writes bytes of a channel unchanged to the console's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutRaw {
    /// Source of the bytes.
    pub channel: ChannelId,
    /// True for standard error.
    pub is_error: bool,
    /// The bytes.
    pub data: Bytes,
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

/// Asks for the incomplete lines, for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save;

/// Replaces the incomplete lines by those of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Text of the checkpoint.
    pub text: SavedText,
}

inbox! {
    /// All messages to the console.
    "console" {
        Print -> () { channel: channel, payload: text },
        Finish -> () { channel: channel, payload: none },
        Redirect -> () { channel: none, payload: none },
        PrintError -> () { channel: channel, payload: text },
        PrintMarked -> () { channel: channel, payload: text },
        PutRaw -> () { channel: channel, payload: data },
        Save -> SavedText { channel: none, payload: none },
        Restore -> () { channel: none, payload: text },
    }
}
