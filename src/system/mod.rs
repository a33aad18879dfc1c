//! Running system: actors on a bus, and its Rust API.
//!
//! - `api`: methods and functions for Rust programs.
//! - `checkpoint`: state of a system in a file.
//! - `replay`: replay of a recording.
//! - `assembly`: a system from its configurations and its environment.
//! - `running`: state that the calls of a running system share.
//! - `recorded_messages`: messages of a recording, for a replay.
//! - `error`: errors of all calls.
//!
//! A folder uses only the folders below it in this list.

mod api;
mod assembly;
mod checkpoint;
mod error;
mod recorded_messages;
mod replay;
mod running;

pub use api::{
    Builder, ChannelExit, MailboxInitPaths, MemoryView, Snapshots, Sockets, SpaceView, Spaces,
    mailbox_init, mailbox_init_with_config, mailbox_init_with_paths, mb_server_run,
};
pub(crate) use api::{InitPaths, SocketService, record_failure};
pub use assembly::unreplaced_traps;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use error::{CallbackResult, Error};
pub use replay::{ActorName, Cut, Divergence, NoSuchActor, Replay, ReplayError, ReplaySummary};
pub(crate) use running::WatchdogTimeout;
pub use running::{HostProgramCall, Vhost};
