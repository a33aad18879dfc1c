//! HDL arrays through VPI: objects are looked up once, and runs of words moved in one call where the simulator can.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::words::Arrays;
use crate::mem::{Array, BackendError, HdlProblem};
use crate::sim::vecval::{Vecval, vecvals_of};
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
    array: OnceCell<Rc<Object>>,
    rows: RefCell<HashMap<u64, Rc<Row>>>,
}

/// An array of words: all of an instance, or one of its rows.
#[derive(Debug)]
struct Row {
    object: Rc<Object>,
    words: RefCell<HashMap<u64, Rc<Vector>>>,
    /// Whether runs can be moved in one call: until one fails.
    by_run: Cell<bool>,
}

/// Objects that are kept, of the words of a row and of the rows of an instance each. Further ones are looked up by index
/// each time, so that a huge memory is not held twice.
const KEPT: usize = 64 * 1024;

impl VpiArrays {
    pub(super) fn new(array: Array, paths: Vec<String>) -> Self {
        let instance = |path| Instance {
            path,
            array: OnceCell::new(),
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
        if let Some(row) = instance.rows.borrow().get(&number) {
            return Ok(row.clone());
        }
        let missing = |path: String| BackendError::Hdl {
            path,
            cause: HdlProblem::Missing,
        };
        let path = &instance.path;
        let array = match instance.array.get() {
            Some(array) => array.clone(),
            None => {
                let array = Object::by_name(path)
                    .map_err(|error| refused(path.clone(), error))?
                    .ok_or_else(|| missing(path.clone()))?;
                instance.array.get_or_init(|| Rc::new(array)).clone()
            }
        };
        let object = if self.array.rows > 1 {
            let path = || format!("{path}[{number}]");
            element(&array, number)
                .map_err(|error| refused(path(), error))?
                .ok_or_else(|| missing(path()))?
                .into()
        } else {
            array
        };
        // Where elements are declared downwards, simulators differ in which way a run goes.
        let ascends = object.ascends();
        let row = Rc::new(Row {
            object,
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

/// Words of a row.
struct Place<'a> {
    array: Array,
    path: &'a str,
    row: Rc<Row>,
    /// The row's number.
    number: u64,
    /// The first of the words.
    col: u64,
    vecvals: usize,
}

impl Place<'_> {
    /// Moves several words in one call, if that can be done.
    fn move_run(
        &self,
        values: &mut [Vecval],
        run: impl Fn(&Elements<'_>, i32, &mut [Vecval]) -> Result<(), VpiError>,
    ) -> Result<bool, BackendError> {
        let Ok(first) = i32::try_from(self.col) else {
            return Ok(false);
        };
        if values.len() == self.vecvals || !self.row.by_run.get() {
            return Ok(false);
        }
        let last = self.col + (values.len() / self.vecvals) as u64 - 1;
        // Both ends are there, or VPI would move words that nobody asked for.
        let like = self.word(self.col)?;
        self.word(last)?;
        let elements = Elements::new(&self.row.object, &like);
        let moved = run(&elements, first, values).is_ok();
        self.row.by_run.set(moved);
        Ok(moved)
    }

    /// Moves word after word.
    fn move_words(
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
        let object = element(&self.row.object, col)
            .map_err(|error| refused(self.word_path(col), error))?
            .ok_or_else(|| wrong(HdlProblem::Missing))?;
        let word = Vector::new(object)
            .map_err(|error| refused(self.word_path(col), error))?
            .ok_or_else(|| wrong(HdlProblem::Array))?;
        let (bits, wanted) = (word.bits(), self.array.width * 8);
        if bits != wanted {
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
        self.array.word_path(self.path, word).to_string()
    }
}

impl Arrays for VpiArrays {
    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError> {
        self.each_row(instance, first, values, |place, values| {
            if place.move_run(values, |elements, first, to| elements.read(first, to))? {
                return Ok(());
            }
            place.move_words(values, |word, to| word.read(to))
        })
    }

    fn write(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        self.each_row(instance, first, values, |place, values| {
            if place.move_run(values, |elements, first, from| elements.write(first, from))? {
                return Ok(());
            }
            place.move_words(values, |word, from| word.write(from))
        })
    }
}

/// An element of an array; none where the index is more than VPI can count.
fn element(array: &Object, index: u64) -> Result<Option<Object>, VpiError> {
    i32::try_from(index).map_or(Ok(None), |index| array.element(index))
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
