//! C's `stdout`, which keeps the order of output shared with the simulator.

use std::ffi::{c_int, c_void};
use std::io::{self, Write};

unsafe extern "C" {
    fn vhost_stdout_write(data: *const c_void, len: usize) -> usize;
    fn vhost_stdout_flush() -> c_int;
}

/// C's `stdout`, with its buffer. Writing and flushing may raise `SIGPIPE` and `SIGXFSZ`, so both
/// run in [`quietly`](super::quietly).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CStdout;

impl Write for CStdout {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // SAFETY: `data` has that many bytes.
        let written = unsafe { vhost_stdout_write(data.as_ptr().cast(), data.len()) };
        if written == 0 && !data.is_empty() {
            return Err(io::Error::last_os_error());
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        // SAFETY: it takes no arguments; C's stdout locks itself.
        if unsafe { vhost_stdout_flush() } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}
