//! Observers of a system: taps, recordings, and a testbench.

use std::path::Path;

use crate::attach::Attach;
use crate::messages::console;
use crate::messages::events::ObserveFlags;
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::assembly::recorder;
use crate::system::running::{Vhost, attach, detach_all};
use crate::trace::{Header, Payloads};

impl Vhost {
    /// Attaches a logger, a checker or another tap, such as those of [`attach`](crate::attach), to
    /// all later messages.
    ///
    /// # Errors
    /// [`Error::Attach`] if the attachment is unsuitable for this system, [`Error::Bus`] from
    /// inside a tap.
    pub fn attach(&self, what: impl Attach) -> Result<(), Error> {
        let _library = CodeGuard::library();
        attach(&self.0.bus, Box::new(what), &self.0.attach_context)
    }

    /// Records every later message and reply in `file`, for reading. A replay needs a recording
    /// from the start: [`Builder::record`](crate::Builder::record).
    ///
    /// # Errors
    /// [`Error::Trace`] if the file can't be written.
    pub fn record(&self, file: impl AsRef<Path>, payloads: Payloads) -> Result<(), Error> {
        let _library = CodeGuard::library();
        let header = Header {
            payloads,
            ..self.0.header.clone()
        };
        self.0.bus.attach(recorder(file.as_ref(), &header)?);
        Ok(())
    }

    /// Reports later events of the requested kinds to the testbench.
    pub(crate) fn observe(&self, what: ObserveFlags) {
        self.0.external.emit(|| what);
        self.0.observed.add(what);
    }

    /// Routes firmware's lines to the testbench.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub(crate) fn redirect_lines(&self) -> Result<(), Error> {
        Ok(self.0.bus.ask(&self.0.ports.console, console::Redirect)?)
    }

    /// Detaches all taps. Last findings are still reported.
    pub(in crate::system) fn detach(&self) {
        detach_all(&self.0.bus, &self.0.ports.foreign);
    }
}
