//! What a user of the system can do wrong.

use std::path::PathBuf;

use thiserror::Error;

use crate::attach::AttachError;
use crate::bus::BusError;
use crate::config::{ConfigError, ExpandError};
use crate::foreign::NoRoom;
use crate::mem::{AccessError, ImageError, InitialError, LoadError};
use crate::messages::rpc::CallError;
use crate::messages::sockets::SocketError;
use crate::trace::TraceError;

/// Why a call failed.
#[derive(Debug, Error)]
pub enum Error {
    /// An environment variable is not set.
    #[error("environment variable {variable} is not set: it names {what}")]
    Environment {
        /// Its name.
        variable: &'static str,
        /// What it is for.
        what: &'static str,
    },
    /// The filter of the library's own log is none.
    #[error(
        "environment variable {variable}: `{filter}` is no filter of the library's log: {cause}"
    )]
    LogFilter {
        /// Its name.
        variable: &'static str,
        /// What it says.
        filter: String,
        /// What is wrong with it.
        cause: tracing_subscriber::filter::ParseError,
    },
    /// The root of firmware's files is no directory.
    #[error("{} can't be the root of firmware's files: {cause}", path.display())]
    FileRoot {
        /// The path.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// A recording can't be written, or read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// `VHOST_TRACE_PAYLOADS` is something else.
    #[error(
        "environment variable VHOST_TRACE_PAYLOADS is `{value}`; it may be `keep`, `hash` or `drop`"
    )]
    TracePayloads {
        /// What it is.
        value: String,
    },
    /// `VHOST_WATCHDOG` is something else.
    #[error(
        "environment variable VHOST_WATCHDOG is `{value}`; it may be a number of ticks, and behind a colon `info`, `warning`, \
         `error` or `fatal`"
    )]
    Watchdog {
        /// What it is.
        value: String,
    },
    /// Something can't be attached.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// `VHOST_ATTACH` names what can't be attached.
    #[error("environment variable VHOST_ATTACH: {0}")]
    AttachVariable(AttachError),
    /// The value of an environment variable names another that is not set.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// A configuration file is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A memory of backend `model` has no model.
    #[error(
        "memory `{memory}` of space `{space}` has backend `model`, and the host program has registered no model for it: call \
         `Builder::memory_model(\"{memory}\", …)`, or choose another backend"
    )]
    NoModel {
        /// Its name.
        memory: String,
        /// A space that sees it.
        space: String,
    },
    /// A model has no memory.
    #[error(
        "a model is registered for memory `{name}`, and no memory of backend `model` is called so: `model` is a memory's key \
         `backend` in the memory configuration"
    )]
    UnusedModel {
        /// The name that it was registered under.
        name: String,
    },
    /// The host program's own setup has failed.
    #[error("the host program's setup failed: {0}")]
    Setup(Box<dyn std::error::Error>),
    /// A memory can't be in this process.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// A memory can't be given its first content.
    #[error(transparent)]
    Initial(#[from] InitialError),
    /// A file is no image that can be loaded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// An image does not fit the memories of a space.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An access failed.
    #[error("space `{space}`, {address:#x}: {cause}")]
    Access {
        /// Name of the space.
        space: String,
        /// Where the access starts.
        address: u64,
        /// Why.
        cause: AccessError,
    },
    /// The first content of a memory can't be written.
    #[error("init: {0}")]
    Initialise(AccessError),
    /// There is no such space.
    #[error("there is no space `{name}`; the memory configuration has: {known}")]
    NoSpace {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// There is no such channel.
    #[error("there is no channel `{name}`; the mailbox configuration has: {known}")]
    NoChannel {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A call can't be made.
    #[error("channel `{channel}`: {cause}")]
    Call {
        /// Name of the channel.
        channel: String,
        /// Why.
        cause: CallError,
    },
    /// A socket can't do it.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The bus could not do it.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Service has ended for good.
    #[error("{0}")]
    Fatal(String),
    /// A Rust program starts a system from inside a call of the C ABI.
    #[error(
        "a vhost can't be started from inside a call of the C ABI, which has one: return from that call first, or use `with_host`"
    )]
    InsideCall,
    /// This thread has a system already.
    #[error("this thread has a running vhost: one a thread at a time; shut it down first")]
    AlreadyRunning,
    /// A callback of the host program's refuses to go on.
    #[error("the callback for {what} failed: {cause}")]
    Callback {
        /// Which.
        what: &'static str,
        /// Its error.
        cause: Box<dyn std::error::Error>,
    },
}
