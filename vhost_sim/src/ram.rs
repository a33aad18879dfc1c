//! Memory model of the host program. It logs every write, and can fail, write only half of the
//! data, and show old content.

use std::sync::{Arc, Mutex};

use vhost::{MemoryModel, ModelError};

use crate::event::{Event, Log};

/// Pending failures.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Number of accesses that succeed first.
    pub skip: u32,
    /// True if half of a failed write is executed.
    pub tear: bool,
    /// Lowest address of the accesses that fail.
    pub from: u64,
    /// True if polls fail, too.
    pub peeks: bool,
}

/// Memory of one channel.
#[derive(Debug)]
pub struct Ram {
    channel: usize,
    base: u64,
    /// Contents of the memory.
    pub bytes: Vec<u8>,
    log: Log,
    /// Pending failures.
    pub fault: Option<Fault>,
    /// Earlier content that polls get.
    pub stale: Option<Vec<u8>>,
}

/// Memory that the simulation and the host share.
pub type SharedRam = Arc<Mutex<Ram>>;

#[derive(Debug)]
struct InjectedFault;

impl std::fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("injected fault")
    }
}

impl std::error::Error for InjectedFault {}

impl Ram {
    /// Creates a memory with this content.
    pub fn new(channel: usize, base: u64, bytes: Vec<u8>, log: Log) -> SharedRam {
        Arc::new(Mutex::new(Self {
            channel,
            base,
            bytes,
            log,
            fault: None,
            stale: None,
        }))
    }

    /// `Some(tear)` if an access is to fail.
    fn fails_next(&mut self, offset: u64, peek: bool) -> Option<bool> {
        let address = self.base.wrapping_add(offset);
        let fault = self.fault.as_mut()?;
        if address < fault.from || (peek && !fault.peeks) {
            return None;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let tear = fault.tear;
        self.log.push(Event::Failed {
            channel: self.channel,
            address,
        });
        Some(tear)
    }

    fn copy(&self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        let from = self.stale.as_ref().unwrap_or(&self.bytes);
        data.copy_from_slice(part(from, offset, data.len())?);
        Ok(())
    }
}

fn part(bytes: &[u8], offset: u64, len: usize) -> Result<&[u8], ModelError> {
    let start = usize::try_from(offset)?;
    let part = bytes.get(start..start.saturating_add(len));
    part.ok_or_else(|| "access past the end of the memory".into())
}

impl MemoryModel for Ram {
    fn read(&mut self, offset: u64) -> Result<u8, ModelError> {
        let mut byte = [0];
        self.read_block(offset, &mut byte)?;
        Ok(byte[0])
    }

    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError> {
        self.write_block(offset, &[data])
    }

    fn read_block(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        if self.fails_next(offset, false).is_some() {
            return Err(Box::new(InjectedFault));
        }
        data.copy_from_slice(part(&self.bytes, offset, data.len())?);
        Ok(())
    }

    fn write_block(&mut self, offset: u64, data: &[u8]) -> Result<(), ModelError> {
        part(&self.bytes, offset, data.len())?;
        let failed = self.fails_next(offset, false);
        let written = match failed {
            None => data.len(),
            Some(true) => data.len() / 2,
            Some(false) => 0,
        };
        let start = usize::try_from(offset)?;
        self.bytes[start..start + written].copy_from_slice(&data[..written]);
        if failed.is_some() {
            return Err(Box::new(InjectedFault));
        }
        self.log.push(Event::Write {
            channel: self.channel,
            address: self.base.wrapping_add(offset),
            data: data.to_vec(),
        });
        Ok(())
    }

    fn peek(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        if self.fails_next(offset, true).is_some() {
            return Err(Box::new(InjectedFault));
        }
        self.copy(offset, data)
    }
}
