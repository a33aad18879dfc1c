//! Standard input of this process as firmware's, read when firmware asks for it.

use std::io::{self, Read, Seek, SeekFrom, Write};

use mailbox_rs::OpenFlags;
use vhost::SpecialFile;

/// Extension of the file that stands for standard input.
pub(super) const EXTENSION: &str = "vhost-stdin";

/// Opens standard input.
pub(super) fn open(_: &str, _: OpenFlags) -> io::Result<Box<dyn SpecialFile>> {
    Ok(Box::new(Stdin { ends: false }))
}

/// Standard input of this process.
///
/// The host fills a request from several reads, up to an empty one. Of a terminal or a pipe firmware gets the bytes that
/// are there, so a read that has given fewer than asked for is followed by an empty one.
struct Stdin {
    /// True if the next read ends the request.
    ends: bool,
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::take(&mut self.ends) {
            return Ok(0);
        }
        let read = io::stdin().read(buffer)?;
        self.ends = 0 < read && read < buffer.len();
        Ok(read)
    }
}

impl Write for Stdin {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Stdin {
    /// Position 0, where the host begins to read. Firmware can't seek in a standard stream.
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Ok(0)
    }
}
