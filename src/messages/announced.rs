//! What is announced: taps see it, and nobody is sent it.
//!
//! A recording needs some of it to be replayed: what came from outside and is no message, such as what a look at a file gave.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};
use serde::{Deserialize, Serialize};

pub use super::mailbox::{Rang, Served};
use super::sockets::OsError;
use crate::bus::inbox;

/// The memories have their first content, and the channels are taken from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Began;

/// Somebody said that something was written to a mailbox: the next tick looks at all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified;

/// The testbench has asked to be told of what is served, of what is written into memory, or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observing {
    /// Of requests that are served.
    pub served: bool,
    /// Of writes into memory.
    pub written: bool,
}

/// A file below the root was opened, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOpened {
    /// Its path from the root.
    pub path: String,
    /// How.
    pub flags: OpenFlags,
    /// Whether it was.
    pub opened: Result<(), Errno>,
}

/// Reason of a [`FileOpened`] that failed, where the error number does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRefused {
    /// A clause about the path.
    pub reason: String,
}

/// A file below the root was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRead {
    /// What it gave.
    pub read: Result<Bytes, Errno>,
}

/// A file below the root was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWritten {
    /// How many bytes it took.
    pub written: Result<u64, Errno>,
}

/// A file below the root stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSought {
    /// Where, in bytes from its start.
    pub sought: Result<u64, Errno>,
}

/// The network answered the socket manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkAnswered {
    /// The port that it listens on.
    Listen(Result<u16, OsError>),
    /// Whether a client came.
    Accept(Result<bool, OsError>),
    /// How many bytes it took; none while it takes no more.
    Send(Result<Option<usize>, OsError>),
    /// What came, nothing at the end of the stream; none while nothing is there.
    Receive(Result<Option<Bytes>, OsError>),
}

inbox! {
    /// All that is announced. Nobody has such an inbox; it is a list, by which a recording is read.
    "nobody" {
        Began -> (),
        Notified -> (),
        Observing -> (),
        Rang -> (),
        Served -> (),
        FileOpened -> (),
        FileRead -> (),
        FileWritten -> (),
        FileSought -> (),
        NetworkAnswered -> (),
        FileRefused -> (),
    }
}
