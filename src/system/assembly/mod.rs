//! Assembly of a system from its configurations and its environment.
//!
//! - `system_components`: components of a system; `wiring`: actors from them, and their start.
//! - `environment`: sources of nondeterminism, live or recorded.
//! - `recording_environment`: inputs of a configuration, for a recording; `recorder`: its start.
//! - `loader`: initial contents of memories; `stubs`: code in place of traps of semihosting.
//! - `defmt`: decoders of frames by the images of channels.
//! - `actors`: start of single actors; `registration`: channels in the testbench.
//! - `python`: access of Python code; `log`: the library's log.

mod actors;
mod defmt;
mod environment;
mod loader;
mod log;
#[cfg(feature = "python")]
mod python;
mod recorder;
mod recording_environment;
mod registration;
mod stubs;
mod system_components;
mod wiring;

pub(super) use actors::{start_rpc, start_sockets};
pub(super) use environment::{DirectCalls, Environment};
pub(super) use loader::{LOAD, Loader};
pub(super) use log::start as start_log;
pub(super) use recorder::recorder;
pub(super) use recording_environment::{RecordingEnvironment, decision_name, name_of};
pub(super) use stubs::MAX_TRAPS;
pub use stubs::unreplaced_traps;
pub(super) use system_components::{HostCallback, OnStart, SystemComponents};
pub(super) use wiring::PendingStart;
