//! How a Rust program says what a system is built of.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mailbox_rs::PtrWidth;

use super::build::{Outside, Parts};
use super::entry::{MAILBOX_CFG_FILE, MAILBOX_FS_ROOT, MEM_CFG_FILE};
use super::origin::{Noted, recorder};
use super::sockets::QUEUE_LIMIT;
use super::{Call, CallbackResult, Error, Spaces, Timeout, Vhost};
use crate::actors::sockets::{Hub, Tcp};
use crate::attach::Attach;
use crate::config::{self, ChannelConfig, ConfigError, Process, Surroundings};
use crate::foreign::{
    CallResult, Callbacks, FileOpener, Memories, MemoryModel, Models, OnReport, Openers, Paths,
    Python,
};
use crate::mem::{Backend, MemoryMap};
use crate::messages::foreign::{Report, Severity};
use crate::messages::rpc::Target;
use crate::sim::CStdout;
use crate::trace::{Header, Payloads};

/// What a system is built of. Nothing is taken from the environment but what the YAML files name by
/// `${VARIABLE}`.
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
    memories: Option<PathBuf>,
    mailboxes: Option<Mailboxes>,
    variables: HashMap<String, String>,
    files: Option<PathBuf>,
    extensions: Openers,
    virtuals: Openers,
    console: Option<Box<dyn io::Write + Send>>,
    socket_queue: Option<usize>,
    sockets: Option<Rc<RefCell<Hub>>>,
    on_report: Option<Box<OnReport>>,
    attached: Vec<Box<dyn Attach>>,
    recording: Option<(PathBuf, Payloads)>,
    timeout: Option<Timeout>,
    models: Models,
    callbacks: Vec<(Target, Box<HostCallback>)>,
    started: Vec<Box<Started>>,
}

/// A method or a custom command of the host program's.
pub(super) type HostCallback = dyn FnMut(&Vhost, Call<'_>) -> CallResult;

/// Code of the host program's for the started system.
pub(super) type Started = dyn FnOnce(&Vhost) -> CallbackResult;

/// Where a mailbox configuration is.
enum Mailboxes {
    File(PathBuf),
    Text(String),
}

impl Vhost {
    /// A system without memories and channels, to be given both.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The memory YAML.
    pub fn memories(mut self, file: impl Into<PathBuf>) -> Self {
        self.memories = Some(file.into());
        self
    }

    /// The mailbox YAML.
    pub fn mailboxes(mut self, file: impl Into<PathBuf>) -> Self {
        self.mailboxes = Some(Mailboxes::File(file.into()));
        self
    }

    /// The mailbox YAML itself.
    pub fn mailboxes_text(mut self, yaml: impl Into<String>) -> Self {
        self.mailboxes = Some(Mailboxes::Text(yaml.into()));
        self
    }

    /// What `${name}` means in both YAML files and in paths of firmware's, whatever the environment says.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The root of firmware's files: an existing directory. Without it there are no files but those of openers.
    pub fn files(mut self, root: impl Into<PathBuf>) -> Self {
        self.files = Some(root.into());
        self
    }

    /// Opens the files of this extension, which is given without its dot.
    pub fn special_file(
        mut self,
        extension: impl Into<String>,
        opener: impl FileOpener + 'static,
    ) -> Self {
        self.extensions.insert(extension, opener);
        self
    }

    /// Opens `virtual/<name>`.
    pub fn virtual_file(
        mut self,
        name: impl Into<String>,
        opener: impl FileOpener + 'static,
    ) -> Self {
        self.virtuals.insert(name, opener);
        self
    }

    /// Where firmware's text goes, line by line as `[channel] text`; without it, to C's `stdout`.
    pub fn console(mut self, sink: impl io::Write + Send + 'static) -> Self {
        self.console = Some(Box::new(sink));
        self
    }

    /// The most bytes that are queued for one client of a socket; without it, 1 MiB. A client for which more would be is
    /// dropped.
    pub fn socket_queue(mut self, limit: usize) -> Self {
        self.socket_queue = Some(limit);
        self
    }

    /// Serves these sockets, of which some may be open.
    pub(super) fn on_sockets(mut self, sockets: Rc<RefCell<Hub>>) -> Self {
        self.sockets = Some(sockets);
        self
    }

    /// Hands `show` what there is to report: errors, warnings, notes, findings of checkers. Without it they go to the testbench's
    /// `mb_report`, and where there is none to stderr.
    pub fn on_report(mut self, show: impl FnMut(&Report) + Send + 'static) -> Self {
        self.on_report = Some(Box::new(show));
        self
    }

    /// Attaches a logger, a checker, a recorder: [`attach`](crate::attach) has ready-made ones. It sees every message and reply,
    /// from the first one on: memories that get their content, images that are loaded. [`Vhost::attach`] is for what comes
    /// later.
    pub fn attach(mut self, what: impl Attach) -> Self {
        self.attached.push(Box::new(what));
        self
    }

    /// Records every message and reply in `file`, for a replay without a simulator. What was there before is gone.
    pub fn record(self, file: impl Into<PathBuf>) -> Self {
        self.record_with(file, Payloads::Keep)
    }

    /// As [`record`](Self::record), with or without the bytes that messages carry; without them there is no replay.
    pub fn record_with(mut self, file: impl Into<PathBuf>, payloads: Payloads) -> Self {
        self.recording = Some((file.into(), payloads));
        self
    }

    /// Uses `model` for the memory of this name, whose backend is `model`. Where two memories have the same name, it is
    /// `space.memory`.
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
        callback: impl FnMut(&Vhost, Call<'_>) -> CallResult + Send + 'static,
    ) -> Self {
        let target = Target::Method(name.into());
        self.callbacks.push((target, Box::new(callback)));
        self
    }

    /// Registers a custom command before firmware can send it: see [`Vhost::register_command`].
    pub fn command(
        mut self,
        id: u64,
        callback: impl FnMut(&Vhost, Call<'_>) -> CallResult + Send + 'static,
    ) -> Self {
        self.callbacks
            .push((Target::Command(id), Box::new(callback)));
        self
    }

    /// Calls `started` once: when the memories have their first content and the images are loaded, before the first tick. Where
    /// it fails, the system has not started.
    pub fn on_start(mut self, started: impl FnOnce(&Vhost) -> CallbackResult + 'static) -> Self {
        self.started.push(Box::new(started));
        self
    }

    /// Reports with this severity each channel that makes no progress for so many ticks: see [`Vhost::watchdog`].
    pub fn watchdog(self, ticks: u64, severity: Severity) -> Self {
        self.watch(Timeout { ticks, severity })
    }

    pub(super) fn watch(mut self, timeout: Timeout) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Starts the system: its memories have their first content and the images are loaded when this returns.
    ///
    /// # Errors
    /// A file that is refused, a root that is no directory, or a system that this thread has already.
    pub fn start(self) -> Result<Vhost, Error> {
        Vhost::start(self.parts()?)
    }

    /// Fails where a file is not given that a system of the environment needs.
    pub(super) fn require_files(&self) -> Result<(), Error> {
        let required = [
            (
                self.memories.is_some(),
                MEM_CFG_FILE,
                "the memory configuration",
            ),
            (
                self.mailboxes.is_some(),
                MAILBOX_CFG_FILE,
                "the mailbox configuration",
            ),
            (
                self.files.is_some(),
                MAILBOX_FS_ROOT,
                "the root directory of firmware's files",
            ),
        ];
        let missing = required.into_iter().find(|(given, ..)| !given);
        missing.map_or(Ok(()), |(_, variable, what)| {
            Err(Error::Environment { variable, what })
        })
    }

    /// What the system is built of.
    pub(super) fn parts(self) -> Result<Parts, Error> {
        self.parts_when(|_, _, _| Ok(()))
    }

    /// What the system is built of, once `built` has seen its memories, which hold zeros, and added its openers by
    /// extension and by name.
    pub(super) fn parts_when(
        mut self,
        built: impl FnOnce(&Spaces<'_>, &mut Openers, &mut Openers) -> Result<(), Error>,
    ) -> Result<Parts, Error> {
        let noted = Noted::new(&self);
        let map = Rc::new(self.memory_map(&noted)?);
        let channels = self.channels(&map, &noted)?;
        let (origin, warnings) = noted.into_parts();
        require_models(&map, &self.models)?;
        let memories = Memories::with_models(map.clone(), &mut self.models)?;
        if let Some(name) = self.models.into_keys().next() {
            return Err(Error::UnusedModel { name });
        }
        let memories = Rc::new(memories);
        let spaces = Spaces::new(&map, &memories);
        built(&spaces, &mut self.extensions, &mut self.virtuals)?;
        let callbacks = Callbacks::new(self.extensions, self.virtuals);
        let callbacks = Rc::new(match self.on_report {
            Some(on_report) => callbacks.with_reports(on_report),
            None => callbacks,
        });
        let hub = match self.sockets {
            Some(sockets) => sockets,
            None => Rc::new(RefCell::new(Hub::new(
                Tcp,
                self.socket_queue.unwrap_or(QUEUE_LIMIT),
            ))),
        };
        let python = Python::new(widths(&channels), callbacks.clone());
        let given = std::mem::take(&mut self.variables);
        let variables = Box::new(move |name: &str| value(&given, name));
        let root = self.files.as_deref();
        let paths = Paths::new(variables, root);
        let outside = Outside::live(&memories, &callbacks, python, paths, root)?;
        let mut origin = Header {
            file_root: self.files.is_some(),
            socket_queue: hub.borrow().limit(),
            sockets_opened: hub.borrow().opened(),
            extensions: sorted(&outside.special.extensions),
            virtuals: sorted(&outside.special.virtuals),
            ..origin
        };
        if let Some((file, payloads)) = self.recording {
            // What happened on sockets before is not in it.
            origin.whole = hub.borrow().is_empty();
            origin.payloads = payloads;
            self.attached.push(Box::new(recorder(&file, &origin)?));
            origin.whole = false;
        }
        // Only a replay needs them, and a recording that begins later has none.
        origin.files.clear();
        Ok(Parts {
            origin,
            map,
            memories,
            channels,
            warnings,
            callbacks,
            outside,
            sink: self.console.unwrap_or_else(|| Box::new(CStdout)),
            sockets: hub,
            attached: self.attached,
            timeout: self.timeout.unwrap_or(Timeout::NEVER),
            host_callbacks: self.callbacks,
            started: self.started,
        })
    }

    fn memory_map(&self, noted: &Noted<'_>) -> Result<MemoryMap, ConfigError> {
        let Some(file) = &self.memories else {
            return Ok(MemoryMap::default());
        };
        let text = config::read_text(file)?;
        noted.memories(file, &text);
        config::parse_memory_map(&text, file, noted)
    }

    fn channels(
        &self,
        map: &MemoryMap,
        noted: &Noted<'_>,
    ) -> Result<Vec<ChannelConfig>, ConfigError> {
        let (file, text) = match &self.mailboxes {
            None => return Ok(Vec::new()),
            Some(Mailboxes::File(file)) => (file.as_path(), &config::read_text(file)?),
            Some(Mailboxes::Text(text)) => (Path::new("<mailbox configuration>"), text),
        };
        noted.mailboxes(file, text);
        config::parse_mailboxes(text, file, map, noted)
    }
}

/// Fails for a memory of backend `model` without a model.
fn require_models(map: &MemoryMap, models: &Models) -> Result<(), Error> {
    for (id, memory) in map.numbered() {
        if memory.backend != Backend::Model {
            continue;
        }
        let space = map.seen_in(id).and_then(|space| map.space(space));
        let space = space.map_or_else(String::new, |space| space.name.clone());
        let full = format!("{space}.{}", memory.name);
        if !models.contains_key(&full) && !models.contains_key(&memory.name) {
            return Err(Error::NoModel {
                memory: memory.name.clone(),
                space,
            });
        }
    }
    Ok(())
}

/// The same run is to have the same recording.
fn sorted(names: &HashSet<String>) -> Vec<String> {
    let mut names: Vec<String> = names.iter().cloned().collect();
    names.sort_unstable();
    names
}

/// How wide a result each served channel takes.
fn widths(channels: &[ChannelConfig]) -> HashMap<String, PtrWidth> {
    let width = |channel: &ChannelConfig| {
        let width = channel.mailbox?.layout.ptr_width;
        Some((channel.name.clone(), width))
    };
    channels.iter().filter_map(width).collect()
}

/// The value of a variable: as `given`, or that of the environment.
fn value(given: &HashMap<String, String>, name: &str) -> Option<String> {
    let value = given.get(name).cloned();
    value.or_else(|| Process.variable(name))
}

/// The files of this process, and its environment under the builder's variables.
impl Surroundings for Builder {
    fn variable(&self, name: &str) -> Option<String> {
        value(&self.variables, name)
    }

    fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        Process.read(file)
    }

    fn is_file(&self, file: &Path) -> bool {
        Process.is_file(file)
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
    fn files_that_are_refused_are_named() {
        let error = Vhost::builder().files("/no/such/root").start().unwrap_err();
        assert!(error.to_string().contains("/no/such/root"), "{error}");
        let error = Vhost::builder().memories("no.yaml").start().unwrap_err();
        assert!(error.to_string().contains("no.yaml"), "{error}");
    }
}
