use std::cell::{Cell, RefCell};

use proptest::prelude::*;

use super::*;
use crate::mem::Array;

/// Arrays in this process, with counts of the accesses.
struct Model {
    /// Vecvals of each instance.
    instances: Vec<RefCell<Vec<Vecval>>>,
    vecvals: usize,
    reads: Cell<usize>,
    writes: Cell<usize>,
}

impl Model {
    fn new(array: Array, instances: usize) -> Self {
        let vecvals = vecvals_of(array.width) as usize;
        let unset = vec![Vecval::default(); vecvals * array.depth() as usize];
        Self {
            instances: vec![RefCell::new(unset); instances],
            vecvals,
            reads: Cell::new(0),
            writes: Cell::new(0),
        }
    }

    fn values(&self, first: u64, count: usize) -> std::ops::Range<usize> {
        let from = first as usize * self.vecvals;
        from..from + count
    }
}

impl Arrays for Model {
    const BACKEND: Backend = Backend::Vpi;

    fn new(array: Array, paths: Vec<String>) -> Self {
        Self::new(array, paths.len())
    }

    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError> {
        self.reads.set(self.reads.get() + 1);
        let range = self.values(first, values.len());
        values.copy_from_slice(&self.instances[instance].borrow()[range]);
        Ok(())
    }

    fn write(
        &self,
        instance: usize,
        first: u64,
        values: &mut [Vecval],
    ) -> Result<(), BackendError> {
        self.writes.set(self.writes.get() + 1);
        let range = self.values(first, values.len());
        self.instances[instance].borrow_mut()[range].copy_from_slice(values);
        Ok(())
    }

    fn path(&self, instance: usize, word: u64) -> String {
        format!("{instance}[{word}]")
    }
}

fn memory(width: u64, depth: u64, rows: u64, columns: u64) -> WordMemory<Model> {
    let array = Array {
        width,
        rows: 1,
        cols: depth,
    };
    let geometry = Geometry::new(array, rows, columns).unwrap();
    WordMemory::new(
        "ram".to_owned(),
        geometry,
        Model::new(array, (rows * columns) as usize),
    )
}

fn read(words: &WordMemory<Model>, offset: u64, len: usize) -> (Vec<u8>, Vec<WordRange>) {
    let (mut bytes, mut unknown) = (vec![0xee; len], vec![]);
    words
        .read_words(offset, &mut bytes, Some(&mut unknown))
        .unwrap();
    (bytes, unknown)
}

fn range(instance: u64, first: u64, last: u64) -> WordRange {
    WordRange {
        instance,
        first,
        last,
    }
}

#[test]
fn only_words_that_are_touched_in_part_are_read_before_a_write() {
    let words = memory(4, 16, 1, 1);
    let accesses = || (words.arrays.reads.take(), words.arrays.writes.take());
    words.write(8, &[1; 32]).unwrap();
    assert_eq!(accesses(), (0, 1));
    words.write(6, &[2; 12]).unwrap();
    assert_eq!(accesses(), (2, 1));
    words.write(5, &[3; 2]).unwrap();
    assert_eq!(accesses(), (1, 1));
    assert_eq!(read(&words, 4, 6).0, [0, 3, 3, 2, 2, 2]);
}

#[test]
fn unknown_words_are_reported_once_in_ranges() {
    let words = memory(4, 8, 1, 2);
    for word in [1, 2, 5] {
        words.arrays.instances[1].borrow_mut()[word].bval = 0xff00;
    }
    // Words alternate between the two columns: words 1 and 2 of column 1 are bytes 12 to 15 and 20
    // to 23.
    assert_eq!(read(&words, 12, 1).1, []);
    assert_eq!(read(&words, 0, 64).1, [range(1, 1, 2), range(1, 5, 5)]);
    assert_eq!(read(&words, 0, 64).1, []);
    words.arrays.instances[0].borrow_mut()[7].bval = 1;
    assert_eq!(read(&words, 0, 64).1, [range(0, 7, 7)]);
}

#[test]
fn a_peek_reports_nothing_and_hides_nothing() {
    let words = memory(4, 8, 1, 1);
    words.arrays.instances[0].borrow_mut()[3].bval = 1;
    words.peek(12, &mut [0; 4]).unwrap();
    assert_eq!(read(&words, 12, 4).1, [range(0, 3, 3)]);
}

/// Reads a text. Returns the words that it has warned of.
fn warned_of_text(words: &WordMemory<Model>, offset: u64, len: usize) -> Vec<u64> {
    words.read_text(offset, &mut vec![0xee; len]).unwrap();
    let unknown = words.unknown.take();
    unknown.into_iter().map(|(_, word)| word).collect()
}

#[test]
fn unknown_bytes_of_a_text_are_reported_up_to_its_end_alone() {
    let words = memory(4, 8, 1, 1);
    let unknown = Vecval {
        aval: u32::MAX,
        bval: u32::MAX,
    };
    words.arrays.instances[0].borrow_mut().fill(unknown);
    words.write(4, b"abcde\0").unwrap();
    assert!(warned_of_text(&words, 4, 28).is_empty());
    // A text without a NUL ends at the first unknown byte.
    words.write(16, b"abcde").unwrap();
    assert_eq!(warned_of_text(&words, 16, 16), [5]);
    // An unknown byte within the text.
    words.arrays.instances[0].borrow_mut()[1].bval = 0x100;
    assert_eq!(warned_of_text(&words, 4, 28), [1]);
    // A text that is longer than the segment is read as a whole.
    words.write(28, b"full").unwrap();
    assert!(warned_of_text(&words, 28, 4).is_empty());
}

#[test]
fn a_write_in_part_keeps_unknown_bits_elsewhere() {
    let words = memory(6, 2, 1, 1);
    words.arrays.instances[0].borrow_mut().fill(Vecval {
        aval: 0,
        bval: u32::MAX,
    });
    words.write(3, &[1, 2]).unwrap();
    let values = words.arrays.instances[0].borrow();
    assert_eq!((values[0].aval, values[0].bval), (0x0100_0000, 0x00ff_ffff));
    assert_eq!((values[1].aval, values[1].bval), (2, 0xffff_ff00));
    drop(values);
    assert_eq!(read(&words, 3, 2), (vec![1, 2], vec![]));
}

#[test]
fn long_accesses_go_in_chunks() {
    let words = memory(1, 3 * MAX_TRANSFER, 1, 1);
    let data: Vec<u8> = (0..3 * MAX_TRANSFER - 7)
        .map(|byte| (byte % 251) as u8)
        .collect();
    words.write(5, &data).unwrap();
    assert_eq!(words.arrays.writes.get(), 3);
    assert!(read(&words, 5, data.len()).0 == data);
}

/// A vector wider than any simulator allows can't be allocated in this process either.
#[test]
fn a_word_without_end_is_refused() {
    let array = Array {
        width: 1 << 40,
        rows: 1,
        cols: 2,
    };
    let geometry = Geometry::new(array, 1, 1).unwrap();
    let empty = Model {
        instances: vec![],
        vecvals: 0,
        reads: Cell::new(0),
        writes: Cell::new(0),
    };
    let words = WordMemory::new("ram".to_owned(), geometry, empty);
    let error = words.peek(0, &mut [0; 4]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "words of 8796093022208 bits are wider than any simulator supports"
    );
    assert_eq!(words.write(0, &[0; 4]), Err(error));
}

proptest! {
    /// Compares random accesses to random geometries with plain bytes, and with the instances by
    /// the formulas of the configuration.
    #[test]
    fn bytes_lie_in_the_configured_words(
        (width, depth, rows, columns) in (1_u64..20, 1_u64..20, 1_u64..4, 1_u64..4),
        accesses in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 1..80)), 1..20),
    ) {
        let words = memory(width, depth, rows, columns);
        let size = width * depth * rows * columns;
        let mut model = vec![0; size as usize];
        for (offset, data) in accesses {
            let offset = offset % size;
            let data = &data[..data.len().min((size - offset) as usize)];
            model[offset as usize..][..data.len()].copy_from_slice(data);
            words.write(offset, data).unwrap();
            prop_assert_eq!(&read(&words, offset, data.len()).0, data);
        }
        prop_assert_eq!(&read(&words, 0, model.len()).0, &model);
        for (offset, expected) in (0..).zip(&model) {
            let column = offset / width % columns;
            let row = offset / (width * columns * depth);
            let word = offset / (width * columns) % depth;
            let values = words.arrays.instances[(row * columns + column) as usize].borrow();
            let value = &values[word as usize * words.vecvals()..][..words.vecvals()];
            let mut byte = [0];
            read_bytes(value, (offset % width) as usize, &mut byte);
            prop_assert_eq!(byte[0], *expected, "offset {}", offset);
        }
    }
}
