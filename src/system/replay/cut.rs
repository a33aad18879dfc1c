//! Part of a recording as a recording that can be replayed.
//!
//! It has the begin of the run up to its first tick, the state before the first entry of the part,
//! and the entries of the part. A replay up to this entry saves the state. A second replay checks
//! that the run continues from it without a divergence; otherwise the part begins earlier.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::comparison::Comparison;
use super::player::Player;
use super::replayed_actors::ReplayedActors;
use super::replayed_components::{channels, memory_map, outputs};
use super::{FindingSink, Replay, ReplayError, is_state, opened};
use crate::bus::{Endpoint, Message as _};
use crate::messages::Name;
use crate::messages::events::{RestoreBegun, Resumed};
use crate::messages::rpc::Call;
use crate::system::Error;
use crate::system::checkpoint::CheckpointError;
use crate::system::running::Vhost;
use crate::trace::{
    Content, Entry, Header, Kind, RunIdentity, Trace, TraceError, Writer, decode, encode,
    is_same_file,
};

/// Part of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// First tick of the part behind the begin of the run: the wanted one, or an earlier one from
    /// whose state a replay continues.
    pub first: u64,
    /// Number of messages and replies, with those of the begin of the run.
    pub entries: u64,
    /// True if the recording was cut off inside of the part.
    pub is_truncated: bool,
    /// Reason why the part does not begin at the wanted tick: the state there, or the first
    /// divergence of a replay from it.
    pub earlier: Option<String>,
}

/// Place at which a part may begin.
enum CutStart {
    /// The begin of the run.
    Run,
    /// Before the entry of a frame, with the state there.
    Entry { frame: u64, state: Box<Resumed> },
    /// In the middle of an operation: reason why the state can't be saved.
    Operation(String),
    /// Behind the end of the recording, which may be cut off.
    Nowhere { is_truncated: bool },
}

impl Cut {
    /// Writes the entries of some ticks to another file, compressed, with the state that a replay
    /// needs. The file is then replayed as a check.
    ///
    /// In a run that goes back in time, the part ends before the first entry behind the last tick.
    /// It has the earlier ticks to which the run goes back until then.
    ///
    /// ```no_run
    /// use vhost::{Cut, Replay};
    ///
    /// let cut = Cut::of("night.trace", 1_000_000..=1_000_200, "failure.trace")?;
    /// println!("{} messages and replies from tick {} on", cut.entries, cut.first);
    /// Replay::of("failure.trace").run()?;
    /// # Ok::<(), vhost::ReplayError>(())
    /// ```
    ///
    /// # Errors
    /// A recording that can't be replayed up to the part, or that has no such ticks; a file that
    /// can't be written, or that is the recording itself. A thread with a system can't replay.
    pub fn of(
        file: impl AsRef<Path>,
        ticks: RangeInclusive<u64>,
        output: impl AsRef<Path>,
    ) -> Result<Self, ReplayError> {
        let (file, output) = (file.as_ref(), output.as_ref());
        refuse_same(file, output)?;
        let (first, last) = (*ticks.start(), *ticks.end());
        let wanted = ticks;
        let mut earlier = None;
        let mut back = 0;
        loop {
            let from = first.saturating_sub(back);
            back = back.saturating_mul(2).max(1);
            let start = start_of(file, from)?;
            let is_run = matches!(start, CutStart::Run);
            let state = match start {
                CutStart::Run => None,
                CutStart::Entry { frame, state } => Some((frame, *state)),
                CutStart::Operation(reason) => {
                    earlier.get_or_insert(reason);
                    continue;
                }
                CutStart::Nowhere { is_truncated } => {
                    let file = file.to_owned();
                    return Err(ReplayError::NoTicks {
                        file,
                        first,
                        is_truncated,
                    });
                }
            };
            let ticks = if is_run { 0..=last } else { from..=last };
            let Some(written) = write(file, state, ticks, &wanted, output)? else {
                earlier.get_or_insert_with(|| {
                    format!("behind tick {from} is the answer of a message that was sent before")
                });
                continue;
            };
            match Replay::of(&written.file).on_finding(|_| ()).run() {
                Ok(_) => {
                    return Ok(Self {
                        first: if is_run { 0 } else { from },
                        entries: written.entries,
                        is_truncated: written.is_truncated,
                        earlier,
                    });
                }
                // The run depends on more than the state here.
                Err(error @ (ReplayError::Divergence(_) | ReplayError::Trace(_))) if !is_run => {
                    earlier.get_or_insert_with(|| {
                        let cause = cause(&error);
                        format!("a replay from the state of tick {from} differs: {cause}")
                    });
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Text of an error in the replay of a part, without the name of its file.
fn cause(error: &ReplayError) -> String {
    match error {
        ReplayError::Trace(TraceError::Damaged { frame, damage, .. }) => {
            format!("frame {frame}: {damage}")
        }
        error => error.to_string(),
    }
}

/// Fails if both paths name the same file.
fn refuse_same(file: &Path, output: &Path) -> Result<(), TraceError> {
    if is_same_file(file, output) {
        let cause = io::Error::other("it is the recording itself: give another file");
        let file = output.to_owned();
        return Err(TraceError::Io { file, cause });
    }
    Ok(())
}

/// Place before the first entry of a tick, or of a later one.
fn start_of(file: &Path, tick: u64) -> Result<CutStart, ReplayError> {
    let (trace, header) = opened(file)?;
    // Each part contains the begin of the run.
    if tick <= 1 {
        return Ok(CutStart::Run);
    }
    let map = memory_map(&header).map_err(Error::from)?;
    let channels = channels(&header, &map).map_err(Error::from)?;
    let comparison = Comparison::shared(trace, ReplayedActors::All);
    let findings = FindingSink::new(Box::new(|_| ()));
    let player = Rc::new(Player::new(comparison.clone(), findings));
    let mut components = Replay::components(&header, map, channels, &comparison, &player)?;
    [components.sink, components.error_sink] = outputs(&comparison, Box::new(io::sink()));
    let (vhost, pending_start) = Vhost::build(components)?;
    let reached = player.play_to(&vhost, pending_start, tick);
    let start = match reached {
        Ok(Some((frame, state))) => Ok(CutStart::Entry {
            frame,
            state: Box::new(state),
        }),
        Ok(None) => {
            let replayed = comparison.end(vhost.now());
            replayed.map(|replayed| CutStart::Nowhere {
                is_truncated: replayed.is_truncated,
            })
        }
        Err(error) => Ok(CutStart::Operation(format!(
            "the state of tick {tick} can't be saved: {error}"
        ))),
    };
    vhost.detach();
    start
}

/// Writes a part from its first frame, with the state there and the messages without a reply, to
/// its last tick; without a state, from the begin of the run. `None` if an entry answers a message
/// of the begin that had a reply. `wanted`: ticks for the name of the part.
fn write(
    file: &Path,
    state: Option<(u64, Resumed)>,
    ticks: RangeInclusive<u64>,
    wanted: &RangeInclusive<u64>,
    output: &Path,
) -> Result<Option<WrittenCut>, ReplayError> {
    let mut trace = Trace::open(file)?;
    let last = *ticks.end();
    let header = header_of(trace.header(), wanted);
    let mut cut = CutWriter {
        writer: Writer::create(output, &header)?,
        open: HashSet::new(),
        entries: 0,
        sequence: 0,
    };
    let frame = state.as_ref().map_or(0, |(frame, _)| *frame);
    let mut state = state.map(|(_, state)| state);
    let mut is_begin = true;
    // Messages that are left out, without a reply so far.
    let mut left_out = BTreeMap::new();
    for entry in &mut trace {
        let entry = entry?;
        // Messages without a reply follow the state of a part, and are left out: the new state
        // replaces it. So does a restore, which sets the time.
        is_begin &= entry.tick == 0 && !is_state(&entry) && !is_restore(&entry);
        if entry.frame < frame {
            if is_begin {
                if !cut.add(&entry)? {
                    return Ok(None);
                }
            } else if !matches!(entry.content, Content::Message { .. }) {
                left_out.remove(&entry.sequence);
            } else if entry.kind.to != Endpoint::EVENT.name() {
                left_out.insert(entry.sequence, entry);
            }
            continue;
        }
        if let Some(mut state) = state.take() {
            state.open = left_out.values().map(caller).collect();
            cut.resume(&state)?;
            for entry in left_out.values() {
                cut.add(entry)?;
            }
        }
        if entry.tick > last {
            break;
        }
        if !cut.add(&entry)? {
            return Ok(None);
        }
    }
    let written = WrittenCut {
        file: cut.writer.file().to_owned(),
        entries: cut.entries,
        is_truncated: trace.is_truncated(),
    };
    cut.writer.finish()?;
    Ok(Some(written))
}

/// True for the begin of a restore.
fn is_restore(entry: &Entry) -> bool {
    entry.kind.name == RestoreBegun::NAME && entry.kind.to == Endpoint::EVENT.name()
}

/// Channel of a call.
fn caller(entry: &Entry) -> Option<Name> {
    let body = decode(entry).ok()??;
    let call: &Call = body.downcast_ref()?;
    Some(call.channel.clone())
}

/// Header of a part. Its run has a name of its own, by the wanted ticks: parts that begin earlier
/// than wanted may begin at the same tick.
fn header_of(header: &Header, ticks: &RangeInclusive<u64>) -> Header {
    let mut header = header.clone();
    header.compressed = true;
    let last = match *ticks.end() {
        u64::MAX => String::new(),
        last => last.to_string(),
    };
    let name = header.run.get(RunIdentity::ID);
    if let Some(name) = name.map(|name| format!("{name}.{}to{last}", ticks.start())) {
        header.run.set(RunIdentity::ID, name);
    }
    header
}

/// Written part.
struct WrittenCut {
    file: PathBuf,
    entries: u64,
    /// True if the recording was cut off inside of the part.
    is_truncated: bool,
}

/// Writer of a part.
struct CutWriter {
    writer: Writer,
    /// Sequence numbers of the messages without a reply so far.
    open: HashSet<u64>,
    entries: u64,
    /// Largest sequence number so far.
    sequence: u64,
}

impl CutWriter {
    /// Writes an entry. Returns false if it answers a message that is left out.
    fn add(&mut self, entry: &Entry) -> Result<bool, TraceError> {
        let is_known = match entry.content {
            Content::Message { .. } if entry.kind.to == Endpoint::EVENT.name() => true,
            Content::Message { .. } => {
                // One of the same number is replaced, as in a reader: only damaged recordings have
                // it.
                self.open.insert(entry.sequence);
                true
            }
            Content::Reply { .. } | Content::Dropped => self.open.remove(&entry.sequence),
        };
        if is_known {
            self.writer.write(entry)?;
            self.entries += 1;
            self.sequence = self.sequence.max(entry.sequence);
        }
        Ok(is_known)
    }

    /// Writes the state of the system.
    fn resume(&mut self, state: &Resumed) -> Result<(), ReplayError> {
        let mut body = Vec::new();
        let encoded = encode(state, &mut body);
        encoded
            .map_err(|text| CheckpointError::Unserializable(text.into()))
            .map_err(Error::from)?;
        let kind = Kind {
            from: Endpoint::EXTERNAL.to_string(),
            to: Endpoint::EVENT.to_string(),
            name: Resumed::NAME.to_owned(),
        };
        let sequence = self.sequence + 1;
        self.writer.write(&Entry {
            frame: 0,
            sequence,
            root: sequence,
            // The state sets the time.
            tick: 0,
            kind: Arc::new(kind),
            content: Content::Message {
                body: body.into(),
                awaited: false,
            },
        })?;
        self.entries += 1;
        Ok(())
    }
}
