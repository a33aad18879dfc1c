//! Accesses that the map resolves, and accesses that it refuses.

use proptest::prelude::*;

use super::*;
use crate::testing::SPACE;
use crate::testing::memories::listed;

/// Space of black boxes with these bases and sizes, listed in this order.
fn map(memories: &[(u64, u64)]) -> MemoryMap {
    listed(memories).unwrap()
}

fn segment(memory: u32, offset: u64, len: u64) -> Segment {
    Segment {
        memory: MemoryId(memory),
        offset,
        len,
    }
}

#[test]
fn an_access_goes_on_in_the_adjacent_memory() {
    let map = map(&[(0x1000, 0x100), (0x1100, 4), (0x1104, 0x10), (0x2000, 8)]);
    assert_eq!(
        map.resolve(SPACE, 0x1010, 4).unwrap()[..],
        [segment(0, 0x10, 4)]
    );
    let across = [segment(0, 0xff, 1), segment(1, 0, 4), segment(2, 0, 2)];
    assert_eq!(map.resolve(SPACE, 0x10ff, 7).unwrap()[..], across);
    assert_eq!(
        map.resolve(SPACE, 0x2000, 8).unwrap()[..],
        [segment(3, 0, 8)]
    );
    assert!(map.resolve(SPACE, 0x5000, 0).unwrap().is_empty());
}

#[test]
fn errors_name_the_first_byte_outside() {
    let map = map(&[(0x1000, 0x100), (0x2000, 8)]);
    let error = |address, len| map.resolve(SPACE, address, len).unwrap_err().to_string();
    assert_eq!(
        error(0xfff, 4),
        "space `space` has no memory at 0xfff, needed for the 4 bytes at 0xfff"
    );
    assert_eq!(
        error(0x10fe, 4),
        "space `space` has no memory at 0x1100, needed for the 4 bytes at 0x10fe"
    );
    assert_eq!(
        error(0x2008, 1),
        "space `space` has no memory at 0x2008, needed for the 1 bytes at 0x2008"
    );
    assert_eq!(
        error(0x10ff, u64::MAX),
        "space `space` has no memory at 0x1100, needed for the 18446744073709551615 bytes at 0x10ff"
    );
    assert_eq!(
        map.resolve(SpaceId(7), 0, 1).unwrap_err().to_string(),
        "the map has no space number 7"
    );
}

#[test]
fn the_last_address_is_mapped_and_none_follows() {
    let map = map(&[(u64::MAX - 3, 4)]);
    assert_eq!(
        map.resolve(SPACE, u64::MAX, 1).unwrap()[..],
        [segment(0, 3, 1)]
    );
    assert_eq!(
        map.resolve(SPACE, u64::MAX, 2).unwrap_err().to_string(),
        "the 2 bytes at 0xffffffffffffffff of space `space` run past the last address, 0xffffffffffffffff"
    );
    assert_eq!(map.clip(SPACE, u64::MAX - 1, 4096), 2);
}

#[test]
fn strings_may_end_before_the_map() {
    let map = map(&[(0, 8), (8, 8), (0x20, 8)]);
    assert_eq!(map.clip(SPACE, 4, 4096), 12);
    assert_eq!(map.clip(SPACE, 4, 5), 5);
    assert_eq!(map.clip(SPACE, 0x10, 4096), 0);
    assert_eq!(
        map.mapped(SPACE, 12, 0x100)[..],
        [segment(1, 4, 4), segment(2, 0, 8)]
    );
}

/// Some memories are adjacent, and some are not.
#[test]
fn a_thousand_memories_are_distinguished() {
    let memories: Vec<_> = (0..1000u64)
        .map(|nth| (nth * 0x100, 0x100 - nth % 3))
        .collect();
    let map = map(&memories);
    for (nth, (base, size)) in (0..).zip(&memories) {
        let last = base + size - 1;
        assert_eq!(
            map.resolve(SPACE, *base, 1).unwrap()[..],
            [segment(nth, 0, 1)]
        );
        assert_eq!(
            map.resolve(SPACE, last, 1).unwrap()[..],
            [segment(nth, size - 1, 1)]
        );
        let over = map.resolve(SPACE, last, 2);
        if size % 0x100 == 0 && nth < 999 {
            assert_eq!(
                over.unwrap()[..],
                [segment(nth, size - 1, 1), segment(nth + 1, 0, 1)]
            );
        } else {
            let outside = base + size;
            assert!(
                matches!(over, Err(MapError::Outside { outside: byte, .. }) if byte == outside)
            );
        }
    }
    let all = map.mapped(SPACE, 0, u64::MAX);
    assert_eq!(all.len(), 1000);
}

#[test]
fn a_device_in_front_of_a_catch_all_splits_accesses() {
    let map = map(&[(0x100, 0x10), (0, 0x1000), (0x200, 4)]);
    let across = [
        segment(1, 0xfe, 2),
        segment(0, 0, 0x10),
        segment(1, 0x110, 2),
    ];
    assert_eq!(map.resolve(SPACE, 0xfe, 0x14).unwrap()[..], across);
    assert_eq!(map.clip(SPACE, 0xfe, 0x14), 0x14);
    assert_eq!(
        map.resolve(SPACE, 0x1fe, 8).unwrap()[..],
        [segment(1, 0x1fe, 8)],
        "what is listed later is hidden"
    );
}

#[test]
fn a_memory_in_front_may_have_the_first_and_the_last_address() {
    let map = map(&[(0, 1), (u64::MAX, 1), (0, u64::MAX)]);
    assert_eq!(
        map.resolve(SPACE, 0, 2).unwrap()[..],
        [segment(0, 0, 1), segment(2, 1, 1)]
    );
    let end = [segment(2, u64::MAX - 1, 1), segment(1, 0, 1)];
    assert_eq!(map.resolve(SPACE, u64::MAX - 1, 2).unwrap()[..], end);
}

proptest! {
    /// `resolve`, `clip` and `mapped` agree with a check of each byte, which belongs to the first
    /// memory in the list that has it.
    #[test]
    fn every_byte_is_where_it_should_be(
        memories in prop::collection::vec((0u64..60, 1u64..24), 0..6),
        address in 0u64..80,
        len in 0u64..80,
    ) {
        let apart = |(a, b): (&(u64, u64), &(u64, u64))| {
            let (a, b) = (a.0..a.0 + a.1, b.0..b.0 + b.1);
            let within = |a: &std::ops::Range<u64>, b: &std::ops::Range<u64>| b.start <= a.start && a.end <= b.end;
            a.end <= b.start || b.end <= a.start || within(&a, &b) || within(&b, &a)
        };
        let pairs = memories.iter().enumerate().flat_map(|(nth, a)| memories[nth + 1..].iter().map(move |b| (a, b)));
        let nested = pairs.into_iter().all(apart);
        let map = listed(&memories);
        prop_assert_eq!(map.is_ok(), nested);
        let Ok(map) = map else { return Ok(()) };
        let place = |byte: u64| {
            let id = memories.iter().position(|(base, size)| (*base..base + size).contains(&byte))?;
            Some((u32::try_from(id).unwrap(), byte - memories[id].0))
        };
        let bytes = |segments: &[Segment]| -> Vec<_> {
            segments.iter().flat_map(|s| (0..s.len).map(|i| (s.memory.0, s.offset + i))).collect()
        };
        let places: Vec<_> = (address..address + len).map(place).collect();
        let prefix: Vec<_> = places.iter().map_while(|place| *place).collect();

        prop_assert_eq!(map.clip(SPACE, address, len), prefix.len() as u64);
        prop_assert_eq!(
            bytes(&map.mapped(SPACE, address, len)),
            places.iter().flatten().copied().collect::<Vec<_>>()
        );
        match map.resolve(SPACE, address, len) {
            Ok(segments) => prop_assert_eq!(bytes(&segments), prefix),
            Err(MapError::Outside { outside, .. }) => prop_assert_eq!(outside, address + prefix.len() as u64),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }
}
