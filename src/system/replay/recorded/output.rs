//! Recorded failures of the console's output.

use std::io;

use crate::messages::events::TextRefused;
use crate::system::replay::comparison::SharedComparison;

/// Output of the console whose writes fail as recorded.
pub(in crate::system::replay) struct RecordedOutput {
    comparison: SharedComparison,
    is_error: bool,
    /// Sink for users of the replay.
    sink: Box<dyn io::Write + Send>,
}

impl RecordedOutput {
    pub(in crate::system::replay) fn new(
        comparison: SharedComparison,
        is_error: bool,
        sink: Box<dyn io::Write + Send>,
    ) -> Self {
        Self {
            comparison,
            is_error,
            sink,
        }
    }
}

/// The console flushes after each write.
impl io::Write for RecordedOutput {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // Failures of the replay's own sink are not those of the run.
        let _ = self.sink.write_all(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.sink.flush();
        let refused: Option<TextRefused> = self.comparison.next_own_event();
        match refused {
            Some(TextRefused { is_error, errno }) if is_error == self.is_error => {
                Err(io::Error::from_raw_os_error(errno.0))
            }
            _ => Ok(()),
        }
    }
}
