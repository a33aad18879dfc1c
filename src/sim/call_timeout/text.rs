//! Text that one thread writes and another reads, without a lock.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Maximum number of bytes of a text.
pub(super) const SIZE: usize = 256;

/// Text of one writer. A reader gets the whole text if it is not written meanwhile, and otherwise
/// parts of several texts.
pub(super) struct SharedText {
    len: AtomicUsize,
    bytes: [AtomicU8; SIZE],
}

/// Formatter that appends to a text, and drops the rest if it is full.
struct Appender<'a>(&'a SharedText);

impl SharedText {
    pub(super) const fn new() -> Self {
        Self {
            len: AtomicUsize::new(0),
            bytes: [const { AtomicU8::new(0) }; SIZE],
        }
    }

    /// Drops the text.
    pub(super) fn clear(&self) {
        self.len.store(0, Ordering::Relaxed);
    }

    /// Replaces the text.
    pub(super) fn set(&self, write: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        self.clear();
        self.append(write);
    }

    /// Appends to the text.
    pub(super) fn append(&self, write: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        // If an argument can't be formatted, the text before it is kept.
        let _ = write(&mut Appender(self));
    }

    /// Reads the text into `buffer`.
    pub(super) fn read<'a>(&self, buffer: &'a mut [u8; SIZE]) -> &'a str {
        let len = self.len.load(Ordering::Acquire).min(SIZE);
        for (to, from) in buffer.iter_mut().zip(&self.bytes).take(len) {
            *to = from.load(Ordering::Relaxed);
        }
        match str::from_utf8(&buffer[..len]) {
            Ok(text) => text,
            // The end of a truncated text is incomplete.
            Err(error) => str::from_utf8(&buffer[..error.valid_up_to()]).unwrap_or_default(),
        }
    }
}

impl Write for Appender<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let len = self.0.len.load(Ordering::Relaxed).min(SIZE);
        let room = &self.0.bytes[len..];
        for (to, from) in room.iter().zip(text.bytes()) {
            to.store(from, Ordering::Relaxed);
        }
        let len = len + text.len().min(room.len());
        self.0.len.store(len, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_replaced_extended_and_cut_between_characters() {
        let (text, mut buffer) = (SharedText::new(), [0; SIZE]);
        assert_eq!(text.read(&mut buffer), "");
        text.set(|text| text.write_str("first"));
        text.set(|text| write!(text, "line {}", 7));
        text.append(|text| text.write_str(", more"));
        assert_eq!(text.read(&mut buffer), "line 7, more");
        text.set(|text| write!(text, "x{}", "é".repeat(SIZE)));
        let cut = text.read(&mut buffer);
        assert_eq!(cut, format!("x{}", "é".repeat(SIZE / 2 - 1)));
    }
}
