//! Control blocks that are searched for, move, vanish, or are implausible.

use std::collections::BTreeMap;

use mailbox_rs::PtrWidth;

use super::fixture::{BASE, BLOCK, Buffer, Firmware, Fixture, SIZE};
use crate::messages::foreign::Severity;
use crate::messages::{ChannelServices, RttMode, RttPlace, UpTarget};

const TERMINAL: Buffer<'_> = Buffer {
    name: "Terminal",
    size: 64,
};

fn searching() -> Fixture {
    searching_in(vec![(BASE, BASE + SIZE)])
}

fn searching_in(search: Vec<(u64, u64)>) -> Fixture {
    let place = RttPlace {
        block: None,
        search,
        ptr_width: PtrWidth::P4,
        up: BTreeMap::new(),
        modes: BTreeMap::new(),
    };
    Fixture::with(place, ChannelServices::default())
}

#[test]
fn a_control_block_is_found_in_its_range() {
    for block in [BASE, BLOCK, BASE + 0xffc, BASE + SIZE - 24 - 24 - 0x100] {
        let fixture = searching();
        let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
        firmware.block = block;
        firmware.set_up(&[TERMINAL], &[]);
        // A mark without a header is not a control block.
        fixture
            .state
            .ram
            .put(BASE + SIZE - 16, b"SEGGER RTT\0\0\0\0\0\0");
        firmware.write(0, b"found\n");
        fixture.ticks(100);
        assert_eq!(fixture.text(), "found\n", "{block:#x}");
        let reports = fixture.reports();
        let expected = format!("RTT: control block found at {block:#x}");
        assert_eq!(reports, [(Severity::Info, expected)]);
    }
}

/// Constants of firmware may have the mark, followed by arbitrary bytes.
#[test]
fn a_search_goes_on_behind_marks_of_no_control_block() {
    let word = |word: u32| word.to_le_bytes();
    let descriptor = [1, 2, 8, 9, 0, 0].map(word);
    for words in [
        [0, 0].map(word).concat(),
        [65, 1].map(word).concat(),
        b"and text".to_vec(),
        // A buffer whose write offset is behind its end.
        [[1, 0].map(word).concat(), descriptor.concat()].concat(),
        // Buffers larger than the memory.
        [64, 64].map(word).concat(),
    ] {
        let fixture = searching();
        let place = match words[0] {
            64 => BASE + SIZE - 24,
            _ => BASE,
        };
        let constant = [b"SEGGER RTT\0\0\0\0\0\0".as_slice(), &words].concat();
        fixture.state.ram.put(place, &constant);
        fixture.ticks(50);
        assert_eq!(fixture.text(), "");
        let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
        firmware.set_up(&[TERMINAL], &[]);
        firmware.write(0, b"found\n");
        fixture.ticks(1200);
        assert_eq!(fixture.text(), "found\n", "{words:x?}");
        let expected = format!("RTT: control block found at {BLOCK:#x}");
        let mut reports = fixture.reports();
        assert_eq!(reports.pop(), Some((Severity::Info, expected)));
        // Each search finds the constant again. Only invalid numbers are reported, and once.
        let is_reported = words.starts_with(b"and") || words[0] == 65;
        assert_eq!(reports.len(), usize::from(is_reported), "{reports:?}");
    }
}

#[test]
fn configured_names_that_a_control_block_lacks_are_reported_once() {
    let place = RttPlace {
        block: Some(BLOCK),
        search: vec![],
        ptr_width: PtrWidth::P4,
        up: ["Terminal", "bogus", "0", "9"]
            .map(|name| (name.to_owned(), UpTarget::Console))
            .into(),
        modes: ["bogus", "other"]
            .map(|name| (name.to_owned(), RttMode::Block))
            .into(),
    };
    let expected = format!(
        "RTT: the control block at {BLOCK:#x} has no up buffer `9`, `bogus`, `other`, of `rtt.up` or `rtt.mode`; it has 0 `Terminal`"
    );
    // A buffer that firmware does not use may be set up later.
    for (unused, ticks) in [(false, 5), (true, 1100)] {
        let fixture = Fixture::with(place.clone(), ChannelServices::default());
        let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
        let buffers: &[_] = match unused {
            true => &[TERMINAL, Buffer { name: "", size: 0 }],
            false => &[TERMINAL],
        };
        firmware.set_up(buffers, &[]);
        // Firmware may write nothing.
        fixture.ticks(ticks);
        let reports = fixture.reports();
        assert_eq!(reports, [(Severity::Warning, expected.clone())]);
        for _ in 0..2 {
            firmware.write(0, b"text");
            fixture.ticks(3);
        }
        assert_eq!(fixture.reports(), []);
    }
}

#[test]
fn ranges_are_searched_one_after_another() {
    let ranges = vec![
        (BASE, BASE + 0x20),
        (BASE + 0x2000, BASE + 0x4800),
        (BASE + 0x5000, BASE + SIZE),
    ];
    for block in [BASE, BASE + 0x27fc, BASE + 0x47e8, BASE + 0x5000] {
        let fixture = searching_in(ranges.clone());
        // Outside of the ranges.
        fixture.state.ram.put(BLOCK, b"SEGGER RTT\0\0\0\0\0\0");
        let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
        firmware.block = block;
        firmware.set_up(&[TERMINAL], &[]);
        fixture.ticks(20);
        let expected = format!("RTT: control block found at {block:#x}");
        assert_eq!(fixture.reports(), [(Severity::Info, expected)]);
    }
}

#[test]
fn a_range_without_a_control_block_is_searched_again() {
    let fixture = searching();
    fixture.ticks(2000);
    assert!(fixture.status().contains("searches for a control block"));
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    firmware.set_up(&[TERMINAL], &[]);
    firmware.write(0, b"late\n");
    fixture.ticks(1200);
    assert_eq!(fixture.text(), "late\n");
}

#[test]
fn a_reset_begins_anew() {
    let fixture = Fixture::new(PtrWidth::P4);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    for round in 0..3 {
        firmware.set_up(&[TERMINAL], &[]);
        fixture.ticks(2);
        firmware.write(0, b"once\n");
        fixture.ticks(2);
        assert_eq!(fixture.text(), "once\n".repeat(round + 1));
        // Start-up code clears the memory.
        fixture.state.ram.put(BLOCK, &[0; 48]);
        fixture.ticks(2);
        assert!(fixture.status().contains("waits for firmware to set up"));
    }
    let reports = fixture.reports();
    assert_eq!(reports.len(), 3, "{reports:?}");
    assert!(reports[0].1.contains("is gone"), "{reports:?}");
}

/// With the mark unchanged, the report names the changed numbers. The block is served again once it
/// is valid.
#[test]
fn numbers_that_become_impossible_are_reported() {
    let fixture = Fixture::new(PtrWidth::P4);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    firmware.set_up(&[TERMINAL], &[]);
    fixture.ticks(2);
    fixture.state.ram.put(BLOCK + 16, &70_u32.to_le_bytes());
    firmware.write(0, b"one\n");
    fixture.ticks(4);
    let reports = fixture.reports();
    let [(Severity::Warning, text)] = &reports[..] else {
        panic!("{reports:?}");
    };
    let expected = "has 70 up and 0 down buffers; at most 64 are accepted";
    assert!(text.contains(expected), "{text}");
    fixture.state.ram.put(BLOCK + 16, &1_u32.to_le_bytes());
    fixture.ticks(4);
    assert_eq!(fixture.text(), "one\n");
}

#[test]
fn impossible_words_are_reported_once_and_do_not_stop_others() {
    let fixture = Fixture::new(PtrWidth::P4);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    let log = || Buffer {
        name: "log",
        size: 32,
    };
    firmware.set_up(&[TERMINAL, log()], &[]);
    fixture.ticks(2);
    let words = firmware.words(1);
    // A write offset beyond the buffer.
    for offset in [32_u32, 33, u32::MAX] {
        fixture.state.ram.put(words + 4, &offset.to_le_bytes());
        firmware.write(0, b"x");
        fixture.ticks(2);
    }
    assert_eq!(fixture.text(), "xxx");
    let reports = fixture.reports();
    let expected = "RTT: up channel 1 `log`: its write offset is 0x20, and its size 0x20; it is not served until firmware corrects it";
    assert_eq!(reports, [(Severity::Error, expected.to_owned())]);
    // The buffer is served once its offsets are valid again.
    fixture.state.ram.put(words + 4, &[0; 4]);
    fixture.ticks(2);
    firmware.write(1, b"back\n");
    fixture.ticks(2);
    assert_eq!(fixture.text(), "xxx[cpu] log: back\n");
}

#[test]
fn names_that_are_no_text_are_numbers() {
    let fixture = Fixture::new(PtrWidth::P4);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    let long = "n".repeat(63);
    let buffer = |name| Buffer { name, size: 32 };
    firmware.set_up(&[TERMINAL, buffer("a\nb"), buffer(&long)], &[]);
    fixture.ticks(1);
    firmware.write(1, b"1\n");
    firmware.write(2, b"2\n");
    fixture.ticks(1);
    assert_eq!(fixture.text(), format!("[cpu] up 1: 1\n[cpu] {long}: 2\n"));
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].1.contains("the name of up channel 1"));
}

#[test]
fn too_many_buffers_are_no_control_block() {
    let fixture = Fixture::new(PtrWidth::P4);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    firmware.set_up(&[TERMINAL], &[]);
    fixture.state.ram.put(BLOCK + 16, &65_u32.to_le_bytes());
    firmware.write(0, b"unseen");
    fixture.ticks(5);
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!(reports[0].0, Severity::Warning);
    assert!(reports[0].1.contains("has 65 up and 0 down buffers"));
    fixture.state.ram.put(BLOCK + 16, &1_u32.to_le_bytes());
    fixture.ticks(5);
    assert_eq!(fixture.text(), "unseen");
}

/// The header is in memory, and the descriptors that it counts are not.
#[test]
fn a_control_block_that_leaves_memory_is_reported_and_waited_for() {
    let block = BASE + SIZE - 24;
    let place = RttPlace {
        block: Some(block),
        search: vec![],
        ptr_width: PtrWidth::P4,
        up: BTreeMap::new(),
        modes: BTreeMap::new(),
    };
    let fixture = Fixture::with(place, ChannelServices::default());
    fixture.state.ram.put(block + 16, &[1, 0, 0, 0, 1, 0, 0, 0]);
    fixture.state.ram.put(block, b"SEGGER RTT\0\0\0\0\0\0");
    fixture.ticks(500);
    let reports = fixture.reports();
    let expected = format!("RTT: the control block at {block:#x} can't be read: ");
    assert!(reports[0].1.starts_with(&expected), "{reports:?}");
    assert!(reports.len() < 20, "{}", reports.len());
}
