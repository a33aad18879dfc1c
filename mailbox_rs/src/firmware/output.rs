//! Standard output and standard error for `core::fmt`.

use core::fmt;

use super::{Client, Hooks, Native};
use crate::errno::Errno;
use crate::header::NEWEST;

/// Maximum number of bytes that are collected before a request.
const BLOCK: usize = 128;

/// Standard output or standard error, as a target of `write!`.
///
/// Text is collected. It is written when the block is full, by [`flush`](Self::flush), and when the
/// value is dropped. On a host of protocol 0.2 both streams are the console.
#[derive(Debug)]
pub struct Output<'a, H: Hooks> {
    client: &'a mut Client<Native, H>,
    fd: u64,
    block: [u8; BLOCK],
    len: usize,
}

impl<H: Hooks> Client<Native, H> {
    /// Standard output.
    ///
    /// ```no_run
    /// # use mailbox_rs::firmware::{Client, Native, NoHooks};
    /// # fn firmware(host: &mut Client<Native, NoHooks>) -> core::fmt::Result {
    /// use core::fmt::Write as _;
    ///
    /// writeln!(host.stdout(), "{} of {:?}", 3, "them")
    /// # }
    /// ```
    pub const fn stdout(&mut self) -> Output<'_, H> {
        Output::new(self, 1)
    }

    /// Standard error.
    pub const fn stderr(&mut self) -> Output<'_, H> {
        Output::new(self, 2)
    }
}

impl<'a, H: Hooks> Output<'a, H> {
    const fn new(client: &'a mut Client<Native, H>, fd: u64) -> Self {
        Self {
            client,
            fd,
            block: [0; BLOCK],
            len: 0,
        }
    }

    /// Writes the collected text. Text that can't be written is dropped.
    ///
    /// # Errors
    /// Error of the host.
    pub fn flush(&mut self) -> Result<(), Errno> {
        let len = core::mem::take(&mut self.len);
        let mut rest = self.block.get(..len).unwrap_or_default();
        if self.client.version() < NEWEST {
            // Blocks end between characters.
            return match core::str::from_utf8(rest) {
                Ok("") => Ok(()),
                Ok(text) => self.client.print(text),
                Err(_) => Err(Errno::EINVAL),
            };
        }
        while !rest.is_empty() {
            match self.client.write(self.fd, rest)? {
                0 => return Err(Errno::EIO),
                written => rest = rest.get(written..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

impl<H: Hooks> fmt::Write for Output<'_, H> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.len + character.len_utf8() > BLOCK {
                self.flush().map_err(|_| fmt::Error)?;
            }
            let encoded = character.encode_utf8(&mut self.block[self.len..]);
            self.len += encoded.len();
        }
        Ok(())
    }
}

impl<H: Hooks> Drop for Output<'_, H> {
    fn drop(&mut self) {
        // No caller is left for an error.
        let _ = self.flush();
    }
}
