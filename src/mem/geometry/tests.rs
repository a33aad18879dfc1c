//! Runs of words, compared with the formulas of the specification byte by byte.

use proptest::prelude::*;

use super::*;

/// Memory in the terms of the specification, with widths in bytes.
#[derive(Debug, Clone, Copy)]
struct Model {
    width: u64,
    bank_width: u64,
    bank_depth: u64,
    bank_rows: u64,
}

impl Model {
    /// Instance, word and byte of the word for one offset, by the formulas of the specification.
    fn place(&self, offset: u64) -> (u64, u64, u64) {
        let columns = self.width / self.bank_width;
        let column = (offset / self.bank_width) % columns;
        let row = offset / (self.width * self.bank_depth);
        let in_bank =
            ((offset / self.width) % self.bank_depth) * self.bank_width + offset % self.bank_width;
        (
            row * columns + column,
            in_bank / self.bank_width,
            in_bank % self.bank_width,
        )
    }

    fn size(&self) -> u64 {
        self.width * self.bank_depth * self.bank_rows
    }

    fn geometry(&self) -> Geometry {
        let array = Array {
            width: self.bank_width,
            rows: 1,
            cols: self.bank_depth,
        };
        Geometry::new(array, self.bank_rows, self.width / self.bank_width).unwrap()
    }
}

fn model() -> impl Strategy<Value = Model> {
    (1u64..20, 1u64..6, 1u64..9, 1u64..5).prop_map(
        |(bank_width, columns, bank_depth, bank_rows)| Model {
            width: bank_width * columns,
            bank_width,
            bank_depth,
            bank_rows,
        },
    )
}

fn access() -> impl Strategy<Value = (Model, u64, u64)> {
    model().prop_flat_map(|model| {
        let size = model.size();
        (Just(model), 0..size)
            .prop_flat_map(move |(model, offset)| (Just(model), Just(offset), 0..=size - offset))
    })
}

/// Memory of up to 2^60 bytes and a short access to it. Accesses near its start, its end or the end
/// of a bank are as frequent as others.
fn far() -> impl Strategy<Value = (Model, u64, u64)> {
    let model = (1..=1u64 << 17, 1u64..9, 1..=1u64 << 36, 1u64..9).prop_map(
        |(bank_width, columns, bank_depth, bank_rows)| Model {
            width: bank_width * columns,
            bank_width,
            bank_depth,
            bank_rows,
        },
    );
    (model, 1u64..300, 0u64..9, any::<u64>(), any::<bool>()).prop_map(
        |(model, len, row, anywhere, edge)| {
            let last = model.size().saturating_sub(len);
            let offset = if edge {
                (row * model.width * model.bank_depth).saturating_sub(len / 2)
            } else {
                anywhere
            };
            (model, offset.min(last), len.min(model.size()))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The largest numbers must not overflow the arithmetic.
    #[test]
    fn every_byte_of_a_huge_memory_is_where_the_formulas_put_it((model, offset, len) in far()) {
        let mut places = vec![None; usize::try_from(len).unwrap()];
        for run in model.geometry().runs(offset, len) {
            for word in run.words() {
                for byte in 0..word.len {
                    let place = &mut places[usize::try_from(word.data + byte).unwrap()];
                    prop_assert_eq!(place.replace((run.instance, word.index, word.skip + byte)), None);
                }
            }
        }
        let wanted: Vec<_> = (offset..offset + len).map(|byte| Some(model.place(byte))).collect();
        prop_assert_eq!(places, wanted);
    }

    /// Each byte of an access is in exactly one word, at the place of the specification.
    #[test]
    fn every_byte_is_where_the_formulas_put_it((model, offset, len) in access()) {
        let mut places = vec![None; usize::try_from(len).unwrap()];
        for run in model.geometry().runs(offset, len) {
            prop_assert!(run.len > 0);
            let words: Vec<_> = run.words().collect();
            prop_assert_eq!(words.len() as u64, run.count());
            prop_assert_eq!(words[0].index, run.first_word);
            prop_assert_eq!(words[0].skip, run.skip);
            prop_assert_eq!(words.iter().map(|word| word.len).sum::<u64>(), run.len);
            let one_piece = words.windows(2).all(|pair| pair[0].data + pair[0].len == pair[1].data);
            prop_assert_eq!(one_piece, run.is_one_piece());
            for (nth, word) in words.iter().enumerate() {
                prop_assert_eq!(word.index, run.first_word + nth as u64);
                prop_assert!(word.len > 0 && word.skip + word.len <= model.bank_width);
                for byte in 0..word.len {
                    let place = &mut places[usize::try_from(word.data + byte).unwrap()];
                    prop_assert_eq!(place.replace((run.instance, word.index, word.skip + byte)), None);
                }
            }
        }
        let wanted: Vec<_> = (offset..offset + len).map(|byte| Some(model.place(byte))).collect();
        prop_assert_eq!(places, wanted);
    }

    /// The parts of a run have its words, in the requested number.
    #[test]
    fn a_run_is_its_pieces((model, offset, len) in access(), words in 1u64..6) {
        for run in model.geometry().runs(offset, len) {
            let pieces: Vec<_> = run.transfers(words).collect();
            let (last, whole) = pieces.split_last().unwrap();
            prop_assert!(whole.iter().all(|piece| piece.count() == words));
            prop_assert!((1..=words).contains(&last.count()));
            let in_pieces: Vec<_> = pieces.iter().flat_map(Run::words).collect();
            prop_assert_eq!(in_pieces, run.words().collect::<Vec<_>>());
        }
    }

    /// The number of runs is at most the number of banks in the accessed rows.
    #[test]
    fn runs_are_few((model, offset, len) in access()) {
        let columns = model.width / model.bank_width;
        let row = model.width * model.bank_depth;
        let rows = if len == 0 { 0 } else { (offset + len - 1) / row - offset / row + 1 };
        prop_assert!(model.geometry().runs(offset, len).count() as u64 <= rows * columns);
    }
}

#[test]
fn a_direct_memory_has_one_run() {
    let array = Array {
        width: 3,
        rows: 4,
        cols: 4,
    };
    let geometry = Geometry::of(&Shape::Direct {
        path: "ram".to_owned(),
        array,
    })
    .unwrap();
    assert_eq!(
        (geometry.width(), geometry.depth(), geometry.size()),
        (3, 16, 48)
    );
    let runs: Vec<_> = geometry.runs(4, 40).collect();
    assert_eq!(
        runs,
        [Run {
            instance: 0,
            first_word: 1,
            skip: 1,
            len: 40,
            data: 0,
            width: 3,
            stride: 3
        }]
    );
    assert!(runs[0].is_one_piece());
    assert_eq!((runs[0].start(), runs[0].count()), (4, 14));
}

#[test]
fn columns_take_turns() {
    let bank = Array {
        width: 4,
        rows: 1,
        cols: 2,
    };
    let banks = vec![
        vec!["a".to_owned(), "b".to_owned()],
        vec!["c".to_owned(), "d".to_owned()],
    ];
    let geometry = Geometry::of(&Shape::Banked { banks, bank }).unwrap();
    let run = |instance, first_word, skip, len, data| Run {
        instance,
        first_word,
        skip,
        len,
        data,
        width: 4,
        stride: 8,
    };
    let runs: Vec<_> = geometry.runs(6, 14).collect();
    assert_eq!(
        runs,
        [run(1, 0, 2, 6, 0), run(0, 1, 0, 4, 2), run(2, 0, 0, 4, 10)]
    );
}

#[test]
fn bytes_beyond_the_memory_have_no_runs() {
    let array = Array {
        width: 4,
        rows: 1,
        cols: 4,
    };
    let geometry = Geometry::new(array, 1, 1).unwrap();
    assert_eq!(geometry.runs(16, 1).count(), 0);
    assert_eq!(geometry.runs(u64::MAX, u64::MAX).count(), 0);
    assert_eq!(
        geometry.runs(12, u64::MAX).map(|run| run.len).sum::<u64>(),
        4
    );
    assert_eq!(geometry.runs(0, 0).count(), 0);
    assert_eq!(Geometry::of(&Shape::BlackBox), None);
    assert_eq!(Geometry::new(Array { width: 0, ..array }, 1, 1), None);
    assert_eq!(
        Geometry::new(
            Array {
                rows: u64::MAX,
                ..array
            },
            1,
            1
        ),
        None
    );
}

/// All memories of up to 2 × 3 banks of up to 3 words of up to 4 bytes, as bytes of a word,
/// columns, words and rows.
fn small() -> impl Iterator<Item = (u64, u64, u64, u64)> {
    let banks = (1..=4).flat_map(|width| (1..=3).map(move |depth| (width, depth)));
    banks.flat_map(|(width, depth)| {
        let shapes = (1..=3).flat_map(|columns| (1..=2).map(move |rows| (columns, rows)));
        shapes.map(move |(columns, rows)| (width, columns, depth, rows))
    })
}

#[test]
fn every_access_to_a_small_memory_is_split_into_disjoint_runs_that_cover_it() {
    let mut accesses = 0_u32;
    for (width, columns, depth, rows) in small() {
        let model = Model {
            width: width * columns,
            bank_width: width,
            bank_depth: depth,
            bank_rows: rows,
        };
        let geometry = model.geometry();
        for offset in 0..model.size() {
            for len in 0..=model.size() - offset {
                let mut places = vec![None; usize::try_from(len).unwrap()];
                let words = geometry
                    .runs(offset, len)
                    .flat_map(|run| run.words().map(move |word| (run.instance, word)));
                for (instance, word) in words {
                    for byte in 0..word.len {
                        let place = &mut places[usize::try_from(word.data + byte).unwrap()];
                        let there = (instance, word.index, word.skip + byte);
                        assert_eq!(place.replace(there), None, "{model:?}");
                    }
                }
                let wanted = (offset..offset + len).map(|byte| Some(model.place(byte)));
                assert!(wanted.eq(places), "{model:?}, {len} bytes at {offset}");
                accesses += 1;
            }
        }
    }
    assert!(accesses > 16_000, "{accesses}");
}
