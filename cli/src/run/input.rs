//! Standard input of firmware: a file, or that of this process.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use vhost::Vhost;

use super::system::{CHANNEL, RTT, SEMIHOSTING};

/// Largest number of bytes that are handed on at a time.
const CHUNK: usize = 1 << 16;

/// Ticks until the next attempt where the host has taken nothing: firmware is to read first.
const PAUSE: u32 = 1024;

const UNREADABLE: &str = "--stdin can't be read";

/// Longest time without a tick, while firmware waits for bytes of a pipe or terminal.
const SLEEP: Duration = Duration::from_millis(10);

/// Bytes that firmware has yet to get.
pub(super) struct Input {
    source: Source,
    pending: Vec<u8>,
    pause: u32,
    /// Number of bytes that the host has taken.
    taken: u64,
}

enum Source {
    /// Regular file, which is read where its bytes are needed: runs are the same each time.
    File(File),
    /// Pipe or terminal, read by a thread: the simulation does not wait for it.
    Thread(Receiver<io::Result<Vec<u8>>>),
    Ended,
}

impl Input {
    /// Opens a file; `-` is the standard input of this process.
    pub(super) fn open(name: &Path) -> Result<Self> {
        let failed = || format!("--stdin {} can't be read", name.display());
        let source = if name == Path::new("-") {
            Source::Thread(read_by_thread(io::stdin()))
        } else {
            let file = File::open(name).with_context(failed)?;
            let metadata = file.metadata().with_context(failed)?;
            if metadata.is_file() {
                Source::File(file)
            } else {
                Source::Thread(read_by_thread(file))
            }
        };
        Ok(Self {
            source,
            pending: Vec::new(),
            pause: 0,
            taken: 0,
        })
    }

    /// Number of bytes that the host has taken, and true after the end.
    pub(super) fn position(&self) -> (u64, bool) {
        (self.taken, !self.is_open())
    }

    /// Goes on from a position. A file is read from there; a pipe or terminal has its next bytes.
    pub(super) fn resume(&mut self, taken: u64, has_ended: bool) -> Result<()> {
        if let Source::File(file) = &mut self.source {
            file.seek(SeekFrom::Start(taken)).context(UNREADABLE)?;
        }
        if has_ended {
            self.source = Source::Ended;
        }
        self.taken = taken;
        Ok(())
    }

    /// True if more may come.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.source, Source::Ended)
    }

    /// True if the next bytes are those of a pipe or terminal, and have not come.
    pub(super) fn comes_later(&self) -> bool {
        self.pending.is_empty() && matches!(self.source, Source::Thread(_))
    }

    /// Sleeps until bytes of a pipe or terminal come, for a while at most. For firmware that waits for them: it would take all of a
    /// processor.
    pub(super) fn sleep(&mut self) -> Result<()> {
        let Source::Thread(chunks) = &self.source else {
            return Ok(());
        };
        match chunks.recv_timeout(SLEEP) {
            Ok(bytes) => self.pending.append(&mut bytes.context(UNREADABLE)?),
            // The end is found by the next `feed`.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        Ok(())
    }

    /// Hands on what has come, and the end.
    pub(super) fn feed(&mut self, vhost: &Vhost) -> Result<()> {
        if self.pause > 0 {
            self.pause -= 1;
            return Ok(());
        }
        // The error may hold a callback's error, which is not `Send`.
        let failed = |error: vhost::Error| anyhow!("{error}");
        if self.pending.is_empty() {
            match self.source.chunk().context(UNREADABLE)? {
                Chunk::NotYet => return Ok(()),
                Chunk::Bytes(bytes) => self.pending = bytes,
                Chunk::End => {
                    self.source = Source::Ended;
                    for name in others(vhost) {
                        vhost.close_stdin(name).map_err(failed)?;
                    }
                    return vhost.close_stdin(CHANNEL).map_err(failed);
                }
            }
        }
        let taken = vhost.write_stdin(CHANNEL, &self.pending).map_err(failed)?;
        // Firmware reads by one of them; the others keep what fits.
        for name in others(vhost) {
            let copied = &self.pending[..taken];
            vhost.write_stdin(name, copied).map_err(failed)?;
        }
        self.pending.drain(..taken);
        self.taken += taken as u64;
        if taken == 0 {
            self.pause = PAUSE;
        }
        Ok(())
    }
}

/// Channels of further protocols of the image.
fn others(vhost: &Vhost) -> impl Iterator<Item = &'static str> {
    let exits = vhost.exits();
    let is_there = move |name: &&str| exits.iter().any(|channel| channel.name == *name);
    [RTT, SEMIHOSTING].into_iter().filter(is_there)
}

/// Next part of a source.
enum Chunk {
    NotYet,
    Bytes(Vec<u8>),
    End,
}

impl Source {
    fn chunk(&mut self) -> io::Result<Chunk> {
        match self {
            Self::File(file) => {
                let bytes = read(file)?;
                Ok(if bytes.is_empty() {
                    Chunk::End
                } else {
                    Chunk::Bytes(bytes)
                })
            }
            Self::Thread(chunks) => match chunks.try_recv() {
                Ok(bytes) => bytes.map(Chunk::Bytes),
                Err(TryRecvError::Empty) => Ok(Chunk::NotYet),
                Err(TryRecvError::Disconnected) => Ok(Chunk::End),
            },
            Self::Ended => Ok(Chunk::NotYet),
        }
    }
}

/// Reads some bytes; none at the end.
fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; CHUNK];
    let len = loop {
        match from.read(&mut bytes) {
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
            let chunk = read(&mut from);
            if chunk.as_ref().is_ok_and(Vec::is_empty) {
                break;
            }
            let failed = chunk.is_err();
            // Nobody receives once the run has ended.
            if sender.send(chunk).is_err() || failed {
                break;
            }
        }
    });
    receiver
}
