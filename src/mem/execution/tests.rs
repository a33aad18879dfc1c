use std::cell::{Cell, RefCell};

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::mem::BackendError;

/// Bytes of each memory.
const SIZE: usize = 32;

/// Memories of which number 3 is an alias of number 2.
#[derive(Debug, Clone, Default, PartialEq)]
struct Ram {
    bytes: RefCell<[[u8; SIZE]; 3]>,
    reads: RefCell<Vec<u64>>,
    broken: Cell<Option<MemoryId>>,
}

impl Ram {
    /// Memories whose bytes all differ.
    fn full() -> Self {
        let ram = Self::default();
        for (at, byte) in (1..).zip(ram.bytes.borrow_mut().as_flattened_mut()) {
            *byte = at;
        }
        ram
    }

    fn bytes(&self, place: &Segments) -> Vec<u8> {
        let all = self.bytes.borrow();
        let part = |at: &Segment| all[Self::index(at)][Self::range(at)].to_vec();
        place.iter().flat_map(part).collect()
    }

    fn put(&self, place: &Segments, data: &[u8]) {
        let mut data = data.iter();
        for at in place {
            for byte in &mut self.bytes.borrow_mut()[Self::index(at)][Self::range(at)] {
                *byte = *data.next().unwrap();
            }
        }
    }

    fn index(at: &Segment) -> usize {
        at.memory.0.min(2) as usize
    }

    fn range(at: &Segment) -> std::ops::Range<usize> {
        let start = as_usize(at.offset);
        start..start + as_usize(at.len)
    }

    fn check(&self, at: &Segment, len: usize) -> Result<(), AccessError> {
        assert_eq!(at.len, len as u64);
        if self.broken.get() == Some(at.memory) {
            return Err(AccessError::Backend {
                memory: format!("{}", at.memory.0),
                offset: at.offset,
                len: at.len,
                cause: Box::new(BackendError::Simulator("it is broken".into())),
            });
        }
        Ok(())
    }
}

impl Store for Ram {
    fn read(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError> {
        self.check(at, buffer.len())?;
        self.reads.borrow_mut().push(at.len);
        buffer.copy_from_slice(&self.bytes.borrow()[Self::index(at)][Self::range(at)]);
        Ok(())
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        self.check(at, data.len())?;
        self.bytes.borrow_mut()[Self::index(at)][Self::range(at)].copy_from_slice(data);
        Ok(())
    }

    fn may_alias(&self, one: MemoryId, other: MemoryId) -> bool {
        one != other && one.0.min(2) == other.0.min(2)
    }
}

fn segment(memory: u32, offset: u64, len: u64) -> Segment {
    Segment {
        memory: MemoryId(memory),
        offset,
        len,
    }
}

fn place(segments: &[(u32, u64, u64)]) -> Segments {
    let segments = segments.iter();
    segments
        .map(|(m, at, len)| segment(*m, *at, *len))
        .collect()
}

fn some_segment(memory: u32) -> impl Strategy<Value = Segment> {
    let size = SIZE as u64;
    let len = move |at| (Just(at), 1..=size - at);
    (0..size)
        .prop_flat_map(len)
        .prop_map(move |(at, len)| segment(memory, at, len))
}

/// Bytes in any order, possibly repeated.
fn some_place() -> impl Strategy<Value = Segments> {
    let any = (0_u32..4).prop_flat_map(some_segment);
    prop::collection::vec(any, 0..5).prop_map(Segments::from)
}

/// Bytes without repetition.
fn some_target() -> impl Strategy<Value = Segments> {
    let last = prop_oneof![Just(2_u32), Just(3)];
    let memories = last.prop_flat_map(|last| subsequence(vec![0, 1, last], 1..=3).prop_shuffle());
    memories
        .prop_flat_map(|ids| ids.into_iter().map(some_segment).collect::<Vec<_>>())
        .prop_map(Segments::from)
}

/// Two places of equal length.
fn some_pair() -> impl Strategy<Value = (Segments, Segments)> {
    (some_target(), some_place()).prop_map(|(one, other)| {
        let total = len(&one).min(len(&other));
        (subrange(&one, 0, total), subrange(&other, 0, total))
    })
}

fn some_op() -> impl Strategy<Value = Op<Segments>> {
    let write = (some_target(), any::<u8>()).prop_map(|(place, seed)| {
        let data = (0..len(&place))
            .map(|at| seed.wrapping_add(at as u8))
            .collect();
        Op::Write(place, data)
    });
    let one = prop_oneof![
        some_place().prop_map(Op::Read),
        some_place().prop_map(Op::Peek),
        some_place().prop_map(Op::Text),
        (some_target(), 0..3_u8).prop_map(|(place, byte)| Op::Fill(place, byte)),
        (some_target(), any::<u64>()).prop_map(|(place, word)| Op::Word(place, word)),
        some_pair().prop_map(|(to, from)| Op::Copy { to, from }),
        some_pair().prop_map(|(one, other)| Op::Compare(one, other)),
        write,
    ];
    one.prop_recursive(2, 8, 4, |op| {
        prop::collection::vec(op, 0..4).prop_map(Op::Batch)
    })
}

/// Reference model of an access.
fn model(ram: &Ram, op: &Op<Segments>) -> Result<OpOutcome, AccessError> {
    Ok(match op {
        Op::Read(place) | Op::Peek(place) => OpOutcome::Bytes(ram.bytes(place).into()),
        Op::Write(place, data) => {
            ram.put(place, data);
            OpOutcome::Done
        }
        Op::Word(place, word) => {
            let size = as_usize(len(place));
            if size > 8 {
                let place = len(place);
                return Err(AccessError::Length { len: 8, place });
            }
            ram.put(place, &word.to_le_bytes()[..size]);
            OpOutcome::Done
        }
        Op::Fill(place, byte) => {
            ram.put(place, &vec![*byte; as_usize(len(place))]);
            OpOutcome::Done
        }
        Op::Copy { to, from } => {
            ram.put(to, &ram.bytes(from));
            OpOutcome::Done
        }
        Op::Compare(one, other) => {
            let (ones, others) = (ram.bytes(one), ram.bytes(other));
            let differences = ones
                .iter()
                .zip(&others)
                .map(|(a, b)| i32::from(*a) - i32::from(*b));
            OpOutcome::Difference(differences.clone().find(|by| *by != 0).unwrap_or(0))
        }
        Op::Text(place) => {
            let bytes = ram.bytes(place);
            let len = bytes.len() as u64;
            let nul = bytes.iter().position(|byte| *byte == 0);
            let nul = nul.ok_or(AccessError::Unterminated { len })?;
            OpOutcome::Bytes(Bytes::copy_from_slice(&bytes[..nul]))
        }
        Op::Batch(ops) => {
            let outcomes = ops.iter().map(|op| model(ram, op));
            let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
            outcomes.into_iter().last().unwrap_or(OpOutcome::Done)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_access_does_as_the_model_does(ops in prop::collection::vec(some_op(), 1..6)) {
        let (ram, modelled) = (Ram::full(), Ram::full());
        for op in ops {
            prop_assert_eq!(execute(&ram, &op), model(&modelled, &op), "{:?}", op);
            prop_assert_eq!(&ram.bytes, &modelled.bytes, "{:?}", op);
        }
    }

    /// Copies in chunks far smaller than the real ones.
    #[test]
    fn a_copy_in_chunks_is_a_copy_by_way_of_a_buffer((to, from) in some_pair(), chunk in 1..20_u64) {
        let (ram, modelled) = (Ram::full(), Ram::full());
        prop_assert_eq!(copy(&ram, &to, &from, chunk), Ok(OpOutcome::Done));
        modelled.put(&to, &modelled.bytes(&from));
        prop_assert_eq!(&ram.bytes, &modelled.bytes);
    }
}

#[test]
fn a_copy_reads_each_byte_before_it_writes_it() {
    let ordered = |to: &[_], from: &[_]| order(&Ram::default(), &place(to), &place(from));
    assert_eq!(ordered(&[(0, 0, 9)], &[(0, 1, 9)]), Order::Forward);
    assert_eq!(ordered(&[(0, 1, 9)], &[(0, 0, 9)]), Order::Backward);
    assert_eq!(ordered(&[(0, 9, 9)], &[(0, 0, 9)]), Order::Forward);
    assert_eq!(ordered(&[(1, 9, 9)], &[(0, 0, 9)]), Order::Forward);
    // In this space, memory 1 precedes memory 0: its bytes from 20 on continue in memory 0, which
    // the source includes.
    let from = [(1, 20, 12), (0, 0, 8)];
    assert_eq!(ordered(&[(0, 0, 20)], &from), Order::Backward);
    // Memories that are swapped.
    let (one, other) = ([(0, 0, 9), (1, 0, 9)], [(1, 0, 9), (0, 0, 9)]);
    assert_eq!(ordered(&one, &other), Order::AtOnce);
    // Two names for the same bytes.
    assert_eq!(ordered(&[(2, 0, 9)], &[(3, 9, 9)]), Order::AtOnce);
}

#[test]
fn a_batch_ends_at_the_first_failure() {
    let ram = Ram::default();
    ram.broken.set(Some(MemoryId(1)));
    let write = |memory| Op::Write(place(&[(memory, 4, 2)]), Bytes::from_static(b"ab"));
    let error = execute(&ram, &Op::Batch(vec![write(0), write(1), write(2)])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "memory `1`, 2 bytes at offset 0x4: it is broken"
    );
    assert_eq!(ram.bytes(&place(&[(0, 4, 2)])), b"ab");
    assert_eq!(ram.bytes(&place(&[(2, 4, 2)])), [0, 0]);
}

#[test]
fn lengths_must_agree() {
    let ram = Ram::default();
    let (short, long) = (place(&[(0, 0, 2)]), place(&[(1, 0, 3)]));
    let write = Op::Write(short.clone(), Bytes::from_static(b"abc"));
    let error = execute(&ram, &write).unwrap_err();
    assert_eq!(error.to_string(), "3 bytes do not fit into 2 bytes");
    let (to, from) = (short.clone(), long.clone());
    for op in [Op::Copy { to, from }, Op::Compare(short, long)] {
        let error = execute(&ram, &op).unwrap_err();
        assert!(matches!(error, AccessError::Length { .. }), "{error}");
    }
    assert_eq!(ram, Ram::default());
}

#[test]
fn nothing_is_done_at_no_bytes() {
    let ram = Ram::full();
    let none = Segments::new;
    let (to, from) = (none(), none());
    let ops = [
        (Op::Read(none()), OpOutcome::Bytes(Bytes::new())),
        (Op::Write(none(), Bytes::new()), OpOutcome::Done),
        (Op::Fill(none(), 1), OpOutcome::Done),
        (Op::Copy { to, from }, OpOutcome::Done),
        (Op::Compare(none(), none()), OpOutcome::Difference(0)),
        (Op::Word(none(), 1), OpOutcome::Done),
        (Op::Batch(vec![]), OpOutcome::Done),
    ];
    for (op, outcome) in ops {
        assert_eq!(execute(&ram, &op), Ok(outcome), "{op:?}");
    }
    let error = execute(&ram, &Op::Text(none()));
    assert_eq!(error, Err(AccessError::Unterminated { len: 0 }));
    assert_eq!(ram, Ram::full());
}

/// Memory of maximum size, which fails after a number of accesses.
#[derive(Default)]
struct Endless {
    left: Cell<usize>,
    longest: Cell<u64>,
    offsets: RefCell<Vec<u64>>,
}

impl Endless {
    fn access(&self, at: &Segment) -> Result<(), AccessError> {
        self.longest.set(self.longest.get().max(at.len));
        self.offsets.borrow_mut().push(at.offset);
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            return Err(AccessError::Unterminated { len: 4711 });
        }
        Ok(())
    }
}

impl Store for Endless {
    fn read(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError> {
        buffer.fill(1);
        self.access(at)
    }

    fn write(&self, at: &Segment, _: &[u8]) -> Result<(), AccessError> {
        self.access(at)
    }
}

#[test]
fn a_length_that_firmware_made_up_takes_no_memory() {
    let all = || place(&[(0, 0, u64::MAX)]);
    let copy = |to, from| {
        let (to, from) = (
            place(&[(0, to, u64::MAX - 1)]),
            place(&[(0, from, u64::MAX - 1)]),
        );
        Op::Copy { to, from }
    };
    let ops = [
        (Op::Fill(all(), 0), vec![0, 0x1_0000, 0x2_0000, 0x3_0000]),
        (copy(0, 1), vec![1, 0, 0x1_0001, 0x1_0000]),
        // From the end: the last chunk is two bytes short of a full one.
        (
            copy(1, 0),
            vec![
                0xffff_ffff_ffff_0000,
                0xffff_ffff_ffff_0001,
                0xffff_ffff_fffe_0000,
                0xffff_ffff_fffe_0001,
            ],
        ),
        (
            Op::Compare(all(), place(&[(1, 0, u64::MAX)])),
            vec![0, 0, 0x1_0000, 0x1_0000],
        ),
        (Op::Text(all()), vec![0, 64, 192, 448]),
    ];
    for (op, offsets) in ops {
        let store = Endless::default();
        store.left.set(4);
        let error = AccessError::Unterminated { len: 4711 };
        assert_eq!(execute(&store, &op), Err(error), "{op:?}");
        assert!(store.longest.get() <= MAX_TRANSFER, "{op:?}");
        assert_eq!(store.offsets.take(), offsets, "{op:?}");
    }
    let error = execute(&Endless::default(), &Op::Read(all())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "18446744073709551615 bytes are more than the host can allocate"
    );
}

#[test]
fn no_more_is_read_of_a_text_than_it_takes() {
    struct Text {
        nul: u64,
        reads: RefCell<Vec<u64>>,
    }
    impl Store for Text {
        fn read(&self, at: &Segment, buffer: &mut [u8]) -> Result<(), AccessError> {
            self.reads.borrow_mut().push(at.len);
            for (byte, offset) in buffer.iter_mut().zip(at.offset..) {
                *byte = if offset == self.nul { 0 } else { b'x' };
            }
            Ok(())
        }

        fn write(&self, _: &Segment, _: &[u8]) -> Result<(), AccessError> {
            panic!("a text is only read");
        }
    }
    let text = |nul, len| {
        let reads = RefCell::default();
        let store = Text { nul, reads };
        let outcome = execute(&store, &Op::Text(place(&[(0, 0, len)])));
        let found = outcome.map(|outcome| outcome.into_bytes().len());
        (found, store.reads.take())
    };
    assert_eq!(text(0, 4096), (Ok(0), vec![64]));
    assert_eq!(text(63, 4096), (Ok(63), vec![64]));
    assert_eq!(text(64, 4096), (Ok(64), vec![64, 128]));
    assert_eq!(text(4095, 4096).0, Ok(4095));
    // The mapped bytes end before the next read would.
    assert_eq!(text(99, 100), (Ok(99), vec![64, 36]));
    let unterminated = AccessError::Unterminated { len: 100 };
    assert_eq!(text(100, 100), (Err(unterminated), vec![64, 36]));
}

#[test]
fn the_difference_is_that_of_unsigned_bytes() {
    let ram = Ram::default();
    ram.put(&place(&[(0, 0, 3)]), &[1, 0xff, 0]);
    ram.put(&place(&[(1, 0, 3)]), &[1, 0x01, 9]);
    let compare = |one, other| {
        let op = Op::Compare(place(&[(one, 0, 3)]), place(&[(other, 0, 3)]));
        execute(&ram, &op).unwrap().difference()
    };
    assert_eq!(compare(0, 1), 254);
    assert_eq!(compare(1, 0), -254);
    assert_eq!(compare(0, 0), 0);
}

#[test]
fn every_pair_of_bytes_has_its_difference() {
    let ram = Ram::default();
    let (one, other) = (place(&[(0, 0, 2)]), place(&[(1, 0, 2)]));
    for (a, b) in (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).map(move |b| (a, b))) {
        // Bytes behind the first difference have no effect.
        ram.put(&one, &[a, b]);
        ram.put(&other, &[b, a]);
        let outcome = execute(&ram, &Op::Compare(one.clone(), other.clone()));
        assert_eq!(outcome.unwrap().difference(), i32::from(a) - i32::from(b));
    }
}

#[test]
fn a_part_is_clipped_to_its_place() {
    let whole = place(&[(0, 10, 4), (1, 0, 4)]);
    assert_eq!(subrange(&whole, 0, 8), whole);
    assert_eq!(subrange(&whole, 3, 2), place(&[(0, 13, 1), (1, 0, 1)]));
    assert_eq!(subrange(&whole, 4, 1), place(&[(1, 0, 1)]));
    assert_eq!(subrange(&whole, 6, u64::MAX), place(&[(1, 2, 2)]));
    assert_eq!(subrange(&whole, 8, 1), Segments::new());
}
