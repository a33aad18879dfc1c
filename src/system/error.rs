//! Errors of the Rust API.

use std::error::Error as StdError;
use std::path::PathBuf;

use thiserror::Error;

use super::checkpoint::CheckpointError;
use crate::attach::AttachError;
use crate::backend::AllocError;
use crate::bus::BusError;
use crate::config::{ConfigError, ExpandError};
use crate::mem::{AccessError, ImageError, InitialError, LoadError};
use crate::messages::front_end::{OperateError, StdinError};
use crate::messages::rpc::CallError;
use crate::messages::sockets::SocketError;
use crate::trace::TraceError;

/// Result of a callback of [`mailbox_init`](super::mailbox_init).
pub type CallbackResult = Result<(), Box<dyn StdError>>;

/// Error of a call.
#[derive(Debug, Error)]
pub enum Error {
    /// Unset environment variable.
    #[error("environment variable {variable} is not set: it is the path of {what}")]
    Environment {
        /// Variable name.
        variable: &'static str,
        /// Purpose of the variable.
        what: &'static str,
    },
    /// Invalid filter of the library's log.
    #[error(
        "environment variable {variable}: `{filter}` is not a filter of the library's log: {cause}"
    )]
    LogFilter {
        /// Variable name.
        variable: &'static str,
        /// Its value.
        filter: String,
        /// Reason of the rejection.
        cause: tracing_subscriber::filter::ParseError,
    },
    /// Root of firmware's files that is not a directory.
    #[error("{} can't be the root of firmware's files: {cause}", path.display())]
    FileRoot {
        /// Path of the root.
        path: PathBuf,
        /// Reason of the rejection.
        cause: std::io::Error,
    },
    /// Change of the root in a system without a root.
    #[error(
        "firmware has no files: build the system with a root, by MAILBOX_FS_ROOT or the third argument of mb_init"
    )]
    NoFileRoot,
    /// Standard input that takes no bytes.
    #[error("channel `{channel}`: {cause}")]
    Stdin {
        /// Name of the channel.
        channel: String,
        /// Reason of the rejection.
        cause: StdinError,
    },
    /// Operation of semihosting that can't be carried out.
    #[error("channel `{channel}`: {cause}")]
    Semihost {
        /// Name of the channel.
        channel: String,
        /// Reason of the rejection.
        cause: OperateError,
    },
    /// Channel without code in place of traps.
    #[error(
        "channel `{channel}` has no code in place of traps of semihosting; give it `abi: semihosting` and `stub`, and load its image"
    )]
    NoStub {
        /// Name of the channel.
        channel: String,
    },
    /// Recording can't be written or read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Invalid value of `VHOST_TRACE_PAYLOADS`.
    #[error(
        "environment variable VHOST_TRACE_PAYLOADS is `{value}`; give `keep`, `hash` or `drop`"
    )]
    TracePayloads {
        /// Its value.
        value: String,
    },
    /// Invalid value of `VHOST_TRACE_COMPRESS`.
    #[error("environment variable VHOST_TRACE_COMPRESS is `{value}`; give `zstd` or `none`")]
    TraceCompress {
        /// Its value.
        value: String,
    },
    /// Invalid value of `VHOST_WATCHDOG`.
    #[error(
        "environment variable VHOST_WATCHDOG is `{value}`; give a number of ticks, and after a \
         colon perhaps `info`, `warning`, `error` or `fatal`"
    )]
    Watchdog {
        /// Its value.
        value: String,
    },
    /// Failed attachment.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// Failed attachment of `VHOST_ATTACH`.
    #[error("environment variable VHOST_ATTACH: {0}")]
    AttachVariable(AttachError),
    /// Unset variable in the value of an environment variable.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// Refused configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Memory of backend `model` without a model.
    #[error(
        "memory `{memory}` of space `{space}` has backend `model`, but the host program has \
         registered no model for it: call `Builder::memory_model(\"{memory}\", …)`, or choose \
         another backend"
    )]
    NoModel {
        /// Memory name.
        memory: String,
        /// Space of the memory.
        space: String,
    },
    /// Model without a memory.
    #[error(
        "a model is registered for memory `{name}`, but no memory of backend `model` has this \
         name: `model` is a memory's key `backend` in the memory configuration"
    )]
    UnusedModel {
        /// Registered name.
        name: String,
    },
    /// Failed setup function of the host program.
    #[error("the host program's setup failed: {0}")]
    Setup(Box<dyn std::error::Error>),
    /// No room for a memory in this process.
    #[error(transparent)]
    Alloc(#[from] AllocError),
    /// Failed initialisation of a memory.
    #[error(transparent)]
    Initial(#[from] InitialError),
    /// File that is not a loadable image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Image outside of a space's memories.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Failed access.
    #[error("space `{space}`, {address:#x}: {cause}")]
    Access {
        /// Space name.
        space: String,
        /// Start address.
        address: u64,
        /// Reason of the failure.
        cause: AccessError,
    },
    /// Initial content of a memory can't be written.
    #[error("initial content of a memory: {0}")]
    Initialise(AccessError),
    /// Unknown space.
    #[error("there is no space `{name}`; the memory configuration has: {known}")]
    NoSpace {
        /// Given name.
        name: String,
        /// Known spaces.
        known: String,
    },
    /// Unknown channel.
    #[error("there is no channel `{name}`; the mailbox configuration has: {known}")]
    NoChannel {
        /// Given name.
        name: String,
        /// Known channels.
        known: String,
    },
    /// Unknown name of a channel or a space.
    #[error("there is no channel and no space `{name}`; the configurations have: {known}")]
    NoPlace {
        /// Given name.
        name: String,
        /// Known channels, then known spaces.
        known: String,
    },
    /// Unknown symbol.
    #[error(
        "`{place}` has no symbol `{name}`: {}",
        match files.as_str() {
            "" => "it has no image; give one as the channel's `elf`, or load one".to_owned(),
            files => format!("{files} has none; check the name, and that the image is not stripped"),
        }
    )]
    NoSymbol {
        /// Name of the symbol.
        name: String,
        /// Channel or space.
        place: String,
        /// Files of the images that were searched.
        files: String,
    },
    /// Failed call.
    #[error("channel `{channel}`: {cause}")]
    Call {
        /// Channel name.
        channel: String,
        /// Reason of the failure.
        cause: CallError,
    },
    /// Failed socket operation.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Failed bus operation.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Failed fork of the process.
    #[error("the process can't be forked: {0}")]
    Fork(std::io::Error),
    /// Lost snapshot.
    #[error("no snapshot can be woken, so nothing is run again; error of the newest: {0}")]
    Wake(std::io::Error),
    /// Fork from inside a callback.
    #[error("the process can't be forked from inside a foreign call: return from that first")]
    ForkInCall,
    /// Checkpoint that can't be saved or restored.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Permanent end of service.
    #[error("{0}")]
    Fatal(String),
    /// Start of a system by a Rust program inside a call of the C ABI.
    #[error(
        "a vhost can't be started from inside a call of the C ABI, which has one: return from that call first, or use `with_host`"
    )]
    InsideCall,
    /// Second system on this thread.
    #[error("this thread has a running vhost already; shut it down first")]
    AlreadyRunning,
    /// Failed callback of the host program.
    #[error("the callback for {what} failed: {cause}")]
    Callback {
        /// Callback name.
        what: &'static str,
        /// Its error.
        cause: Box<dyn std::error::Error>,
    },
}
