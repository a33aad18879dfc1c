//! HDL arrays through VPI. Objects are looked up once. Runs of words are transferred in one call if
//! the simulator supports it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::words::{Arrays, simulation_ended};
use super::write_check::{UnverifiedWrite, WriteCheck};
use crate::foreign::report;
use crate::mem::{Array, Backend, BackendError, HdlProblem};
use crate::messages::foreign::Severity;
use crate::sim::lifetime::Validity;
use crate::sim::time::simulated_time;
use crate::sim::vecval::{Vecval, overlay, same_bits, vecvals_of};
use crate::sim::vpi::{Elements, Object, Vector, VpiError};
use crate::sim::vpi_control::is_product;

/// HDL arrays of a memory.
#[derive(Debug)]
pub(super) struct VpiArrays {
    array: Array,
    instances: Vec<Instance>,
    write_check: WriteCheck,
}

/// HDL array with its cached objects.
#[derive(Debug)]
struct Instance {
    path: String,
    /// Whole array, whose elements are the rows if there are several.
    array: RefCell<Option<Rc<Object>>>,
    /// Lowest index of the array. If it has several rows, it is the index of the first row.
    least_row: Cell<i32>,
    rows: RefCell<HashMap<u64, Rc<Row>>>,
}

/// Array of words: a whole instance, or one of its rows.
#[derive(Debug)]
struct Row {
    object: Rc<Object>,
    /// Lowest index.
    least: i32,
    words: RefCell<HashMap<u64, Rc<Vector>>>,
    /// True until the transfer of a run in one call fails.
    by_run: Cell<bool>,
}

/// Maximum number of cached objects: words of each row, and rows of each instance. Further ones are
/// looked up by index each time, so that the cache does not grow to the size of a huge memory.
const KEPT: usize = 64 * 1024;

/// Error for words of GHDL with one bit.
const WITHOUT_MODULE: &str = "a word has 1 bit: GHDL has VPI only if it is run with a module, as by \
                              `--vpi=vhost.vpi`; with one, check `width` and `array_dims`";

/// Maximum number of vecvals in a run of words that are wider than the memory's words. Such words
/// are read and written back as a whole.
const WIDE_RUN: usize = 64 * 1024;

impl VpiArrays {
    /// Splits a run at the ends of rows.
    fn each_row(
        &self,
        instance: usize,
        mut first: u64,
        mut values: &mut [Vecval],
        each: impl Fn(&RowWords<'_>, &mut [Vecval]) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let instance = self.instances.get(instance).ok_or(BackendError::OtherMap)?;
        let vecvals = vecvals_of(self.array.width) as usize;
        while !values.is_empty() {
            let (row, col) = (first / self.array.cols, first % self.array.cols);
            let count = (self.array.cols - col).min((values.len() / vecvals) as u64);
            let (part, rest) = values.split_at_mut(count as usize * vecvals);
            let place = RowWords {
                array: self.array,
                path: &instance.path,
                row: self.row(instance, row)?,
                least_row: instance.least_row.get(),
                number: row,
                col,
                vecvals,
            };
            each(&place, part)?;
            values = rest;
            first += count;
        }
        Ok(())
    }

    fn row(&self, instance: &Instance, number: u64) -> Result<Rc<Row>, BackendError> {
        instance.check()?;
        if let Some(row) = instance.rows.borrow().get(&number) {
            return Ok(row.clone());
        }
        let missing = |path: String| BackendError::Hdl {
            path,
            cause: HdlProblem::Missing,
        };
        let path = &instance.path;
        let known = instance.array.borrow().clone();
        let array = match known {
            Some(array) => array,
            None => {
                let array = Object::by_name(path)
                    .map_err(|error| refused(path.clone(), error))?
                    .ok_or_else(|| missing(path.clone()))?;
                if self.array.rows > 1 {
                    let refused = |error| refused(path.clone(), error);
                    instance
                        .least_row
                        .set(array.least_index().map_err(refused)?);
                    let dims = array.dims().map_err(refused)?;
                    HdlProblem::of_dims(self.array, dims).map_err(|cause| BackendError::Hdl {
                        path: path.clone(),
                        cause,
                    })?;
                }
                let array = Rc::new(array);
                instance.array.replace(Some(array.clone()));
                array
            }
        };
        let object = if self.array.rows > 1 {
            let least = instance.least_row.get();
            let path = || format!("{path}[{}]", i128::from(number) + i128::from(least));
            element(&array, number, least)
                .map_err(|error| refused(path(), error))?
                .ok_or_else(|| missing(path()))?
                .into()
        } else {
            array
        };
        // If elements are declared in descending order, simulators differ in the direction of a
        // run.
        let ascends = object.ascends();
        let least = object.least_index();
        let row = Rc::new(Row {
            object,
            least: least.map_err(|error| refused(path.clone(), error))?,
            words: RefCell::default(),
            by_run: Cell::new(ascends == Ok(true)),
        });
        let mut rows = instance.rows.borrow_mut();
        if rows.len() < KEPT {
            rows.insert(number, row.clone());
        }
        Ok(row)
    }
}

impl Instance {
    /// Clears the cache after a reset. Fails if the simulation has ended.
    fn check(&self) -> Result<(), BackendError> {
        let validity = self.array.borrow().as_ref().map(|array| array.validity());
        match validity {
            None | Some(Validity::Valid) => Ok(()),
            Some(Validity::Reset) => {
                self.rows.borrow_mut().clear();
                self.array.replace(None);
                Ok(())
            }
            Some(Validity::Deleted) => Err(simulation_ended(&self.path)),
        }
    }
}

/// Words of a row.
struct RowWords<'a> {
    array: Array,
    path: &'a str,
    row: Rc<Row>,
    /// Number of the row.
    number: u64,
    /// Index of row 0.
    least_row: i32,
    /// First word.
    col: u64,
    vecvals: usize,
}

impl RowWords<'_> {
    /// Number of bits of a word that belong to the memory. The word may have more above them.
    fn data_bits(&self) -> u64 {
        self.array.width * 8
    }

    fn read(&self, values: &mut [Vecval]) -> Result<(), BackendError> {
        if let Some(run) = self.run(values)? {
            let moved = run.read(values, self.vecvals).is_ok();
            self.row.by_run.set(moved);
            if moved {
                return Ok(());
            }
        }
        self.each_word(values, |word, to| {
            if word.vecvals() == to.len() {
                return word.read(to);
            }
            let mut wide = vec![Vecval::default(); word.vecvals()];
            word.read(&mut wide)?;
            to.copy_from_slice(&wide[..to.len()]);
            Ok(())
        })
    }

    fn write(&self, values: &mut [Vecval]) -> Result<(), BackendError> {
        let bits = self.data_bits();
        if let Some(run) = self.run(values)? {
            let moved = run.write(values, self.vecvals, bits).is_ok();
            self.row.by_run.set(moved);
            if moved {
                return Ok(());
            }
        }
        self.each_word(values, |word, from| {
            if word.bits() == bits {
                return word.write(from);
            }
            let mut wide = vec![Vecval::default(); word.vecvals()];
            word.read(&mut wide)?;
            overlay(&mut wide, from, bits);
            word.write(&mut wide)
        })
    }

    /// Returns the words as a run, if there are several and they can be transferred in one call.
    fn run(&self, values: &[Vecval]) -> Result<Option<Run<'_>>, BackendError> {
        let Some(first) = index(self.col, self.row.least) else {
            return Ok(None);
        };
        if values.len() == self.vecvals || !self.row.by_run.get() {
            return Ok(None);
        }
        let count = values.len() / self.vecvals;
        // Checks that both ends exist. Otherwise, VPI would transfer other words.
        let like = self.word(self.col)?;
        self.word(self.col + count as u64 - 1)?;
        let fits = count.saturating_mul(like.vecvals()) <= WIDE_RUN;
        let same = like.bits() == self.data_bits();
        Ok((same || fits).then(|| Run {
            elements: Elements::new(&self.row.object, &like),
            first,
            count,
            like,
        }))
    }

    /// Calls `one` for each word.
    fn each_word(
        &self,
        values: &mut [Vecval],
        one: impl Fn(&Vector, &mut [Vecval]) -> Result<(), VpiError>,
    ) -> Result<(), BackendError> {
        for (value, col) in values.chunks_mut(self.vecvals).zip(self.col..) {
            one(&*self.word(col)?, value).map_err(|error| refused(self.word_path(col), error))?;
        }
        Ok(())
    }

    fn word(&self, col: u64) -> Result<Rc<Vector>, BackendError> {
        if let Some(word) = self.row.words.borrow().get(&col) {
            return Ok(word.clone());
        }
        let wrong = |cause| BackendError::Hdl {
            path: self.word_path(col),
            cause,
        };
        let object = element(&self.row.object, col, self.row.least)
            .map_err(|error| refused(self.word_path(col), error))?
            .ok_or_else(|| wrong(HdlProblem::Missing))?;
        let word = Vector::new(object)
            .map_err(|error| refused(self.word_path(col), error))?
            .ok_or_else(|| wrong(HdlProblem::Array))?;
        let (bits, wanted) = (word.bits(), self.data_bits());
        if bits < wanted {
            return Err(wrong(match bits {
                1 if is_product("GHDL") => HdlProblem::Refused(WITHOUT_MODULE.to_owned()),
                _ => HdlProblem::Width { bits, wanted },
            }));
        }
        let word = Rc::new(word);
        let mut words = self.row.words.borrow_mut();
        if words.len() < KEPT {
            words.insert(col, word.clone());
        }
        Ok(word)
    }

    fn word_path(&self, col: u64) -> String {
        let word = self.number * self.array.cols + col;
        let path = self.array.word_path(self.path, word);
        path.counted_from(self.least_row, self.row.least)
            .to_string()
    }
}

/// Words of a row that are transferred in one call.
struct Run<'a> {
    elements: Elements<'a>,
    first: i32,
    count: usize,
    /// Sample word, with the width of all words.
    like: Rc<Vector>,
}

impl Run<'_> {
    /// Reads the lower `vecvals` vecvals of each word.
    fn read(&self, to: &mut [Vecval], vecvals: usize) -> Result<(), VpiError> {
        if self.like.vecvals() == vecvals {
            return self.elements.read(self.first, to);
        }
        let wide = self.wide()?;
        for (to, wide) in to.chunks_mut(vecvals).zip(wide.chunks(self.like.vecvals())) {
            to.copy_from_slice(&wide[..vecvals]);
        }
        Ok(())
    }

    /// Writes the lower `bits` bits of each word. `from` has `vecvals` vecvals for each word.
    fn write(&self, from: &mut [Vecval], vecvals: usize, bits: u64) -> Result<(), VpiError> {
        if self.like.bits() == bits {
            return self.elements.write(self.first, from);
        }
        let mut wide = self.wide()?;
        for (from, wide) in from
            .chunks(vecvals)
            .zip(wide.chunks_mut(self.like.vecvals()))
        {
            overlay(wide, from, bits);
        }
        self.elements.write(self.first, &mut wide)
    }

    /// Reads the words in their full width.
    fn wide(&self) -> Result<Vec<Vecval>, VpiError> {
        let mut wide = vec![Vecval::default(); self.count * self.like.vecvals()];
        self.elements.read(self.first, &mut wide)?;
        Ok(wide)
    }
}

impl Arrays for VpiArrays {
    const BACKEND: Backend = Backend::Vpi;

    fn new(array: Array, paths: Vec<String>) -> Self {
        let instance = |path| Instance {
            path,
            array: RefCell::default(),
            least_row: Cell::new(0),
            rows: RefCell::default(),
        };
        Self {
            array,
            instances: paths.into_iter().map(instance).collect(),
            write_check: WriteCheck::default(),
        }
    }

    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError> {
        self.follow_up()?;
        self.read_now(instance, first, values)
    }

    fn write(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        self.follow_up()?;
        if !self.write_check.is_due() {
            return self.write_now(instance, first, values);
        }
        let (vecvals, bits) = (vecvals_of(self.array.width) as usize, self.array.width * 8);
        let written = values[..vecvals].to_vec();
        let before = self.word(instance, first)?;
        self.write_now(instance, first, values)?;
        // A write of the same value proves nothing.
        if same_bits(&before, &written, bits) {
            return Ok(());
        }
        self.write_check.disarm();
        if !same_bits(&self.word(instance, first)?, &written, bits) {
            self.write_check.watch(UnverifiedWrite {
                instance,
                word: first,
                before,
                since: simulated_time(),
            });
        }
        Ok(())
    }

    fn path(&self, instance: usize, word: u64) -> String {
        let Some(known) = self.instances.get(instance) else {
            return String::new();
        };
        let row = known.rows.borrow().get(&(word / self.array.cols)).cloned();
        let least = row.map_or(0, |row| row.least);
        let path = self.array.word_path(&known.path, word);
        path.counted_from(known.least_row.get(), least).to_string()
    }
}

impl VpiArrays {
    fn read_now(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        self.each_row(instance, first, values, |place, to| place.read(to))
    }

    fn write_now(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        self.each_row(instance, first, values, |place, from| place.write(from))
    }

    fn word(&self, instance: usize, word: u64) -> Result<Vec<Vecval>, BackendError> {
        let mut value = vec![Vecval::default(); vecvals_of(self.array.width) as usize];
        self.read_now(instance, word, &mut value)?;
        Ok(value)
    }

    /// Checks an earlier write that had no effect at once, and reports it if it still has none.
    fn follow_up(&self) -> Result<(), BackendError> {
        let Some(unverified) = self.write_check.take_due(simulated_time) else {
            return Ok(());
        };
        let UnverifiedWrite {
            instance,
            word,
            before,
            ..
        } = unverified;
        if same_bits(&self.word(instance, word)?, &before, self.array.width * 8) {
            self.write_check.set_reported();
            let path = self.path(instance, word);
            let text = format!(
                "write to {path} had no effect, and the simulator gave no error: use another backend than `vpi`, such as `api` with a model in C, \
                 or an array that VPI can write"
            );
            report(Severity::Error, "memory", &text);
        }
        Ok(())
    }
}

/// Returns element `number` of an array whose lowest index is `least`; `None` if the index exceeds
/// the range of VPI.
fn element(array: &Object, number: u64, least: i32) -> Result<Option<Object>, VpiError> {
    index(number, least).map_or(Ok(None), |index| array.element(index))
}

fn index(number: u64, least: i32) -> Option<i32> {
    i32::try_from(i64::try_from(number).ok()?.checked_add(i64::from(least))?).ok()
}

fn refused(path: String, error: VpiError) -> BackendError {
    match error {
        VpiError::Absent(absent) => BackendError::Absent {
            symbol: absent.symbol.into(),
        },
        VpiError::Message { .. } => BackendError::Hdl {
            path,
            cause: HdlProblem::Refused(error.to_string()),
        },
    }
}
