use std::collections::BTreeMap;

use bytes::Bytes;
use mailbox_rs::PtrWidth;

use super::{CHANNEL, Kit, channel, outside, segments, span};
use crate::mem::{Op, OpOutcome, Segments};
use crate::messages::events::SystemStarted;
use crate::messages::rtt::{BufferName, Direction, ENDPOINT, Transferred};
use crate::messages::{Interface, RttMode, RttPlace};

const BLOCK: u64 = 0x1000;
const UP: u64 = 0x2000;
const DOWN: u64 = 0x3000;
const SIZE: u32 = 16;

/// Addresses of the words of the up buffer, and of the down buffer.
const UP_WRITE: u64 = BLOCK + 24 + 12;
const UP_READ: u64 = UP_WRITE + 4;
const UP_FLAGS: u64 = UP_WRITE + 8;
const DOWN_WRITE: u64 = UP_WRITE + 24;

fn interface(block: Option<u64>) -> Interface {
    Interface::Rtt(RttPlace {
        block,
        search: vec![(0, 0x8000)],
        ptr_width: PtrWidth::P4,
        up: BTreeMap::new(),
        modes: BTreeMap::from([("0".to_owned(), RttMode::Block)]),
    })
}

fn kit() -> Kit {
    Kit::new(ENDPOINT, interface(Some(BLOCK)), segments(BLOCK, 24))
}

/// Descriptor: data, size, write offset, read offset, flags.
type Buffer = [u32; 5];

const EMPTY: Buffer = [UP as u32, SIZE, 0, 0, 0];

/// Buffers with these write and read offsets.
fn buffers(up: [u32; 2], down: [u32; 2]) -> [Buffer; 2] {
    [
        [UP as u32, SIZE, up[0], up[1], 0],
        [DOWN as u32, SIZE, down[0], down[1], 0],
    ]
}

fn header(up: u32, down: u32) -> Vec<u8> {
    let numbers = [up, down].map(u32::to_le_bytes);
    [b"SEGGER RTT\0\0\0\0\0\0", numbers.as_flattened()].concat()
}

impl Kit {
    /// Shows the reads of a control block with one buffer of each direction.
    fn block(&mut self, buffers: [Buffer; 2]) {
        let head = header(1, 1);
        self.reads(span(BLOCK, 24), &head);
        let words = buffers.iter().flat_map(|buffer| {
            let [data, size, write, read, flags] = *buffer;
            [0, data, size, write, read, flags]
        });
        let bytes = words.flat_map(u32::to_le_bytes);
        let bytes: Vec<u8> = head.into_iter().chain(bytes).collect();
        let all = span(BLOCK, bytes.len() as u64);
        self.reads(all, &bytes);
        self.locates(all);
    }

    fn offsets(&mut self, up: [u32; 2], down: [u32; 2]) {
        self.block(buffers(up, down));
    }

    fn takes_up(&mut self, from: u64, len: usize) {
        self.reads(span(UP + from, len as u64), &vec![0; len]);
    }

    fn puts_down(&mut self, from: u64, len: usize) {
        let data = Bytes::from(vec![7; len]);
        self.writes(Op::Write(span(DOWN + from, len as u64), data));
    }

    fn moves(&mut self, address: u64, to: u64) {
        self.writes(Op::Word(span(address, 4), to));
    }

    fn transferred(&mut self, direction: Direction, bytes: u64) {
        let buffer = BufferName {
            number: 0,
            name: None,
        };
        self.event(&Transferred::new(
            CHANNEL, direction, buffer, bytes, 0, None,
        ));
    }
}

#[test]
fn transfers_in_order_are_no_findings() {
    let mut kit = kit();
    kit.polls(segments(BLOCK, 24), &header(1, 1));
    kit.offsets([10, 0], [0, 0]);
    kit.takes_up(0, 10);
    kit.moves(UP_READ, 10);
    kit.transferred(Direction::Up, 10);
    kit.polls(segments(UP_WRITE, 4), &6_u32.to_le_bytes());
    // Across the end of the ring, in two parts.
    kit.offsets([6, 10], [0, 0]);
    kit.takes_up(10, 6);
    kit.takes_up(0, 6);
    kit.moves(UP_READ, 6);
    kit.transferred(Direction::Up, 12);
    kit.puts_down(0, 15);
    kit.moves(DOWN_WRITE, 15);
    kit.transferred(Direction::Down, 15);
    kit.offsets([6, 6], [15, 14]);
    kit.puts_down(15, 1);
    kit.puts_down(0, 13);
    kit.moves(DOWN_WRITE, 13);
    kit.transferred(Direction::Down, 14);
    kit.writes(Op::Write(
        span(UP_FLAGS, 4),
        Bytes::from_static(&[2, 0, 0, 0]),
    ));
    kit.finds_nothing();
    // Firmware starts again. The mark is cleared, or set again before the next poll.
    kit.offsets([3, 0], [0, 0]);
    kit.reads(span(BLOCK, 24), &[0; 24]);
    kit.offsets([9, 9], [9, 9]);
    kit.finds_nothing();
}

#[test]
fn the_host_frees_only_bytes_it_has_read() {
    let mut kit = kit();
    kit.offsets([10, 0], [0, 0]);
    kit.takes_up(0, 4);
    kit.moves(UP_READ, 10);
    kit.finds(
        "up channel 0: the host sets the read offset at 0x1028 from 0x0 to 0xa, and has read the bytes up to 0x4",
    );
    kit.transferred(Direction::Up, 4);
    kit.finds("up channel 0: the host reports 0x4 bytes, and has moved its offset by 0xa");
    kit.transferred(Direction::Up, 4);
    kit.finds("up channel 0: the host reports 0x4 bytes, and has not moved its offset");
    // Behind the available bytes.
    kit.offsets([12, 10], [0, 0]);
    kit.takes_up(10, 6);
    kit.moves(UP_READ, 0);
    kit.finds(
        "up channel 0: the host sets the read offset at 0x1028 from 0xa to 0x0, and has read the bytes up to 0xa",
    );
}

#[test]
fn the_host_writes_the_free_part_of_a_down_buffer() {
    let mut kit = kit();
    kit.offsets([0, 0], [4, 8]);
    kit.puts_down(4, 4);
    kit.finds(
        "down channel 0: the host writes 0x4 bytes at 0x3004, where 0x3 bytes are free from 0x3004 on",
    );
    kit.puts_down(6, 1);
    kit.finds(
        "down channel 0: the host writes 0x1 bytes at 0x3006, where 0x3 bytes are free from 0x3004 on",
    );
    kit.puts_down(4, 3);
    kit.moves(DOWN_WRITE, 8);
    kit.finds(
        "down channel 0: the host sets the write offset at 0x103c from 0x4 to 0x8, and has written the bytes up to 0x7",
    );
}

#[test]
fn the_host_writes_nothing_else() {
    let neither = "which are neither its words nor memory that firmware names";
    let mut kit = kit();
    kit.moves(UP_READ, 4);
    kit.finds(&format!(
        "the host writes 0x4 bytes at 0x1028 (0x4), {neither}"
    ));
    kit.offsets([10, 0], [0, 0]);
    for address in [UP_WRITE, BLOCK, UP] {
        kit.moves(address, 4);
        kit.finds(&format!(
            "the host writes 0x4 bytes at {address:#x} (0x4), {neither}"
        ));
    }
    let flags = |flags: u32| {
        let data = Bytes::copy_from_slice(&flags.to_le_bytes());
        Op::Write(span(UP_FLAGS, 4), data)
    };
    kit.writes(flags(1));
    kit.finds(
        "up channel 0: the host sets the flags at 0x102c from 0x0 to 0x1, where it only sets a configured mode, and once",
    );
    kit.offsets([10, 0], [0, 0]);
    kit.writes(flags(2));
    kit.finds(
        "up channel 0: the host sets the flags at 0x102c from 0x0 to 0x2, where it only sets a configured mode, and once",
    );
}

#[test]
fn each_side_moves_its_own_offset() {
    let mut kit = kit();
    kit.offsets([10, 4], [8, 4]);
    kit.offsets([10, 5], [8, 4]);
    kit.finds(
        "up channel 0: the read offset at 0x1028 went from 0x4 to 0x5: firmware must not write it",
    );
    kit.offsets([10, 5], [9, 4]);
    kit.finds(
        "down channel 0: the write offset at 0x103c went from 0x8 to 0x9: firmware must not write it",
    );
    kit.offsets([10, 5], [9, 10]);
    kit.finds(
        "down channel 0: the read offset at 0x1040 went from 0x4 to 0xa: firmware has passed the write offset 0x9",
    );
}

#[test]
fn unread_bytes_are_not_overwritten() {
    let text = "up channel 0: the write offset at 0x1024 went from 0xa to 0x6: firmware has overwritten bytes from the read offset 0x4 on, \
                which the host has not taken";
    let mut kit = kit();
    kit.offsets([10, 4], [0, 0]);
    kit.offsets([6, 4], [0, 0]);
    kit.finds(text);
    // Observed by a poll, while the bytes are delivered.
    kit.offsets([10, 4], [0, 0]);
    kit.polls(segments(UP_WRITE, 4), &6_u32.to_le_bytes());
    kit.finds_nothing();
    kit.offsets([12, 4], [0, 0]);
    kit.finds(text);
    // The change was a reset.
    kit.polls(segments(UP_WRITE, 4), &2_u32.to_le_bytes());
    kit.offsets([2, 0], [0, 0]);
    kit.finds_nothing();
}

#[test]
fn buffers_stay_where_they_are() {
    let mut kit = kit();
    let moved = |read| [[0x5000, 32, 9, read, 0], buffers([0, 0], [0, 0])[1]];
    // A buffer that is set up late, and again.
    kit.block([[0; 5], EMPTY]);
    kit.block([EMPTY, EMPTY]);
    kit.block([[UP as u32, SIZE, 9, 0, 0], EMPTY]);
    kit.takes_up(0, 9);
    kit.moves(UP_READ, 9);
    kit.block(moved(0));
    kit.finds_nothing();
    kit.block(moved(0));
    kit.block([[UP as u32, SIZE, 9, 9, 0], EMPTY]);
    kit.finds_nothing();
    kit.block([[UP as u32, SIZE, 9, 9, 0], EMPTY]);
    kit.finds(
        "up channel 0: firmware has moved the buffer from 0x5000 (0x20 bytes) to 0x2000 (0x10 bytes), and has not set its offsets to 0",
    );
    kit.block([[UP as u32, 8, 1, 9, 0], EMPTY]);
    kit.block([[UP as u32, 8, 1, 1, 0], EMPTY]);
    let found = kit.found();
    let printed = "up channel 0: firmware has changed the size of the buffer at 0x2000 from 0x10 to 0x8 bytes, and has not set its offsets to 0";
    assert!(found.iter().any(|it| it == printed), "{found:?}");
    let head = header(2, 0);
    kit.reads(span(BLOCK, 24), &head);
    let bytes = [head, vec![0; 48]].concat();
    kit.reads(span(BLOCK, bytes.len() as u64), &bytes);
    kit.finds(
        "the control block at 0x1000 had 1 up and 1 down channels, and has 2 and 0: firmware must not change them",
    );
}

/// The stores have the order of SEGGER's code: address, size, read offset, write offset.
#[test]
fn a_buffer_that_is_being_set_up_anew_is_no_finding() {
    let mut kit = kit();
    let [up, down] = buffers([6, 6], [8, 4]);
    let size = 2 * SIZE;
    kit.block([up, down]);
    let of_down = [
        [0x5000, SIZE, 8, 4, 0],
        [0x5000, size, 8, 4, 0],
        [0x5000, size, 8, 0, 0],
        [0x5000, size, 0, 0, 0],
    ];
    for down in of_down {
        kit.block([up, down]);
    }
    let of_up = [
        [0x6000, SIZE, 6, 6, 0],
        [0x6000, size, 6, 6, 0],
        [0x6000, size, 6, 0, 0],
        [0x6000, size, 0, 0, 0],
    ];
    for up in of_up {
        kit.block([up, of_down[3]]);
    }
    kit.finds_nothing();
    // Set up again at the same address.
    let mut kit = self::kit();
    for down in [[8, 4], [8, 0], [0, 0]] {
        kit.offsets([0, 0], down);
    }
    kit.finds_nothing();
}

#[test]
fn impossible_numbers_are_reported_once() {
    let mut kit = kit();
    for _ in 0..3 {
        kit.polls(segments(BLOCK, 24), &header(65, 0));
    }
    kit.finds(
        "the control block at 0x1000 has 0x41 up and 0x0 down channels, more than 64: firmware writes the mark last",
    );
    for _ in 0..3 {
        kit.block([
            [UP as u32, SIZE, 16, 0, 3],
            [DOWN as u32, 0x0100_0001, 0, 0, 0],
        ]);
    }
    let found = [
        "up channel 0: the write offset at 0x1024 is 0x10, and the buffer has 0x10 bytes",
        "up channel 0: the flags at 0x102c are 0x3: firmware sets mode 3, which does not exist",
        "down channel 0: firmware gives a size of 0x1000001 bytes, more than 0x1000000",
    ];
    assert_eq!(kit.found(), found);
}

#[test]
fn a_mark_that_a_search_finds_may_be_no_control_block() {
    let mut kit = Kit::new(ENDPOINT, interface(None), Segments::new());
    for _ in 0..2 {
        for (address, up) in [(0x4000, 65), (0x5000, 0x1_0000)] {
            kit.reads(span(address, 24), &header(up, 0));
        }
    }
    kit.finds_nothing();
    kit.offsets([10, 0], [0, 0]);
    kit.moves(UP_READ, 10);
    assert_eq!(kit.found().len(), 1);
}

/// Constants of firmware may have the mark, followed by arbitrary bytes. The host passes over them.
#[test]
fn marks_of_constants_are_passed_over() {
    let mut kit = Kit::new(ENDPOINT, interface(None), Segments::new());
    kit.reads(span(0x4000, 24), &header(0, 0));
    // A buffer whose write offset is behind its end.
    let head = header(1, 0);
    let words = [0, UP as u32, 8, 9, 0, 0].map(u32::to_le_bytes);
    let bytes = [&head[..], words.as_flattened()].concat();
    for _ in 0..2 {
        kit.reads(span(0x5000, 24), &head);
    }
    kit.reads(span(0x5000, 48), &bytes);
    // Buffers larger than the memory.
    kit.reads(span(0x7fe8, 24), &header(64, 64));
    let all = span(0x7fe8, 24 + 128 * 24);
    kit.access(Op::Read(all), Err(outside(0x8000)));
    kit.finds_nothing();
    kit.offsets([10, 0], [0, 0]);
    kit.takes_up(0, 10);
    kit.moves(UP_READ, 10);
    kit.transferred(Direction::Up, 10);
    kit.finds_nothing();
}

#[test]
fn wide_numbers_are_recognised_by_the_length_of_the_control_block() {
    let place = RttPlace {
        block: Some(BLOCK),
        search: Vec::new(),
        ptr_width: PtrWidth::P8,
        up: BTreeMap::new(),
        modes: BTreeMap::new(),
    };
    for is_wide in [false, true] {
        let mut kit = Kit::new(ENDPOINT, Interface::Rtt(place.clone()), segments(BLOCK, 24));
        let number = |number: u64| match is_wide {
            true => number.to_le_bytes().to_vec(),
            false => (number as u32).to_le_bytes().to_vec(),
        };
        let mark = b"SEGGER RTT\0\0\0\0\0\0".to_vec();
        let counts = [number(1), number(0)].concat();
        let pointers = [0_u64.to_le_bytes(), UP.to_le_bytes()].concat();
        let numbers = [16, 10, 0, 0].map(number).concat();
        let bytes = [mark, counts, pointers, numbers].concat();
        kit.reads(span(BLOCK, 24), &bytes[..24]);
        kit.reads(span(BLOCK, bytes.len() as u64), &bytes);
        kit.takes_up(0, 10);
        let read_offset = if is_wide { 32 + 16 + 16 } else { 24 + 16 + 8 };
        kit.moves(BLOCK + read_offset, 10);
        kit.transferred(Direction::Up, 10);
        kit.finds_nothing();
    }
}

#[test]
fn a_control_block_that_is_searched_is_known_once_it_is_found() {
    let mut kit = Kit::new(ENDPOINT, interface(None), Segments::new());
    kit.access(Op::Peek(span(0, 4096)), Err(outside(0)));
    kit.offsets([10, 0], [0, 0]);
    kit.takes_up(0, 10);
    kit.moves(UP_READ, 10);
    kit.polls(segments(UP_WRITE, 4), &12_u32.to_le_bytes());
    kit.polls(segments(UP_WRITE, 4), &10_u32.to_le_bytes());
    kit.offsets([10, 10], [0, 0]);
    kit.finds(
        "up channel 0: the write offset at 0x1024 went from 0xc to 0xa: firmware has overwritten bytes from the read offset 0xa on, \
         which the host has not taken",
    );
}

/// Reads of bytes behind a control block at the end of memory, and of the numbers after a mark
/// there.
#[test]
fn looks_behind_the_end_of_memory_are_no_findings() {
    for block in [Some(BLOCK), None] {
        let mut kit = Kit::new(ENDPOINT, interface(block), Segments::new());
        if block.is_none() {
            kit.access(Op::Read(span(0x7ff0, 24)), Err(outside(0x8000)));
        }
        let head = header(1, 0);
        kit.reads(span(BLOCK, 24), &head);
        kit.access(Op::Read(span(BLOCK, 64)), Err(outside(BLOCK + 48)));
        let words = [0, UP as u32, SIZE, 10, 0, 0].map(u32::to_le_bytes);
        let bytes = [&head[..], words.as_flattened()].concat();
        kit.reads(span(BLOCK, 48), &bytes);
        kit.takes_up(0, 10);
        kit.moves(UP_READ, 10);
        kit.transferred(Direction::Up, 10);
        kit.finds_nothing();
    }
}

#[test]
fn an_address_outside_of_the_map_is_reported_once() {
    let mut kit = kit();
    for _ in 0..3 {
        kit.access(Op::Read(span(BLOCK, 72)), Err(outside(BLOCK)));
    }
    kit.finds(
        "firmware reaches outside of the map by the control block at 0x1000: space `cpu` has no memory at 0x1000, needed for the 4 bytes \
         at 0x1000; have it pass an address of memory, or add the memory to the map",
    );
}

#[test]
fn findings_have_the_names_of_buffers() {
    let named = |name: u32, read: u32| {
        let words = [
            name,
            UP as u32,
            SIZE,
            10,
            read,
            0,
            0,
            DOWN as u32,
            SIZE,
            0,
            0,
            0,
        ];
        [
            &header(1, 1)[..],
            words.map(u32::to_le_bytes).as_flattened(),
        ]
        .concat()
    };
    let mut kit = kit();
    let reads = |kit: &mut Kit, bytes: &[u8]| {
        kit.reads(span(BLOCK, 24), &bytes[..24]);
        kit.reads(span(BLOCK, bytes.len() as u64), bytes);
    };
    let text = |kit: &mut Kit, bytes: &'static [u8]| {
        let outcome = OpOutcome::Bytes(Bytes::from_static(bytes));
        kit.access(Op::Text(span(0x6000, 64)), Ok(outcome));
    };
    reads(&mut kit, &named(0x6000, 4));
    // Neither the name of a buffer nor text.
    kit.access(
        Op::Text(span(0x7000, 64)),
        Ok(OpOutcome::Bytes(Bytes::from_static(b"other"))),
    );
    text(&mut kit, b"\x01");
    reads(&mut kit, &named(0x6000, 5));
    assert!(kit.found()[0].starts_with("up channel 0: the read offset"));
    text(&mut kit, b"Terminal");
    reads(&mut kit, &named(0x6000, 6));
    let found = kit.found();
    assert!(
        found[0].starts_with("up channel 0 `Terminal`: the read offset"),
        "{found:?}"
    );
    kit.access(Op::Read(span(UP, 10)), Err(outside(UP)));
    let found = kit.found();
    let printed = "by up channel 0 `Terminal` with its bytes at 0x2000: space";
    assert!(found[0].contains(printed), "{found:?}");
    kit.access(Op::Text(span(0x6000, 64)), Err(outside(0x6000)));
    let found = kit.found();
    let printed = "by up channel 0 `Terminal` with its name at 0x6000: space";
    assert!(found[0].contains(printed), "{found:?}");
    // The name is known after the buffer is set up again.
    kit.reads(span(BLOCK, 24), &[0; 24]);
    reads(&mut kit, &named(0x6000, 4));
    reads(&mut kit, &named(0x6000, 5));
    assert!(kit.found()[0].starts_with("up channel 0 `Terminal`: "));
}

#[test]
fn attached_later_it_begins_with_the_next_read_of_the_control_block() {
    let mut kit = Kit::attached_late(ENDPOINT, interface(Some(BLOCK)), segments(BLOCK, 24));
    kit.moves(UP_READ, 4);
    kit.transferred(Direction::Up, 4);
    kit.finds_nothing();
    kit.offsets([10, 4], [0, 0]);
    kit.moves(UP_READ, 10);
    kit.finds(
        "up channel 0: the host sets the read offset at 0x1028 from 0x4 to 0xa, and has read the bytes up to 0x4",
    );
}

/// Creates channels that search in these ranges, at the start of the system.
fn searching(ranges: [(u64, u64); 2]) -> Kit {
    let channels = ["cpu", "second"].into_iter().zip(ranges);
    let channels = channels.map(|(name, range)| {
        let interface = Interface::Rtt(RttPlace {
            block: None,
            search: vec![range],
            ptr_width: PtrWidth::P4,
            up: BTreeMap::new(),
            modes: BTreeMap::new(),
        });
        channel(name, interface, Segments::new())
    });
    let mut kit = Kit::of(ENDPOINT, channels.collect());
    kit.event(&SystemStarted);
    kit
}

#[test]
fn a_search_beside_control_blocks_of_others_is_checked() {
    let channels = vec![
        channel("cpu", interface(None), Segments::new()),
        channel("second", interface(Some(0x4000)), segments(0x4000, 24)),
    ];
    let mut beside = Kit::of(ENDPOINT, channels);
    beside.event(&SystemStarted);
    // Control block of the other channel.
    beside.reads(span(0x4000, 24), &header(0, 0));
    for mut kit in [beside, searching([(0, 0x2000), (0x4000, 0x8000)])] {
        kit.offsets([10, 4], [0, 0]);
        kit.moves(0x5000, 4);
        let neither = "channel `cpu` or `second`: the host writes 0x4 bytes at 0x5000";
        assert!(kit.found[0].starts_with(neither), "{:?}", kit.found);
        kit.moves(UP_READ, 10);
        kit.offsets([10, 10], [0, 0]);
        kit.offsets([10, 8], [0, 0]);
        let found = kit.found.split_off(1);
        let expected = [
            "channel `cpu`: up channel 0: the host sets the read offset at 0x1028 from 0x4 to 0xa, and has read the bytes up to 0x4",
            "channel `cpu`: up channel 0: the read offset at 0x1028 went from 0xa to 0x8: firmware must not write it",
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn searches_in_one_range_are_not_checked() {
    let mut kit = searching([(0, 0x2000), (0x1000, 0x8000)]);
    kit.offsets([10, 4], [0, 0]);
    kit.moves(0x5000, 4);
    kit.offsets([10, 8], [0, 0]);
    assert_eq!(kit.found, [""; 0]);
}
