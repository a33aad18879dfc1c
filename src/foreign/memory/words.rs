//! Memory whose HDL arrays are accessed word by word: conversion between bytes of an access and words of the arrays.

use std::cell::RefCell;
use std::collections::HashSet;

use smallvec::{SmallVec, smallvec};

use crate::mem::{BackendError, Geometry, Run, Segment, Word};
use crate::sim::vecval::{Vecval, read_bytes, vecvals_of, write_bytes};

/// HDL arrays of a memory, by instance.
pub(super) trait Arrays {
    /// Reads words of an instance from `first` on, as many as fit into `values`.
    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError>;

    /// Writes words of an instance from `first` on, as many as are in `values`.
    fn write(&self, instance: usize, first: u64, values: &mut [Vecval])
    -> Result<(), BackendError>;

    /// HDL path of a word of an instance, for error messages.
    fn path(&self, instance: usize, word: u64) -> String;
}

/// Consecutive words of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WordRange {
    pub(super) instance: u64,
    pub(super) first: u64,
    pub(super) last: u64,
}

/// Memory of words.
#[derive(Debug)]
pub(super) struct Words<A> {
    geometry: Geometry,
    arrays: A,
    /// Words that are known to have unknown bits, by instance and index.
    unknown: RefCell<HashSet<(u64, u64)>>,
}

/// Maximum number of vecvals in one transfer: 64 KiB of bytes in words of whole vecvals.
const CHUNK: u64 = 16 * 1024;

/// Maximum width of a word in bytes: 2^24 bits. IEEE 1800-2017, 6.9.1, requires only 2^16 of simulators.
const WIDEST: u64 = 1 << 21;

/// Maximum number of words that are remembered as unknown. Words beyond it cause no more warnings.
const REMEMBERED: usize = 64 * 1024;

/// Values of words. An access to a few words does not allocate.
type Values = SmallVec<[Vecval; 8]>;

impl<A: Arrays> Words<A> {
    pub(super) fn new(geometry: Geometry, arrays: A) -> Self {
        Self {
            geometry,
            arrays,
            unknown: RefCell::default(),
        }
    }

    /// Reads a segment, with unknown bits as 0. Appends words that have unknown bits for the first time to `met`, if it is given.
    pub(super) fn read(
        &self,
        at: &Segment,
        to: &mut [u8],
        mut met: Option<&mut Vec<WordRange>>,
    ) -> Result<(), BackendError> {
        self.each_run(at, |run| {
            let mut values = self.room(run);
            self.arrays
                .read(instance(run)?, run.first_word, &mut values)?;
            for (value, word) in values.chunks(self.vecvals()).zip(run.words()) {
                let range = word_data(&word);
                let unknown = read_bytes(value, word.skip as usize, &mut to[range]);
                if unknown && let Some(met) = met.as_deref_mut() {
                    self.meet(run.instance, word.index, met);
                }
            }
            Ok(())
        })
    }

    /// Writes a segment. A word that is written in part is read first, and keeps its other bytes, including unknown bits.
    pub(super) fn write(&self, at: &Segment, data: &[u8]) -> Result<(), BackendError> {
        self.each_run(at, |run| {
            let instance = instance(run)?;
            let mut values = self.room(run);
            for (value, word) in values.chunks_mut(self.vecvals()).zip(run.words()) {
                if word.len < run.width {
                    self.arrays.read(instance, word.index, value)?;
                }
                write_bytes(value, word.skip as usize, &data[word_data(&word)]);
            }
            self.arrays.write(instance, run.first_word, &mut values)
        })
    }

    /// HDL path of a word of an instance, for error messages.
    pub(super) fn path(&self, instance: u64, word: u64) -> String {
        let instance = usize::try_from(instance).unwrap_or(usize::MAX);
        self.arrays.path(instance, word)
    }

    /// Splits an access into runs of the size of one transfer.
    fn each_run(
        &self,
        at: &Segment,
        mut each: impl FnMut(&Run) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let width = self.geometry.width();
        if width > WIDEST {
            return Err(BackendError::TooWide {
                bits: width.saturating_mul(8),
            });
        }
        let most = (CHUNK / vecvals_of(width)).max(1);
        for run in self.geometry.runs(at.offset, at.len) {
            run.pieces(most).try_for_each(|run| each(&run))?;
        }
        Ok(())
    }

    /// Number of vecvals of a word.
    fn vecvals(&self) -> usize {
        vecvals_of(self.geometry.width()) as usize
    }

    fn room(&self, run: &Run) -> Values {
        smallvec![Vecval::default(); run.count() as usize * self.vecvals()]
    }

    fn meet(&self, instance: u64, word: u64, met: &mut Vec<WordRange>) {
        let mut unknown = self.unknown.borrow_mut();
        if unknown.len() == REMEMBERED || !unknown.insert((instance, word)) {
            return;
        }
        match met.last_mut() {
            Some(range) if range.instance == instance && range.last + 1 == word => {
                range.last = word;
            }
            _ => met.push(WordRange {
                instance,
                first: word,
                last: word,
            }),
        }
    }
}

fn instance(run: &Run) -> Result<usize, BackendError> {
    usize::try_from(run.instance).map_err(|_| BackendError::OtherMap)
}

fn word_data(word: &Word) -> std::ops::Range<usize> {
    let from = word.data as usize;
    from..from + word.len as usize
}

#[cfg(test)]
mod tests;
