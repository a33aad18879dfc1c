//! Recording of a run that can't start.

use super::{Builder, Error};
use crate::config::vhost_variables::TRACE;
use crate::messages::foreign::Severity;

impl Builder {
    /// Writes the [recording](Self::record) of a run that can't start: the identity of the run, and a fatal report. Without it an older file
    /// of this name would stand for the run. All else of the builder is left out.
    ///
    /// # Errors
    /// A recording that can't be written, or a system on this thread.
    pub fn record_failure(self, id: &str, text: &str) -> Result<(), Error> {
        let Some((file, payloads)) = self.recording else {
            return Ok(());
        };
        let properties = self.run.iter();
        let alone = properties.fold(Self::default(), |alone, (key, value)| {
            alone.identify(key, value)
        });
        // Whoever calls this has the error.
        let alone = alone.on_report(|_| ());
        let vhost = alone.record_with(file, payloads).start()?;
        let reported = vhost.report(Severity::Fatal, id, text);
        vhost.shutdown();
        reported
    }
}

/// Writes the recording of the environment for a system of the C ABI that can't start.
pub(crate) fn record_failure(id: &str, error: &Error) {
    if let Some(file) = TRACE.value() {
        let builder = Builder::default().environment_identity().record(file);
        // The error of the start is told of in any case.
        let _ = builder.record_failure(id, &error.to_string());
    }
}
