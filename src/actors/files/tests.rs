//! The actor alone: real directories, and a host program that is played.

mod bench;
mod disk;
mod sandbox;
mod special;
