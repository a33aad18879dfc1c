//! Tests of the files actor alone, with real directories and a mock of the host program.

mod directories;
mod disk;
mod fixture;
mod flags;
mod linux;
mod posix;
mod restored;
mod sandbox;
mod special;
