//! Special files of the host program, with short reads and writes, errors and panics.

use std::io::{self, Read, Seek, SeekFrom, Write};

use vhost::SpecialFile;

use crate::event::{Event, FileOp, Log, channel_number};
use crate::methods::panic_on_purpose;
use crate::wire::errno::{EACCES, EIO, ENOSPC};

/// Kinds of files, the last component of their paths.
pub const KINDS: &[&str] = &["plain", "short", "eio", "full", "panic", "deny"];

/// Size of a file in bytes.
const SIZE: usize = 256;
/// Number of bytes that a file accepts or returns before it fails.
const BUDGET: usize = 40;

struct SimFile {
    log: Log,
    channel: usize,
    path: String,
    kind: String,
    bytes: Vec<u8>,
    position: usize,
    budget: usize,
}

/// Opens `virtual/sim/<channel>/<kind>`.
///
/// # Errors
/// EACCES for kind `deny`.
pub fn open(log: &Log, path: &str) -> io::Result<Box<dyn SpecialFile>> {
    let mut parts = path.rsplit('/');
    let kind = parts.next().unwrap_or_default().to_owned();
    let channel = parts.next().and_then(channel_number).unwrap_or(usize::MAX);
    let file = SimFile {
        log: log.clone(),
        channel,
        path: path.to_owned(),
        bytes: (0..SIZE).map(|at| (at * 7 + kind.len()) as u8).collect(),
        kind,
        position: 0,
        budget: BUDGET,
    };
    if file.kind == "deny" {
        return file.fail(FileOp::Open, EACCES);
    }
    file.log_operation(FileOp::Open(Ok(())));
    Ok(Box::new(file))
}

impl SimFile {
    fn log_operation(&self, op: FileOp) {
        self.log.push(Event::File {
            channel: self.channel,
            path: self.path.clone(),
            op,
        });
    }

    fn fail<T, U>(&self, op: impl FnOnce(Result<U, i32>) -> FileOp, errno: i32) -> io::Result<T> {
        self.log_operation(op(Err(errno)));
        Err(io::Error::from_raw_os_error(errno))
    }

    /// Number of bytes that one operation moves; none if it fails.
    fn transfer_size(&mut self, len: usize) -> usize {
        match self.kind.as_str() {
            "short" => len.min(3),
            "eio" | "full" => {
                let moved = len.min(self.budget);
                self.budget -= moved;
                moved
            }
            _ => len,
        }
    }
}

impl Read for SimFile {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.kind == "panic" {
            self.log_operation(FileOp::Read(Err(EIO)));
            panic_on_purpose();
        }
        let rest = self.bytes.len().saturating_sub(self.position);
        let len = to.len().min(rest);
        let moved = self.transfer_size(len);
        if moved == 0 && len > 0 {
            return self.fail(FileOp::Read, EIO);
        }
        let from = self.position.min(self.bytes.len());
        to[..moved].copy_from_slice(&self.bytes[from..from + moved]);
        self.position += moved;
        self.log_operation(FileOp::Read(Ok(to[..moved].to_vec())));
        Ok(moved)
    }
}

impl Write for SimFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.kind == "panic" {
            self.log_operation(FileOp::Write(Err(EIO)));
            panic_on_purpose();
        }
        let room = self.bytes.len().saturating_sub(self.position);
        let len = data.len().min(room);
        let moved = self.transfer_size(len);
        if moved == 0 && !data.is_empty() {
            let errno = if self.kind == "eio" { EIO } else { ENOSPC };
            return self.fail(FileOp::Write, errno);
        }
        let from = self.position.min(self.bytes.len());
        self.bytes[from..from + moved].copy_from_slice(&data[..moved]);
        self.position += moved;
        self.log_operation(FileOp::Write(Ok(data[..moved].to_vec())));
        Ok(moved)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SimFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(position) = to else {
            return self.fail(FileOp::Seek, EIO);
        };
        if self.kind == "eio" && position > 100 {
            return self.fail(FileOp::Seek, EIO);
        }
        self.position = usize::try_from(position).unwrap_or(usize::MAX);
        self.log_operation(FileOp::Seek(Ok(position)));
        Ok(position)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if self.kind != "deny" {
            self.log_operation(FileOp::Drop);
        }
    }
}
