//! HDL arrays through UVM's backdoor, with one call and one path for each word.

use std::cell::Cell;
use std::fmt::Write as _;

use super::words::{Arrays, simulation_ended};
use crate::mem::{Array, Backend, BackendError, HdlProblem, WordPath};
use crate::sim::lifetime::{Lifetime, Validity};
use crate::sim::uvm_hdl::{MAX_BITS, UvmError, UvmHdl, exists};
use crate::sim::vecval::{Vecval, vecvals_of};
use crate::sim::vpi::{Object, VpiError};

/// HDL arrays of a memory.
#[derive(Debug)]
pub(super) struct UvmArrays {
    array: Array,
    instances: Vec<Instance>,
    uvm: UvmHdl,
}

#[derive(Debug)]
struct Instance {
    path: String,
    /// Properties from VPI, after the first lookup.
    known: Cell<Option<(ArrayProperties, Lifetime)>>,
}

/// Properties of an array, from VPI.
#[derive(Debug, Clone, Copy, Default)]
struct ArrayProperties {
    /// Bits of a word; `None` without VPI.
    bits: Option<u64>,
    /// Lowest row index, if there are several rows.
    row: i32,
    /// Lowest word index.
    col: i32,
}

/// Method of access to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slicing {
    /// By the path of the word.
    Whole,
    /// By part-selects of the maximum size of one call.
    Parts,
}

/// Number of vecvals of one call with the maximum number of bits.
const SLICE: usize = (MAX_BITS / 32) as usize;

impl UvmArrays {
    /// Calls `each` for each word of `values`, with a string that contains the word's path and may
    /// be extended.
    fn each_word<'v>(
        &self,
        instance: usize,
        first: u64,
        values: impl Iterator<Item = &'v mut [Vecval]>,
        each: impl Fn(&mut String, &mut [Vecval], ArrayProperties) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let instance = self.instances.get(instance).ok_or(BackendError::OtherMap)?;
        let known = match instance.known.get() {
            Some((known, lifetime)) => match lifetime.validity() {
                Validity::Valid => known,
                Validity::Reset => self.look_up(instance)?,
                Validity::Deleted => return Err(simulation_ended(&instance.path)),
            },
            None => self.look_up(instance)?,
        };
        let mut path = String::new();
        for (value, word) in values.zip(first..) {
            path.clear();
            // Writing to a `String` does not fail.
            let _ = write!(path, "{}", self.word_path(&instance.path, known, word));
            each(&mut path, value, known)?;
        }
        Ok(())
    }

    fn look_up(&self, instance: &Instance) -> Result<ArrayProperties, BackendError> {
        let known = self.check(&instance.path)?;
        let lifetime = Lifetime::of_object(&instance.path);
        instance.known.set(Some((known, lifetime)));
        Ok(known)
    }

    fn word_path<'a>(&self, path: &'a str, known: ArrayProperties, word: u64) -> WordPath<'a> {
        let path = self.array.word_path(path, word);
        path.counted_from(known.row, known.col)
    }

    /// Checks an array before the first access: UVM has its own report of unknown paths, and
    /// transfers as many bits as the object has. Queries VPI, if the simulator has it, for the
    /// bounds of the array and for its first and last word.
    fn check(&self, path: &str) -> Result<ArrayProperties, BackendError> {
        let mut known = self.bounds(path).map_err(|cause| BackendError::Hdl {
            path: path.to_owned(),
            cause,
        })?;
        let last = self.array.depth().saturating_sub(1);
        for word in [0, last] {
            let path = self.word_path(path, known, word).to_string();
            let wanted = self.array.width * 8;
            let cause = match Object::by_name(&path) {
                Ok(Some(object)) => match object.bits() {
                    Ok(Some(bits)) if bits >= wanted => {
                        known.bits = Some(bits);
                        continue;
                    }
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
        Ok(known)
    }

    /// Queries VPI for the lowest indices of an array; 0 if the simulator can't provide them.
    ///
    /// # Errors
    /// Fails if rows or columns do not match `array_dims`.
    fn bounds(&self, path: &str) -> Result<ArrayProperties, HdlProblem> {
        let refused = |error: VpiError| HdlProblem::Refused(error.to_string());
        let array = match Object::by_name(path) {
            Ok(Some(array)) => array,
            Ok(None) | Err(VpiError::Absent(_)) => return Ok(ArrayProperties::default()),
            Err(error) => return Err(refused(error)),
        };
        let least = present(array.least_index()).map_err(refused)?;
        if self.array.rows == 1 {
            return Ok(ArrayProperties {
                col: least,
                ..ArrayProperties::default()
            });
        }
        let dims = present(array.dims()).map_err(refused)?;
        HdlProblem::of_dims(self.array, dims)?;
        let col = match array.element(least).map_err(refused)? {
            Some(row) => present(row.least_index()).map_err(refused)?,
            None => 0,
        };
        Ok(ArrayProperties {
            row: least,
            col,
            bits: None,
        })
    }

    /// Splits a word into slices of the maximum size of one call. Calls `each` with the path, which
    /// has a part-select, and the vecvals of each slice.
    fn each_slice(
        &self,
        path: &mut String,
        value: &mut [Vecval],
        slicing: Slicing,
        each: impl Fn(&str, &mut [Vecval]) -> Result<(), UvmError>,
    ) -> Result<(), BackendError> {
        let bits = self.array.width * 8;
        let failed = |path: &str, error| refused(path, error);
        if slicing == Slicing::Whole {
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

    fn slicing(&self, known: ArrayProperties) -> Slicing {
        if known.bits.unwrap_or(self.array.width * 8) <= MAX_BITS {
            Slicing::Whole
        } else {
            Slicing::Parts
        }
    }

    fn vecvals(&self) -> usize {
        vecvals_of(self.array.width) as usize
    }
}

impl Arrays for UvmArrays {
    const BACKEND: Backend = Backend::Uvm;

    fn new(array: Array, paths: Vec<String>) -> Self {
        let instance = |path| Instance {
            path,
            known: Cell::new(None),
        };
        Self {
            array,
            instances: paths.into_iter().map(instance).collect(),
            uvm: UvmHdl::default(),
        }
    }

    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError> {
        let words = values.chunks_mut(self.vecvals());
        self.each_word(instance, first, words, |path, value, known| {
            let with = self.slicing(known);
            self.each_slice(path, value, with, |path, slice| self.uvm.read(path, slice))
        })
    }

    fn write(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        let words = values.chunks_mut(self.vecvals());
        let bits = self.array.width * 8;
        self.each_word(instance, first, words, |path, value, known| {
            let with = self.slicing(known);
            self.each_slice(path, value, with, |path, slice| {
                // A part-select does not change the other bits.
                if with == Slicing::Parts || known.bits == Some(bits) {
                    self.uvm.deposit(path, slice)
                } else {
                    self.uvm.deposit_low(path, slice, bits)
                }
            })
        })
    }

    fn path(&self, instance: usize, word: u64) -> String {
        let Some(instance) = self.instances.get(instance) else {
            return String::new();
        };
        let known = instance
            .known
            .get()
            .map(|(known, _)| known)
            .unwrap_or_default();
        self.word_path(&instance.path, known, word).to_string()
    }
}

/// Replaces the error of a missing VPI function by the default, because a simulator with only a
/// part of VPI can't provide bounds.
fn present<T: Default>(answer: Result<T, VpiError>) -> Result<T, VpiError> {
    match answer {
        Err(VpiError::Absent(_)) => Ok(T::default()),
        answer => answer,
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
