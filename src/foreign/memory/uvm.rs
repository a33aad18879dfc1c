//! HDL arrays through UVM's backdoor: one call for each word, and a path in each call.

use std::cell::Cell;
use std::fmt::Write as _;

use super::words::Arrays;
use crate::mem::{Array, BackendError, HdlProblem};
use crate::sim::uvm_hdl::{MAX_BITS, UvmError, UvmHdl, exists};
use crate::sim::vecval::{Vecval, vecvals_of};
use crate::sim::vpi::{Object, VpiError};

/// The arrays of a memory.
#[derive(Debug)]
pub(super) struct UvmArrays {
    array: Array,
    instances: Vec<Instance>,
    uvm: UvmHdl,
}

#[derive(Debug)]
struct Instance {
    path: String,
    /// Whether its words are known to be what the configuration says.
    known: Cell<bool>,
}

/// Vecvals of a value of the most bits.
const SLICE: usize = (MAX_BITS / 32) as usize;

impl UvmArrays {
    pub(super) fn new(array: Array, paths: Vec<String>) -> Self {
        let instance = |path| Instance {
            path,
            known: Cell::new(false),
        };
        Self {
            array,
            instances: paths.into_iter().map(instance).collect(),
            uvm: UvmHdl::default(),
        }
    }

    /// Hands each word of `values` to `each`, with room for its path, which ends with the word's index.
    fn each_word<'v>(
        &self,
        instance: usize,
        first: u64,
        values: impl Iterator<Item = &'v mut [Vecval]>,
        each: impl Fn(&mut String, &mut [Vecval]) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let instance = self.instances.get(instance).ok_or(BackendError::OtherMap)?;
        if !instance.known.get() {
            self.check(&instance.path)?;
            instance.known.set(true);
        }
        let mut path = String::new();
        for (value, word) in values.zip(first..) {
            path.clear();
            // Writing to a String does not fail.
            let _ = write!(path, "{}", self.array.word_path(&instance.path, word));
            each(&mut path, value)?;
        }
        Ok(())
    }

    /// UVM reports a path that it doesn't find in its own way, and moves as many bits as the object has: so the first and
    /// the last word are looked at before any is moved, by VPI where the simulator has it.
    fn check(&self, path: &str) -> Result<(), BackendError> {
        let last = self.array.depth().saturating_sub(1);
        for word in [0, last] {
            let path = self.array.word_path(path, word).to_string();
            let wanted = self.array.width * 8;
            let cause = match Object::by_name(&path) {
                Ok(Some(object)) => match object.bits() {
                    Ok(Some(bits)) if bits == wanted => continue,
                    Ok(Some(bits)) => HdlProblem::Width { bits, wanted },
                    Ok(None) => HdlProblem::Array,
                    Err(error) => HdlProblem::Refused(error.to_string()),
                },
                Ok(None) => HdlProblem::Missing,
                Err(VpiError::Absent(_)) if exists(&path) != Some(false) => continue,
                Err(VpiError::Absent(_)) => HdlProblem::Missing,
                Err(error) => HdlProblem::Refused(error.to_string()),
            };
            return Err(BackendError::Hdl { path, cause });
        }
        Ok(())
    }

    /// Cuts a word into slices that one call can move: its path with a part-select, and its vecvals.
    fn each_slice(
        &self,
        path: &mut String,
        value: &mut [Vecval],
        each: impl Fn(&str, &mut [Vecval]) -> Result<(), UvmError>,
    ) -> Result<(), BackendError> {
        let bits = self.array.width * 8;
        let failed = |path: &str, error| refused(path, error);
        if bits <= MAX_BITS {
            return each(path, value).map_err(|error| failed(path, error));
        }
        let word = path.len();
        for (slice, low) in value.chunks_mut(SLICE).zip((0..).step_by(SLICE * 32)) {
            let high = bits.min(low + MAX_BITS) - 1;
            path.truncate(word);
            let _ = write!(path, "[{high}:{low}]");
            each(path, slice).map_err(|error| failed(path, error))?;
        }
        Ok(())
    }

    fn vecvals(&self) -> usize {
        vecvals_of(self.array.width) as usize
    }
}

impl Arrays for UvmArrays {
    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError> {
        let words = values.chunks_mut(self.vecvals());
        self.each_word(instance, first, words, |path, value| {
            self.each_slice(path, value, |path, slice| self.uvm.read(path, slice))
        })
    }

    fn write(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        let words = values.chunks_mut(self.vecvals());
        self.each_word(instance, first, words, |path, value| {
            self.each_slice(path, value, |path, slice| self.uvm.deposit(path, slice))
        })
    }
}

fn refused(path: &str, error: UvmError) -> BackendError {
    match error {
        UvmError::Absent(absent) => BackendError::Absent {
            symbol: absent.symbol.into(),
        },
        UvmError::Refused { .. } => BackendError::Hdl {
            path: path.to_owned(),
            cause: HdlProblem::Refused(error.to_string()),
        },
    }
}
