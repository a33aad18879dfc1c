//! Recording of a run that can't start.

use super::builder::Builder;
use crate::config::vhost_variables::TRACE;
use crate::messages::foreign::Severity;
use crate::system::Error;
use crate::system::assembly::SystemComponents;
use crate::system::running::Vhost;

impl Builder {
    /// Writes the [recording](Self::record) of a run that can't start: the identity of the run, and
    /// a fatal report. It replaces an older file of this name, which could be mistaken for the run.
    /// Other settings of the builder are ignored.
    ///
    /// # Errors
    /// A recording that can't be written, or a system on this thread.
    pub fn record_failure(self, id: &str, text: &str) -> Result<(), Error> {
        self.record_by(id, text, Vhost::start)
    }

    fn record_by(
        self,
        id: &str,
        text: &str,
        start: impl FnOnce(SystemComponents) -> Result<Vhost, Error>,
    ) -> Result<(), Error> {
        let Some((file, payloads)) = self.recording else {
            return Ok(());
        };
        let properties = self.run.iter();
        let alone = properties.fold(Self::default(), |alone, (key, value)| {
            alone.identify(key, value)
        });
        // The caller has the error.
        let alone = alone.on_report(|_| ());
        let vhost = start(alone.record_with(file, payloads).components()?)?;
        let reported = vhost.report(Severity::Fatal, id, text);
        vhost.shutdown();
        reported
    }
}

/// Writes the recording of the environment for a system of the C ABI that can't start, inside of
/// its call.
pub(crate) fn record_failure(id: &str, error: &Error) {
    let Some(file) = TRACE.value() else {
        return;
    };
    let builder = Builder::default().environment_identity().record(file);
    // The system ends before the call does.
    let recorded = builder.record_by(id, &error.to_string(), |components| {
        let (vhost, pending_start) = Vhost::build(components)?;
        vhost.begin(pending_start)?;
        Ok(vhost)
    });
    // The error of the start is reported in any case.
    drop(recorded);
}
