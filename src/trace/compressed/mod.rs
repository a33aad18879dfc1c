//! Compressed recordings: zstd frames, each with complete blocks of a recording, and a seek table
//! at the end.
//!
//! `zstd -d` restores the recording. A frame can be unpacked without the frames before it. The
//! table has zstd's seekable format, so that other programs find frames, too. Without a table, as
//! after a crash, frames are found by the sizes of their parts.
//!
//! - `container`: layout of frames; `seek_table`: table of frames.
//! - `compressor`: writer; `unpacker`: reader.

mod compressor;
mod container;
mod seek_table;
#[cfg(test)]
mod tests;
mod unpacker;

pub(super) use compressor::Compressor;
pub(super) use container::is_compressed;
pub(super) use unpacker::{UnpackError, Unpacker};

/// Logarithm of the largest accepted window: 8 MiB, the default limit of `zstd -d`.
const MAX_WINDOW_LOG: u32 = 23;

/// Maximum size of a block in a compressed recording, in bytes. A few bytes may unpack to that
/// size.
pub(super) const MAX_BLOCK_BYTES: u32 = 1 << 28;
