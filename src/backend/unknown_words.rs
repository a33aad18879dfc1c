//! Words of a memory in HDL that were found with unknown bits, for warnings.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::mem::BackendError;

/// Maximum number of words that are remembered. Further ones cause no warnings.
const REMEMBERED: usize = 64 * 1024;

/// Consecutive words of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WordRange {
    pub(super) instance: u64,
    pub(super) first: u64,
    pub(super) last: u64,
}

/// Words that are known to have unknown bits, by instance and index. Each causes one warning.
#[derive(Debug, Default)]
pub(super) struct UnknownWords(RefCell<HashSet<(u64, u64)>>);

impl UnknownWords {
    /// Removes and returns the known words, in order.
    #[cfg(test)]
    pub(super) fn take(&self) -> std::collections::BTreeSet<(u64, u64)> {
        self.0.take().into_iter().collect()
    }

    /// Appends a word to `ranges`, unless it is known.
    pub(super) fn note(&self, instance: u64, word: u64, ranges: &mut Vec<WordRange>) {
        let mut known = self.0.borrow_mut();
        if known.len() == REMEMBERED || !known.insert((instance, word)) {
            return;
        }
        match ranges.last_mut() {
            Some(range) if range.instance == instance && range.last + 1 == word => {
                range.last = word;
            }
            _ => ranges.push(WordRange {
                instance,
                first: word,
                last: word,
            }),
        }
    }
}

/// Reads a text. Memory behind its NUL may never have been written, so unknown bits there cause no
/// warning. An unknown byte ends the text like a NUL, and causes a warning.
///
/// `peek` reads the bytes without warnings, and returns true if some have unknown bits; `read` then
/// reads those of the text again, with warnings.
pub(super) fn read_text(
    to: &mut [u8],
    peek: impl FnOnce(&mut [u8]) -> Result<bool, BackendError>,
    read: impl FnOnce(&mut [u8]) -> Result<(), BackendError>,
) -> Result<(), BackendError> {
    if !peek(to)? {
        return Ok(());
    }
    let nul = to.iter().position(|byte| *byte == 0);
    let used = nul.map_or(to.len(), |nul| nul + 1);
    read(&mut to[..used])
}
