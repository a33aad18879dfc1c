//! Components of a system, collected by the builder or a replay.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use super::environment::Environment;
use crate::actors::sockets::Hub;
use crate::attach::Attach;
use crate::backend::Backends;
use crate::config::{ChannelConfig, ConfigDiagnostic};
use crate::foreign::{CallResult, Callbacks};
use crate::mem::MemoryMap;
use crate::messages::rpc::Target;
use crate::system::CallbackResult;
use crate::system::running::{HostProgramCall, Vhost, WatchdogTimeout};
use crate::trace::Header;

/// Method or custom command of the host program.
pub(in crate::system) type HostCallback = dyn FnMut(&Vhost, HostProgramCall<'_>) -> CallResult;

/// Code of the host program for the started system.
pub(in crate::system) type OnStart = dyn FnOnce(&Vhost) -> CallbackResult;

/// Components of a system.
pub(crate) struct SystemComponents {
    /// Memory descriptions.
    pub(crate) map: Rc<MemoryMap>,
    /// Memory access.
    pub(crate) memories: Rc<Backends>,
    /// Recorded configuration inputs.
    pub(crate) header: Header,
    /// Configured channels.
    pub(crate) channels: Vec<ChannelConfig>,
    /// Warnings of the configurations.
    pub(crate) diagnostics: Vec<ConfigDiagnostic>,
    /// Callbacks of the host program.
    pub(crate) callbacks: Rc<Callbacks>,
    /// Sources of nondeterminism.
    pub(crate) environment: Environment,
    /// Sink of firmware's text.
    pub(crate) sink: Box<dyn io::Write + Send>,
    /// Sink of firmware's standard error, for channels that write it unchanged.
    pub(crate) error_sink: Box<dyn io::Write + Send>,
    /// Sockets, some of which may be open.
    pub(crate) sockets: Rc<RefCell<Hub>>,
    /// Taps from the first message on.
    pub(crate) attached: Vec<Box<dyn Attach>>,
    /// Maximum ticks of a channel without progress.
    pub(crate) timeout: WatchdogTimeout,
    /// Methods and custom commands of the host program.
    pub(in crate::system) host_callbacks: Vec<(Target, Box<HostCallback>)>,
    /// Code of the host program for the started system.
    pub(in crate::system) started: Vec<Box<OnStart>>,
}
