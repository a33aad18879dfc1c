//! Bytes of a standard input, for readers at different positions.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

/// Maximum number of bytes of one read.
const CHUNK: usize = 1 << 16;

/// Maximum number of bytes of a pipe or terminal that are kept for a slower reader.
pub(super) const MAX_KEPT_BYTES: usize = 16 << 20;

/// Maximum time without a tick while firmware waits for bytes of a pipe or terminal.
const SLEEP: Duration = Duration::from_millis(10);

/// Source of bytes. The first byte has position 0.
pub(super) enum Source {
    /// Regular file, which is read on demand: all runs are equal.
    File(File),
    /// Pipe or terminal.
    Stream(Stream),
}

/// Bytes of a pipe or terminal. A thread reads them, so that the simulation does not wait.
pub(super) struct Stream {
    chunks: Receiver<io::Result<Vec<u8>>>,
    /// Bytes that some reader has not taken yet.
    kept: VecDeque<u8>,
    /// Position of the first of them.
    first: u64,
    has_ended: bool,
}

/// Bytes from a position on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// More bytes may come, but have not arrived.
    NotYet,
    /// Some bytes.
    Bytes(Vec<u8>),
    /// The position is behind the last byte.
    End,
    /// Bytes up to this position are not kept.
    Lost(u64),
}

impl Source {
    /// Pipe or terminal.
    pub(super) fn stream(from: impl Read + Send + 'static) -> Self {
        Self::Stream(Stream::new(read_by_thread(from)))
    }

    /// Bytes from a position on.
    pub(super) fn chunk(&mut self, position: u64) -> io::Result<Chunk> {
        match self {
            Self::File(file) => {
                let bytes = read(|bytes| file.read_at(bytes, position))?;
                Ok(if bytes.is_empty() {
                    Chunk::End
                } else {
                    Chunk::Bytes(bytes)
                })
            }
            Self::Stream(stream) => stream.chunk(position),
        }
    }

    /// CRC-32 of the bytes before a position, or of all if there are fewer; `None` for a pipe or
    /// terminal, which has no earlier bytes.
    pub(super) fn checksum(&self, position: u64) -> io::Result<Option<u32>> {
        let Self::File(file) = self else {
            return Ok(None);
        };
        let mut checksum = crc32fast::Hasher::new();
        let mut at = 0;
        while at < position {
            let mut bytes = read(|bytes| file.read_at(bytes, at))?;
            if bytes.is_empty() {
                break;
            }
            at += bytes.len() as u64;
            let beyond = usize::try_from(at.saturating_sub(position)).unwrap_or(usize::MAX);
            bytes.truncate(bytes.len().saturating_sub(beyond));
            checksum.update(&bytes);
        }
        Ok(Some(checksum.finalize()))
    }

    /// Drops the bytes before a position, which no reader needs.
    pub(super) fn forget(&mut self, position: u64) {
        if let Self::Stream(stream) = self {
            let count = usize::try_from(position.saturating_sub(stream.first));
            stream.drop_first(count.unwrap_or(usize::MAX));
        }
    }

    /// True if the bytes from a position on come from a pipe or terminal, and have not arrived.
    pub(super) fn comes_later(&self, position: u64) -> bool {
        match self {
            Self::File(_) => false,
            Self::Stream(stream) => !stream.has_ended && position >= stream.end(),
        }
    }

    /// Sleeps until bytes of a pipe or terminal arrive, up to a limit.
    pub(super) fn sleep(&mut self) -> io::Result<()> {
        if let Self::Stream(stream) = self {
            match stream.chunks.recv_timeout(SLEEP) {
                Ok(bytes) => stream.keep(bytes?),
                // The next call of `chunk` finds the end.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        Ok(())
    }
}

impl Stream {
    fn new(chunks: Receiver<io::Result<Vec<u8>>>) -> Self {
        Self {
            chunks,
            kept: VecDeque::new(),
            first: 0,
            has_ended: false,
        }
    }

    /// Position behind the last arrived byte.
    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn chunk(&mut self, position: u64) -> io::Result<Chunk> {
        if position >= self.end() && !self.has_ended {
            match self.chunks.try_recv() {
                Ok(bytes) => self.keep(bytes?),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.has_ended = true,
            }
        }
        let Some(offset) = position.checked_sub(self.first) else {
            return Ok(Chunk::Lost(self.first));
        };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        if offset >= self.kept.len() {
            return Ok(if self.has_ended {
                Chunk::End
            } else {
                Chunk::NotYet
            });
        }
        let bytes = self.kept.range(offset..).take(CHUNK);
        Ok(Chunk::Bytes(bytes.copied().collect()))
    }

    fn keep(&mut self, bytes: Vec<u8>) {
        self.kept.extend(bytes);
        self.drop_first(self.kept.len().saturating_sub(MAX_KEPT_BYTES));
    }

    fn drop_first(&mut self, count: usize) {
        let count = count.min(self.kept.len());
        self.kept.drain(..count);
        self.first += count as u64;
    }
}

/// Reads some bytes; returns none at the end.
fn read(mut from: impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; CHUNK];
    let len = loop {
        match from(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    bytes.truncate(len);
    Ok(bytes)
}

/// Reads until the end, an error, or the end of the run.
fn read_by_thread(mut from: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        loop {
            let chunk = read(|bytes| from.read(bytes));
            if chunk.as_ref().is_ok_and(Vec::is_empty) {
                break;
            }
            let failed = chunk.is_err();
            // After the end of the run there is no receiver.
            if sender.send(chunk).is_err() || failed {
                break;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_read_at_any_position() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        let mut source = Source::File(file);
        for (position, bytes) in [(4, "ef"), (0, "abcdef"), (5, "f")] {
            let bytes = Chunk::Bytes(bytes.into());
            assert_eq!(source.chunk(position).unwrap(), bytes);
        }
        source.forget(5);
        assert_eq!(source.chunk(1).unwrap(), Chunk::Bytes(b"bcdef".to_vec()));
        assert_eq!(source.chunk(6).unwrap(), Chunk::End);
        assert!(!source.comes_later(6));
    }

    #[test]
    fn a_stream_keeps_the_bytes_of_its_slowest_reader() {
        let (sender, chunks) = sync_channel(4);
        let mut source = Source::Stream(Stream::new(chunks));
        assert_eq!(source.chunk(0).unwrap(), Chunk::NotYet);
        assert!(source.comes_later(0));
        sender.send(Ok(b"abc".to_vec())).unwrap();
        sender.send(Ok(b"de".to_vec())).unwrap();
        assert_eq!(source.chunk(0).unwrap(), Chunk::Bytes(b"abc".to_vec()));
        assert!(!source.comes_later(2) && source.comes_later(3));
        assert_eq!(source.chunk(3).unwrap(), Chunk::Bytes(b"de".to_vec()));
        assert_eq!(source.chunk(1).unwrap(), Chunk::Bytes(b"bcde".to_vec()));
        source.forget(2);
        assert_eq!(source.chunk(1).unwrap(), Chunk::Lost(2));
        assert_eq!(source.chunk(2).unwrap(), Chunk::Bytes(b"cde".to_vec()));
        drop(sender);
        assert_eq!(source.chunk(5).unwrap(), Chunk::End);
        assert_eq!(source.chunk(4).unwrap(), Chunk::Bytes(b"e".to_vec()));
    }

    #[test]
    fn a_stream_keeps_a_bounded_number_of_bytes() {
        let (sender, chunks) = sync_channel(1);
        let mut source = Source::Stream(Stream::new(chunks));
        let mut position = 0;
        while position <= 2 * MAX_KEPT_BYTES as u64 {
            sender.send(Ok(vec![7; CHUNK])).unwrap();
            let chunk = source.chunk(position).unwrap();
            assert_eq!(chunk, Chunk::Bytes(vec![7; CHUNK]));
            position += CHUNK as u64;
        }
        let lost = position - MAX_KEPT_BYTES as u64;
        assert_eq!(source.chunk(0).unwrap(), Chunk::Lost(lost));
    }

    #[test]
    fn an_error_of_a_stream_is_reported() {
        let (sender, chunks) = sync_channel(1);
        let mut source = Source::Stream(Stream::new(chunks));
        let failed = io::Error::from(io::ErrorKind::InvalidData);
        sender.send(Err(failed)).unwrap();
        let error = source.chunk(0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
