//! File format of recordings.
//!
//! The file starts with `VHOSTTRC` and the format version in 4 bytes, followed by
//! [blocks](super::blocks) of frames. The first frame is a [`Header`], in format 4 followed by a
//! [`RunIdentity`]. Each further frame starts with a
//! [`FrameHeader`](super::frame_header::FrameHeader). Contents are in the standard configuration of
//! bincode 2. All numbers are little-endian.
//!
//! A [compressed](super::compressed) recording has format 5 and [landmarks](super::landmark).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::identity::RunIdentity;
use crate::config::Defaults;

/// Magic number at the start of a recording.
pub(super) const MAGIC: [u8; 8] = *b"VHOSTTRC";

/// Newest format version, used for compressed recordings.
pub const FORMAT: u32 = 5;

/// Format version of an uncompressed recording with an identity.
pub(super) const IDENTITY_FORMAT: u32 = 4;

/// Oldest format version that is read.
pub const OLDEST_FORMAT: u32 = 3;

/// Origin of a recording, with its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the library that recorded it.
    pub version: String,
    /// True if the recording starts with the first message. Only such a recording can be replayed.
    pub whole: bool,
    /// Treatment of payloads.
    pub payloads: Payloads,
    /// Memory configuration.
    pub memories: Option<Source>,
    /// Mailbox configuration.
    pub mailboxes: Option<Source>,
    /// Environment variables that the configurations refer to, with their values, and decisions of
    /// the run, whose names start with `=`. [`named_variables`](Self::named_variables) returns only
    /// the variables.
    pub variables: BTreeMap<String, Option<String>>,
    /// Files that the configurations refer to: an outline of each image (in older recordings, the
    /// whole image), and for other files if they exist.
    pub files: BTreeMap<String, Option<Bytes>>,
    /// Defaults for keys that the configurations do not set.
    pub defaults: Defaults,
    /// True if firmware had files below a root.
    pub file_root: bool,
    /// Maximum number of queued bytes for one client of a socket.
    pub socket_queue: usize,
    /// Number of sockets that were opened before the recording. Their numbers are not reused.
    pub sockets_opened: u64,
    /// Extensions of files that the host program opened.
    pub extensions: Vec<String>,
    /// Names below `virtual/` that the host program opened.
    pub virtuals: Vec<String>,
    /// Identity of the run, in a separate value after the header.
    #[serde(skip)]
    pub run: RunIdentity,
    /// True to compress the recording. After reading, true if the file is compressed.
    #[serde(skip)]
    pub compressed: bool,
}

/// First character of a decision's name among the variables, which no variable has.
pub(crate) const DECISION: char = '=';

impl Header {
    /// Format version for all of this header.
    pub(super) fn format(&self) -> u32 {
        match (self.compressed, self.run.is_empty()) {
            (true, _) => FORMAT,
            (false, false) => IDENTITY_FORMAT,
            (false, true) => OLDEST_FORMAT,
        }
    }

    /// Environment variables that the configurations refer to, with their values; `None` for an
    /// unset one.
    pub fn named_variables(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let variables = self.variables.iter();
        let named = variables.filter(|(name, _)| !name.starts_with(DECISION));
        named.map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Header of a recording by this library, without a configuration.
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
            run: RunIdentity::default(),
            compressed: false,
        }
    }
}

impl Default for Header {
    fn default() -> Self {
        Self::new()
    }
}

/// Text of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Path of the file, for error messages.
    pub file: String,
    /// Whole text.
    pub text: String,
}

/// Treatment of payloads: the bytes in messages, if there are more than a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payloads {
    /// Record them.
    #[default]
    Keep,
    /// Record a hash instead, by which recordings can be compared.
    Hash,
    /// Omit them.
    Drop,
}

/// Common properties of all messages of one type from one sender to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kind {
    /// Name of the sender.
    pub from: String,
    /// Name of the receiver; `nobody` for events.
    pub to: String,
    /// Name of the message.
    pub name: String,
}
