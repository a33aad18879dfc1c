//! Writers that return an error if a write would raise a signal.

use std::fmt;
use std::io::{self, Stderr, Write};

use super::quietly;

/// Writer without `SIGPIPE` and `SIGXFSZ`: if they would end the process, the write fails instead.
#[derive(Debug)]
pub(crate) struct Quiet<W>(pub(super) W);

impl<W> Quiet<W> {
    /// Wraps a writer.
    pub(crate) fn new(writer: W) -> Self {
        Self(writer)
    }
}

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        quietly(|| self.0.write(data))
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        quietly(|| self.0.write_all(data))
    }

    /// The text is written under one guard and one lock of the stream.
    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        quietly(|| self.0.write_fmt(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        quietly(|| self.0.flush())
    }
}

/// Standard error.
pub(crate) fn stderr() -> Quiet<Stderr> {
    Quiet(io::stderr())
}
