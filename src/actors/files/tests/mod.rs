//! Tests of the files actor alone, with real directories and a mock of the host program.

mod bench;
mod directories;
mod disk;
mod flags;
mod linux;
mod posix;
mod restored;
mod sandbox;
mod special;
