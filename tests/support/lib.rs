//! Test kit for whole systems: for tests of the public API and of the command, and for fuzz
//! targets. A package, so that it is compiled once.
//!
//! - [`ram`]: static memory that mock firmware shares with the host. [`reports`]: collected
//!   reports.
//! - [`kept_bytes`]: collected text.
//! - [`two_channels`]: a system with mock firmware on two channels.
//! - [`host_fixture`]: a system for hostile firmware, with all kinds of memories, files and
//!   methods.
//! - [`session`]: a run with much activity of every actor.
//! - [`elf`], [`frames`]: images and recordings, taken apart and built.
//! - [`project`]: files of the project, for checks of their form.
//! - [`c_host`]: the C ABI from Rust. [`c_build`]: programs in C.
//!
//! Tests of single modules use `src/testing`.

#![allow(missing_docs, reason = "names of helpers are enough")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

pub mod c_build;
#[allow(unsafe_code, reason = "the C ABI is called by C symbols")]
pub mod c_host;
pub mod elf;
pub mod frames;
pub mod host_fixture;
pub mod kept_bytes;
pub mod project;
pub mod ram;
pub mod reports;
pub mod session;
pub mod two_channels;
