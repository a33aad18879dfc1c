//! Standard input of firmware: a file, or the standard input of this process.
//!
//! - `source`: its bytes, at any position.

mod source;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use vhost::Vhost;

use self::source::{Chunk, Source};
use crate::output::{WARNING, WholeStderr};

/// Number of ticks until the next attempt after the host has taken nothing, so that firmware can
/// read.
const RETRY_TICKS: u32 = 1024;

const UNREADABLE: &str = "--stdin can't be read";

/// Input of all channels. Each channel receives all bytes, at its own pace.
pub(super) struct Input {
    source: Source,
    channels: Vec<Reader>,
}

/// Channel with this input.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reader {
    name: String,
    progress: Progress,
    /// Number of bytes that the host took before the restore, from another pipe or terminal.
    before: u64,
    /// Bytes from the current position on that the host has not taken.
    pending: Vec<u8>,
    pause: u32,
    /// Number of bytes that the channel has lost, since they were not kept.
    lost: u64,
}

/// Input that the host has taken for a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Number of bytes.
    pub(super) taken: u64,
    /// True after the end.
    pub(super) has_ended: bool,
    /// CRC-32 of the bytes, in a checkpoint; `None` for those of a pipe or terminal.
    pub(super) checksum: Option<u32>,
}

impl Input {
    /// Opens a file; `-` is the standard input of this process.
    pub(super) fn open(name: &Path, vhost: &Vhost) -> Result<Self> {
        let failed = || format!("--stdin {} can't be read", name.display());
        let source = if name == Path::new("-") {
            Source::stream(io::stdin())
        } else {
            let file = File::open(name).with_context(failed)?;
            let metadata = file.metadata().with_context(failed)?;
            if metadata.is_file() {
                Source::File(file)
            } else {
                Source::stream(file)
            }
        };
        let names = vhost.exits().into_iter().map(|channel| channel.name);
        let channels = names.map(Reader::new).collect();
        Ok(Self { source, channels })
    }

    /// Progress of each channel for a checkpoint, in the order of the channels.
    pub(super) fn progress(&self) -> Result<Vec<Progress>> {
        let progress = self.channels.iter().map(|it| {
            let taken = it.progress.taken;
            Ok(Progress {
                taken: it.before.saturating_add(taken),
                checksum: self.source.checksum(taken).context(UNREADABLE)?,
                ..it.progress
            })
        });
        progress.collect()
    }

    /// True if the bytes that the host took before a checkpoint are those of this file, or can't be
    /// compared.
    pub(super) fn has_begun_with(&self, progress: &[Progress]) -> Result<bool> {
        for Progress {
            taken, checksum, ..
        } in progress
        {
            let here = self.source.checksum(*taken).context(UNREADABLE)?;
            if let (Some(before), Some(here)) = (checksum, here)
                && *before != here
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Continues from a saved progress: in a file at its position, in a pipe or terminal with the
    /// next bytes.
    pub(super) fn resume(&mut self, progress: &[Progress]) {
        for (channel, progress) in self.channels.iter_mut().zip(progress) {
            channel.progress = *progress;
            if let Source::Stream(_) = self.source {
                channel.before = std::mem::take(&mut channel.progress.taken);
            }
        }
    }

    /// True if firmware may receive more: bytes, or the end.
    pub(super) fn is_open(&self) -> bool {
        self.channels.iter().any(Reader::may_get_more)
    }

    /// True if a channel's next bytes come from a pipe or terminal, and have not arrived.
    pub(super) fn comes_later(&self) -> bool {
        let mut waiting = self.channels.iter().filter(|it| it.may_get_more());
        waiting.any(|it| it.pending.is_empty() && self.source.comes_later(it.progress.taken))
    }

    /// Sleeps until bytes of a pipe or terminal arrive, up to a limit. For firmware that waits for
    /// them, which would busy a processor otherwise.
    pub(super) fn sleep(&mut self) -> Result<()> {
        self.source.sleep().context(UNREADABLE)
    }

    /// Passes arrived bytes, and the end, on to the host.
    pub(super) fn feed(&mut self, vhost: &Vhost) -> Result<()> {
        for channel in &mut self.channels {
            channel.feed(&mut self.source, vhost)?;
        }
        let needed = self.channels.iter().filter(|it| !it.progress.has_ended);
        if let Some(first) = needed.map(|it| it.progress.taken).min() {
            self.source.forget(first);
        }
        Ok(())
    }
}

impl Reader {
    fn new(name: String) -> Self {
        Self {
            name,
            progress: Progress::default(),
            before: 0,
            pending: Vec::new(),
            pause: 0,
            lost: 0,
        }
    }

    /// False after the end, and while the host takes no more bytes until firmware reads.
    fn may_get_more(&self) -> bool {
        !self.progress.has_ended && self.pause == 0
    }

    /// Passes the next bytes, or the end, on to the host.
    fn feed(&mut self, source: &mut Source, vhost: &Vhost) -> Result<()> {
        if self.progress.has_ended {
            return Ok(());
        }
        if self.pause > 1 {
            self.pause -= 1;
            return Ok(());
        }
        // The error may contain a callback's error, which is not `Send`.
        let failed = |error: vhost::Error| anyhow!("{error}");
        if self.pending.is_empty() {
            match source.chunk(self.progress.taken).context(UNREADABLE)? {
                Chunk::NotYet => return Ok(()),
                Chunk::Bytes(bytes) => self.pending = bytes,
                Chunk::Lost(position) => {
                    self.lost += position - self.progress.taken;
                    self.progress.taken = position;
                    return Ok(());
                }
                Chunk::End => {
                    self.progress.has_ended = true;
                    return vhost.close_stdin(&self.name).map_err(failed);
                }
            }
        }
        let taken = vhost.write_stdin(&self.name, &self.pending);
        let taken = taken.map_err(failed)?;
        self.pending.drain(..taken);
        self.progress.taken += taken as u64;
        self.pause = if taken == 0 { RETRY_TICKS } else { 0 };
        if taken > 0 && self.lost > 0 {
            self.tell();
        }
        Ok(())
    }

    /// Warns of lost bytes once firmware reads behind them.
    fn tell(&mut self) {
        let Self { name, lost, .. } = self;
        // Without standard error there is no way to report.
        let _ = writeln!(
            WholeStderr::default(),
            "{WARNING}warning:{WARNING:#} channel `{name}` has lost {lost} bytes of --stdin: firmware reads it by another channel, more than {} MiB \
             ahead; give a file, which each channel reads by itself",
            source::MAX_KEPT_BYTES >> 20
        );
        *lost = 0;
    }
}
