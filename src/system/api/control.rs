//! Control of a running system: its root of files, reports, and its end.

use std::path::Path;

use crate::messages::console;
use crate::messages::foreign::{Report, Severity};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::running::Vhost;

impl Vhost {
    /// Changes the root of firmware's files for later requests. Open files stay open.
    ///
    /// # Errors
    /// [`Error::FileRoot`] for a directory that can't be opened, [`Error::NoFileRoot`] in a system
    /// that was built without one.
    pub fn set_file_root(&self, root: impl AsRef<Path>) -> Result<(), Error> {
        let _library = CodeGuard::library();
        let path = root.as_ref();
        let open = self.0.root.as_ref().ok_or(Error::NoFileRoot)?;
        open.move_to(path).map_err(|cause| Error::FileRoot {
            path: path.to_owned(),
            cause,
        })
    }

    /// Sends a report, like one of the system's own.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn report(&self, severity: Severity, id: &str, text: &str) -> Result<(), Error> {
        let _library = CodeGuard::library();
        let report = Report {
            severity,
            id: id.to_owned(),
            text: text.to_owned(),
        };
        Ok(self.0.bus.ask(&self.0.ports.foreign, report)?)
    }

    /// Flushes text, reports the number of [error findings](Self::error_findings), and closes the
    /// sockets. Dropping the value ends the system.
    pub fn shutdown(self) {
        // No recipient is left for errors.
        let _ = self.sockets().close_all();
        let _ = self
            .0
            .bus
            .ask(&self.0.ports.console, console::Finish { channel: None });
        // Delivers lines to the testbench.
        let _ = self.0.bus.run_until_idle();
        if let Some(found) = self.0.attach_context.found().summary() {
            // Findings are not recorded. The recording has this report in their place.
            let _ = self.report(found.severity, &found.id, &found.text);
        }
        self.detach();
    }
}
