//! Format strings and locations of an image.

use std::panic::{AssertUnwindSafe, catch_unwind};

use defmt_decoder::{DecodeError, Encoding, Frame, Locations, Table};

use crate::actors::service::FrameDecoder;
use crate::mem::Image;
use crate::messages::rtt::{DefmtFrame, DefmtFrameError, DefmtLevel};

/// Maximum length of a frame in bytes. A longer frame is skipped.
const MAX_BYTES: usize = 64 * 1024;

/// Decoder of a stream, by the table of one image.
pub(super) struct TableDecoder {
    table: Table,
    locations: Locations,
    /// Bytes that have not been decoded.
    bytes: Vec<u8>,
}

impl TableDecoder {
    /// Reads the table of an image.
    ///
    /// # Errors
    /// Reason that the image has no table.
    pub(super) fn of(image: &Image) -> Result<Self, String> {
        let file = image.file().display();
        let bytes = image.bytes().map_err(|error| error.to_string())?;
        let panicked =
            |section| format!("{file}: the decoder has panicked on {section}; link the image anew");
        let parsed = guarded(|| Table::parse(&bytes)).ok_or_else(|| panicked("section .defmt"))?;
        let table = parsed.map_err(|error| format!("{file}: {error:#}"))?;
        let table = table.ok_or_else(|| {
            format!("{file} has no section .defmt with the format strings; link it with defmt.x")
        })?;
        // Without debug information there are no locations.
        let locations = guarded(|| table.get_locations(&bytes));
        let locations = locations.ok_or_else(|| panicked("the debug information"))?;
        let locations = locations.unwrap_or_default();
        Ok(Self {
            table,
            locations,
            bytes: Vec::new(),
        })
    }

    /// Decodes the first frame. Returns it with its number of bytes; `None` if it is not complete.
    fn first(&self) -> Option<(Result<DefmtFrame, DefmtFrameError>, usize)> {
        let bytes = &self.bytes[..];
        if self.table.encoding() == Encoding::Rzcobs {
            let len = bytes.iter().position(|byte| *byte == 0)? + 1;
            let mut stream = self.table.new_stream_decoder();
            stream.received(&bytes[..len]);
            let frame = match stream.decode() {
                Ok(frame) => Ok(self.described(&frame)),
                // The end of the frame was present.
                Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => {
                    Err(DefmtFrameError::Malformed)
                }
            };
            return Some((frame, len));
        }
        match self.table.decode(bytes) {
            Ok((frame, len)) => Some((Ok(self.described(&frame)), len)),
            Err(DecodeError::UnexpectedEof) => None,
            // The next frame may begin anywhere.
            Err(DecodeError::Malformed) => Some((Err(DefmtFrameError::Malformed), bytes.len())),
        }
    }

    fn described(&self, frame: &Frame<'_>) -> DefmtFrame {
        use defmt_parser::Level;
        let location = self.locations.get(&frame.index());
        DefmtFrame {
            level: frame.level().map(|level| match level {
                Level::Trace => DefmtLevel::Trace,
                Level::Debug => DefmtLevel::Debug,
                Level::Info => DefmtLevel::Info,
                Level::Warn => DefmtLevel::Warn,
                Level::Error => DefmtLevel::Error,
            }),
            timestamp: frame.display_timestamp().map(|time| time.to_string()),
            text: frame.display_message().to_string(),
            file: location.map(|location| location.file.display().to_string()),
            line: location.map(|location| location.line),
        }
    }
}

impl FrameDecoder for TableDecoder {
    fn received(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn next_frame(&mut self) -> Option<Result<DefmtFrame, DefmtFrameError>> {
        // An empty frame is a separator.
        if self.table.encoding() == Encoding::Rzcobs {
            let zeros = self.bytes.iter().take_while(|byte| **byte == 0).count();
            self.bytes.drain(..zeros);
        }
        if self.bytes.is_empty() {
            return None;
        }
        let decoded = guarded(|| self.first());
        let Some(decoded) = decoded else {
            self.bytes.clear();
            return Some(Err(DefmtFrameError::Malformed));
        };
        match decoded {
            Some((frame, len)) => {
                self.bytes.drain(..len.clamp(1, self.bytes.len()));
                Some(frame)
            }
            None if self.bytes.len() > MAX_BYTES => {
                self.bytes.clear();
                Some(Err(DefmtFrameError::TooLong))
            }
            None => None,
        }
    }
}

/// Calls the decoder, which may panic on unexpected bytes. `None` after a panic.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
