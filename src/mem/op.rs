//! What can be asked of memory, and how it is carried out on segments.

use std::cell::Cell;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

#[cfg(test)]
mod tests;

use super::{Array, Backend, MapError, MemoryId, Segment, Segments};

/// One access, at places that are an address range ([`Span`]) for who asks, and the memories' own
/// bytes ([`Segments`]) for who carries it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op<P> {
    /// Gives the bytes.
    Read(P),
    /// Writes as many bytes as the place has.
    Write(P, Bytes),
    /// Writes a number, little-endian, as wide as the place: 8 bytes at most.
    Word(P, u64),
    /// Writes the same byte everywhere.
    Fill(P, u8),
    /// Copies, as if by way of a buffer: the places may overlap.
    Copy {
        /// Destination.
        to: P,
        /// Source, of the same length.
        from: P,
    },
    /// Finds the first bytes that differ.
    Compare(P, P),
    /// Reads up to the first NUL, which must lie in the place.
    Text(P),
    /// One after the other, up to the first that fails; nothing comes in between. Gives what the last one gives.
    Batch(#[serde(deserialize_with = "flat")] Vec<Op<P>>),
}

thread_local! {
    static IN_BATCH: Cell<bool> = const { Cell::new(false) };
}

/// Deserializes a batch in which there is none: one in another, and so on, would take all of the stack.
fn flat<'de, D: Deserializer<'de>, P: Deserialize<'de>>(ops: D) -> Result<Vec<Op<P>>, D::Error> {
    if IN_BATCH.replace(true) {
        return Err(D::Error::custom("a batch in a batch"));
    }
    let ops = Vec::deserialize(ops);
    IN_BATCH.set(false);
    ops
}

impl<P> Op<P> {
    /// Those of a batch, in their order; else this one.
    pub fn each(&self) -> &[Self] {
        match self {
            Self::Batch(ops) => ops,
            op => std::slice::from_ref(op),
        }
    }

    /// Whether each place of the access is as `wanted`.
    pub fn all_places(&self, wanted: &impl Fn(&P) -> bool) -> bool {
        match self {
            Self::Read(place)
            | Self::Write(place, _)
            | Self::Word(place, _)
            | Self::Fill(place, _)
            | Self::Text(place) => wanted(place),
            Self::Copy {
                to: one,
                from: other,
            }
            | Self::Compare(one, other) => wanted(one) && wanted(other),
            Self::Batch(ops) => ops.iter().all(|op| op.all_places(wanted)),
        }
    }
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub address: u64,
    /// Bytes.
    pub len: u64,
}

/// What an [`Op`] gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done: write, word, fill, copy; an empty batch.
    Done,
    /// What was read; a text without its NUL.
    Bytes(Bytes),
    /// First less second of the first bytes that differ; 0 where none does.
    Difference(i32),
}

impl Outcome {
    /// What was read; nothing for an outcome of another kind.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => Bytes::new(),
        }
    }

    /// The difference; 0 for an outcome of another kind.
    pub fn difference(&self) -> i32 {
        match self {
            Self::Difference(difference) => *difference,
            _ => 0,
        }
    }
}

/// Why an access failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum AccessError {
    /// It reaches outside of the map.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A text has no NUL where it must have one.
    #[error("no NUL in {len} bytes: not a string, or one that is too long")]
    Unterminated {
        /// How far was looked.
        len: u64,
    },
    /// The two places of a copy or the place and the data of a write differ in length.
    #[error("{len} bytes do not fit a place of {place}")]
    Length {
        /// Bytes given.
        len: u64,
        /// Bytes of the place.
        place: u64,
    },
    /// More bytes than this process can hold.
    #[error("{len} bytes are more than the host has room for")]
    TooLong {
        /// Bytes of the access.
        len: u64,
    },
    /// The way to a memory does not work.
    #[error("memory `{memory}`, {len} bytes at offset {offset:#x}: {cause}")]
    Backend {
        /// Name of the memory.
        memory: String,
        /// First byte, from the memory's base.
        offset: u64,
        /// Bytes.
        len: u64,
        /// What the backend says.
        cause: Box<BackendError>,
    },
}

/// What a backend says of an access that it could not carry out.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum BackendError {
    /// The simulator lacks a symbol.
    #[error(
        "the simulator has no `{symbol}`: link or export it, or choose another backend for the memory"
    )]
    Absent {
        /// Its name.
        symbol: String,
    },
    /// A model took or gave fewer bytes than it was asked to.
    #[error("`{symbol}` moved {moved} of {asked} bytes at {address:#x}")]
    Short {
        /// The function.
        symbol: String,
        /// Absolute address of the first byte.
        address: u64,
        /// What it answered.
        moved: u64,
        /// What was asked.
        asked: u64,
    },
    /// The simulator can't be called.
    #[error("{0}")]
    Simulator(String),
    /// A model of the host program's has failed.
    #[error("its model failed: {0}")]
    Model(String),
    /// The access passes the memory's end.
    #[error("the memory has {size:#x} bytes only")]
    PastEnd {
        /// Bytes of the memory.
        size: u64,
    },
    /// The backend can't reach a memory of this kind.
    #[error(
        "backend `{0}` has no way to it: `api` is for memories without `path`, `static` for those with one, `model` for those \
         that the host program has registered a model for"
    )]
    NoWay(Backend),
    /// No simulator has such words.
    #[error("words of {bits} bits are wider than any simulator's")]
    TooWide {
        /// Bits of a word.
        bits: u64,
    },
    /// Something is wrong with an HDL object.
    #[error("HDL path `{path}`: {cause}")]
    Hdl {
        /// The object: an array, or a word of one.
        path: String,
        /// What is wrong with it.
        cause: HdlProblem,
    },
    /// The segment is of a memory that is not here.
    #[error("it is of another map")]
    OtherMap,
}

/// What is wrong with an HDL object.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum HdlProblem {
    /// The simulator knows no such object.
    #[error(
        "the simulator has no such object; see to `path`, `width` and the dimensions of the memory, and that the simulator keeps the \
         array accessible (Verilator: --public-flat-rw; others: their switch for debug access)"
    )]
    Missing,
    /// A word has another width than the memory's configuration says.
    #[error(
        "a word has {bits} bits, where `width` (or `bank_width`) says {wanted}; see to `array_dims` too"
    )]
    Width {
        /// Bits of the word; 0 where the simulator can't tell.
        bits: u64,
        /// What the configuration says.
        wanted: u64,
    },
    /// The simulator, or UVM, refused the access.
    #[error("{0}")]
    Refused(String),
    /// Where a word should be is an array of them.
    #[error(
        "an array, where a word should be: say its rows and columns with `array_dims`, of which there are two at most"
    )]
    Array,
    /// `array_dims` are not those of the HDL array: words would be those of other addresses.
    #[error(
        "the HDL array has {hdl_rows} rows of {hdl_cols} words, where `array_dims` says {rows} rows of {cols}; `cols` must be the HDL \
         array's, and `rows` no more than it has"
    )]
    Dims {
        /// Rows of the HDL array.
        hdl_rows: u64,
        /// Words in each of them.
        hdl_cols: u64,
        /// Rows by the configuration.
        rows: u64,
        /// Words in each of them, by the configuration.
        cols: u64,
    },
}

impl HdlProblem {
    /// Compares the configuration's rows and columns with those of the HDL array, if the simulator tells them.
    ///
    /// # Errors
    /// Other columns, or fewer rows, than configured.
    pub(crate) fn of_dims(array: Array, hdl: Option<(u64, u64)>) -> Result<(), Self> {
        let Array { rows, cols, .. } = array;
        match hdl {
            Some((hdl_rows, hdl_cols)) if hdl_cols != cols || hdl_rows < rows => Err(Self::Dims {
                hdl_rows,
                hdl_cols,
                rows,
                cols,
            }),
            _ => Ok(()),
        }
    }
}

/// Looks at a segment; see [`Store::looker`].
pub type Looker = Box<dyn Fn(&mut [u8]) -> bool>;

/// Reaches the bytes of memories.
pub trait Store {
    /// Reads the segment; `buffer` has its length.
    fn read(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError>;
    /// Looks at the segment, as a doorbell does on every tick: a read that nobody wants to be told of.
    fn look(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError> {
        self.read(at, buffer)
    }

    /// A function for many looks at the segment, where there is one that is faster than [`look`](Self::look). It returns false where a
    /// look fails.
    fn looker(&self, at: &Segment) -> Option<Looker> {
        let _ = at;
        None
    }

    /// Writes the segment; `data` has its length.
    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError>;
    /// Writes the same byte all over the segment.
    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        fill_in_pieces(self, at, byte)
    }
    /// Whether bytes of one memory may be bytes of the other too, or, where it is the same, whether a byte of it
    /// may have two offsets. Where that is so, a copy from one to the other is made by way of a buffer of its length.
    fn may_share(&self, one: MemoryId, other: MemoryId) -> bool {
        let _ = (one, other);
        false
    }
}

/// Fills a segment by writes of a bounded size.
pub fn fill_in_pieces(
    store: &(impl Store + ?Sized),
    at: &Segment,
    byte: u8,
) -> Result<(), AccessError> {
    let chunk = vec![byte; as_usize(at.len.min(CHUNK))];
    for (skip, step) in chunks(at.len, CHUNK) {
        let piece = Segment {
            memory: at.memory,
            offset: at.offset + skip,
            len: step as u64,
        };
        store.write(&piece, &chunk[..step])?;
    }
    Ok(())
}

/// The most bytes that are held at a time, however long an access is.
pub(crate) const CHUNK: u64 = 64 * 1024;

/// The first look for a NUL; each further one is twice as long.
const FIRST_TEXT: u64 = 64;

/// Carries out an access on `store`.
pub fn execute(store: &dyn Store, op: &Op<Segments>) -> Result<Outcome, AccessError> {
    match op {
        Op::Read(place) => {
            let mut buffer = zeros(len(place))?;
            read(store, place, 0, &mut buffer)?;
            Ok(Outcome::Bytes(buffer.into()))
        }
        Op::Write(place, data) => {
            same_length(data.len() as u64, len(place))?;
            write(store, place, 0, data)?;
            Ok(Outcome::Done)
        }
        Op::Word(place, word) => {
            let bytes = word.to_le_bytes();
            let fits = bytes.get(..as_usize(len(place)));
            let fits = fits.ok_or_else(|| AccessError::Length {
                len: bytes.len() as u64,
                place: len(place),
            })?;
            write(store, place, 0, fits)?;
            Ok(Outcome::Done)
        }
        Op::Fill(place, byte) => {
            for segment in place {
                store.fill(segment, *byte)?;
            }
            Ok(Outcome::Done)
        }
        Op::Copy { to, from } => copy(store, to, from, CHUNK),
        Op::Compare(one, other) => compare(store, one, other),
        Op::Text(place) => text(store, place),
        Op::Batch(ops) => {
            let mut outcomes = ops.iter().map(|op| execute(store, op));
            outcomes.try_fold(Outcome::Done, |_, outcome| outcome)
        }
    }
}

fn copy(
    store: &dyn Store,
    to: &Segments,
    from: &Segments,
    chunk: u64,
) -> Result<Outcome, AccessError> {
    let total = len(from);
    same_length(total, len(to))?;
    let order = if total > chunk {
        order(store, to, from)
    } else {
        Order::AtOnce
    };
    let chunk = match order {
        Order::AtOnce => total,
        Order::Forward | Order::Backward => chunk,
    };
    with_buffer(chunk, |buffer| {
        let mut step = |(at, step): (u64, usize)| {
            let buffer = &mut buffer[..step];
            read(store, from, at, buffer)?;
            write(store, to, at, buffer)
        };
        match order {
            Order::Backward => chunks(total, chunk).rev().try_for_each(&mut step)?,
            Order::AtOnce | Order::Forward => chunks(total, chunk).try_for_each(&mut step)?,
        }
        Ok(Outcome::Done)
    })
}

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Longest buffer that is kept from one access to the next.
const KEPT: u64 = 4096;

/// Runs an access with a buffer of `len` bytes, whatever is in them.
fn with_buffer<T>(
    len: u64,
    access: impl FnOnce(&mut [u8]) -> Result<T, AccessError>,
) -> Result<T, AccessError> {
    if len > KEPT {
        return access(&mut zeros(len)?);
    }
    // Taken: a store may come back with an access of its own.
    let mut buffer = BUFFER.take();
    let len = as_usize(len);
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    let result = access(&mut buffer[..len]);
    BUFFER.set(buffer);
    result
}

/// How the chunks of a copy follow each other, so that each byte is read before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Forward,
    Backward,
    /// All that is read is held before anything is written.
    AtOnce,
}

fn order(store: &dyn Store, to: &Segments, from: &Segments) -> Order {
    let (mut needs_forward, mut needs_backward) = (false, false);
    for (read_at, source) in placed(from) {
        for (written_at, target) in placed(to) {
            if store.may_share(source.memory, target.memory) {
                return Order::AtOnce;
            }
            let overlap = source.memory == target.memory
                && source.offset < target.offset.saturating_add(target.len)
                && target.offset < source.offset.saturating_add(source.len);
            if overlap {
                // A byte that is both read and written: when, less its offset.
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

/// Each segment with its first byte's position in the place.
fn placed(place: &Segments) -> impl Iterator<Item = (u64, &Segment)> {
    place.iter().scan(0, |next, segment| {
        let at = *next;
        *next += segment.len;
        Some((at, segment))
    })
}

fn compare(store: &dyn Store, one: &Segments, other: &Segments) -> Result<Outcome, AccessError> {
    let total = len(one);
    same_length(total, len(other))?;
    let size = as_usize(total.min(CHUNK));
    let (mut ones, mut others) = (vec![0; size], vec![0; size]);
    for (at, step) in chunks(total, CHUNK) {
        let (ones, others) = (&mut ones[..step], &mut others[..step]);
        read(store, one, at, ones)?;
        read(store, other, at, others)?;
        if ones != others {
            let differing = ones.iter().zip(others.iter()).find(|(a, b)| a != b);
            let difference = differing.map_or(0, |(a, b)| i32::from(*a) - i32::from(*b));
            return Ok(Outcome::Difference(difference));
        }
    }
    Ok(Outcome::Difference(0))
}

fn text(store: &dyn Store, place: &Segments) -> Result<Outcome, AccessError> {
    let limit = len(place);
    let mut found = Vec::new();
    let mut step = FIRST_TEXT;
    while (found.len() as u64) < limit {
        let start = found.len();
        let take = step.min(limit - start as u64);
        found.resize(start + as_usize(take), 0);
        read(store, place, start as u64, &mut found[start..])?;
        if let Some(nul) = found[start..].iter().position(|byte| *byte == 0) {
            found.truncate(start + nul);
            return Ok(Outcome::Bytes(found.into()));
        }
        step = (step * 2).min(CHUNK);
    }
    Err(AccessError::Unterminated { len: limit })
}

/// Reads the part of a place from its byte `from` on that fills `to`.
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
    for segment in pieces(place, from, to.len() as u64) {
        let step = as_usize(segment.len);
        store.read(&segment, &mut to[done..done + step])?;
        done += step;
    }
    Ok(())
}

/// Writes `data` to the part of a place from its byte `from` on.
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
    for segment in pieces(place, from, data.len() as u64) {
        let step = as_usize(segment.len);
        store.write(&segment, &data[done..done + step])?;
        done += step;
    }
    Ok(())
}

/// The part of a place: `len` bytes from its byte `from` on, as far as it has them.
pub fn part(place: &Segments, from: u64, len: u64) -> Segments {
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
    pieces(place, from, len).collect()
}

fn pieces(place: &Segments, from: u64, len: u64) -> impl Iterator<Item = Segment> + '_ {
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

/// Offsets and lengths of consecutive chunks of `size` bytes.
fn chunks(total: u64, size: u64) -> impl DoubleEndedIterator<Item = (u64, usize)> {
    let count = total.div_ceil(size.max(1));
    (0..count).map(move |chunk| {
        let at = chunk * size;
        (at, as_usize((total - at).min(size)))
    })
}

/// So many zeros, where this process can hold them.
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

/// A length that is in memory already, or bounded by a chunk.
fn as_usize(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
