//! One observed buffer of RTT: changes of its offsets and of its bytes by each side.

use super::block::MODE;
use super::block::{Buffer, MAX_BUFFER_SIZE, distance, piece_at};
use crate::attach::protocol::rules::Breach;
use crate::mem::Span;

/// Largest mode.
const LARGEST_MODE: u64 = 2;

/// Observed buffer.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// Name in findings, such as ``up channel 0``.
    pub(super) name: String,
    pub(super) is_up: bool,
    /// Addresses of the write offset, of the read offset, and of the flags.
    pub(super) words: [u64; 3],
    /// Descriptor as last read, with the offset that the host has written since.
    pub(super) seen: Buffer,
    /// Offset up to which the host has read the bytes of an up buffer, or has written those of a
    /// down buffer.
    pub(super) cursor: u64,
    /// Last observed write offset of firmware, also between two reads of the control block.
    last_write: u64,
    /// Write offsets between which unread bytes seem to be overwritten. A reset of firmware is no
    /// violation.
    overwritten: Option<(u64, u64)>,
    /// Violation by a buffer at another address. It is dropped if firmware is setting the buffer up
    /// again, which takes several stores.
    suspected: Option<Breach>,
    /// True after the host has set the mode.
    pub(super) is_mode_set: bool,
    /// Number of bytes by which the host has last moved its offset.
    pub(super) moved: Option<u64>,
}

impl Watched {
    /// Creates the state of a buffer at its first read, and checks its numbers.
    pub(super) fn new(
        name: String,
        is_up: bool,
        words: [u64; 3],
        seen: Buffer,
        breaches: &mut Vec<Breach>,
    ) -> Self {
        let watched = Self {
            name,
            is_up,
            words,
            seen,
            cursor: if is_up { seen.read } else { seen.write },
            last_write: seen.write,
            overwritten: None,
            suspected: None,
            is_mode_set: false,
            moved: None,
        };
        watched.check_numbers(&Buffer::default(), breaches);
        watched
    }

    /// Checks the descriptor at a further read.
    pub(super) fn reread(&mut self, now: Buffer, breaches: &mut Vec<Breach>) {
        let before = std::mem::replace(&mut self.seen, now);
        let suspected = self.suspected.take();
        if before.is_set_up() && !self.is_new(&before) && self.has_place_of(&before) {
            match now.read {
                // Not set up yet.
                0 => self.suspected = suspected,
                _ => breaches.extend(suspected),
            }
            self.check_offset_of_host(&before, breaches);
            self.check_offset_of_firmware(&before, breaches);
        }
        self.check_numbers(&before, breaches);
        self.overwritten = None;
        self.last_write = now.write;
        self.cursor = if self.is_up { now.read } else { now.write };
    }

    /// True if firmware has set the buffer up again: the host's offset is 0, and for a down buffer
    /// both offsets are.
    fn is_new(&self, before: &Buffer) -> bool {
        let now = self.seen;
        match self.is_up {
            true => now.read == 0 && before.read != 0,
            false => (now.write, now.read) == (0, 0) && (before.write, before.read) != (0, 0),
        }
    }

    /// True if the bytes are at the same address. Otherwise the buffer must have been set up again,
    /// now or by the next read.
    fn has_place_of(&mut self, before: &Buffer) -> bool {
        let (name, now) = (&self.name, self.seen);
        if (before.data, before.size) == (now.data, now.size) {
            return true;
        }
        let offset_of_host = if self.is_up { now.read } else { now.write };
        if offset_of_host != 0 {
            let what = match before.data == now.data {
                true => format!(
                    "changed the size of the buffer at {:#x} from {:#x} to {:#x} bytes",
                    now.data, before.size, now.size
                ),
                false => format!(
                    "moved the buffer from {:#x} ({:#x} bytes) to {:#x} ({:#x} bytes)",
                    before.data, before.size, now.data, now.size
                ),
            };
            self.suspected = Some(format!(
                "{name}: firmware has {what}, and has not set its offsets to 0"
            ));
        }
        false
    }

    fn check_offset_of_host(&self, before: &Buffer, breaches: &mut Vec<Breach>) {
        let (name, now, [write, read, _]) = (&self.name, self.seen, self.words);
        let (which, at, before, now) = match self.is_up {
            true => ("read", read, before.read, now.read),
            false => ("write", write, before.write, now.write),
        };
        if before != now {
            breaches.push(format!(
                "{name}: the {which} offset at {at:#x} went from {before:#x} to {now:#x}: firmware must not write it"
            ));
        }
    }

    fn check_offset_of_firmware(&mut self, before: &Buffer, breaches: &mut Vec<Breach>) {
        let now = self.seen;
        if !(before.is_possible() && now.is_possible()) {
            return;
        }
        if self.is_up {
            if before.read != now.read || now.read == 0 {
                return;
            }
            self.wrote_up(now.write);
            if let Some((from, to)) = self.overwritten {
                breaches.push(format!(
                    "{}: the write offset at {:#x} went from {from:#x} to {to:#x}: firmware has overwritten bytes from the read offset \
                     {:#x} on, which the host has not taken",
                    self.name, self.words[0], now.read
                ));
            }
        } else if before.write == now.write && now.read != 0 {
            // A buffer that is set up again has a read offset of 0 first.
            let left = distance(now.read, now.write, now.size);
            if left > distance(before.read, now.write, now.size) {
                breaches.push(format!(
                    "{}: the read offset at {:#x} went from {:#x} to {:#x}: firmware has passed the write offset {:#x}",
                    self.name, self.words[1], before.read, now.read, now.write
                ));
            }
        }
    }

    /// Records the polled write offset of an up buffer.
    pub(super) fn polled(&mut self, write: u64) {
        if self.is_up && self.seen.is_possible() && write < self.seen.size {
            self.wrote_up(write);
        }
    }

    /// Records a write offset of firmware. If there are fewer unread bytes than before, without a
    /// read of the host, some were overwritten.
    fn wrote_up(&mut self, write: u64) {
        let before = self.seen.filled(self.last_write);
        if self.seen.filled(write) < before && self.overwritten.is_none() {
            self.overwritten = Some((self.last_write, write));
        }
        self.last_write = write;
    }

    fn check_numbers(&self, before: &Buffer, breaches: &mut Vec<Breach>) {
        let (name, now, [write, read, flags]) = (&self.name, self.seen, self.words);
        if !now.is_set_up() {
            return;
        }
        let size = now.size;
        if size > MAX_BUFFER_SIZE && size != before.size {
            breaches.push(format!(
                "{name}: firmware gives a size of {size:#x} bytes, more than {MAX_BUFFER_SIZE:#x}"
            ));
        }
        let offsets = [
            ("write", write, before.write, now.write),
            ("read", read, before.read, now.read),
        ];
        for (which, at, before_offset, offset) in offsets {
            if offset >= size && (offset, size) != (before_offset, before.size) {
                breaches.push(format!(
                    "{name}: the {which} offset at {at:#x} is {offset:#x}, and the buffer has {size:#x} bytes"
                ));
            }
        }
        if now.flags & MODE > LARGEST_MODE && now.flags != before.flags {
            breaches.push(format!(
                "{name}: the flags at {flags:#x} are {:#x}: firmware sets mode 3, which does not exist",
                now.flags
            ));
        }
    }

    /// Records a read of the host. Returns true if it starts at the next unread byte.
    pub(super) fn reads(&mut self, at: Span) -> bool {
        if !self.is_up || !self.seen.is_possible() {
            return false;
        }
        let Buffer { size, write, .. } = self.seen;
        let Some(len) = piece_at(&self.seen, self.cursor, at) else {
            return false;
        };
        let is_there = len > 0 && len <= distance(self.cursor, write, size);
        if is_there {
            self.cursor = (self.cursor + len) % size;
        }
        is_there
    }

    /// Checks a write of the host to the bytes of a down buffer; `None` for another range.
    pub(super) fn puts(&mut self, at: Span, breaches: &mut Vec<Breach>) -> Option<()> {
        let Buffer { data, size, .. } = self.seen;
        if self.is_up || !self.seen.is_possible() {
            return None;
        }
        let end = at.address.saturating_add(at.len);
        let is_here = at.address >= data && end <= data.saturating_add(size);
        if !is_here {
            return None;
        }
        let free = size - 1 - self.seen.filled(self.cursor);
        match piece_at(&self.seen, self.cursor, at) {
            Some(len) if len <= free => self.cursor = (self.cursor + len) % size,
            _ => breaches.push(format!(
                "{}: the host writes {:#x} bytes at {:#x}, where {free:#x} bytes are free from {:#x} on",
                self.name,
                at.len,
                at.address,
                data.wrapping_add(self.cursor)
            )),
        }
        Some(())
    }

    /// Checks an advance of the host's offset.
    pub(super) fn moves(&mut self, to: u64, breaches: &mut Vec<Breach>) {
        let (which, at, did, from) = match self.is_up {
            true => ("read", self.words[1], "read", self.seen.read),
            false => ("write", self.words[0], "written", self.seen.write),
        };
        let is_possible = self.seen.is_possible();
        if to != self.cursor || !is_possible {
            breaches.push(format!(
                "{}: the host sets the {which} offset at {at:#x} from {from:#x} to {to:#x}, and has {did} the bytes up to {:#x}",
                self.name, self.cursor
            ));
        }
        self.moved = is_possible.then(|| distance(from, to, self.seen.size));
        match self.is_up {
            true => self.seen.read = to,
            false => self.seen.write = to,
        }
        self.cursor = to;
    }
}
