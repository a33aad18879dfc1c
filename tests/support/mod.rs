//! Test kit for whole systems: for tests of the public API and of the command, and for fuzz
//! targets.
//!
//! - [`ram`]: static memory that mock firmware shares with the host. [`reports`]: collected
//!   reports.
//! - [`kept_bytes`]: collected text.
//! - [`two_channels`]: a system with mock firmware on two channels.
//! - [`host_fixture`]: a system for hostile firmware, with all kinds of memories, files and
//!   methods.
//! - [`session`]: a run with much activity of every actor.
//! - [`elf`], [`frames`]: images and recordings, taken apart and built.
//! - [`c_host`]: the C ABI from Rust. [`c_build`]: programs in C.
//!
//! Tests of single modules use `src/testing`.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

pub(crate) mod c_build;
#[allow(unsafe_code, reason = "the C ABI is called by C symbols")]
pub(crate) mod c_host;
pub(crate) mod elf;
pub(crate) mod frames;
pub(crate) mod host_fixture;
pub(crate) mod kept_bytes;
pub(crate) mod ram;
pub(crate) mod reports;
pub(crate) mod session;
pub(crate) mod two_channels;
