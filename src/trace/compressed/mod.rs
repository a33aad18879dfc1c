//! Compressed recordings: zstd frames, each with whole blocks of a recording, and a seek table at their end.
//!
//! `zstd -d` gives the recording. A frame can be unpacked without those before it. The table has zstd's seekable format, so that other
//! programs find frames, too; without it, as after a crash, frames are found by the sizes of their parts.
//!
//! - `container`: layout of frames; `seek_table`: table of frames.
//! - `compressor`: writer; `unpacker`: reader.

mod compressor;
mod container;
mod seek_table;
mod unpacker;

pub(super) use compressor::Compressor;
pub(super) use container::is_compressed;
pub(super) use unpacker::{Unpacked, Unpacker};

/// Logarithm of the largest window that is unpacked: 8 MiB, as `zstd -d` takes without an option.
const MOST_WINDOW: u32 = 23;

/// Largest block of a compressed recording, in bytes. A few bytes may unpack to it.
pub(super) const MOST_BLOCK: u32 = 1 << 28;
