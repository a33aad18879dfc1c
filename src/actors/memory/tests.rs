use std::cell::Cell;

use bytes::Bytes;

use super::*;
use crate::bus::BusError;
use crate::mem::{Backend, MapError, MemoryId, Segment, Span};
use crate::messages::memory::AccessSegments;
use crate::testing::{ActorFixture, Ram, SPACE, map};

/// Three adjacent memories from 0x1000 to 0x40ff, of which the second is outside of this process,
/// then a separate one up to the last address. Their ids are not in the order of their addresses.
const MIDDLE: MemoryId = MemoryId(0);
const FIRST: MemoryId = MemoryId(2);

type Fixture = ActorFixture<Inbox, Memories>;

struct Memories {
    ram: Rc<Ram>,
    observed: Rc<Cell<bool>>,
}

impl ActorFixture<Inbox, Memories> {
    fn new() -> Self {
        Self::on(&[
            ("middle", 0x2000, 0x2000, Backend::Api),
            ("behind", 0x4000, 0x100, Backend::Static),
            ("first", 0x1000, 0x1000, Backend::Static),
            ("last", u64::MAX - 0xff, 0x100, Backend::Static),
        ])
    }

    fn on(memories: &[(&str, u64, u64, Backend)]) -> Self {
        let map = map(memories);
        let ram = Ram::new(&map);
        let observed = Rc::new(Cell::new(false));
        let resolver = Rc::new(Resolver {
            map,
            local: ram.clone(),
            observed: observed.clone(),
        });
        let state = Memories {
            ram: ram.clone(),
            observed,
        };
        Self::start(&ram, state, |peers| {
            Memory::new(peers.context, resolver, peers.foreign)
        })
    }

    fn access(&self, op: Op<Span>) -> Result<OpOutcome, AccessError> {
        self.try_ask(Access { space: SPACE, op }).unwrap()
    }

    fn error(&self, op: Op<Span>) -> String {
        self.access(op).unwrap_err().to_string()
    }

    fn text(&self, address: u64, len: u64) -> Result<Bytes, AccessError> {
        let outcome = self.access(Op::Text(span(address, len)));
        outcome.map(OpOutcome::into_bytes)
    }
}

fn span(address: u64, len: u64) -> Span {
    Span { address, len }
}

fn write(address: u64, data: &'static [u8]) -> Op<Span> {
    Op::Write(span(address, data.len() as u64), Bytes::from_static(data))
}

/// One place in this process and one outside, on which all accesses must have the same results.
const PLACES: [(u64, usize); 2] = [(0x1100, 0), (0x2100, 1)];

#[test]
fn every_access_here_and_there() {
    for (base, foreign) in PLACES {
        let fixture = Fixture::new();
        let carries_out = |op, outcome| {
            assert_eq!(fixture.access(op), Ok(outcome));
            assert_eq!(
                fixture.outside.accesses(),
                foreign,
                "one foreign call each, if any"
            );
        };
        carries_out(write(base, b"hello\0"), OpOutcome::Done);
        assert_eq!(fixture.state.ram.get(base, 6), b"hello\0");
        let hello = Bytes::from_static(b"hello");
        carries_out(Op::Read(span(base, 5)), OpOutcome::Bytes(hello.clone()));
        carries_out(Op::Text(span(base, 64)), OpOutcome::Bytes(hello.clone()));
        let (to, from) = (span(base + 1, 5), span(base, 5));
        carries_out(Op::Copy { to, from }, OpOutcome::Done);
        assert_eq!(fixture.state.ram.get(base, 7), b"hhello\0");
        let difference = OpOutcome::Difference(i32::from(b'h') - i32::from(b'e'));
        carries_out(Op::Compare(span(base, 3), span(base + 1, 3)), difference);
        carries_out(Op::Fill(span(base, 2), 7), OpOutcome::Done);
        assert_eq!(fixture.state.ram.get(base, 3), b"\x07\x07e");
        let batch = vec![Op::Fill(span(base, 1), 0), Op::Read(span(base, 1))];
        carries_out(Op::Batch(batch), OpOutcome::Bytes(Bytes::from_static(&[0])));
        assert_eq!(fixture.state.ram.get(base, 2), b"\0\x07");
        carries_out(Op::Word(span(base, 2), 0xfff_0102), OpOutcome::Done);
        assert_eq!(fixture.state.ram.get(base, 3), b"\x02\x01e");
    }
}

#[test]
fn an_access_with_any_part_outside_is_one_foreign_call() {
    let fixture = Fixture::new();
    let accesses = [
        Op::Read(span(0x1fff, 2)),
        Op::Copy {
            to: span(0x1000, 4),
            from: span(0x2000, 4),
        },
        Op::Compare(span(0x2000, 4), span(0x1000, 4)),
        Op::Batch(vec![
            Op::Fill(span(0x1000, 1), 1),
            Op::Batch(vec![Op::Fill(span(0x3fff, 0x101), 2)]),
        ]),
    ];
    for op in accesses {
        fixture.access(op).unwrap();
        assert_eq!(fixture.outside.accesses(), 1);
    }
    // One access for each memory, none per byte.
    fixture.state.ram.count();
    fixture.access(Op::Read(span(0x1000, 0x3100))).unwrap();
    assert_eq!(fixture.state.ram.count(), (3, 0));
}

#[test]
fn an_access_goes_on_in_the_adjacent_memory() {
    let fixture = Fixture::new();
    fixture.access(write(0x1ffd, b"across")).unwrap();
    let middle = Segment {
        memory: MIDDLE,
        offset: 0,
        len: 3,
    };
    let op = Op::Read(Segments::from(middle));
    let read = fixture
        .bus
        .ask(&fixture.actor, AccessSegments { space: SPACE, op })
        .unwrap();
    assert_eq!(read, Ok(OpOutcome::Bytes(Bytes::from_static(b"oss"))));
    assert_eq!(fixture.text(0x1ffd, 64), Ok(Bytes::from_static(b"across")));
}

#[test]
fn addresses_outside_of_the_map_are_named_and_nothing_is_done() {
    let fixture = Fixture::new();
    let outside = |address, len, at| {
        format!(
            "space `space` has no memory at {at:#x}, needed for the {len} bytes at {address:#x}"
        )
    };
    let read = |address, len| fixture.error(Op::Read(span(address, len)));
    assert_eq!(read(0, 4), outside(0, 4, 0));
    assert_eq!(read(0xffe, 4), outside(0xffe, 4, 0xffe));
    assert_eq!(read(0x40fe, 4), outside(0x40fe, 4, 0x4100));
    assert_eq!(read(0x1000, u64::MAX), outside(0x1000, u64::MAX, 0x4100));
    assert!(read(u64::MAX, 2).contains("run past the last address"));
    assert_eq!(
        fixture.error(Op::Text(span(0x800, 64))),
        outside(0x800, 1, 0x800)
    );
    let batch = Op::Batch(vec![write(0x1000, b"a"), write(0x40ff, b"bc")]);
    assert_eq!(fixture.error(batch), outside(0x40ff, 2, 0x4100));
    let (to, from) = (span(0x1000, 4), span(0x5000, 4));
    assert_eq!(
        fixture.error(Op::Copy { to, from }),
        outside(0x5000, 4, 0x5000)
    );
    assert_eq!(fixture.state.ram.count(), (0, 0));
    assert_eq!(fixture.outside.accesses(), 0);
    let space = SpaceId(9);
    let op = Op::Fill(span(0x1000, 1), 1);
    let error = fixture.try_ask(Access { space, op }).unwrap();
    assert_eq!(
        error.unwrap_err().to_string(),
        "the map has no space number 9"
    );
}

#[test]
fn the_last_address_is_an_address() {
    let fixture = Fixture::new();
    fixture.access(write(u64::MAX, b"!")).unwrap();
    let read = fixture.access(Op::Read(span(u64::MAX - 1, 2)));
    assert_eq!(read, Ok(OpOutcome::Bytes(Bytes::from_static(b"\0!"))));
}

#[test]
fn no_bytes_are_anywhere() {
    let fixture = Fixture::new();
    for address in [0, 0x1000, u64::MAX] {
        let none = span(address, 0);
        let (to, from) = (none, span(0x1234_5678, 0));
        assert_eq!(fixture.access(Op::Copy { to, from }), Ok(OpOutcome::Done));
        assert_eq!(fixture.access(Op::Fill(none, 1)), Ok(OpOutcome::Done));
        let compared = fixture.access(Op::Compare(none, from));
        assert_eq!(compared, Ok(OpOutcome::Difference(0)));
        // An empty text has no NUL, even if the next byte is one.
        let unterminated = AccessError::Unterminated { len: 0 };
        assert_eq!(fixture.text(address, 0), Err(unterminated));
    }
    assert_eq!(fixture.state.ram.count(), (0, 0));
}

#[test]
fn a_text_may_end_before_the_map_does() {
    let fixture = Fixture::new();
    fixture.state.ram.put(0x40fe, b"x\0");
    assert_eq!(fixture.text(0x40fe, 4096), Ok(Bytes::from_static(b"x")));
    fixture.state.ram.put(0x40ff, b"y");
    let unterminated = AccessError::Unterminated { len: 2 };
    assert_eq!(
        fixture.text(0x40fe, 4096),
        Err(unterminated),
        "the map ended"
    );
    fixture.state.ram.put(0x1000, &[b'z'; 4096]);
    fixture.state.ram.put(0x2000, &[0]);
    let unterminated = AccessError::Unterminated { len: 4096 };
    assert_eq!(fixture.text(0x1000, 4096), Err(unterminated));
    assert_eq!(fixture.text(0x1001, 4096).unwrap().len(), 4095);
}

/// Copies are longer than the copy's buffer, in both directions, over memories whose ids are not in
/// the order of addresses.
#[test]
fn long_copies_may_overlap_across_memories() {
    const SIZE: usize = 0x3_0000;
    let fixture = Fixture::on(&[
        ("high", 0x2_0000, 0x2_0000, Backend::Static),
        ("low", 0, 0x2_0000, Backend::Static),
    ]);
    let ram = &fixture.state.ram;
    let content: Vec<u8> = (0..SIZE).map(|at| (at / 251 + at) as u8).collect();
    for (to, from) in [(0x123, 0), (0, 0x123), (0x1_0000, 0), (0, 0x1_0000), (7, 7)] {
        ram.put(from, &content);
        let len = SIZE as u64;
        let (to, from) = (span(to, len), span(from, len));
        let op = Op::Copy { to, from };
        assert_eq!(fixture.access(op), Ok(OpOutcome::Done));
        assert!(ram.get(to.address, len) == content, "{from:?} to {to:?}");
    }
}

#[test]
fn a_memory_that_fails_is_named() {
    let fixture = Fixture::new();
    fixture.state.ram.break_down(MIDDLE);
    let error = fixture.error(Op::Read(span(0x1ffe, 6)));
    assert_eq!(
        error,
        "memory `middle`, 4 bytes at offset 0x0: it is broken"
    );
    fixture.access(Op::Read(span(0x1ffe, 2))).unwrap();
    fixture.state.ram.break_down(FIRST);
    let batch = Op::Batch(vec![
        write(0x4000, b"a"),
        write(0x1000, b"b"),
        write(0x4001, b"c"),
    ]);
    let error = fixture.error(batch);
    assert_eq!(error, "memory `first`, 1 bytes at offset 0x0: it is broken");
    assert_eq!(
        fixture.state.ram.get(0x4000, 2),
        b"a\0",
        "up to the first that fails"
    );
}

#[test]
fn a_place_is_resolved_if_all_of_it_is_in_the_map() {
    let fixture = Fixture::new();
    let locate = |address, len| {
        let span = span(address, len);
        let space = SPACE;
        fixture
            .bus
            .ask(&fixture.actor, Resolve { space, span })
            .unwrap()
    };
    let (offset, len) = (0xfff, 1);
    let first = Segment {
        memory: FIRST,
        offset,
        len,
    };
    let second = Segment {
        memory: MIDDLE,
        offset: 0,
        len: 2,
    };
    assert_eq!(locate(0x1fff, 3).unwrap()[..], [first, second]);
    assert!(matches!(
        locate(0x40ff, 2),
        Err(AccessError::Map(MapError::Outside {
            outside: 0x4100,
            ..
        }))
    ));
    assert_eq!(fixture.state.ram.count(), (0, 0));
}

/// A segment that no resolution returns makes the store panic.
#[test]
fn a_panic_is_an_answer_and_service_goes_on() {
    let fixture = Fixture::new();
    for (memory, endpoint) in [(FIRST, "memory"), (MIDDLE, "foreign")] {
        let (offset, len) = (0x10_0000, 1);
        let astray = Segment {
            memory,
            offset,
            len,
        };
        let op = Op::Fill(Segments::from(astray), 0);
        let error = fixture
            .bus
            .ask(&fixture.actor, AccessSegments { space: SPACE, op })
            .unwrap_err();
        let BusError::NoReply(unanswered) = error else {
            panic!("{error}");
        };
        assert_eq!(unanswered.endpoint.name(), endpoint);
        assert!(unanswered.panic.unwrap().contains("passes the end"));
        fixture.access(Op::Fill(span(0x1000, 0x3100), 1)).unwrap();
    }
}

/// While writes are observed, the foreign side executes accesses, because it reports them.
#[test]
fn while_writes_are_observed_all_accesses_are_the_outsides() {
    let fixture = Fixture::new();
    let here = || fixture.access(write(0x1000, b"here")).unwrap();
    here();
    assert_eq!(fixture.outside.accesses(), 0);
    fixture.state.observed.set(true);
    here();
    fixture.access(Op::Read(span(0x1000, 4))).unwrap();
    assert_eq!(fixture.outside.accesses(), 2);
    fixture.state.observed.set(false);
    here();
    assert_eq!(fixture.outside.accesses(), 0);
}
