//! What is in the file.
//!
//! `VHOSTTRC`, the format's version in 4 bytes, then frames: length and CRC-32 of the rest, 4 bytes each, and the rest in the standard
//! configuration of bincode 2, little-endian like all of it. The first frame is a [`Header`], each further one begins with a
//! [`Head`].

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::config::Defaults;

/// How a recording begins.
pub(super) const MAGIC: [u8; 8] = *b"VHOSTTRC";

/// The version that is written, and the only one that is read.
pub const FORMAT: u32 = 2;

/// Bytes of a frame's length and checksum.
pub(super) const PREFIX: usize = 8;

/// Where a recording comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the library that recorded it.
    pub version: String,
    /// Whether it has all messages from the first on. Only such a recording can be replayed.
    pub whole: bool,
    /// What became of the bytes that messages carry.
    pub payloads: Payloads,
    /// The memory configuration.
    pub memories: Option<Source>,
    /// The mailbox configuration.
    pub mailboxes: Option<Source>,
    /// The variables that the configurations name, with their values.
    pub variables: BTreeMap<String, Option<String>>,
    /// The files that the configurations name: an outline of each image (in older recordings, all of it), and which of the others
    /// were there.
    pub files: BTreeMap<String, Option<Bytes>>,
    /// What held where the configurations do not say.
    pub defaults: Defaults,
    /// Whether firmware had files below a root.
    pub file_root: bool,
    /// The most bytes that were queued for one client of a socket.
    pub socket_queue: usize,
    /// Sockets that were opened before, and closed: their numbers are not used again.
    pub sockets_opened: u64,
    /// Extensions of files that the host program opened.
    pub extensions: Vec<String>,
    /// Names below `virtual/` that the host program opened.
    pub virtuals: Vec<String>,
}

impl Header {
    /// Of a recording without a configuration, by this library.
    pub fn new() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            whole: false,
            payloads: Payloads::Keep,
            memories: None,
            mailboxes: None,
            variables: BTreeMap::new(),
            files: BTreeMap::new(),
            defaults: Defaults::of_features(),
            file_root: false,
            socket_queue: 0,
            sockets_opened: 0,
            extensions: Vec::new(),
            virtuals: Vec::new(),
        }
    }
}

impl Default for Header {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its file, for messages.
    pub file: String,
    /// All of it.
    pub text: String,
}

/// What becomes of the bytes that messages carry, where they are more than a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payloads {
    /// They are recorded.
    #[default]
    Keep,
    /// A hash stands for them, by which recordings can be compared.
    Hash,
    /// They are left out.
    Drop,
}

/// What a frame after the header begins with. The message or reply itself is the rest of the frame, in the same layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Head {
    /// What messages that follow have in common. The first has number 0.
    Kind(Kind),
    Message {
        sequence: u64,
        root: u64,
        tick: u64,
        kind: u32,
        awaited: bool,
    },
    Reply {
        sequence: u64,
        tick: u64,
    },
    /// There was no answer.
    Dropped {
        sequence: u64,
        tick: u64,
    },
    /// The reply or missing answer before is that of this message too, which was handed on to another party.
    Again {
        sequence: u64,
    },
}

/// What all messages of one type from one party to another have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kind {
    /// The sender's name.
    pub from: String,
    /// The receiver's name; `nobody` for what is announced.
    pub to: String,
    /// The message's name.
    pub name: String,
}
