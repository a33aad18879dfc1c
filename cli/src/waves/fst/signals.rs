//! Signals of channels.

use std::collections::HashSet;
use std::io::{self, Seek, Write};
use std::sync::Arc;

use super::file::{BLOCK, FstFile};
use super::hierarchy::{Hierarchy, Shape, SignalId};
use super::order::{Change, What};
use crate::output::{Sanitized, truncated};

/// Maximum number of characters of a name.
const NAME: usize = 200;

/// Writes the signals of all channels.
pub(super) struct Signals<W> {
    file: FstFile<W>,
    lanes: Vec<Lane>,
    /// Time of the unwritten changes.
    now: u64,
    /// Channels with unwritten changes.
    changed: Vec<usize>,
}

/// Signals of a channel.
struct Lane {
    ids: Ids,
    is_changed: bool,
    /// Place of the last change.
    place: u64,
    is_busy: bool,
    number: u64,
    kind: &'static str,
    request: String,
    result: String,
}

#[derive(Clone, Copy)]
struct Ids {
    busy: SignalId,
    number: SignalId,
    kind: SignalId,
    request: SignalId,
    result: SignalId,
}

impl<W: Write + Seek> Signals<W> {
    /// Begins a file with times in units of 10 to the power of `exponent` seconds.
    pub(super) fn begin(to: W, exponent: i8, names: &[Arc<str>]) -> io::Result<Self> {
        let mut hierarchy = Hierarchy::default();
        hierarchy.begin_scope("vhost");
        let mut scopes = HashSet::new();
        let lanes = names.iter().enumerate().map(|(number, name)| {
            let mut scope = scope_name(name);
            // Viewers would merge scopes with the same name.
            while !scopes.insert(scope.clone()) {
                scope += &format!("_{number}");
            }
            hierarchy.begin_scope(&scope);
            let ids = Ids {
                busy: hierarchy.signal("busy", Shape::Bit),
                number: hierarchy.signal("number", Shape::Word),
                kind: hierarchy.signal("kind", Shape::Text),
                request: hierarchy.signal("request", Shape::Text),
                result: hierarchy.signal("result", Shape::Text),
            };
            hierarchy.end_scope();
            Lane {
                ids,
                is_changed: true,
                place: 0,
                is_busy: false,
                number: 0,
                kind: "",
                request: String::new(),
                result: String::new(),
            }
        });
        let lanes: Vec<Lane> = lanes.collect();
        hierarchy.end_scope();
        let mut file = FstFile::begin(to, exponent, &hierarchy, BLOCK)?;
        file.advance(0)?;
        Ok(Self {
            file,
            // Texts have no value before their first change.
            changed: (0..lanes.len()).collect(),
            lanes,
            now: 0,
        })
    }

    /// Applies a change. Times must not decrease. Of several changes at one time, the last one is
    /// written.
    pub(super) fn apply(&mut self, change: Change) -> io::Result<()> {
        self.advance(change.time)?;
        let number = change.number();
        let Some(lane) = self.lanes.get_mut(change.lane) else {
            return Ok(());
        };
        if change.place < lane.place {
            // At the same time as the later change.
            return Ok(());
        }
        lane.place = change.place;
        match change.what {
            What::Taken { kind, request } => {
                lane.is_busy = true;
                (lane.number, lane.kind, lane.request) = (number, kind, request);
            }
            What::Answered(result) => {
                lane.is_busy = false;
                lane.kind = "";
                lane.request.clear();
                lane.result = result;
            }
        }
        if !lane.is_changed {
            lane.is_changed = true;
            self.changed.push(change.lane);
        }
        Ok(())
    }

    /// Completes the file. Its last time is `end` if no change is later.
    pub(super) fn finish(mut self, end: u64) -> io::Result<()> {
        self.advance(end)?;
        self.write_changed();
        self.file.finish()
    }

    fn advance(&mut self, time: u64) -> io::Result<()> {
        if time <= self.now {
            return Ok(());
        }
        self.write_changed();
        self.now = time;
        self.file.advance(time)
    }

    fn write_changed(&mut self) {
        for number in self.changed.drain(..) {
            let Some(lane) = self.lanes.get_mut(number) else {
                continue;
            };
            lane.is_changed = false;
            let ids = lane.ids;
            self.file.set(ids.busy, lane.is_busy.into());
            self.file.set(ids.number, lane.number);
            self.file.set_text(ids.kind, lane.kind);
            self.file.set_text(ids.request, &lane.request);
            self.file.set_text(ids.result, &lane.result);
        }
    }
}

/// Name of a channel in the hierarchy. Viewers take dots as separators of names, and spaces as the
/// start of ranges.
fn scope_name(name: &str) -> String {
    let name = truncated(format_args!("{}", Sanitized(name)), NAME);
    let name = name.replace(|letter: char| letter == '.' || letter.is_whitespace(), "_");
    if name.is_empty() {
        "_".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use fst_reader::{FstFilter, FstReader, FstSignalValue};

    use super::*;
    use crate::waves::requests::Timed;
    use crate::waves::steps::LATEST;

    #[test]
    fn a_file_has_many_channels() {
        const CHANNELS: usize = 100_000;
        let names: Vec<Arc<str>> = (0..CHANNELS).map(|at| format!("c{at}").into()).collect();
        let mut bytes = Cursor::new(Vec::new());
        let mut signals = Signals::begin(&mut bytes, -12, &names).unwrap();
        for at in 0..10 {
            let timed = Timed {
                lane: at * (CHANNELS / 10),
                number: 7,
                begin: at as u64,
                end: LATEST,
            };
            let (kind, request) = ("PRINT", "PRINT len 3".to_owned());
            let taken = Change::begin(&timed, What::Taken { kind, request });
            signals.apply(taken).unwrap();
        }
        signals.finish(LATEST).unwrap();
        let bytes = bytes.into_inner();
        assert!(bytes.len() < 10_000_000, "{}", bytes.len());
        let mut reader = FstReader::open(Cursor::new(bytes)).unwrap();
        let mut busy = 0;
        let read = reader.read_signals(&FstFilter::all(), |_, _, value| {
            busy += usize::from(matches!(value, FstSignalValue::String(b"1")));
            Ok::<(), ()>(())
        });
        read.unwrap();
        assert_eq!(busy, 10);
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(scope_name("a.b c\0"), "a_b_c\\u{0}");
        assert_eq!(scope_name(""), "_");
        assert!(scope_name(&"ä".repeat(1000)).len() <= 2 * NAME + 3);
    }
}
