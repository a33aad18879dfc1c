//! Recorded entries that are still to be played.

use std::collections::VecDeque;

use super::replayed_actors::ReplayedActors;
use crate::trace::{Entry, EntryRef, FrameError, Trace, TraceError};

/// Entries of the replayed actors that are still to be played. They are read on demand: most of
/// them stay in the reader.
pub(super) struct Upcoming {
    trace: Trace,
    actors: ReplayedActors,
    /// Entries that were read before the reader's current one.
    ahead: VecDeque<Entry>,
    /// True if the reader's current entry has not been played.
    has_current: bool,
    /// Result of the reader at its end.
    end: Option<Result<(), TraceError>>,
}

impl Upcoming {
    pub(super) fn new(trace: Trace, actors: ReplayedActors) -> Self {
        Self {
            trace,
            actors,
            ahead: VecDeque::new(),
            has_current: false,
            end: None,
        }
    }

    fn len(&self) -> usize {
        self.ahead.len() + usize::from(self.has_current)
    }

    /// Reads entries up to this one behind the next. Returns false if there are fewer.
    #[inline]
    pub(super) fn reaches(&mut self, place: usize) -> bool {
        place < self.len() || self.read(place)
    }

    #[inline(never)]
    fn read(&mut self, place: usize) -> bool {
        while self.end.is_none() && self.len() <= place {
            if std::mem::take(&mut self.has_current) {
                self.ahead.extend(self.trace.current_entry());
            }
            match self.trace.advance() {
                Ok(true) => {
                    self.has_current = match self.actors {
                        ReplayedActors::All => true,
                        actors => self.trace.current().is_some_and(|entry| actors.has(&entry)),
                    };
                }
                Ok(false) => self.end = Some(Ok(())),
                Err(error) => self.end = Some(Err(error)),
            }
        }
        place < self.len()
    }

    /// Frame of the next entry, if it has been [read](Self::reaches).
    #[inline]
    pub(super) fn frame(&self) -> Option<u64> {
        match self.ahead.front() {
            Some(entry) => Some(entry.frame),
            None => self.has_current.then(|| self.trace.frame()),
        }
    }

    /// Entry at this place behind the next, if it has been [read](Self::reaches).
    #[inline(always)]
    pub(super) fn get(&self, place: usize) -> Option<EntryRef<'_>> {
        match self.ahead.get(place) {
            Some(entry) => Some(entry.borrowed()),
            None if self.has_current && place == self.ahead.len() => self.trace.current(),
            None => None,
        }
    }

    /// Entry at this place, with parts of its own.
    pub(super) fn get_owned(&self, place: usize) -> Option<Entry> {
        match self.ahead.get(place) {
            Some(entry) => Some(entry.clone()),
            None if self.has_current && place == self.ahead.len() => self.trace.current_entry(),
            None => None,
        }
    }

    /// Removes the entry at this place.
    #[inline]
    pub(super) fn remove(&mut self, place: usize) {
        if self.ahead.is_empty() || self.ahead.remove(place).is_none() {
            self.has_current = false;
        }
    }

    /// True if the reader has reached the end, or damage.
    pub(super) fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Result of the reader, once its last entry has been played.
    pub(super) fn take_end(&mut self) -> Option<Result<(), TraceError>> {
        if self.len() > 0 {
            return None;
        }
        self.end.take()
    }

    /// True if the recording was cut off.
    pub(super) fn is_truncated(&self) -> bool {
        self.trace.is_truncated()
    }

    /// Error for an invalid entry of this frame.
    pub(super) fn damage_of(&self, frame: u64, damage: FrameError) -> TraceError {
        self.trace.damage_of(frame, damage)
    }

    /// Descriptions of the entries of these frames, which are read again. The list ends where the
    /// file can't be read any more.
    pub(super) fn describe_again(
        &self,
        frames: &[u64],
        describe: impl Fn(EntryRef<'_>) -> String,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        let (Some(last), Ok(mut trace)) = (frames.iter().max(), Trace::open(self.trace.file()))
        else {
            return lines;
        };
        while matches!(trace.advance(), Ok(true)) {
            let Some(entry) = trace.current().filter(|entry| entry.frame <= *last) else {
                break;
            };
            if frames.contains(&entry.frame) {
                lines.push(describe(entry));
            }
        }
        lines
    }
}
