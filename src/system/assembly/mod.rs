//! Assembly of a system from its configurations and its environment.
//!
//! - `parts`: components of a system; `wiring`: actors from them, and their start.
//! - `environment`: sources of nondeterminism, live or recorded.
//! - `config_inputs`: inputs of a configuration, for a recording.
//! - `loader`: initial contents of memories; `stubs`: code in place of traps of semihosting.
//! - `defmt`: decoders of frames by the images of channels.
//! - `actors`: start of single actors; `registration`: channels in the testbench.
//! - `python`: access of Python code; `log`: the library's log.

mod actors;
mod config_inputs;
mod defmt;
mod environment;
mod loader;
mod log;
mod parts;
#[cfg(feature = "python")]
mod python;
mod registration;
mod stubs;
mod wiring;

pub(super) use actors::{start_rpc, start_sockets};
pub(super) use config_inputs::{RecordingEnvironment, recorder};
pub(super) use environment::{DirectCalls, Environment};
pub(super) use loader::{LOAD, Loader};
pub(super) use log::start as start_log;
pub(super) use parts::{HostCallback, Started, SystemParts};
pub(super) use stubs::MAX_TRAPS;
pub use stubs::unreplaced_traps;
pub(super) use wiring::PendingStart;
