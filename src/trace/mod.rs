//! Recordings of the bus: every message and reply of a run in a file.
//!
//! - [`Header`]: origin of a recording, with the texts of its configuration.
//! - [`RunIdentity`]: identity of the run among others.
//! - [`Recorder`]: a tap that writes a recording.
//! - [`Trace`]: reads a recording, frame by frame, and validates it.
//! - [`Matcher`]: compares two recordings.
//! - [`is_same_file`]: protects a recording from being overwritten.
//! - [`decode`]: deserializes the message or reply of a frame to its type.
//!
//! `docs/trace.md` describes the format of the file.

mod block_reader;
mod blocks;
mod chunks;
mod codec;
mod compressed;
mod entry;
mod error;
mod format;
mod frame_header;
mod identity;
mod input;
mod kind_map;
mod landmark;
mod matcher;
mod open;
mod output;
mod payload;
mod reader;
mod recorder;
mod same_file;
mod serializer;
mod writer;

#[cfg(test)]
mod tests;

pub use codec::decode;
pub(crate) use codec::{Encoding, decode_borrowed, deserialize, encode, send_reply};
pub use entry::{Content, Entry};
pub(crate) use entry::{ContentRef, EntryRef};
pub use error::{FrameError, TraceError};
pub(crate) use format::DECISION;
pub use format::{FORMAT, Header, Kind, OLDEST_FORMAT, Payloads, Source};
pub use identity::RunIdentity;
pub(crate) use kind_map::KindMap;
#[doc(hidden)]
pub use matcher::Matcher;
pub(crate) use open::OpenMessages;
pub use reader::Trace;
pub use recorder::Recorder;
#[doc(hidden)]
pub use same_file::is_same_file;
pub(crate) use writer::Writer;
