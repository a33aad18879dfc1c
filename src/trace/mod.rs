//! Recordings of the bus: every message and reply of a run, in a file that outlives it.
//!
//! - [`Header`]: where a recording comes from, with the texts of its configuration.
//! - [`Recorder`]: a tap that writes one.
//! - [`Trace`]: reads one, frame by frame, and believes nothing of it.
//! - [`decode`]: the message or reply of a frame, as the type that it was.
//!
//! `docs/trace.md` has the format of the file.

mod error;
mod format;
mod payload;
mod reader;
mod recorder;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use error::{Damage, TraceError};
pub use format::{FORMAT, Header, Kind, Payloads, Source};
pub use reader::{Entry, Said, Trace};
pub use recorder::Recorder;
pub use vocabulary::decode;
pub(crate) use vocabulary::{Encodings, answer, whole};
