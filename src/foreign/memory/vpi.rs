//! HDL arrays through VPI: objects are looked up once, and runs of words moved in one call where the simulator can.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::over;
use super::words::Arrays;
use crate::mem::{Array, BackendError, HdlProblem};
use crate::sim::lifetime::Stand;
use crate::sim::vecval::{Vecval, overlay, vecvals_of};
use crate::sim::vpi::{Elements, Object, Vector, VpiError};

/// The arrays of a memory.
#[derive(Debug)]
pub(super) struct VpiArrays {
    array: Array,
    instances: Vec<Instance>,
}

/// One HDL array, and what of it has been looked up.
#[derive(Debug)]
struct Instance {
    path: String,
    /// All of it, of which rows are elements.
    array: RefCell<Option<Rc<Object>>>,
    /// Its least index: the number of its first row, where it has several.
    least_row: Cell<i32>,
    rows: RefCell<HashMap<u64, Rc<Row>>>,
}

/// An array of words: all of an instance, or one of its rows.
#[derive(Debug)]
struct Row {
    object: Rc<Object>,
    /// Its least index.
    least: i32,
    words: RefCell<HashMap<u64, Rc<Vector>>>,
    /// Whether runs can be moved in one call: until one fails.
    by_run: Cell<bool>,
}

/// Objects that are kept, of the words of a row and of the rows of an instance each. Further ones are looked up by index
/// each time, so that a huge memory is not held twice.
const KEPT: usize = 64 * 1024;

/// Vecvals of the longest run of words that have more bits than the memory's: they are read as a whole, and written back.
const WIDE_RUN: usize = 64 * 1024;

impl VpiArrays {
    pub(super) fn new(array: Array, paths: Vec<String>) -> Self {
        let instance = |path| Instance {
            path,
            array: RefCell::default(),
            least_row: Cell::new(0),
            rows: RefCell::default(),
        };
        Self {
            array,
            instances: paths.into_iter().map(instance).collect(),
        }
    }

    /// Cuts a run at the ends of rows.
    fn each_row(
        &self,
        instance: usize,
        mut first: u64,
        mut values: &mut [Vecval],
        each: impl Fn(&Place<'_>, &mut [Vecval]) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let instance = self.instances.get(instance).ok_or(BackendError::OtherMap)?;
        let vecvals = vecvals_of(self.array.width) as usize;
        while !values.is_empty() {
            let (row, col) = (first / self.array.cols, first % self.array.cols);
            let count = (self.array.cols - col).min((values.len() / vecvals) as u64);
            let (part, rest) = values.split_at_mut(count as usize * vecvals);
            let place = Place {
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
        // Where elements are declared downwards, simulators differ in which way a run goes.
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
    /// Forgets what was looked up before a reset; fails where the simulation is over.
    fn check(&self) -> Result<(), BackendError> {
        let stand = self.array.borrow().as_ref().map(|array| array.stand());
        match stand {
            None | Some(Stand::Alive) => Ok(()),
            Some(Stand::Reset) => {
                self.rows.borrow_mut().clear();
                self.array.replace(None);
                Ok(())
            }
            Some(Stand::Over) => Err(over(&self.path)),
        }
    }
}

/// Words of a row.
struct Place<'a> {
    array: Array,
    path: &'a str,
    row: Rc<Row>,
    /// The row's number.
    number: u64,
    /// The index of row 0.
    least_row: i32,
    /// The first of the words.
    col: u64,
    vecvals: usize,
}

impl Place<'_> {
    /// Bits of a word that are the memory's; a word may have more above them.
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

    /// Several words that can be moved in one call.
    fn run(&self, values: &[Vecval]) -> Result<Option<Run<'_>>, BackendError> {
        let Some(first) = index(self.col, self.row.least) else {
            return Ok(None);
        };
        if values.len() == self.vecvals || !self.row.by_run.get() {
            return Ok(None);
        }
        let count = values.len() / self.vecvals;
        // Both ends are there, or VPI would move words that nobody asked for.
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

    /// Hands over word after word.
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
            return Err(wrong(HdlProblem::Width { bits, wanted }));
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

/// Words of a row that are moved in one call.
struct Run<'a> {
    elements: Elements<'a>,
    first: i32,
    count: usize,
    /// One of the words.
    like: Rc<Vector>,
}

impl Run<'_> {
    /// Reads the low `vecvals` of each word.
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

    /// Sets the low `bits` bits of each word; `from` has `vecvals` for each.
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

    /// The words as a whole.
    fn wide(&self) -> Result<Vec<Vecval>, VpiError> {
        let mut wide = vec![Vecval::default(); self.count * self.like.vecvals()];
        self.elements.read(self.first, &mut wide)?;
        Ok(wide)
    }
}

impl Arrays for VpiArrays {
    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError> {
        self.each_row(instance, first, values, |place, to| place.read(to))
    }

    fn write(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        self.each_row(instance, first, values, |place, from| place.write(from))
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

/// Element `number` of an array whose least index is `least`; none where the index is more than VPI can count.
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
        VpiError::Said { .. } => BackendError::Hdl {
            path,
            cause: HdlProblem::Refused(error.to_string()),
        },
    }
}
