//! State of a system: channels, exits, failures.

use std::io;
use std::sync::Arc;

use crate::messages::{ChannelDescriptor, ChannelId};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::running::{Inner, Vhost};

/// State of a channel at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelExit {
    /// Channel name.
    pub name: String,
    /// Exit code; `None` before the exit.
    pub code: Option<u32>,
}

impl Vhost {
    /// Status text of all channels: a line with the next expected step, and indented lines with
    /// queue indices and last requests. The text differs while the system is being built.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn status(&self) -> Result<String, Error> {
        let _library = CodeGuard::library();
        let Some(front_ends) = self.0.ports.front_ends.get() else {
            return Ok("the system is being built".to_owned());
        };
        let Inner {
            bus,
            ports,
            progress,
            ..
        } = &*self.0;
        let mut texts: Vec<(ChannelId, String)> = Vec::new();
        for server in front_ends.iter() {
            let statuses = server.statuses(bus, &ports.memory, progress)?;
            texts.extend(server.ids().iter().copied().zip(statuses));
        }
        texts.sort_by_key(|(id, _)| *id);
        let lines = texts.into_iter().map(|(_, status)| status + "\n");
        Ok(lines.collect())
    }

    /// Number of ticks so far.
    pub fn now(&self) -> u64 {
        self.0.bus.now()
    }

    /// State of each served channel, in the order of the configuration.
    pub fn exits(&self) -> Vec<ChannelExit> {
        let served = self.0.attach_context.channels().iter();
        let names = served.map(|channel| channel.name.to_string());
        let exits = names.zip(self.0.progress.exits());
        exits
            .map(|(name, code)| ChannelExit { name, code })
            .collect()
    }

    /// Served channels, in the order of the configuration.
    pub fn channels(&self) -> Arc<[ChannelDescriptor]> {
        self.0.attach_context.channels().clone()
    }

    /// True inside of a foreign call, such as a method of the testbench.
    pub fn in_foreign_call(&self) -> bool {
        self.0.bus.in_foreign_call()
    }

    /// Error of the first failed write of firmware's text, to the console or to a standard stream
    /// that is passed through. The text is lost. The loss was reported, and firmware of protocol
    /// 0.3 got an error.
    pub fn output_error(&self) -> Option<io::Error> {
        let errno = self.0.lines.first_failure()?;
        Some(io::Error::from_raw_os_error(errno.0))
    }

    /// Number of findings of attached checkers that are errors. A run with such findings has
    /// failed.
    pub fn error_findings(&self) -> u64 {
        self.0.attach_context.found().count()
    }
}
