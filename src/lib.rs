//! Verification host for co-simulation: firmware on a simulated CPU asks, this library answers.
//!
//! Firmware writes requests into mailbox queues in its own memory. The host reads them there by backdoor, on
//! each tick of the simulation, serves them, and writes the responses back.
//!
//! # The house, from top to bottom
//!
//! - `ffi`: what a simulator calls, the C ABI of `include/vhost.h`.
//! - [`Vhost`] and the `mailbox_init` functions (`system`): configuration turned into running actors.
//! - `foreign`: what we call: the simulator, the callbacks of a Rust host program, methods in Python.
//! - `actors`: mailbox server, memory, RPC dispatcher, files, console, sockets: state and decisions.
//! - [`messages`]: everything they may say to each other.
//! - [`bus`]: carries it; the only place that waits.
//! - [`config`]: the two YAML files. [`mem`]: what memory is, without actors. `printf`: C's formats.
//! - [`trace`]: recordings of it all. [`attach`]: loggers, checkers, collectors.
//! - `guest`: files and streams that leave the process as it is.
//! - `sim`: safe wrappers over the simulator's symbols.
//!
//! Arrows run down only; a test holds them. All of it runs on the thread of its caller.

#![cfg_attr(
    not(feature = "c_abi"),
    allow(
        dead_code,
        reason = "symbols that are left out leave unused what only they use"
    )
)]

mod actors;
pub mod attach;
pub mod bus;
pub mod config;
mod ffi;
mod foreign;
mod guest;
pub mod mem;
pub mod messages;
mod printf;
mod sim;
mod system;
pub mod trace;

pub use ffi::{Configure, HostError, with_host};
pub use foreign::{CallResult, FileOpener, MemoryModel, ModelError, Openers, SpecialFile};
pub use messages::foreign::Severity;
pub use messages::rpc::Progress;
pub use system::{
    ActorName, Builder, Call, CallbackResult, ChannelExit, Difference, Error, MailboxInitPaths,
    MemoryView, NoSuchActor, Replay, ReplayError, Replayed, Sockets, SpaceView, Spaces, Vhost,
    mailbox_init, mailbox_init_with_config, mailbox_init_with_paths, mb_server_run,
};

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// And those of the page on recordings.
#[cfg(doctest)]
#[doc = include_str!("../docs/trace.md")]
struct Recordings;

/// And those of the page on what can be attached.
#[cfg(doctest)]
#[doc = include_str!("../docs/attach.md")]
struct Attached;

/// And so do those of the page on memories.
#[cfg(doctest)]
#[doc = include_str!("../docs/memories.md")]
struct Memories;
