//! Writer that keeps its bytes.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Mutex};

/// Writer that keeps its bytes. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct KeptBytes(Arc<Mutex<Vec<u8>>>);

impl KeptBytes {
    /// Takes the bytes.
    pub fn take(&self) -> Vec<u8> {
        mem::take(&mut self.0.lock().unwrap())
    }

    /// Takes the bytes as text.
    pub fn take_text(&self) -> String {
        String::from_utf8(self.take()).expect("text of firmware that is not UTF-8 is replaced")
    }

    /// Text so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for KeptBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
