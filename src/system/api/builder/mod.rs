//! Builder of a system, for Rust programs.
//!
//! - `components`: components of the system from the settings.

mod components;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::actors::sockets::Hub;
use crate::attach::Attach;
use crate::backend::{MemoryModel, Models};
use crate::config::{self, ConfigError};
use crate::foreign::{CallResult, FileOpener, OnReport, Openers};
use crate::mem::Backend;
use crate::messages::foreign::{Report, Severity};
use crate::messages::rpc::Target;
use crate::system::assembly::{HostCallback, OnStart};
use crate::system::running::{HostProgramCall, Vhost, WatchdogTimeout};
use crate::system::{CallbackResult, Error};
use crate::trace::{Payloads, RunIdentity};

/// Builder of a system. It reads only the `${VARIABLE}`s of the YAML files from the environment.
///
/// ```no_run
/// use vhost::{Error, Vhost, mb_server_run};
///
/// let vhost = Vhost::builder()
///     .memories("mem.yaml")
///     .mailboxes("mailbox.yaml")
///     .variable("FIRMWARE", "build/firmware.elf")
///     .files("work")
///     .start()?;
/// let exits = mb_server_run(&vhost, || false)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Default)]
#[must_use = "a system begins with `start`"]
pub struct Builder {
    pub(super) memories: Option<Source>,
    pub(super) mailboxes: Option<Source>,
    pub(super) variables: HashMap<String, String>,
    pub(super) files: Option<PathBuf>,
    pub(super) extensions: Openers,
    pub(super) virtuals: Openers,
    pub(super) console: Option<Box<dyn io::Write + Send>>,
    pub(super) console_errors: Option<Box<dyn io::Write + Send>>,
    pub(super) socket_queue: Option<usize>,
    pub(super) sockets: Option<Rc<RefCell<Hub>>>,
    pub(super) on_report: Option<Box<OnReport>>,
    pub(super) attached: Vec<Box<dyn Attach>>,
    pub(super) recording: Option<(PathBuf, Payloads)>,
    /// Treatment of payloads by a recording without a setting of its own.
    pub(super) payloads: Payloads,
    pub(super) compresses_recording: bool,
    /// Identity of the run, for its recording.
    pub(super) run: RunIdentity,
    pub(super) timeout: Option<WatchdogTimeout>,
    pub(super) models: Models,
    /// Backend of memories without a backend in the configuration, unless a feature of the build
    /// selects it.
    pub(super) default_backend: Option<Backend>,
    pub(super) callbacks: Vec<(Target, Box<HostCallback>)>,
    pub(super) started: Vec<Box<OnStart>>,
}

/// Source of a configuration.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Text(String),
}

impl Source {
    /// Reads the configuration as path and text. `name` is the path of a configuration given as
    /// text.
    pub(super) fn read(&self, name: &'static str) -> Result<(&Path, Cow<'_, str>), ConfigError> {
        Ok(match self {
            Self::File(file) => (file, config::read_text(file)?.into()),
            Self::Text(text) => (Path::new(name), text.as_str().into()),
        })
    }
}

impl Vhost {
    /// Creates a builder of a system without memories and channels.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Sets the memory YAML file.
    pub fn memories(mut self, file: impl Into<PathBuf>) -> Self {
        self.memories = Some(Source::File(file.into()));
        self
    }

    /// Sets the text of the memory YAML.
    pub fn memories_text(mut self, yaml: impl Into<String>) -> Self {
        self.memories = Some(Source::Text(yaml.into()));
        self
    }

    /// Sets the mailbox YAML file.
    pub fn mailboxes(mut self, file: impl Into<PathBuf>) -> Self {
        self.mailboxes = Some(Source::File(file.into()));
        self
    }

    /// Sets the text of the mailbox YAML.
    pub fn mailboxes_text(mut self, yaml: impl Into<String>) -> Self {
        self.mailboxes = Some(Source::Text(yaml.into()));
        self
    }

    /// Defines `${name}` in both YAML files and in firmware's paths. It takes precedence over the
    /// environment.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets the backend of memories without a backend in the configuration, unless a feature of the
    /// build selects it.
    pub(in crate::system) fn default_backend(mut self, backend: Backend) -> Self {
        self.default_backend = Some(backend);
        self
    }

    /// Sets the root of firmware's files, an existing directory. Without it only openers provide
    /// files.
    pub fn files(mut self, root: impl Into<PathBuf>) -> Self {
        self.files = Some(root.into());
        self
    }

    /// Adds an opener of files with this extension, given without its dot.
    pub fn special_file(
        mut self,
        extension: impl Into<String>,
        opener: impl FileOpener + 'static,
    ) -> Self {
        self.extensions.insert(extension, opener);
        self
    }

    /// Adds an opener of `virtual/<name>`.
    pub fn virtual_file(
        mut self,
        name: impl Into<String>,
        opener: impl FileOpener + 'static,
    ) -> Self {
        self.virtuals.insert(name, opener);
        self
    }

    /// Sets the sink of firmware's text, as lines `[channel] text`; default: C's `stdout`.
    pub fn console(mut self, sink: impl io::Write + Send + 'static) -> Self {
        self.console = Some(Box::new(sink));
        self
    }

    /// Sets the sink of firmware's standard error where a channel's configuration has `stdio:
    /// {stderr: raw}`; default: standard error of the process. (The standard output of such a
    /// channel goes to the sink of [`console`](Self::console).)
    pub fn console_errors(mut self, sink: impl io::Write + Send + 'static) -> Self {
        self.console_errors = Some(Box::new(sink));
        self
    }

    /// Sets the maximum number of queued bytes per socket client; default: 1 MiB. A client that
    /// would exceed the maximum is dropped.
    pub fn socket_queue(mut self, limit: usize) -> Self {
        self.socket_queue = Some(limit);
        self
    }

    /// Serves these sockets, some of which may be open.
    pub(in crate::system) fn on_sockets(mut self, sockets: Rc<RefCell<Hub>>) -> Self {
        self.sockets = Some(sockets);
        self
    }

    /// Calls `show` for every report: errors, warnings, notes, findings of checkers. Default: the
    /// testbench's `mb_report`, or stderr if there is none.
    pub fn on_report(mut self, show: impl FnMut(&Report) + Send + 'static) -> Self {
        self.on_report = Some(Box::new(show));
        self
    }

    /// Attaches a logger, a checker or a recorder, such as those of [`attach`](crate::attach). It
    /// observes all messages and replies, also those of the initialisation of memories and the
    /// loading of images. [`Vhost::attach`] attaches to a running system.
    pub fn attach(mut self, what: impl Attach) -> Self {
        self.attached.push(Box::new(what));
        self
    }

    /// Records every message and reply in `file`, for a replay without a simulator. An existing
    /// file is overwritten. The name may have `%p` for the process id, `%t` for the time of the
    /// start, `%s` for the system's name; a file that another run is writing is refused. Payload
    /// bytes are kept, unless [`environment`](Self::environment) has found another value of
    /// `VHOST_TRACE_PAYLOADS`.
    pub fn record(self, file: impl Into<PathBuf>) -> Self {
        let payloads = self.payloads;
        self.record_with(file, payloads)
    }

    /// Sets the treatment of payloads of [`record`](Self::record).
    pub(in crate::system) fn record_payloads(mut self, payloads: Payloads) -> Self {
        self.payloads = payloads;
        self
    }

    /// Like [`record`](Self::record), with or without payload bytes; without them a replay is
    /// impossible.
    pub fn record_with(mut self, file: impl Into<PathBuf>, payloads: Payloads) -> Self {
        self.recording = Some((file.into(), payloads));
        self
    }

    /// Enables or disables compression of the recordings of [`record`](Self::record) and
    /// [`Vhost::record`]; default: disabled. All readers of recordings support compressed ones.
    pub fn compress_recording(mut self, is_compressed: bool) -> Self {
        self.compresses_recording = is_compressed;
        self
    }

    /// Sets a property that identifies the run in its recording: [`RunIdentity`] has the keys. A
    /// blank value removes it.
    pub fn identify(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.run.set(key, value);
        self
    }

    /// Uses `model` for the memory of this name and of backend `model`. The name `space.memory`
    /// distinguishes two memories of the same name.
    pub fn memory_model(
        mut self,
        memory: impl Into<String>,
        model: impl MemoryModel + 'static,
    ) -> Self {
        self.models.insert(memory.into(), Box::new(model));
        self
    }

    /// Registers a method before firmware can call it: see [`Vhost::register_method`].
    pub fn method(
        mut self,
        name: impl Into<String>,
        callback: impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult + Send + 'static,
    ) -> Self {
        let target = Target::Method(name.into().into());
        self.callbacks.push((target, Box::new(callback)));
        self
    }

    /// Registers a custom command before firmware can send it: see [`Vhost::register_command`].
    pub fn command(
        mut self,
        id: u64,
        callback: impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult + Send + 'static,
    ) -> Self {
        self.callbacks
            .push((Target::Command(id), Box::new(callback)));
        self
    }

    /// Calls `started` once, after memories are initialised and images loaded, before the first
    /// tick. If it fails, the start fails.
    pub fn on_start(mut self, started: impl FnOnce(&Vhost) -> CallbackResult + 'static) -> Self {
        self.started.push(Box::new(started));
        self
    }

    /// Reports each channel that makes no progress for this many ticks, with this severity: see
    /// [`Vhost::watchdog`].
    pub fn watchdog(self, ticks: u64, severity: Severity) -> Self {
        self.watch(WatchdogTimeout { ticks, severity })
    }

    pub(in crate::system) fn watch(mut self, timeout: WatchdogTimeout) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Starts the system. On return its memories are initialised and the images loaded.
    ///
    /// # Errors
    /// A refused file, a root that is not a directory, or a second system on this thread.
    pub fn start(self) -> Result<Vhost, Error> {
        Vhost::start(self.components()?)
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("memories", &self.memories)
            .field("files", &self.files)
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORIES: &str =
        "space:\n  core: [ram: {base: 0, size: 0x1000, path: ram, width: 32, backend: static}]\n";

    #[test]
    fn nothing_given_is_a_system_of_nothing() {
        let vhost = Vhost::builder().start().unwrap();
        assert_eq!(vhost.tick().unwrap(), 0);
        assert_eq!(vhost.spaces().iter().count(), 0);
        vhost.shutdown();
    }

    #[test]
    fn a_variable_comes_before_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let memories = folder.path().join("mem.yaml");
        std::fs::write(&memories, MEMORIES).unwrap();
        let serve = |value: &str| {
            let vhost = Vhost::builder()
                .memories(&memories)
                .mailboxes_text(
                    "core: {space: core, base: 0, ptr: 32, cache_line: 0, server: $HOME}",
                )
                .variable("HOME", value)
                .start()
                .unwrap();
            vhost.exits().len()
        };
        assert_eq!(serve("false"), 0);
        assert_eq!(serve("true"), 1);
    }

    #[test]
    fn memories_may_be_a_text() {
        let vhost = Vhost::builder().memories_text(MEMORIES).start().unwrap();
        let spaces = vhost.spaces();
        assert_eq!(spaces.get("core").unwrap().iter().count(), 1);
        vhost.shutdown();
        let refused = Vhost::builder().memories_text("space: 7").start();
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("<memory configuration>"), "{error}");
    }

    #[test]
    fn files_that_are_refused_are_named() {
        let error = Vhost::builder().files("/no/such/root").start().unwrap_err();
        assert!(error.to_string().contains("/no/such/root"), "{error}");
        let error = Vhost::builder().memories("no.yaml").start().unwrap_err();
        assert!(error.to_string().contains("no.yaml"), "{error}");
    }
}
