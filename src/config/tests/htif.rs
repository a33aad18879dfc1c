//! Channels with HTIF, and the choice by the image.

use super::*;
use crate::channel::{HtifPlace, Interface, Signature};
use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

const MEMORIES: &str = "space: {core0: [ram: {base: 0x1000, size: 0x4000, backend: log}]}";

/// Images with the words at 0x2000 and 0x2040, a signature, and other symbols.
fn outside() -> Fake {
    let words = [("tohost", 0x2000, 0), ("fromhost", 0x2040, 8)];
    let signature = [("begin_signature", 0x3000, 0), ("end_signature", 0x3010, 0)];
    let elf = |class64, mailboxes: &[(u64, u64)], symbols: &[(&'static str, u64, u64)]| {
        let elf = ElfBuilder {
            class64,
            mailboxes: mailboxes.to_vec(),
            symbols: symbols.to_vec(),
            segments: vec![ElfSegment::at(0x1000, [1, 2, 3, 4], 0x100)],
            ..ElfBuilder::default()
        };
        elf.build()
    };
    let loaded_elsewhere = ElfBuilder {
        class64: true,
        symbols: vec![("tohost", 0x9000, 0), ("fromhost", 0x9040, 0)],
        segments: vec![ElfSegment {
            address: 0x2000,
            virtual_address: 0x9000,
            bytes: vec![0; 0x100],
            mem_size: 0x100,
        }],
        ..ElfBuilder::default()
    };
    let all = [words, signature].concat();
    Fake::default()
        .file("test32.elf", elf(false, &[], &all))
        .file("test64.elf", elf(true, &[], &all))
        .file("words.elf", elf(true, &[], &words))
        .file("both.elf", elf(true, &[(0x2800, 0x600)], &all))
        .file("one.elf", elf(true, &[], &words[..1]))
        .file(
            "far.elf",
            elf(true, &[], &[("tohost", 0x2000, 0), ("fromhost", 0x8000, 0)]),
        )
        .file("outside.elf", {
            let signature = [("begin_signature", 0x4ff0, 0), ("end_signature", 0x5010, 0)];
            elf(true, &[], &[words, signature].concat())
        })
        .file("backward.elf", {
            let signature = [("begin_signature", 0x3010, 0), ("end_signature", 0x3000, 0)];
            elf(true, &[], &[words, signature].concat())
        })
        .file("virtual.elf", loaded_elsewhere.build())
}

fn parse_in(keys: &str, outside: &Fake) -> Result<ChannelConfig, String> {
    let map = memories(MEMORIES).unwrap();
    let text = format!("cpu: {{space: core0, cache_line: 0, {keys}}}");
    let channels = parse_mailboxes(&text, Path::new("mb.yaml"), &map, outside);
    let mut channels = channels.map_err(|error| error.to_string())?;
    Ok(channels.remove(0))
}

fn interface(keys: &str) -> Interface {
    let channel = parse_in(keys, &outside());
    channel.unwrap().interface.unwrap()
}

fn htif(keys: &str) -> HtifPlace {
    match interface(keys) {
        Interface::Htif(htif) => htif,
        other => panic!("{keys}: {other:?}"),
    }
}

fn error(keys: &str) -> String {
    parse_in(keys, &outside()).unwrap_err()
}

#[test]
fn the_image_decides_with_a_note() {
    for file in ["test32.elf", "test64.elf"] {
        let outside = outside();
        let channel = parse_in(&format!("elf: {file}"), &outside).unwrap();
        let expected = HtifPlace {
            tohost: 0x2000,
            fromhost: 0x2040,
            settle: 64,
            signature: None,
        };
        assert_eq!(channel.interface, Some(Interface::Htif(expected)));
        assert_eq!(channel.mailbox(), None);
        let warnings = outside.diagnostics.borrow();
        let note = format!(
            "mb.yaml: channel `cpu`: {file} has no section .mailbox, but the symbols tohost (0x2000) and fromhost (0x2040): firmware is \
             served by HTIF"
        );
        assert!(warnings.contains(&note), "{warnings:?}");
    }
    for keys in [
        "elf: both.elf",
        "elf: both.elf, abi: auto",
        "elf: test64.elf, base: 0x2000",
    ] {
        assert!(matches!(interface(keys), Interface::Mailbox(_)), "{keys}");
    }
    assert_eq!(htif("elf: both.elf, abi: htif").tohost, 0x2000);
    assert!(error("elf: test64.elf, abi: mailbox").contains("has no section .mailbox"));
    assert!(error("elf: one.elf").contains("has no section .mailbox"));
}

#[test]
fn addresses_may_be_given() {
    let given = htif("abi: htif, tohost: 0x1000, fromhost: 0x1008, settle: 7");
    assert_eq!(
        (given.tohost, given.fromhost, given.settle),
        (0x1000, 0x1008, 7)
    );
    // Configured addresses take precedence over symbols.
    let one = htif("elf: words.elf, abi: htif, fromhost: 0x1008");
    assert_eq!((one.tohost, one.fromhost), (0x2000, 0x1008));
    // The load address is used if only that one is in memory.
    let loaded = htif("elf: virtual.elf");
    assert_eq!((loaded.tohost, loaded.fromhost), (0x2000, 0x2040));
}

#[test]
fn a_signature_is_that_of_the_symbols() {
    let given = htif("elf: test32.elf, signature: test.sig, granularity: 4");
    let expected = Signature {
        file: "test.sig".to_owned(),
        begin: 0x3000,
        end: 0x3010,
        granularity: 4,
    };
    assert_eq!(given.signature, Some(expected));
}

#[test]
fn errors_name_the_key_and_the_file() {
    for (keys, text) in [
        (
            "abi: htfi, elf: test64.elf",
            "`abi` is `htfi`; valid are auto, mailbox, htif, rtt and semihosting; did you mean `htif`?",
        ),
        (
            "abi: pk, elf: test64.elf",
            "`abi` is `pk`; valid are auto, mailbox, htif, rtt and semihosting",
        ),
        (
            "abi: htif",
            "there is no address of `tohost`: give the image as `elf`, or give the address as `tohost`",
        ),
        (
            "abi: htif, elf: one.elf",
            "there is no address of `fromhost`: one.elf has no such symbol",
        ),
        (
            "abi: htif, elf: test64.elf, base: 0x1000",
            "`base` is a key of `abi: mailbox`",
        ),
        (
            "elf: both.elf, settle: 3",
            "`settle` is a key of `abi: htif`",
        ),
        (
            "base: 0x1000, ptr: 32, tohost: 0x1000",
            "`tohost` is a key of `abi: htif`",
        ),
        ("elf: far.elf", "`fromhost` at 0x8000 is not in memory"),
        (
            "tohost: 0x1000, fromhost: 0x1004",
            "`tohost` at 0x1000 and `fromhost` at 0x1004 overlap",
        ),
        (
            "tohost: 0x1002, fromhost: 0x1010",
            "0x1002 is not a multiple of 4",
        ),
        (
            "elf: words.elf, signature: s",
            "`signature` needs the symbols begin_signature and end_signature",
        ),
        ("elf: test64.elf, signature: ''", "`signature` is empty"),
        (
            "elf: outside.elf, signature: s",
            "`begin_signature` at 0x4ff0 is not in memory",
        ),
        (
            "elf: backward.elf, signature: s",
            "end_signature at 0x3000 is before begin_signature at 0x3010",
        ),
        (
            "elf: test64.elf, granularity: 0",
            "`granularity` is 0; valid are 1 to 4096",
        ),
    ] {
        let error = error(keys);
        assert!(error.contains(text), "{keys}: {error}");
    }
}

/// Parses the configuration again from outlines of the images, as in a replay.
#[test]
fn an_outline_is_configured_like_its_image() {
    let outside = outside();
    for (file, keys) in [
        ("test32.elf", ", signature: s"),
        ("test64.elf", ""),
        ("both.elf", ", abi: htif"),
        ("virtual.elf", ""),
    ] {
        let image = outside.image(Path::new(file)).unwrap();
        let again = Fake::default().file(file, image.outline().to_vec());
        let keys = format!("elf: {file}{keys}");
        let [first, second] = [&outside, &again].map(|outside| parse_in(&keys, outside));
        assert_eq!(
            first.unwrap().interface,
            second.unwrap().interface,
            "{keys}"
        );
    }
}
