//! From the bytes of a memory to words of its HDL arrays: the one place where this arithmetic lives.
//!
//! An array of a memory is called an *instance*: a direct memory has one, a banked memory one per bank, counted row by row.
//! An access becomes [`Run`]s: consecutive words of one instance, of which the first and the last may be touched in part.
//! In a direct memory that is one run. In a banked memory, whose columns take turns, it is one run for each column that is
//! touched in each row of banks; a run's words then lie apart in the data of the access, which [`Run::words`] tells.
//!
//! ```text
//!   data of the access     ..AAAABBBBAAAABBBB..       instance 0   word n:   ..AA   (skip 2)
//!   columns                00001111000011110000                    word n+1: AAAA
//! ```

use super::{Array, Shape};

#[cfg(test)]
mod tests;

/// How offsets of a memory turn into words: the numbers of its [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of a word of one instance.
    width: u64,
    /// Words of one instance.
    depth: u64,
    /// Instances side by side; 1 in a direct memory.
    columns: u64,
    /// Bytes in all.
    size: u64,
}

impl Geometry {
    /// Of `rows` × `columns` equal arrays; `None` when that is no byte at all, or more than 64 bits can count.
    pub fn new(array: Array, rows: u64, columns: u64) -> Option<Self> {
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

    /// Of a shape; `None` for a black box, which has no words.
    pub fn of(shape: &Shape) -> Option<Self> {
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
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Words of one instance.
    pub fn depth(&self) -> u64 {
        self.depth
    }

    /// Bytes in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The runs of the `len` bytes from `offset` on. Bytes past the memory's end are in no word, and in no run.
    pub fn runs(&self, offset: u64, len: u64) -> Runs {
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
pub struct Run {
    /// Which instance; see [`Shape::instance`].
    pub instance: u64,
    /// Its first word that is touched.
    pub first_word: u64,
    /// Bytes of the first word that are passed over.
    pub skip: u64,
    /// Bytes in all; never zero.
    pub len: u64,
    /// Where the first byte is in the data of the access.
    pub data: u64,
    /// Bytes of a word.
    pub width: u64,
    /// Bytes from a word to the next in the data of the access; `width` where the run is one piece of the data.
    pub stride: u64,
}

/// What a run touches of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The word's number in its instance.
    pub index: u64,
    /// Its bytes before the first that is touched.
    pub skip: u64,
    /// Bytes that are touched; never zero.
    pub len: u64,
    /// Where the first touched byte is in the data of the access.
    pub data: u64,
}

impl Run {
    /// Words that are touched, in whole or in part.
    pub fn count(&self) -> u64 {
        (self.skip + self.len).div_ceil(self.width)
    }

    /// The first byte that is touched, counted from the first byte of the instance.
    pub fn start(&self) -> u64 {
        self.first_word * self.width + self.skip
    }

    /// Whether the run's bytes lie together in the data of the access too.
    pub fn is_one_piece(&self) -> bool {
        self.stride == self.width || self.skip + self.len <= self.width
    }

    /// Whether the first word is touched in part only, so that a write must read it first.
    pub fn first_is_partial(&self) -> bool {
        self.skip > 0 || self.len < self.width
    }

    /// Whether the last word (which may be the first) is touched in part only.
    pub fn last_is_partial(&self) -> bool {
        if self.count() == 1 {
            self.first_is_partial()
        } else {
            !(self.skip + self.len).is_multiple_of(self.width)
        }
    }

    /// The run in pieces of `words` words each, of which the last may have fewer.
    pub fn pieces(&self, words: u64) -> impl Iterator<Item = Self> {
        let run = *self;
        let (count, words) = (run.count(), words.max(1));
        (0..count.div_ceil(words)).map(move |piece| {
            let from = piece * words;
            run.piece(from, words.min(count - from))
        })
    }

    /// `count` of its words, from its word `from` on; the run has them.
    fn piece(&self, from: u64, count: u64) -> Self {
        // Bytes of the run that are in the words before.
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

    /// The words one by one.
    pub fn words(&self) -> Words {
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

impl Word {
    /// Whether byte `byte` of the word is touched: its byte enable.
    pub fn enables(&self, byte: u64) -> bool {
        (self.skip..self.skip + self.len).contains(&byte)
    }
}

/// Iterator of [`Geometry::runs`]: row of banks after row of banks, in each of them column after column.
#[derive(Debug, Clone)]
pub struct Runs {
    geometry: Geometry,
    /// First byte of the access.
    start: u64,
    /// First byte of the part of the access that lies in the present row of banks.
    part: u64,
    /// Past the last byte of the access.
    end: u64,
    /// Columns of the present row that had their run.
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
        // From here on offsets count from the row's first byte. A slice is the `width` bytes that go to one word of one
        // bank: slice n goes to column n % columns, word n / columns.
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
pub struct Words {
    next: Word,
    /// Bytes from `next` on.
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
