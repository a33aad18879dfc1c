//! Verification host for co-simulation: serves the requests of firmware on a simulated CPU.
//!
//! Firmware writes requests into mailbox queues in its own memory. On each tick of the simulation,
//! the host reads them there by backdoor, serves them, and writes the responses back.
//!
//! # Modules, from top to bottom
//!
//! - `ffi`: C ABI of `include/vhost.h`, called by the simulator.
//! - `system`: start of a system's actors from its configuration; [`Vhost`] and the `mailbox_init`
//!   functions.
//! - `backend`: backends of memories.
//! - `foreign`: outgoing calls: the simulator, callbacks of a Rust host program, methods in Python.
//! - `trace`: recordings.
//! - `attach`: loggers, checkers, statistics.
//! - `actors`: state and decisions of the front ends, memory, RPC dispatcher, files, console and
//!   sockets.
//! - `messages`: every message between them.
//! - `bus`: delivery of messages; the only module that waits.
//! - `config`: the two YAML files.
//! - `channel`: protocols, places and services of channels.
//! - `mem`: memory without actors.
//! - `printf`: formats of C.
//! - `guest`: files and streams that leave the process as it is; copies of the process.
//! - `sim`: safe wrappers over the simulator's symbols.
//!
//! Dependencies point down only; a test checks them. Everything runs on the caller's thread.

#![cfg_attr(
    not(feature = "c_abi"),
    allow(
        dead_code,
        reason = "symbols that are left out leave unused what only they use"
    )
)]

mod actors;
pub mod attach;
mod backend;
pub mod bus;
mod channel;
pub mod config;
mod ffi;
mod foreign;
mod guest;
pub mod mem;
pub mod messages;
mod printf;
mod sim;
mod system;
#[cfg(test)]
mod testing;
pub mod trace;

pub use backend::{MemoryModel, ModelError};
pub use ffi::{Configure, HostError, with_host};
pub use foreign::{CallResult, FileOpener, Openers, SpecialFile};
pub use guest::{Rerun, Runs};
pub use messages::foreign::Severity;
pub use messages::rpc::Progress;
pub use system::{
    ActorName, Builder, CallbackResult, ChannelExit, Checkpoint, CheckpointError, Cut, Divergence,
    Error, HostProgramCall, MailboxInitPaths, MemoryView, NoSuchActor, Replay, ReplayError,
    ReplaySummary, Snapshots, Sockets, SpaceView, Spaces, Vhost, mailbox_init,
    mailbox_init_with_config, mailbox_init_with_paths, mb_server_run, unreplaced_traps,
};

/// Compiled examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiled examples of the page on recordings.
#[cfg(doctest)]
#[doc = include_str!("../docs/trace.md")]
struct Recordings;

/// Compiled examples of the page on loggers and checkers.
#[cfg(doctest)]
#[doc = include_str!("../docs/attach.md")]
struct Attached;

/// Compiled examples of the page on snapshots.
#[cfg(doctest)]
#[doc = include_str!("../docs/snapshots.md")]
struct Forked;

/// Compiled examples of the page on static memories.
#[cfg(doctest)]
#[doc = include_str!("../docs/memories.md")]
struct Memories;

/// Compiled examples of the page on migrating.
#[cfg(doctest)]
#[doc = include_str!("../docs/migrating.md")]
struct Migrating;
