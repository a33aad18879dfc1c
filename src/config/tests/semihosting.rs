//! Semihosting: choice by the image, and the place of the code that replaces traps.

use std::path::Path;

use mailbox_rs::PtrWidth;

use super::{Fake, memories};
use crate::channel::{Flush, Interface, SemihostingPlace};
use crate::config::parse_mailboxes;
use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

/// RAM from 0x1000 to 0x10fff, and a memory without an image.
const MEMORIES: &str = "space: {core0: [ram: {base: 0x1000, size: 0x10000, backend: log}, \
                        other: {base: 0x20000, size: 0x10000, backend: log}]}";

/// Trap after another instruction.
const CODE: [u32; 4] = [0x13, 0x01f0_1013, 0x0010_0073, 0x4070_5013];

fn segment(address: u64, bytes: Vec<u8>, mem_size: u64) -> ElfSegment {
    ElfSegment {
        address,
        virtual_address: address,
        bytes,
        mem_size,
    }
}

/// Code at 0x2000, and data of a given size at another address.
fn elf(data: u64, size: u64, symbols: &[(&'static str, u64, u64)]) -> Vec<u8> {
    let code: Vec<u8> = CODE.iter().flat_map(|word| word.to_le_bytes()).collect();
    ElfBuilder {
        class64: false,
        segments: vec![segment(0x2000, code, 16), segment(data, vec![1], size)],
        symbols: symbols.to_vec(),
        ..ElfBuilder::default()
    }
    .build()
}

fn outside() -> Fake {
    let bounds = [("__heap_start", 0x8100, 0), ("__heap_end", 0x9000, 0)];
    let stack = [("__heap_start", 0x2100, 0), ("__stack", 0x11000, 0)];
    Fake::default()
        .file("between.elf", elf(0x8000, 0x100, &[]))
        .file("behind.elf", elf(0x2100, 0x100, &[]))
        .file("heap.elf", elf(0x2800, 0x5800, &bounds))
        .file("stack.elf", elf(0x2100, 0x100, &stack))
        .file("full.elf", elf(0x2100, 0xef00, &[]))
        .file(
            "rtt.elf",
            elf(0x8000, 0x100, &[("_SEGGER_RTT", 0x8000, 168)]),
        )
        .file(
            "htif.elf",
            elf(
                0x8000,
                0x100,
                &[("tohost", 0x8000, 8), ("fromhost", 0x8008, 8)],
            ),
        )
        .file("none.elf", ElfBuilder::default().build())
}

/// Semihosting of the channel, and the warnings.
fn found(keys: &str) -> Result<(Interface, String), String> {
    let outside = outside();
    let map = memories(MEMORIES).unwrap();
    let text = format!("cpu: {{space: core0, cache_line: 0, {keys}}}");
    let channels = parse_mailboxes(&text, Path::new("mb.yaml"), &map, &outside);
    let mut channels = channels.map_err(|error| error.to_string())?;
    let warnings = outside.diagnostics.borrow().join("\n");
    Ok((channels.remove(0).interface.unwrap(), warnings))
}

fn stub(keys: &str) -> (Option<u64>, String) {
    match found(keys).unwrap() {
        (Interface::Semihosting(SemihostingPlace { stub, .. }), warnings) => (stub, warnings),
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn an_image_with_traps_has_semihosting() {
    let (_, noted) = stub("elf: between.elf");
    let printed = "between.elf has no section .mailbox, but 1 trap of semihosting: firmware is served by semihosting";
    assert!(noted.contains(printed), "{noted}");
    let stripped = "between.elf has no symbols, by which HTIF (tohost, fromhost) and RTT (_SEGGER_RTT) are found";
    assert!(noted.contains(stripped), "{noted}");
    let (_, noted) = stub("elf: between.elf, abi: semihosting");
    assert!(!noted.contains("is served by"), "{noted}");
    assert!(!noted.contains("has no symbols"), "{noted}");
    let (_, noted) = stub("elf: stack.elf");
    assert!(!noted.contains("has no symbols"), "{noted}");
    let (interface, _) = found("elf: htif.elf").unwrap();
    assert!(matches!(interface, Interface::Htif(_)));
    let (_, noted) = stub("elf: rtt.elf");
    assert!(noted.contains("has RTT, too"), "{noted}");
    let (interface, _) = found("elf: rtt.elf, rtt: {up: {}}").unwrap();
    assert!(matches!(interface, Interface::Rtt(_)));
    let expected = SemihostingPlace {
        ptr_width: PtrWidth::P4,
        stub: None,
        harts: 3,
        flush: None,
    };
    let (interface, noted) = found("elf: none.elf, abi: semihosting, harts: 3").unwrap();
    assert_eq!(interface, Interface::Semihosting(expected));
    let printed = "none.elf has no trap of semihosting that could be replaced";
    assert!(noted.contains(printed), "{noted}");
    // The testbench observes all of them.
    let (_, noted) = stub("elf: none.elf, abi: semihosting, stub: none");
    assert_eq!(noted, "");
}

/// A note names each protocol of an image that none of its channels serves.
#[test]
fn protocols_that_are_not_served_are_noted() {
    let code: Vec<u8> = CODE.iter().flat_map(|word| word.to_le_bytes()).collect();
    let all = ElfBuilder {
        class64: false,
        segments: vec![segment(0x2000, code, 16), segment(0x8000, vec![1], 0x100)],
        mailboxes: vec![(0x9000, 0x600)],
        symbols: vec![
            ("_SEGGER_RTT", 0x8000, 168),
            ("tohost", 0xa000, 8),
            ("fromhost", 0xa040, 8),
        ],
        ..ElfBuilder::default()
    };
    let map = memories(MEMORIES).unwrap();
    let channel = |name: &str, keys: &str| {
        format!("{name}: {{space: core0, elf: all.elf, cache_line: 0, {keys}}}\n")
    };
    let protocols = [
        ("mailbox", "a mailbox, too (section .mailbox, 0x9000)"),
        (
            "htif",
            "HTIF, too (symbols tohost, 0xa000, and fromhost, 0xa040)",
        ),
        ("rtt", "RTT, too (symbol _SEGGER_RTT, 0x8000)"),
        ("semihosting", "1 trap of semihosting, too"),
    ];
    for served in 0..16 {
        let is_served = |at: usize| served & 1 << at != 0;
        let mut text = String::new();
        for (at, (abi, _)) in protocols.iter().enumerate() {
            let load = if text.is_empty() { "" } else { ", load: false" };
            if is_served(at) {
                text += &channel(abi, &format!("abi: {abi}{load}"));
            }
        }
        let outside = Fake::default().file("all.elf", all.build());
        parse_mailboxes(&text, Path::new("mb.yaml"), &map, &outside).unwrap();
        let warnings = outside.diagnostics.borrow().join("\n");
        for (at, (abi, found)) in protocols.iter().enumerate() {
            let printed = format!(
                "all.elf has {found}, which is not served; add a channel of the same space and image with `abi: {abi}` and `load: false`"
            );
            let is_noted = served != 0 && !is_served(at);
            assert_eq!(
                warnings.matches(&printed).count(),
                usize::from(is_noted),
                "{text}{warnings}"
            );
        }
    }
}

#[test]
fn a_data_cache_has_instructions() {
    for (flush, expected) in [
        ("vexriscv", Flush::VexRiscv),
        ("rocket", Flush::Rocket),
        (
            "[0x0330000f, 0x500f]",
            Flush::Code(vec![0x0330_000f, 0x500f]),
        ),
    ] {
        let (interface, _) = found(&format!("elf: between.elf, flush: {flush}")).unwrap();
        let Interface::Semihosting(semihosting) = interface else {
            panic!("{interface:?}");
        };
        assert_eq!(semihosting.flush, Some(expected));
        assert_eq!(semihosting.stub, Some(0x2040));
    }
}

#[test]
fn the_code_is_in_a_gap_of_ram_outside_of_image_heap_and_stack() {
    for (keys, expected) in [
        // At the next cache line after the end of the code.
        ("elf: between.elf", Some(0x2040)),
        ("elf: between.elf, stub: auto", Some(0x2040)),
        // In the middle of the range behind the image.
        ("elf: behind.elf", Some(0x9900)),
        ("elf: heap.elf", Some(0xd000)),
        ("elf: stack.elf", None),
        ("elf: full.elf", None),
        ("elf: between.elf, stub: none", None),
        ("elf: between.elf, load: false", None),
        ("elf: full.elf, stub: 0x20000", Some(0x20000)),
    ] {
        let (stub, noted) = stub(keys);
        assert_eq!(stub, expected, "{keys}: {noted}");
        let is_found = expected.is_some() && !keys.contains("0x20000");
        assert_eq!(
            noted.contains("outside of images, heap and stack; give"),
            is_found,
            "{noted}"
        );
        let is_full = ["stack", "full"].iter().any(|it| keys.contains(it)) && expected.is_none();
        assert_eq!(
            noted.contains("the traps stay as they are"),
            is_full,
            "{noted}"
        );
    }
}

#[test]
fn memory_of_other_channels_is_no_gap() {
    let outside = outside();
    let map = memories(MEMORIES).unwrap();
    let text = "cpu: {space: core0, elf: between.elf}\n\
                other: {space: core0, base: 0x2800, ptr: 32, cache_line: 0}";
    let channels = parse_mailboxes(text, Path::new("mb.yaml"), &map, &outside).unwrap();
    let Some(Interface::Semihosting(semihosting)) = &channels[0].interface else {
        panic!("{channels:?}");
    };
    assert_eq!(semihosting.stub, Some(0x2b40));
}

#[test]
fn mistakes_are_named() {
    for (keys, text) in [
        (
            "elf: none.elf, abi: semihosting, base: 0x1000",
            "`base` is a key of `abi: mailbox`, and `abi` is semihosting",
        ),
        ("abi: semihosting", "`ptr` is missing"),
        (
            "elf: none.elf, abi: semihosting, stub: 0x1004",
            "`stub` is 0x1004; give a multiple of 8",
        ),
        (
            "elf: none.elf, abi: semihosting, stub: 0x90000",
            "`stub` at 0x90000 is not in memory",
        ),
        (
            "elf: between.elf, stub: 0x2000",
            "`stub` at 0x2000 overlaps the image's segment at 0x2000",
        ),
        (
            "elf: between.elf, stub: somewhere",
            "`stub` is `somewhere`; give an address, `auto`",
        ),
        (
            "elf: htif.elf, stub: 0x1000",
            "`stub` is a key of `abi: semihosting`",
        ),
        (
            "elf: none.elf, abi: mailbox, base: 0x1000, harts: 2",
            "`harts` is a key of `abi: semihosting`",
        ),
        (
            "elf: none.elf, abi: semihosting, flush: rockets",
            "`flush` is `rockets`; did you mean `rocket`?",
        ),
        (
            "elf: none.elf, abi: semihosting, flush: []",
            "`flush` has 0 instructions; give 1 to 16",
        ),
        (
            "elf: none.elf, abi: semihosting, flush: [0x500f, 0x10000500f]",
            "`flush` has 0x10000500f; give instructions of 32 bits",
        ),
        (
            "elf: none.elf, abi: semihosting, flush: [0x0001]",
            "`flush` has 0x1; give instructions of 32 bits that are not compressed",
        ),
        (
            "elf: none.elf, abi: semihosting, flush: rocket, stub: none",
            "`flush` is for the code in place of traps, and `stub` is none",
        ),
        (
            "elf: none.elf, abi: semihosting, harts: 0",
            "`harts` is 0; give 1 to 8",
        ),
        (
            "elf: none.elf, abi: semihosting, harts: 9",
            "`harts` is 9; give 1 to 8",
        ),
        (
            "elf: none.elf, abi: semihosting, flush: rocket, harts: 2",
            "harts with data caches take turns by a lock",
        ),
        (
            "elf: none.elf, abi: semihosting, flush: rocket, stub: 0x2008",
            "`stub` is 0x2008; give a multiple of 64",
        ),
        (
            "elf: none.elf, abi: mailbox, base: 0x1000, flush: rocket",
            "`flush` is a key of `abi: semihosting`",
        ),
    ] {
        let error = found(keys).unwrap_err();
        assert!(error.contains(text), "{keys}: {error}");
    }
}
