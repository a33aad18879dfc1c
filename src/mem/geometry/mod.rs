//! Mapping from the bytes of a memory to words of its HDL arrays. This module has all of this
//! arithmetic.
//!
//! An array of a memory is called an *instance*: a direct memory has one, a banked memory one for
//! each bank, counted row by row. An access becomes [`Run`]s of consecutive words in one instance,
//! of which the first and the last word may be partial. A direct memory has one run. In a banked
//! memory, words alternate between the columns. Each accessed row of banks has one run for each
//! accessed column. The words of such a run are not adjacent in the data of the access;
//! [`Run::words`] gives their offsets.
//!
//! ```text
//!   data of the access     ..AAAABBBBAAAABBBB..       instance 0   word n:   ..AA   (skip 2)
//!   columns                00001111000011110000                    word n+1: AAAA
//! ```

use super::{Array, Shape};

#[cfg(test)]
mod tests;

/// Numbers of a [`Shape`], by which offsets of a memory are converted to words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Bytes of a word of one instance.
    width: u64,
    /// Words of one instance.
    depth: u64,
    /// Instances side by side; 1 in a direct memory.
    columns: u64,
    /// Size in bytes.
    size: u64,
}

impl Geometry {
    /// Geometry of `rows` × `columns` equal arrays; `None` if the size is 0 or exceeds 64 bits.
    pub(crate) fn new(array: Array, rows: u64, columns: u64) -> Option<Self> {
        let depth = array.rows.checked_mul(array.cols)?;
        let size = array
            .width
            .checked_mul(depth)?
            .checked_mul(rows)?
            .checked_mul(columns)?;
        (size > 0).then_some(Self {
            width: array.width,
            depth,
            columns,
            size,
        })
    }

    /// Geometry of a shape; `None` for a black box, which has no words.
    pub(crate) fn of(shape: &Shape) -> Option<Self> {
        match shape {
            Shape::BlackBox => None,
            Shape::Direct { array, .. } => Self::new(*array, 1, 1),
            Shape::Banked { banks, bank } => {
                let columns = banks.first().map_or(0, Vec::len);
                Self::new(
                    *bank,
                    u64::try_from(banks.len()).ok()?,
                    u64::try_from(columns).ok()?,
                )
            }
        }
    }

    /// Bytes of a word of one instance.
    pub(crate) fn width(&self) -> u64 {
        self.width
    }

    /// Words of one instance.
    pub(crate) fn depth(&self) -> u64 {
        self.depth
    }

    /// Size in bytes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Iterates over the runs of the `len` bytes at `offset`. Bytes past the memory's end are in no
    /// run.
    pub(crate) fn runs(&self, offset: u64, len: u64) -> Runs {
        let start = offset.min(self.size);
        let end = offset.saturating_add(len).min(self.size);
        Runs {
            geometry: *self,
            start,
            part: start,
            end,
            turn: 0,
        }
    }

    /// Bytes of one row of banks.
    fn row_size(&self) -> u64 {
        self.width * self.columns * self.depth
    }
}

/// Consecutive words of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Number of the instance; see [`Shape::instance`].
    pub instance: u64,
    /// First accessed word.
    pub first_word: u64,
    /// Bytes of the first word before the first accessed byte.
    pub skip: u64,
    /// Number of accessed bytes; never zero.
    pub len: u64,
    /// Offset of the first byte in the data of the access.
    pub data: u64,
    /// Bytes of a word.
    pub width: u64,
    /// Distance in bytes from a word to the next in the data of the access; `width` if the run is
    /// contiguous there.
    pub stride: u64,
}

/// Accessed part of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    /// Number of the word in its instance.
    pub index: u64,
    /// Bytes of the word before the first accessed byte.
    pub skip: u64,
    /// Number of accessed bytes; never zero.
    pub len: u64,
    /// Offset of the first accessed byte in the data of the access.
    pub data: u64,
}

impl Run {
    /// Number of words that are accessed, in whole or in part.
    pub(crate) fn count(&self) -> u64 {
        (self.skip + self.len).div_ceil(self.width)
    }

    /// Offset of the first accessed byte from the first byte of the instance.
    pub(crate) fn start(&self) -> u64 {
        self.first_word * self.width + self.skip
    }

    /// True if the run is contiguous in the data of the access.
    pub(crate) fn is_one_piece(&self) -> bool {
        self.stride == self.width || self.skip + self.len <= self.width
    }

    /// Splits the run into transfers of `words` words each; the last may have fewer.
    pub(crate) fn transfers(&self, words: u64) -> impl Iterator<Item = Self> {
        let run = *self;
        let (count, words) = (run.count(), words.max(1));
        (0..count.div_ceil(words)).map(move |piece| {
            let from = piece * words;
            run.piece(from, words.min(count - from))
        })
    }

    /// Part of `count` words, starting at word `from` of the run. The run must have these words.
    fn piece(&self, from: u64, count: u64) -> Self {
        // Bytes of the run in the words before this part.
        let before = (from * self.width).saturating_sub(self.skip);
        let (skip, data) = match from {
            0 => (self.skip, self.data),
            _ => (0, self.data + (from * self.stride - self.skip)),
        };
        Self {
            first_word: self.first_word + from,
            skip,
            len: (count * self.width - skip).min(self.len - before),
            data,
            ..*self
        }
    }

    /// Iterates over the words.
    pub(crate) fn words(&self) -> Words {
        let first = Word {
            index: self.first_word,
            skip: self.skip,
            len: self.len.min(self.width - self.skip),
            data: self.data,
        };
        Words {
            next: first,
            left: self.len,
            width: self.width,
            stride: self.stride,
        }
    }
}

/// Iterator of [`Geometry::runs`]: by rows of banks, and by columns in each row.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    geometry: Geometry,
    /// First byte of the access.
    start: u64,
    /// First byte of the access in the current row of banks.
    part: u64,
    /// End of the access, exclusive.
    end: u64,
    /// Number of columns of the current row whose runs are done.
    turn: u64,
}

impl Iterator for Runs {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        if self.part >= self.end {
            return None;
        }
        let Geometry { width, columns, .. } = self.geometry;
        let row_size = self.geometry.row_size();
        let row = self.part / row_size;
        // From here, offsets are relative to the row's first byte. A slice is the `width` bytes of
        // one word in one bank: slice n is in column n % columns, word n / columns.
        let row_base = row * row_size;
        let part = self.part - row_base;
        let part_end = (self.end - row_base).min(row_size);
        let first_slice = part / width;
        let last_slice = (part_end - 1) / width;

        let slice = first_slice + self.turn;
        let last = last_slice - (last_slice - slice) % columns;
        let from = part.max(slice * width);
        let to = part_end.min((last + 1) * width);
        let skip = from - slice * width;
        let run = Run {
            instance: row * columns + slice % columns,
            first_word: slice / columns,
            skip,
            len: (last - slice) / columns * width + (to - last * width) - skip,
            data: row_base + from - self.start,
            width,
            stride: width * columns,
        };

        self.turn += 1;
        if self.turn == columns || slice == last_slice {
            self.turn = 0;
            self.part = row_base + part_end;
        }
        Some(run)
    }
}

/// Iterator of [`Run::words`].
#[derive(Debug, Clone)]
pub(crate) struct Words {
    next: Word,
    /// Number of bytes left, starting at `next`.
    left: u64,
    width: u64,
    stride: u64,
}

impl Iterator for Words {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        if self.left == 0 {
            return None;
        }
        let word = self.next;
        self.left -= word.len;
        if self.left > 0 {
            let data = word.data + (self.stride - word.skip);
            self.next = Word {
                index: word.index + 1,
                skip: 0,
                len: self.left.min(self.width),
                data,
            };
        }
        Some(word)
    }
}
