//! What a memory holds when it is built.

use std::path::PathBuf;

use bytes::Bytes;
use smallvec::smallvec;
use thiserror::Error;

use super::{Init, Memory, MemoryId, Op, Segment, Segments};

/// Why a memory can't be given its first content.
#[derive(Debug, Error)]
pub enum InitialError {
    /// The file can't be read.
    #[error("memory `{memory}`, init: can't read {}: {cause}", file.display())]
    Read {
        /// Name of the memory.
        memory: String,
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

/// Bytes that one access writes.
const CHUNK: u64 = 64 << 10;

/// The writes that give a memory its first content; none where it is left as it is. `seed` is for
/// random content whose configuration has none.
///
/// # Errors
/// Where a file can't be read, or does not fit.
pub fn initial(
    id: MemoryId,
    memory: &Memory,
    seed: u64,
) -> Result<Box<dyn Iterator<Item = Op<Segments>>>, InitialError> {
    let place = move |offset, len| -> Segments { smallvec![Segment { memory: id, offset, len }] };
    let size = memory.size;
    Ok(match &memory.init {
        Init::None => Box::new(std::iter::empty()),
        Init::Zero => Box::new(std::iter::once(Op::Fill(place(0, size), 0))),
        Init::Random { seed: own } => {
            let mut random = fastrand::Rng::with_seed(own.unwrap_or(seed));
            Box::new((0..size.div_ceil(CHUNK)).map(move |chunk| {
                let offset = chunk * CHUNK;
                let len = CHUNK.min(size - offset);
                let bytes: Bytes = (0..len).map(|_| random.u8(..)).collect();
                Op::Write(place(offset, len), bytes)
            }))
        }
        Init::Hex { file, .. } => todo!("{file:?}"),
    })
}
