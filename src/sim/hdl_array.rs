//! HDL array in an argument of a system task: bytes of a black-box memory, or of a block.

use std::ffi::c_void;
use std::ptr::NonNull;

use smallvec::{SmallVec, smallvec};

use super::SimError;
use super::vecval::{Vecval, read_bytes, write_bytes};
use super::vpi::{Object, Vector, VpiError};

/// Array whose words are whole bytes, least significant byte first. The handle is valid as long as
/// the design.
#[derive(Debug)]
pub(crate) struct HdlArray {
    object: Object,
    /// Index of word 0.
    least: i32,
    words: u64,
    /// Bytes of a word.
    width: u64,
}

impl HdlArray {
    /// Creates the access to the array of a handle.
    pub(super) fn of(handle: NonNull<c_void>) -> Result<Self, SimError> {
        let object = Object::of_design(handle);
        let (least, words) = object.extent().map_err(refused)?;
        let bits = match object.element(least).map_err(refused)? {
            Some(word) => word.bits().map_err(refused)?.unwrap_or(0),
            None => 0,
        };
        if bits == 0 || !bits.is_multiple_of(8) {
            return Err(SimError::Words { bits });
        }
        Ok(Self {
            object,
            least,
            words,
            width: bits / 8,
        })
    }

    /// Size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.words.saturating_mul(self.width)
    }

    /// Bytes of a word.
    pub(crate) fn width(&self) -> u64 {
        self.width
    }

    /// Reads bytes, unknown bits as 0. Calls `unknown` with the number of each word, from 0, of
    /// which bytes were read that have unknown bits.
    pub(crate) fn read(
        &self,
        offset: u64,
        to: &mut [u8],
        mut unknown: impl FnMut(u64),
    ) -> Result<(), SimError> {
        let (mut rest, mut word) = (to, offset / self.width);
        self.each_word(offset, rest.len(), |vector, values, skip, len| {
            vector.read(values)?;
            let (part, more) = std::mem::take(&mut rest).split_at_mut(len);
            if read_bytes(values, skip, part) {
                unknown(word);
            }
            word += 1;
            rest = more;
            Ok(())
        })
    }

    /// Writes bytes. Other bytes of their words are unchanged.
    pub(crate) fn write(&self, offset: u64, data: &[u8]) -> Result<(), SimError> {
        let (mut rest, width) = (data, self.width);
        self.each_word(offset, data.len(), |vector, values, skip, len| {
            if (len as u64) < width {
                vector.read(values)?;
            }
            let (part, more) = rest.split_at(len);
            write_bytes(values, skip, part);
            rest = more;
            vector.write(values)
        })
    }

    /// Calls `each` with every word of a range: its vector, room for its value, the first byte, and
    /// the number of bytes.
    fn each_word(
        &self,
        offset: u64,
        len: usize,
        mut each: impl FnMut(&Vector, &mut [Vecval], usize, usize) -> Result<(), VpiError>,
    ) -> Result<(), SimError> {
        let end = offset.checked_add(len as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(SimError::PastArray { size: self.len() });
        }
        let (mut at, mut left) = (offset, len as u64);
        while left > 0 {
            let skip = at % self.width;
            let step = (self.width - skip).min(left);
            let index = i64::from(self.least) + (at / self.width).cast_signed();
            let word = i32::try_from(index)
                .ok()
                .map(|index| self.object.element(index));
            let word = word.transpose().map_err(refused)?.flatten();
            let vector = word
                .map(Vector::new)
                .transpose()
                .map_err(refused)?
                .flatten();
            let vector = vector.ok_or(SimError::NoWord { index })?;
            let mut values: SmallVec<[Vecval; 4]> = smallvec![Vecval::default(); vector.vecvals()];
            each(&vector, &mut values, skip as usize, step as usize).map_err(refused)?;
            at += step;
            left -= step;
        }
        Ok(())
    }
}

fn refused(error: VpiError) -> SimError {
    match error {
        VpiError::Absent(absent) => absent.into(),
        VpiError::Message { symbol, message } => SimError::Refused { symbol, message },
    }
}
