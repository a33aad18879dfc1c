//! Accepted mailbox configurations.

use std::sync::Arc;

use mailbox_rs::{CacheLine, Layout, PtrWidth};

use super::super::features;
use super::*;
use crate::channel::MailboxPlace;
use crate::mem::SpaceId;
use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

/// Memory of 64 KiB from 0x1000, in two spaces.
pub(super) fn map() -> MemoryMap {
    memories("shared: {ram: {base: 0x1000, size: 0x10000, backend: log}}\nspace: {core0: [ram], core1: [ram]}").unwrap()
}

/// Fake files: `fw32.elf` and `fw64.elf` with room for three channels at 0x2000, and `plain.elf`
/// without `.mailbox`.
pub(super) fn outside() -> Fake {
    let elf = |class64, mailbox: Option<(u64, u64)>| ElfBuilder {
        class64,
        mailboxes: mailbox.into_iter().collect(),
        segments: vec![ElfSegment::at(0x1000, [1, 2, 3, 4], 0x100)],
        ..ElfBuilder::default()
    };
    let size = |ptr_width| Layout::new(ptr_width, CacheLine::None).channel_size;
    Fake::default()
        .variable("FW", "fw64.elf")
        .variable("NO", "false")
        .variable("YES", "true")
        .variable("NOTHING", "")
        .file(
            "fw32.elf",
            elf(false, Some((0x2000, 3 * size(PtrWidth::P4)))).build(),
        )
        .file(
            "fw64.elf",
            elf(true, Some((0x2000, 3 * size(PtrWidth::P8)))).build(),
        )
        .file("plain.elf", elf(true, None).build())
}

fn channels(text: &str) -> Vec<ChannelConfig> {
    parse_mailboxes(text, Path::new("mb.yaml"), &map(), &outside())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The mailbox of one channel with these keys.
fn mailbox(keys: &str) -> Option<MailboxPlace> {
    channels(&format!("core0: {{space: core0, cache_line: 0, {keys}}}"))[0].mailbox()
}

fn place(address: u64, ptr_width: PtrWidth) -> Option<MailboxPlace> {
    Some(MailboxPlace {
        address,
        layout: Layout::new(ptr_width, CacheLine::None),
    })
}

#[test]
fn channels_keep_their_order_and_share_images() {
    let text = "
z: &z {space: core1, elf: $FW, cache_line: 0}
a: {<<: *z, space: core0, mb_id: 1, load: false}
m: {<<: *z, mb_id: 2}
";
    let channels = channels(text);
    let names: Vec<_> = channels
        .iter()
        .map(|channel| (channel.name.as_str(), channel.space))
        .collect();
    assert_eq!(
        names,
        [("z", SpaceId(1)), ("a", SpaceId(0)), ("m", SpaceId(1))]
    );
    let size = Layout::new(PtrWidth::P8, CacheLine::None).channel_size;
    let places: Vec<_> = channels
        .iter()
        .map(|channel| channel.mailbox().unwrap().address)
        .collect();
    assert_eq!(places, [0x2000, 0x2000 + size, 0x2000 + 2 * size]);
    assert!(channels[1].load.is_none());
    let (first, last) = (
        channels[0].load.as_ref().unwrap(),
        channels[2].load.as_ref().unwrap(),
    );
    assert!(Arc::ptr_eq(first, last));
    assert_eq!(first.file(), Path::new("fw64.elf"));
}

#[test]
fn the_image_has_the_address_of_the_channel_or_else_base() {
    assert_eq!(
        mailbox("base: 0x3000, ptr: 32, mb_id: 0"),
        place(0x3000, PtrWidth::P4)
    );
    assert_eq!(mailbox("elf: fw32.elf"), place(0x2000, PtrWidth::P4));
    assert_eq!(mailbox("elf: fw64.elf"), place(0x2000, PtrWidth::P8));
    assert_eq!(
        mailbox("elf: fw64.elf, base: 0x3000"),
        place(0x2000, PtrWidth::P8)
    );
    assert_eq!(
        mailbox("elf: plain.elf, base: 0x3000"),
        place(0x3000, PtrWidth::P8)
    );
    assert_eq!(
        mailbox("elf: fw64.elf, load: false"),
        place(0x2000, PtrWidth::P8)
    );
}

#[test]
fn two_addresses_are_noted_with_the_one_that_is_used() {
    let elf = |virtual_address| ElfBuilder {
        class64: true,
        segments: vec![ElfSegment {
            address: 0x4000,
            virtual_address,
            bytes: vec![0; 8],
            mem_size: 0x1000,
        }],
        mailboxes: vec![(virtual_address, 0x1000)],
        ..ElfBuilder::default()
    };
    let notes = |virtual_address, base: &str| {
        let outside = outside().file("fw.elf", elf(virtual_address).build());
        let text = format!("cpu: {{space: core0, elf: fw.elf, cache_line: 0, base: {base}}}");
        parse_mailboxes(&text, Path::new("mb.yaml"), &map(), &outside).unwrap();
        outside.diagnostics.take()
    };
    assert_eq!(notes(0x4000, "0x4000"), [""; 0]);
    assert_eq!(
        notes(0x4000, "0x3000"),
        [
            "mb.yaml: channel `cpu`: `base` 0x3000 is not used: section .mailbox of fw.elf puts the channel at 0x4000; leave `base` out, or link \
             the section there"
        ]
    );
    assert_eq!(
        notes(0x6000, "0x4000"),
        [
            "mb.yaml: channel `cpu`: `base` 0x4000 is used: section .mailbox of fw.elf is linked for 0x6000 and loaded at 0x4000"
        ]
    );
}

#[test]
fn a_file_of_several_names_is_one_image() {
    let mut outside = outside();
    outside.links = [("./fw64.elf", "fw64.elf"), ("link.elf", "fw64.elf")].into();
    let text = "
a: {space: core0, elf: link.elf, zero_bss: false, server: false}
b: {space: core0, elf: fw64.elf, server: false}
c: {space: core0, elf: ./fw64.elf, server: false}
d: {space: core0, elf: plain.elf, server: false}
";
    let channels = parse_mailboxes(text, Path::new("mb.yaml"), &map(), &outside).unwrap();
    let images: Vec<_> = channels
        .iter()
        .map(|channel| channel.load.as_ref().unwrap())
        .collect();
    assert!(Arc::ptr_eq(images[0], images[1]) && Arc::ptr_eq(images[1], images[2]));
    assert!(!Arc::ptr_eq(images[0], images[3]));
    assert_eq!(images[2].file(), Path::new("link.elf"));
}

/// Address of a channel whose image has `.mailbox` linked for one address and loaded at another.
fn translated(virtual_address: u64, physical: u64, keys: &str) -> Result<u64, String> {
    let elf = ElfBuilder {
        class64: true,
        segments: vec![ElfSegment {
            address: physical,
            virtual_address,
            bytes: vec![0; 8],
            mem_size: 0x1000,
        }],
        mailboxes: vec![(virtual_address + 8, 0x1000 - 8)],
        ..ElfBuilder::default()
    };
    let outside = outside().file("mmu.elf", elf.build());
    let text = format!("cpu: {{space: core0, elf: mmu.elf, cache_line: 0{keys}}}");
    let channels = parse_mailboxes(&text, Path::new("mb.yaml"), &map(), &outside);
    let channels = channels.map_err(|error| error.to_string())?;
    Ok(channels[0].mailbox().unwrap().address)
}

#[test]
fn a_mailbox_is_found_where_it_is_loaded() {
    let high = 0xffff_ffc0_0000_0000;
    assert_eq!(translated(high, 0x4000, ""), Ok(0x4008));
    assert_eq!(translated(high, 0x4000, ", mb_id: 1"), Ok(0x4008 + 0x5e8));
    // Data that start-up code copies has the address that firmware uses.
    assert_eq!(translated(0x6000, 0x4000, ""), Ok(0x6008));
    assert_eq!(translated(0x6000, 0x100, ""), Ok(0x6008));
    // `base` decides if there are two addresses.
    assert_eq!(translated(0x6000, 0x4000, ", base: 0x4008"), Ok(0x4008));
    assert_eq!(translated(high, 0x100, ", base: 0x3000"), Ok(0x3000));
    // `base` also decides if the only address is not in memory.
    assert_eq!(translated(high, high, ", base: 0x3000"), Ok(0x3000));
    assert_eq!(translated(0x4000, 0x4000, ", base: 0x3000"), Ok(0x4008));
    let start = "mb.yaml:1: channel `cpu`: the channel is not in memory: section .mailbox of mmu.elf puts it at ";
    let end = "link the section to a memory of the space, map one there, or give the channel's own \
               address as `base`";
    assert_eq!(
        translated(0x100, 0x200, ""),
        Err(format!(
            "{start}0x108 (loaded at 0x208, where no memory is either), and space `core0` has no memory at 0x108, needed for the 1512 \
             bytes at 0x108; {end}"
        ))
    );
    assert_eq!(
        translated(0x100, 0x100, ""),
        Err(format!(
            "{start}0x108, and space `core0` has no memory at 0x108, needed for the 1512 bytes at 0x108; {end}"
        ))
    );
}

#[test]
fn a_section_that_was_not_linked_is_reported() {
    let elf = ElfBuilder {
        class64: true,
        segments: vec![ElfSegment::at(0x1000, [1, 2, 3, 4], 0x100)],
        mailboxes: vec![(0, 0x1000)],
        ..ElfBuilder::default()
    };
    // The section's flags follow its name and type, in the header after that of section 0.
    let mut bytes = elf.build();
    let flags = 64 + 56 + 64 + 8;
    assert_eq!(bytes[flags], 2);
    bytes[flags] = 0;
    let outside = outside().file("fw.elf", bytes);
    let text = "cpu: {space: core0, elf: fw.elf, cache_line: 0}";
    let error = parse_mailboxes(text, Path::new("mb.yaml"), &map(), &outside).unwrap_err();
    let part = "; it has no flag SHF_ALLOC, without which linkers give no address: link the \
                section to a memory of the space";
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn doubtful_images_are_warned_of_once() {
    let elf = ElfBuilder {
        kind: Some(3),
        segments: vec![ElfSegment::at(0x1000, [1, 2, 3, 4], 0x100)],
        mailboxes: vec![(0x2000, 0x1000), (0x4000, 0x1000)],
        ..ElfBuilder::default()
    };
    let reported = |keys: &str| {
        let outside = outside().file("pie.elf", elf.build());
        let text = format!(
            "a: {{space: core0, elf: pie.elf, cache_line: 0{keys}}}\nb: {{space: core1, elf: pie.elf, server: false, load: false}}\n"
        );
        parse_mailboxes(&text, Path::new("mb.yaml"), &map(), &outside).unwrap();
        outside.diagnostics.take()
    };
    let [position, mailboxes] = &reported("")[..] else {
        panic!("{:?}", reported(""));
    };
    let start = "mb.yaml: image pie.elf is position independent (ET_DYN), and is loaded ";
    assert!(position.starts_with(start), "{position}");
    let start = "mb.yaml: image pie.elf has two sections .mailbox: the one at 0x2000 is used, ";
    assert!(mailboxes.starts_with(start), "{mailboxes}");
    // An image that is not loaded needs no relocation.
    assert_eq!(reported(", load: false"), std::slice::from_ref(mailboxes));
}

/// An image is loaded if one of its channels loads it.
#[test]
fn an_image_is_loaded_where_any_of_its_channels_loads_it() {
    let elf = ElfBuilder {
        kind: Some(3),
        segments: vec![ElfSegment::at(0x1000, [1, 2, 3, 4], 0x100)],
        mailboxes: vec![(0x2000, 0x1000)],
        ..ElfBuilder::default()
    };
    for (loads, warnings) in [
        (["true", "false"], 1),
        (["false", "true"], 1),
        (["true", "true"], 1),
        (["false", "false"], 0),
    ] {
        let outside = outside().file("pie.elf", elf.build());
        let channel = |mb_id: usize| {
            let load = loads[mb_id];
            format!(
                "c{mb_id}: {{space: core0, elf: pie.elf, cache_line: 0, mb_id: {mb_id}, load: {load}}}\n"
            )
        };
        let text = channel(0) + &channel(1);
        let channels = parse_mailboxes(&text, Path::new("mb.yaml"), &map(), &outside).unwrap();
        let loaded = channels.iter().map(|channel| channel.load.is_some());
        assert!(loaded.eq(loads.map(|load| load == "true")), "{loads:?}");
        let reported = outside.diagnostics.take();
        assert_eq!(reported.len(), warnings, "{loads:?}: {reported:?}");
        assert!(
            reported.iter().all(|reported| reported.contains("ET_DYN")),
            "{reported:?}"
        );
    }
}

#[test]
fn the_configuration_comes_before_the_image_and_the_feature() {
    assert_eq!(
        mailbox("elf: fw64.elf, ptr: 32"),
        place(0x2000, PtrWidth::P4)
    );
    if let Some(ptr_width) = features::ptr_width() {
        assert_eq!(mailbox("base: 0x3000"), place(0x3000, ptr_width));
    }
    let lines = |keys: &str| {
        channels(&format!(
            "core0: {{space: core0, base: 0x4000, ptr: 64{keys}}}"
        ))[0]
            .mailbox()
            .unwrap()
            .layout
            .cache_line
    };
    assert_eq!(lines(""), features::cache_line());
    assert_eq!(lines(", cache_line: 128"), CacheLine::B128);
    assert_eq!(lines(", cache_line: 0"), CacheLine::None);
}

#[test]
fn the_feature_chooses_one_cache_line() {
    let chosen = [
        (cfg!(feature = "cache_line_32"), CacheLine::B32),
        (cfg!(feature = "cache_line_64"), CacheLine::B64),
        (cfg!(feature = "cache_line_128"), CacheLine::B128),
        (cfg!(feature = "cache_line_256"), CacheLine::B256),
        (true, CacheLine::None),
    ];
    let wanted = chosen.into_iter().find_map(|(on, line)| on.then_some(line));
    assert_eq!(Some(features::cache_line()), wanted);
}

#[test]
fn flags_may_be_texts() {
    let flags = |load: &str, server: &str| {
        let text = format!(
            "core0: {{space: core0, elf: fw64.elf, load: {load}, server: {server}, cache_line: 0}}"
        );
        let channel = channels(&text).remove(0);
        (channel.load.is_some(), channel.mailbox().is_some())
    };
    assert_eq!(flags("true", "false"), (true, false));
    assert_eq!(flags("false", "true"), (false, true));
    assert_eq!(flags("'false'", "'true'"), (false, true));
    assert_eq!(flags("$YES", "$NO"), (true, false));
    assert_eq!(flags("\"${NO}\"", "\"${YES}\""), (false, true));
    for (on, off) in [
        ("yes", "no"),
        ("On", "OFF"),
        ("1", "0"),
        ("'1'", "'0'"),
        ("TRUE", "False"),
        ("' Yes '", "No"),
    ] {
        assert_eq!(flags(on, off), (true, false), "{on}, {off}");
    }
    // An unset variable, and an empty one.
    assert_eq!(flags("$UNSET", "\"${NO}\""), (true, false));
    assert_eq!(flags("$NO", "$NOTHING"), (false, true));
    // Partly unset: the rest is used.
    assert_eq!(
        flags("\"${UNSET}false\"", "\"${UNSET}off$NOTHING\""),
        (false, false)
    );
    assert_eq!(
        flags("\"${UNSET}$NO\"", "\"${UNSET}${UNSET2}\""),
        (false, true)
    );
    assert_eq!(flags("\"${UNSET:-off}\"", "true"), (false, true));
}

#[test]
fn zeros_are_written_unless_the_channel_disables_them() {
    let zero_bss = |keys: &str| {
        channels(&format!(
            "core0: {{space: core0, elf: plain.elf, server: false{keys}}}"
        ))[0]
            .zero_bss
    };
    assert!(zero_bss("") && zero_bss(", zero_bss: $UNSET"));
    assert!(!zero_bss(", zero_bss: false") && !zero_bss(", zero_bss: $NO"));
}

#[test]
fn unknown_keys_of_a_channel_are_warned_of() {
    let outside = outside();
    let text = "core0: {space: core0, server: false, desc: the first, irq: [1, 2]}";
    parse_mailboxes(text, Path::new("mb.yaml"), &map(), &outside).unwrap();
    assert_eq!(
        outside.diagnostics.take(),
        [
            "mb.yaml: channel `core0`: the key `desc` is unknown, and ignored",
            "mb.yaml: channel `core0`: the key `irq` is unknown, and ignored",
        ]
    );
}

#[test]
fn a_channel_that_is_not_served_needs_no_place() {
    let channel = channels("core0: {space: core0, elf: plain.elf, server: false}").remove(0);
    assert_eq!((channel.load.is_some(), channel.mailbox()), (true, None));
    let channel = channels("core0: {space: core0, server: false}").remove(0);
    assert_eq!((channel.mailbox(), channel.load), (None, None));
}

#[test]
fn a_channel_may_end_where_memory_does() {
    let size = Layout::new(PtrWidth::P8, CacheLine::None).channel_size;
    let base = 0x11000 - size;
    assert_eq!(
        mailbox(&format!("base: {base}, ptr: 64")),
        place(base, PtrWidth::P8)
    );
}

#[test]
fn channels_share_no_bytes_but_those_that_are_not_served() {
    let text = "
a: &a {space: core0, base: 0x2000, ptr: 64, cache_line: 0}
below: {<<: *a, base: 0x1a18}
above: {<<: *a, base: 0x25e8}
silent: {<<: *a, server: false}
";
    let served = |channel: &ChannelConfig| channel.mailbox().is_some();
    assert_eq!(channels(text).iter().filter(|one| served(one)).count(), 3);
}

#[test]
fn an_empty_configuration_has_no_channels() {
    assert_eq!(channels(""), []);
    assert_eq!(channels("{}"), []);
}
