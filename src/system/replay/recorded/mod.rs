//! Recorded environment of a replay: results in place of configurations, memories, files, sockets,
//! decoders and doorbells.

mod config;
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
