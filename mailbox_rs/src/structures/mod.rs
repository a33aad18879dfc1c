//! Structures that the host writes to firmware's memory: the same bytes for both pointer widths,
//! little endian.
//!
//! Source: protocol, section *Structures*.

mod directory;
mod status;
mod time;

pub use directory::{DirectoryRecord, NAME_MAX, NameTooLong};
pub use status::{FileStatus, FileType};
pub use time::Timestamp;

pub(crate) use crate::bytes::get_u32;

/// 64 bits at `at`.
pub(crate) fn get_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
