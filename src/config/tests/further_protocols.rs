//! Images with several protocols, all of which `abi: auto` serves.

use std::path::Path;

use super::{Fake, memories};
use crate::channel::{Interface, OutputTarget};
use crate::config::{ChannelConfig, parse_mailboxes};
use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

const MEMORIES: &str = "space: {core0: [ram: {base: 0x1000, size: 0x10000, backend: log}], \
                        core1: [other: {base: 0x1000, size: 0x10000, backend: log}]}";

/// Trap of semihosting.
const CODE: [u32; 3] = [0x01f0_1013, 0x0010_0073, 0x4070_5013];

/// Image with traps, the words of HTIF, and an RTT control block at an address.
fn elf(block: u64) -> Vec<u8> {
    let code: Vec<u8> = CODE.iter().flat_map(|word| word.to_le_bytes()).collect();
    let segment = |address, bytes: Vec<u8>, mem_size| ElfSegment {
        address,
        virtual_address: address,
        bytes,
        mem_size,
    };
    ElfBuilder {
        class64: false,
        segments: vec![segment(0x2000, code, 12), segment(0x8000, vec![1], 0x200)],
        symbols: vec![
            ("tohost", 0x8000, 8),
            ("fromhost", 0x8008, 8),
            ("_SEGGER_RTT", block, 120),
        ],
        ..ElfBuilder::default()
    }
    .build()
}

/// Channels of a configuration, and the warnings.
fn read(text: &str) -> (Vec<ChannelConfig>, String) {
    let outside = Fake::default()
        .file("all.elf", elf(0x8100))
        .file("elsewhere.elf", elf(0x9_0000));
    let map = memories(MEMORIES).unwrap();
    let channels = parse_mailboxes(text, Path::new("mb.yaml"), &map, &outside).unwrap();
    let warnings = outside.diagnostics.borrow().join("\n");
    (channels, warnings)
}

fn names(channels: &[ChannelConfig]) -> Vec<&str> {
    channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect()
}

#[test]
fn all_protocols_of_an_image_are_served_and_reported() {
    let (channels, noted) = read("a: {space: core0, elf: all.elf, stdio: {stdout: out.txt}}");
    let [
        ChannelConfig {
            interface: Some(Interface::Htif(_)),
            ..
        },
        ChannelConfig {
            interface: Some(Interface::Rtt(rtt)),
            services,
            load: None,
            ..
        },
        ChannelConfig {
            interface: Some(Interface::Semihosting(semihosting)),
            ..
        },
    ] = &channels[..]
    else {
        panic!("{channels:?}");
    };
    assert_eq!(names(&channels), ["a", "a.rtt", "a.semihosting"]);
    assert_eq!(rtt.block, Some(0x8100));
    assert_eq!(semihosting.stub, Some(0x2040));
    // A file has one writer.
    assert_eq!(services.stdout, OutputTarget::Console);
    for printed in [
        "firmware is served by HTIF",
        "all.elf has RTT, too (symbol _SEGGER_RTT, 0x8100), which channel `a.rtt` serves",
        "all.elf has 1 trap of semihosting, too, which channel `a.semihosting` serves",
        "the code in place of traps of semihosting is at 0x2040",
    ] {
        assert!(noted.contains(printed), "{noted}");
    }
}

#[test]
fn no_protocol_is_served_twice_or_against_the_configuration() {
    for (text, expected) in [
        (
            "a: {space: core0, elf: all.elf, abi: auto}",
            &["a", "a.rtt", "a.semihosting"][..],
        ),
        ("a: {space: core0, elf: all.elf, abi: htif}", &["a"]),
        ("a: {space: core0, elf: all.elf, server: false}", &["a"]),
        // Traps are replaced if the image is loaded.
        (
            "a: {space: core0, elf: all.elf, load: false}",
            &["a", "a.rtt"],
        ),
        (
            "a: {space: core0, elf: elsewhere.elf}",
            &["a", "a.semihosting"],
        ),
        (
            "a: {space: core0, elf: all.elf}\nlog: {space: core0, elf: all.elf, load: false, abi: rtt}",
            &["a", "log", "a.semihosting"],
        ),
        (
            "a: {space: core0, elf: all.elf}\n\
             log: {space: core0, ptr: 32, abi: rtt, rtt: {search: [0x8000, 0x9000]}}",
            &["a", "log", "a.semihosting"],
        ),
        (
            "a: {space: core0, elf: all.elf}\nb: {space: core1, elf: all.elf}",
            &["a", "b", "a.rtt", "a.semihosting", "b.rtt", "b.semihosting"],
        ),
    ] {
        let (channels, noted) = read(text);
        assert_eq!(names(&channels), expected, "{text}: {noted}");
    }
}

#[test]
fn a_channel_of_its_own_has_the_code_in_place_of_traps() {
    let text = "a: {space: core0, elf: all.elf}\n\
                calls: {space: core0, elf: all.elf, load: false, abi: semihosting, stub: auto}";
    let (channels, noted) = read(text);
    assert_eq!(names(&channels), ["a", "calls", "a.rtt"]);
    let Some(Interface::Semihosting(semihosting)) = &channels[1].interface else {
        panic!("{channels:?}");
    };
    assert_eq!(semihosting.stub, Some(0x2040), "{noted}");
}
