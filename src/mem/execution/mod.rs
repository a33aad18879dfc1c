//! Execution of memory operations on segments.

use std::cell::Cell;

use super::{AccessError, MemoryId, Op, OpOutcome, Segment, Segments};

#[cfg(test)]
mod tests;

/// Function that polls a segment; see [`Store::peeker`]. Its second argument is true in a tick of a
/// settled system. It returns the number of bytes read. Any number but the requested one is a
/// failure.
pub(crate) type Peeker = Box<dyn Fn(&mut [u8], bool) -> usize>;

/// Access to the bytes of memories.
pub(crate) trait Store {
    /// Reads a segment; `buffer` has its length.
    fn read(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError>;
    /// Polls a segment, as a doorbell does on every tick: a [`read`](Self::read) without logs,
    /// warnings and side effects.
    fn peek(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError> {
        self.read(at, buffer)
    }

    /// Reads a segment for its text. Bytes behind the first NUL are not used, and may be unknown.
    fn read_text(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError> {
        self.read(at, buffer)
    }

    /// Returns a function for repeated polls of the segment; `None` if it would not be faster than
    /// [`peek`](Self::peek).
    fn peeker(&self, at: &Segment) -> Option<Peeker> {
        let _ = at;
        None
    }

    /// Writes a segment; `data` has its length.
    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError>;
    /// Writes the same byte to the whole segment.
    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        fill_in_transfers(self, at, byte)
    }
    /// True if the two memories may share bytes, or for one memory, if one byte may have two
    /// offsets. A copy between them then goes through a buffer of its full length.
    fn may_alias(&self, one: MemoryId, other: MemoryId) -> bool {
        let _ = (one, other);
        false
    }
}

/// Fills a segment by writes of a bounded size.
pub(crate) fn fill_in_transfers(
    store: &(impl Store + ?Sized),
    at: &Segment,
    byte: u8,
) -> Result<(), AccessError> {
    let bytes = vec![byte; as_usize(at.len.min(MAX_TRANSFER))];
    for (skip, step) in transfers(at.len, MAX_TRANSFER) {
        let segment = Segment {
            memory: at.memory,
            offset: at.offset + skip,
            len: step as u64,
        };
        store.write(&segment, &bytes[..step])?;
    }
    Ok(())
}

/// Maximum number of bytes that are buffered at a time, for accesses of any length.
pub(crate) const MAX_TRANSFER: u64 = 64 * 1024;

/// Length of the first read of the search for a NUL. Each further read is twice as long.
const FIRST_TEXT: u64 = 64;

/// Executes an access on `store`.
pub(crate) fn execute(store: &dyn Store, op: &Op<Segments>) -> Result<OpOutcome, AccessError> {
    match op {
        Op::Read(place) => {
            let mut buffer = zeros(len(place))?;
            read(store, place, 0, &mut buffer)?;
            Ok(OpOutcome::Bytes(buffer.into()))
        }
        Op::Peek(place) => {
            let mut buffer = zeros(len(place))?;
            peek_at(store, place, &mut buffer)?;
            Ok(OpOutcome::Bytes(buffer.into()))
        }
        Op::Write(place, data) => {
            same_length(data.len() as u64, len(place))?;
            write(store, place, 0, data)?;
            Ok(OpOutcome::Done)
        }
        Op::Word(place, word) => {
            let bytes = word.to_le_bytes();
            let fits = bytes.get(..as_usize(len(place)));
            let fits = fits.ok_or_else(|| AccessError::Length {
                len: bytes.len() as u64,
                place: len(place),
            })?;
            write(store, place, 0, fits)?;
            Ok(OpOutcome::Done)
        }
        Op::Fill(place, byte) => {
            for segment in place {
                store.fill(segment, *byte)?;
            }
            Ok(OpOutcome::Done)
        }
        Op::Copy { to, from } => copy(store, to, from, MAX_TRANSFER),
        Op::Compare(one, other) => compare(store, one, other),
        Op::Text(place) => text(store, place),
        Op::Batch(ops) => {
            let mut outcomes = ops.iter().map(|op| execute(store, op));
            outcomes.try_fold(OpOutcome::Done, |_, outcome| outcome)
        }
    }
}

fn copy(
    store: &dyn Store,
    to: &Segments,
    from: &Segments,
    max_transfer: u64,
) -> Result<OpOutcome, AccessError> {
    let total = len(from);
    same_length(total, len(to))?;
    let order = if total > max_transfer {
        order(store, to, from)
    } else {
        Order::AtOnce
    };
    let size = match order {
        Order::AtOnce => total,
        Order::Forward | Order::Backward => max_transfer,
    };
    with_buffer(size, |buffer| {
        let mut step = |(at, step): (u64, usize)| {
            let buffer = &mut buffer[..step];
            read(store, from, at, buffer)?;
            write(store, to, at, buffer)
        };
        match order {
            Order::Backward => transfers(total, size).rev().try_for_each(&mut step)?,
            Order::AtOnce | Order::Forward => transfers(total, size).try_for_each(&mut step)?,
        }
        Ok(OpOutcome::Done)
    })
}

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Maximum length of the buffer that is kept between accesses.
const KEPT: u64 = 4096;

/// Runs an access with a buffer of `len` bytes of unspecified content.
fn with_buffer<T>(
    len: u64,
    access: impl FnOnce(&mut [u8]) -> Result<T, AccessError>,
) -> Result<T, AccessError> {
    if len > KEPT {
        return access(&mut zeros(len)?);
    }
    // Taken instead of borrowed: a store may start a nested access.
    let mut buffer = BUFFER.take();
    let len = as_usize(len);
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    let result = access(&mut buffer[..len]);
    BUFFER.set(buffer);
    result
}

/// Order of the transfers of a copy. Each byte is read before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Forward,
    Backward,
    /// All bytes are read before the first is written.
    AtOnce,
}

fn order(store: &dyn Store, to: &Segments, from: &Segments) -> Order {
    let (mut needs_forward, mut needs_backward) = (false, false);
    for (read_at, source) in placed(from) {
        for (written_at, target) in placed(to) {
            if store.may_alias(source.memory, target.memory) {
                return Order::AtOnce;
            }
            let overlap = source.memory == target.memory
                && source.offset < target.offset.saturating_add(target.len)
                && target.offset < source.offset.saturating_add(source.len);
            if overlap {
                // A byte at offset `o` that is both read and written is read at position `read + o`
                // of the copy, and written at `written + o`.
                let read = i128::from(read_at) - i128::from(source.offset);
                let written = i128::from(written_at) - i128::from(target.offset);
                needs_forward |= read < written;
                needs_backward |= written < read;
            }
        }
    }
    match (needs_forward, needs_backward) {
        (_, false) => Order::Forward,
        (false, true) => Order::Backward,
        (true, true) => Order::AtOnce,
    }
}

/// Iterates over the segments, each with the position of its first byte in the place.
fn placed(place: &Segments) -> impl Iterator<Item = (u64, &Segment)> {
    place.iter().scan(0, |next, segment| {
        let at = *next;
        *next += segment.len;
        Some((at, segment))
    })
}

fn compare(store: &dyn Store, one: &Segments, other: &Segments) -> Result<OpOutcome, AccessError> {
    let total = len(one);
    same_length(total, len(other))?;
    let size = as_usize(total.min(MAX_TRANSFER));
    let (mut ones, mut others) = (vec![0; size], vec![0; size]);
    for (at, step) in transfers(total, MAX_TRANSFER) {
        let (ones, others) = (&mut ones[..step], &mut others[..step]);
        read(store, one, at, ones)?;
        read(store, other, at, others)?;
        if ones != others {
            let differing = ones.iter().zip(others.iter()).find(|(a, b)| a != b);
            let difference = differing.map_or(0, |(a, b)| i32::from(*a) - i32::from(*b));
            return Ok(OpOutcome::Difference(difference));
        }
    }
    Ok(OpOutcome::Difference(0))
}

fn text(store: &dyn Store, place: &Segments) -> Result<OpOutcome, AccessError> {
    let limit = len(place);
    let mut found = Vec::new();
    let mut step = FIRST_TEXT;
    while (found.len() as u64) < limit {
        let start = found.len();
        let take = step.min(limit - start as u64);
        found.reserve_exact(as_usize(take));
        for segment in segments_within(place, start as u64, take) {
            let begin = found.len();
            found.resize(begin + as_usize(segment.len), 0);
            store.read_text(&segment, &mut found[begin..])?;
            if let Some(nul) = found[begin..].iter().position(|byte| *byte == 0) {
                found.truncate(begin + nul);
                return Ok(OpOutcome::Bytes(found.into()));
            }
        }
        step = (step * 2).min(MAX_TRANSFER);
    }
    Err(AccessError::Unterminated { len: limit })
}

/// Reads `to.len()` bytes of a place, starting at its byte `from`.
pub(crate) fn read(
    store: &dyn Store,
    place: &Segments,
    from: u64,
    to: &mut [u8],
) -> Result<(), AccessError> {
    if let [whole] = **place
        && (from, whole.len) == (0, to.len() as u64)
    {
        return store.read(&whole, to);
    }
    let mut done = 0;
    for segment in segments_within(place, from, to.len() as u64) {
        let step = as_usize(segment.len);
        store.read(&segment, &mut to[done..done + step])?;
        done += step;
    }
    Ok(())
}

/// Polls consecutive segments as a doorbell does. `to` has their total length.
pub(crate) fn peek_at(
    store: &dyn Store,
    segments: &[Segment],
    mut to: &mut [u8],
) -> Result<(), AccessError> {
    for segment in segments {
        let (part, rest) = to.split_at_mut(as_usize(segment.len));
        store.peek(segment, part)?;
        to = rest;
    }
    Ok(())
}

/// Writes `data` to a place, starting at its byte `from`.
pub(crate) fn write(
    store: &dyn Store,
    place: &Segments,
    from: u64,
    data: &[u8],
) -> Result<(), AccessError> {
    if let [whole] = **place
        && (from, whole.len) == (0, data.len() as u64)
    {
        return store.write(&whole, data);
    }
    let mut done = 0;
    for segment in segments_within(place, from, data.len() as u64) {
        let step = as_usize(segment.len);
        store.write(&segment, &data[done..done + step])?;
        done += step;
    }
    Ok(())
}

/// Returns the subrange of a place that starts at its byte `from`, of `len` bytes or up to the end
/// of the place.
pub(crate) fn subrange(place: &Segments, from: u64, len: u64) -> Segments {
    if let [whole] = **place
        && len > 0
        && from.checked_add(len).is_some_and(|end| end <= whole.len)
    {
        return Segments::from(Segment {
            memory: whole.memory,
            offset: whole.offset + from,
            len,
        });
    }
    segments_within(place, from, len).collect()
}

/// Segments of a subrange of a place.
fn segments_within(place: &Segments, from: u64, len: u64) -> impl Iterator<Item = Segment> + '_ {
    let end = from.saturating_add(len);
    placed(place).filter_map(move |(start, segment)| {
        let (first, last) = (start.max(from), (start + segment.len).min(end));
        let offset = segment.offset + first.saturating_sub(start);
        (first < last).then(|| Segment {
            memory: segment.memory,
            offset,
            len: last - first,
        })
    })
}

/// Offsets and lengths of consecutive transfers of `size` bytes.
fn transfers(total: u64, size: u64) -> impl DoubleEndedIterator<Item = (u64, usize)> {
    let count = total.div_ceil(size.max(1));
    (0..count).map(move |transfer| {
        let at = transfer * size;
        (at, as_usize((total - at).min(size)))
    })
}

/// Allocates `len` zeros, with an error instead of an abort if that fails.
fn zeros(len: u64) -> Result<Vec<u8>, AccessError> {
    let mut zeros = Vec::new();
    let size = as_usize(len);
    if zeros.try_reserve_exact(size).is_err() {
        return Err(AccessError::TooLong { len });
    }
    zeros.resize(size, 0);
    Ok(zeros)
}

fn len(place: &Segments) -> u64 {
    place.iter().map(|segment| segment.len).sum()
}

fn same_length(len: u64, place: u64) -> Result<(), AccessError> {
    if len == place {
        Ok(())
    } else {
        Err(AccessError::Length { len, place })
    }
}

/// Converts a length that is already in memory, or bounded by a transfer.
fn as_usize(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
