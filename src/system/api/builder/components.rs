//! Components of a system from the settings of its builder.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use mailbox_rs::PtrWidth;

use super::Builder;
use crate::actors::sockets::{Hub, Tcp};
use crate::backend::{Backends, Models};
use crate::config::vhost_variables::{MAILBOX_CFG_FILE, MAILBOX_FS_ROOT, MEM_CFG_FILE};
use crate::config::{self, ChannelConfig, ConfigEnvironment, ConfigError, Defaults, Process};
use crate::foreign::{Callbacks, Openers, Paths, Python};
use crate::guest;
use crate::mem::{Backend, Image, ImageError, MemoryMap};
use crate::messages::Interface;
use crate::sim::CStdout;
use crate::system::Error;
use crate::system::api::sockets::QUEUE_LIMIT;
use crate::system::api::spaces::Spaces;
use crate::system::assembly::{Environment, RecordingEnvironment, SystemComponents, recorder};
use crate::system::running::WatchdogTimeout;
use crate::trace::{Header, RunIdentity};

impl Builder {
    /// Fails if a required file of a system of the environment is not set.
    pub(in crate::system) fn require_files(&self) -> Result<(), Error> {
        let required = [
            (
                self.memories.is_some(),
                MEM_CFG_FILE.name,
                "the memory configuration",
            ),
            (
                self.mailboxes.is_some(),
                MAILBOX_CFG_FILE.name,
                "the mailbox configuration",
            ),
            (
                self.files.is_some(),
                MAILBOX_FS_ROOT.name,
                "the root directory of firmware's files",
            ),
        ];
        let missing = required.into_iter().find(|(given, ..)| !given);
        missing.map_or(Ok(()), |(_, variable, what)| {
            Err(Error::Environment { variable, what })
        })
    }

    /// Components of the system.
    pub(in crate::system) fn components(self) -> Result<SystemComponents, Error> {
        self.components_when(|_, _, _| Ok(()))
    }

    /// Components of the system. `built` gets the memories before their initialisation, and adds
    /// openers by extension and by name.
    pub(in crate::system) fn components_when(
        mut self,
        built: impl FnOnce(&Spaces<'_>, &mut Openers, &mut Openers) -> Result<(), Error>,
    ) -> Result<SystemComponents, Error> {
        let recording = RecordingEnvironment::new(&self);
        let map = Rc::new(self.memory_map(&recording)?);
        let channels = self.channels(&map, &recording)?;
        let build_ids = recording.build_ids();
        let (header, diagnostics) = recording.into_parts();
        require_models(&map, &self.models)?;
        let memories = Backends::with_models(map.clone(), &mut self.models)?;
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
        let environment = Environment::live(&memories, &callbacks, python, paths, root)?;
        let mut header = Header {
            file_root: self.files.is_some(),
            socket_queue: hub.borrow().limit(),
            sockets_opened: hub.borrow().opened(),
            extensions: sorted(&environment.special.extensions),
            virtuals: sorted(&environment.special.virtuals),
            run: completed(self.run, build_ids),
            compressed: self.compresses_recording,
            ..header
        };
        if let Some((file, payloads)) = self.recording {
            // Earlier socket activity is not recorded.
            header.whole = hub.borrow().is_empty();
            header.payloads = payloads;
            self.attached.push(Box::new(recorder(&file, &header)?));
            header.whole = false;
        }
        // Only a replay needs the files, and it needs a recording from the start.
        header.files.clear();
        Ok(SystemComponents {
            header,
            map,
            memories,
            channels,
            diagnostics,
            callbacks,
            environment,
            sink: self.console.unwrap_or_else(|| Box::new(CStdout)),
            error_sink: self
                .console_errors
                .unwrap_or_else(|| Box::new(guest::stderr())),
            sockets: hub,
            attached: self.attached,
            timeout: self.timeout.unwrap_or(WatchdogTimeout::NEVER),
            host_callbacks: self.callbacks,
            started: self.started,
        })
    }

    fn memory_map(&self, recording: &RecordingEnvironment<'_>) -> Result<MemoryMap, ConfigError> {
        let Some(source) = &self.memories else {
            return Ok(MemoryMap::default());
        };
        let (file, text) = source.read("<memory configuration>")?;
        recording.memories(file, &text);
        config::parse_memory_map(&text, file, recording)
    }

    fn channels(
        &self,
        map: &MemoryMap,
        recording: &RecordingEnvironment<'_>,
    ) -> Result<Vec<ChannelConfig>, ConfigError> {
        let Some(source) = &self.mailboxes else {
            return Ok(Vec::new());
        };
        let (file, text) = source.read("<mailbox configuration>")?;
        recording.mailboxes(file, &text);
        config::parse_mailboxes(&text, file, map, recording)
    }
}

/// Fails for a memory of backend `model` without a model.
fn require_models(map: &MemoryMap, models: &Models) -> Result<(), Error> {
    for (memory, space) in map.memories.iter().zip(map.first_spaces()) {
        if memory.backend != Backend::Model {
            continue;
        }
        let space = space.and_then(|space| map.space(space));
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

/// Adds the time of the start and the build ids of the images to the identity of a run, if it has
/// one.
fn completed(mut run: RunIdentity, build_ids: String) -> RunIdentity {
    if run.is_empty() {
        return run;
    }
    if run.get(RunIdentity::STARTED).is_none() {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let started = since.map_or(0, |since| since.as_millis());
        run.set(RunIdentity::STARTED, started.to_string());
    }
    if run.get(RunIdentity::BUILD_IDS).is_none() {
        run.set(RunIdentity::BUILD_IDS, build_ids);
    }
    run
}

/// Sorts names, so that the same run has the same recording.
fn sorted(names: &HashSet<String>) -> Vec<String> {
    let mut names: Vec<String> = names.iter().cloned().collect();
    names.sort_unstable();
    names
}

/// Result width of each served channel.
fn widths(channels: &[ChannelConfig]) -> HashMap<String, PtrWidth> {
    let width = |channel: &ChannelConfig| {
        let width = match channel.interface.as_ref()? {
            Interface::Mailbox(mailbox) => mailbox.layout.ptr_width,
            Interface::Htif(_) => PtrWidth::P8,
            Interface::Rtt(rtt) => rtt.ptr_width,
            Interface::Semihosting(semihosting) => semihosting.ptr_width,
        };
        Some((channel.name.clone(), width))
    };
    channels.iter().filter_map(width).collect()
}

/// Value of a variable: `given`, or that of the environment.
fn value(given: &HashMap<String, String>, name: &str) -> Option<String> {
    let value = given.get(name).cloned();
    value.or_else(|| Process.variable(name))
}

/// Files of this process, and its environment under the builder's variables.
impl ConfigEnvironment for Builder {
    fn variable(&self, name: &str) -> Option<String> {
        value(&self.variables, name)
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        Process.image(file)
    }

    fn is_file(&self, file: &Path) -> bool {
        Process.is_file(file)
    }

    fn real_name(&self, file: &Path) -> PathBuf {
        Process.real_name(file)
    }

    fn defaults(&self) -> Defaults {
        let defaults = Defaults::of_features();
        match (self.default_backend, defaults.backend) {
            (Some(backend), Backend::Log) => Defaults {
                backend,
                ..defaults
            },
            _ => defaults,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_the_time_of_its_start_and_the_build_ids() {
        let ids = || "ab12".to_owned();
        assert!(completed(RunIdentity::default(), ids()).is_empty());
        let mut run = RunIdentity::default();
        run.set(RunIdentity::ID, "a");
        let started = completed(run.clone(), ids());
        let time: u64 = started.get(RunIdentity::STARTED).unwrap().parse().unwrap();
        assert!(time > 0);
        assert_eq!(started.get(RunIdentity::BUILD_IDS), Some("ab12"));
        run.set(RunIdentity::STARTED, "7");
        assert_eq!(completed(run.clone(), String::new()), run);
    }
}
