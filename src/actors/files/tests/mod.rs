//! Tests of the files actor alone, with real directories and a mock of the host program.

mod bench;
mod disk;
mod flags;
mod sandbox;
mod special;
