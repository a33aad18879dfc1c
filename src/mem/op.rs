//! What can be asked of memory, and how it is carried out on segments.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MapError, Segment, Segments};

/// One access, at places that are an address range ([`Span`]) for who asks, and the memories' own
/// bytes ([`Segments`]) for who carries it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op<P> {
    /// Gives the bytes.
    Read(P),
    /// Writes as many bytes as the place has.
    Write(P, Bytes),
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
    /// One after the other, up to the first that fails; nothing comes in between.
    Batch(Vec<Op<P>>),
}

impl<P> Op<P> {
    /// Whether each place of the access is as `wanted`.
    pub fn all_places(&self, wanted: &impl Fn(&P) -> bool) -> bool {
        match self {
            Self::Read(place)
            | Self::Write(place, _)
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
    /// Done: write, fill, copy.
    Done,
    /// What was read; a text without its NUL.
    Bytes(Bytes),
    /// First less second of the first bytes that differ; 0 where none does.
    Difference(i32),
    /// Of a batch, one each.
    Batch(Vec<Outcome>),
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

    /// The outcomes of a batch; none for an outcome of another kind.
    pub fn into_batch(self) -> Vec<Outcome> {
        match self {
            Self::Batch(outcomes) => outcomes,
            _ => Vec::new(),
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
    /// More bytes than can be held at a time.
    #[error("{len} bytes are more than can be held at a time; read them in parts")]
    TooLong {
        /// Bytes asked for.
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
        cause: BackendError,
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
    /// The backend can't reach a memory of this kind.
    #[error("backend {0} can't reach this memory")]
    Unsupported(String),
}

/// Reaches the bytes of memories.
pub trait Store {
    /// Reads the segment; `buffer` has its length.
    fn read(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError>;
    /// Writes the segment; `data` has its length.
    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError>;
    /// Writes the same byte all over the segment.
    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        fill_in_pieces(self, at, byte)
    }
}

/// Fills a segment by writes of a bounded size.
pub fn fill_in_pieces(
    store: &(impl Store + ?Sized),
    at: &Segment,
    byte: u8,
) -> Result<(), AccessError> {
    let chunk = vec![byte; as_usize(at.len.min(CHUNK))];
    for (skip, step) in chunks(at.len) {
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
const CHUNK: u64 = 64 * 1024;

/// The first look for a NUL; each further one is twice as long.
const FIRST_TEXT: u64 = 64;

/// Carries out an access on `store`.
pub fn execute(store: &dyn Store, op: &Op<Segments>) -> Result<Outcome, AccessError> {
    match op {
        Op::Read(place) => {
            let len = len(place);
            let mut buffer = Vec::new();
            buffer
                .try_reserve_exact(as_usize(len))
                .map_err(|_| AccessError::TooLong { len })?;
            buffer.resize(as_usize(len), 0);
            read(store, place, 0, &mut buffer)?;
            Ok(Outcome::Bytes(buffer.into()))
        }
        Op::Write(place, data) => {
            same_length(data.len() as u64, len(place))?;
            write(store, place, 0, data)?;
            Ok(Outcome::Done)
        }
        Op::Fill(place, byte) => {
            for segment in place {
                store.fill(segment, *byte)?;
            }
            Ok(Outcome::Done)
        }
        Op::Copy { to, from } => copy(store, to, from),
        Op::Compare(one, other) => compare(store, one, other),
        Op::Text(place) => text(store, place),
        Op::Batch(ops) => {
            let outcomes = ops.iter().map(|op| execute(store, op));
            Ok(Outcome::Batch(outcomes.collect::<Result<_, _>>()?))
        }
    }
}

fn copy(store: &dyn Store, to: &Segments, from: &Segments) -> Result<Outcome, AccessError> {
    let total = len(from);
    same_length(total, len(to))?;
    let mut buffer = vec![0; as_usize(total.min(CHUNK))];
    let mut step = |(at, step): (u64, usize)| {
        read(store, from, at, &mut buffer[..step])?;
        write(store, to, at, &buffer[..step])
    };
    // One chunk overlaps nothing; of several, the last goes first where the destination lies behind.
    if total > CHUNK && is_behind(to, from) {
        let mut steps: Vec<_> = chunks(total).collect();
        steps.reverse();
        steps.into_iter().try_for_each(&mut step)?;
    } else {
        chunks(total).try_for_each(&mut step)?;
    }
    Ok(Outcome::Done)
}

/// Whether a forward copy could overwrite source bytes before they are read: it begins to write among them.
fn is_behind(to: &Segments, from: &Segments) -> bool {
    to.first().is_some_and(|to| {
        let holds = |from: &Segment| {
            from.memory == to.memory && to.offset.wrapping_sub(from.offset) < from.len
        };
        from.iter().any(holds)
    })
}

fn compare(store: &dyn Store, one: &Segments, other: &Segments) -> Result<Outcome, AccessError> {
    let total = len(one);
    same_length(total, len(other))?;
    let size = as_usize(total.min(CHUNK));
    let (mut ones, mut others) = (vec![0; size], vec![0; size]);
    for (at, step) in chunks(total) {
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

fn read(store: &dyn Store, place: &Segments, from: u64, to: &mut [u8]) -> Result<(), AccessError> {
    let mut done = 0;
    for segment in pieces(place, from, to.len() as u64) {
        let step = as_usize(segment.len);
        store.read(&segment, &mut to[done..done + step])?;
        done += step;
    }
    Ok(())
}

fn write(store: &dyn Store, place: &Segments, from: u64, data: &[u8]) -> Result<(), AccessError> {
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
    pieces(place, from, len).collect()
}

fn pieces(place: &Segments, from: u64, len: u64) -> impl Iterator<Item = Segment> + '_ {
    let end = from.saturating_add(len);
    let mut start = 0;
    place.iter().filter_map(move |segment| {
        let (first, last) = (start.max(from), (start + segment.len).min(end));
        let offset = segment.offset + first.saturating_sub(start);
        start += segment.len;
        (first < last).then(|| Segment {
            memory: segment.memory,
            offset,
            len: last - first,
        })
    })
}

/// Offsets and lengths of consecutive chunks.
fn chunks(total: u64) -> impl Iterator<Item = (u64, usize)> {
    (0..total.div_ceil(CHUNK)).map(move |chunk| {
        let at = chunk * CHUNK;
        (at, as_usize((total - at).min(CHUNK)))
    })
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
