//! Recorded environment of a replay: results in place of memories, files, sockets, decoders and
//! doorbells.

mod disk;
mod doorbells;
mod frames;
mod memory;
mod network;
mod output;

pub(super) use disk::RecordedDisk;
pub(super) use doorbells::RecordedDoorbells;
pub(super) use frames::RecordedFrames;
pub(super) use memory::{NoMemory, RecordedMemory};
pub(super) use network::RecordedNetwork;
pub(super) use output::RecordedOutput;
