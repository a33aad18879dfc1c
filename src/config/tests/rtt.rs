//! Channels with RTT and semihosting.

use std::collections::BTreeMap;

use mailbox_rs::PtrWidth;

use super::*;
use crate::channel::{Interface, RttMode, RttPlace, UpTarget};
use crate::mem::elf_builder::ElfBuilder;

const MEMORIES: &str = "space: {core0: [ram: {base: 0x1000, size: 0x4000, backend: log}]}";

/// Images with a control block at 0x2000, and other images.
fn outside() -> Fake {
    let block = ("_SEGGER_RTT", 0x2000, 168);
    let elf = |mailboxes: &[(u64, u64)], symbols: &[(&'static str, u64, u64)]| {
        let elf = ElfBuilder {
            class64: false,
            mailboxes: mailboxes.to_vec(),
            symbols: symbols.to_vec(),
            ..ElfBuilder::default()
        };
        elf.build()
    };
    let words = [("tohost", 0x3000, 8), ("fromhost", 0x3040, 8), block];
    Fake::default()
        .file("rtt.elf", elf(&[], &[block]))
        .file("mailbox.elf", elf(&[(0x2800, 0x600)], &[block]))
        .file("htif.elf", elf(&[], &words))
        .file("none.elf", elf(&[], &[]))
        .file("far.elf", elf(&[], &[("_SEGGER_RTT", 0x9000, 0)]))
}

fn parse_text(text: &str, outside: &Fake) -> Result<Vec<ChannelConfig>, String> {
    let map = memories(MEMORIES).unwrap();
    let channels = parse_mailboxes(text, Path::new("mb.yaml"), &map, outside);
    channels.map_err(|error| error.to_string())
}

fn interface(keys: &str) -> Result<Interface, String> {
    let text = format!("cpu: {{space: core0, cache_line: 0, {keys}}}");
    let mut channels = parse_text(&text, &outside())?;
    Ok(channels.remove(0).interface.unwrap())
}

fn rtt(keys: &str) -> RttPlace {
    match interface(keys) {
        Ok(Interface::Rtt(rtt)) => rtt,
        other => panic!("{keys}: {other:?}"),
    }
}

#[test]
fn the_image_or_keys_have_the_place() {
    let expected = RttPlace {
        block: Some(0x2000),
        search: vec![],
        ptr_width: PtrWidth::P4,
        up: BTreeMap::new(),
        modes: BTreeMap::new(),
    };
    assert_eq!(rtt("elf: rtt.elf"), expected);
    assert_eq!(rtt("elf: mailbox.elf, abi: rtt"), expected);
    let given = rtt("elf: none.elf, abi: rtt, rtt: {address: 0x1800}");
    assert_eq!(given.block, Some(0x1800));
    let searched = rtt("ptr: 64, abi: rtt, rtt: {search: [0x1000, 0x5000]}");
    assert_eq!(searched.search, [(0x1000, 0x5000)]);
    assert_eq!((searched.block, searched.ptr_width), (None, PtrWidth::P8));
    let several = rtt("ptr: 64, abi: rtt, rtt: {search: [[0x1000, 0x2000], [0x4000, 0x5000]]}");
    assert_eq!(several.search, [(0x1000, 0x2000), (0x4000, 0x5000)]);
    assert!(matches!(
        interface("elf: mailbox.elf"),
        Ok(Interface::Mailbox(_))
    ));
    assert!(matches!(interface("elf: htif.elf"), Ok(Interface::Htif(_))));
}

#[test]
fn targets_have_names_or_numbers() {
    let up = rtt(
        "elf: rtt.elf, rtt: {up: {Terminal: console, '1': lines, '2': none, '3': {file: a.txt}, \
         '4': {socket: 1234}, '5': {method: seen}, log: defmt}}",
    );
    let expected = [
        ("Terminal", UpTarget::Console),
        ("1", UpTarget::Lines),
        ("2", UpTarget::Nothing),
        ("3", UpTarget::File("a.txt".to_owned())),
        ("4", UpTarget::Socket(1234)),
        ("5", UpTarget::Method("seen".into())),
        ("log", UpTarget::Defmt),
    ];
    let expected = expected.map(|(name, target)| (name.to_owned(), target));
    assert_eq!(up.up, BTreeMap::from(expected));
}

#[test]
fn modes_have_names_or_numbers() {
    let modes = rtt("elf: rtt.elf, rtt: {mode: {Terminal: skip, '1': trim, defmt: block}}").modes;
    let expected = [
        ("Terminal", RttMode::Skip),
        ("1", RttMode::Trim),
        ("defmt", RttMode::Block),
    ];
    let expected = expected.map(|(name, mode)| (name.to_owned(), mode));
    assert_eq!(modes, BTreeMap::from(expected));
}

#[test]
fn a_found_protocol_is_noted_once() {
    for (text, noted) in [
        (
            "a: {space: core0, elf: rtt.elf}",
            Some("the symbol _SEGGER_RTT (0x2000): firmware is served by RTT"),
        ),
        (
            "a: {space: core0, elf: htif.elf}",
            Some(
                "htif.elf has RTT, too (symbol _SEGGER_RTT, 0x2000), which channel `a.rtt` serves",
            ),
        ),
        (
            "a: {space: core0, elf: htif.elf, abi: htif}",
            Some("htif.elf has RTT, too (symbol _SEGGER_RTT, 0x2000), which is not served"),
        ),
        (
            "a: {space: core0, elf: htif.elf}\n\
             a.rtt: {space: core0, base: 0x1800, ptr: 32, cache_line: 0}",
            Some("htif.elf has RTT, too (symbol _SEGGER_RTT, 0x2000), which is not served"),
        ),
        (
            "a: {space: core0, elf: mailbox.elf, cache_line: 0}\n\
             b: {space: core0, elf: mailbox.elf, abi: rtt, load: false}",
            None,
        ),
        ("a: {space: core0, elf: rtt.elf, abi: rtt}", None),
    ] {
        let outside = outside();
        parse_text(text, &outside).unwrap();
        let warnings = outside.diagnostics.borrow();
        let found = warnings.iter().filter(|it| it.contains("_SEGGER_RTT"));
        let found: Vec<&String> = found.collect();
        assert_eq!(found.len(), usize::from(noted.is_some()), "{warnings:?}");
        if let Some(noted) = noted {
            assert!(found[0].contains(noted), "{found:?}");
        }
    }
}

#[test]
fn errors_name_the_key() {
    for (keys, text) in [
        (
            "elf: none.elf, abi: rtt",
            "none.elf has no symbol _SEGGER_RTT; link without --strip-all or -s, or give its address as `rtt.address`",
        ),
        (
            "abi: rtt, ptr: 32",
            "give the image as `elf`, or give its address",
        ),
        ("elf: far.elf", "`rtt`: 0x9000 is not in memory"),
        (
            "elf: rtt.elf, rtt: {address: 0x2000, search: [0x1000, 0x2000]}",
            "`rtt.address` and `rtt.search` are given",
        ),
        (
            "elf: rtt.elf, rtt: {search: [0x2000, 0x1000]}",
            "from 0x2000 to 0x1000 there is no room",
        ),
        (
            "elf: rtt.elf, rtt: {search: [0x1000, 0x9000]}",
            "`rtt`: 0x1000 is not in memory",
        ),
        (
            "elf: none.elf, abi: rtt, rtt: {search: [[0x1000, 0x2000], [0x1000, 0x9000]]}",
            "`rtt`: 0x1000 is not in memory",
        ),
        (
            "elf: none.elf, abi: rtt, rtt: {search: []}",
            "`rtt.search` is empty",
        ),
        (
            "elf: rtt.elf, rtt: {search: [1, 2, 3]}",
            "a range `[FIRST, BEHIND]`, or a list of ranges",
        ),
        (
            "elf: rtt.elf, rtt: {mode: {defmt: blocking}}",
            "`rtt.mode.defmt` is `blocking`; valid are skip, trim and block",
        ),
        (
            "elf: rtt.elf, rtt: {up: {'0': consoel}}",
            "`rtt.up.0` is `consoel`; valid are",
        ),
        (
            "elf: rtt.elf, rtt: {up: {'0': {file: ''}}}",
            "`rtt.up.0`: the name is empty",
        ),
        (
            "elf: rtt.elf, rtt: {up: {'0': {port: 1}}}",
            "`console`, `lines`, `none`",
        ),
        (
            "elf: rtt.elf, abi: rtt, base: 0x1000",
            "`base` is a key of `abi: mailbox`",
        ),
        (
            "elf: htif.elf, rtt: {up: {}}",
            "`rtt` is a key of `abi: rtt`",
        ),
        (
            "elf: mailbox.elf, rtt: {up: {}}",
            "`rtt` is a key of `abi: rtt`",
        ),
    ] {
        let error = interface(keys).unwrap_err();
        assert!(error.contains(text), "{keys}: {error}");
    }
}
