//! Rejected mailbox configurations and their errors.

use super::super::features;
use super::channels::{map, outside};
use super::*;

fn error(text: &str) -> String {
    parse_mailboxes(text, Path::new("mb.yaml"), &map(), &outside())
        .unwrap_err()
        .to_string()
}

/// Error for one channel with these keys, named `cpu`, in space `core0`.
fn channel_error(keys: &str) -> String {
    let error = error(&format!("cpu: {{space: core0, {keys}}}"));
    // The line is included if it is known.
    let place = error.replacen("mb.yaml:1: ", "mb.yaml: ", 1);
    place
        .strip_prefix("mb.yaml: channel `cpu`: ")
        .unwrap_or_else(|| panic!("another start: {error}"))
        .to_owned()
}

#[test]
fn the_place_of_a_channel_is_known() {
    let cases = [
        (
            "ptr: 32",
            "`base` is missing, and so is `elf`: give the channel's address, or the image with a section .mailbox, or `server: false`",
        ),
        (
            "elf: plain.elf",
            "`elf`: plain.elf has no section .mailbox, nor a trap of semihosting, and no symbols; link one, or give the channel's address as \
             `base`, or `server: false`; with HTIF (tohost, fromhost) or RTT (_SEGGER_RTT) link it without --strip-all or -s, and don't \
             run strip on it, or give `tohost` and `fromhost`, or `rtt: {address: …}`",
        ),
        (
            "elf: plain.elf, abi: mailbox",
            "`elf`: plain.elf has no section .mailbox; link one, or give the channel's address as `base`, or `server: false`",
        ),
        (
            "elf: fw64.elf, cache_line: 0, mb_id: 3",
            "`mb_id`: channel 3 of 0x5e8 bytes reaches past the end of section .mailbox (0x11b8 bytes at 0x2000) of fw64.elf; or `ptr` or `cache_line` differ from the firmware's",
        ),
        (
            "elf: fw64.elf, cache_line: 256, mb_id: 2",
            "`mb_id`: channel 2 of 0xa00 bytes reaches past the end of section .mailbox (0x11b8 bytes at 0x2000) of fw64.elf; or `ptr` or `cache_line` differ from the firmware's",
        ),
        (
            "elf: fw64.elf, cache_line: 0, mb_id: 0xffffffffffffffff",
            "`mb_id`: channel 18446744073709551615 of 0x5e8 bytes reaches past the end of section .mailbox (0x11b8 bytes at 0x2000) of fw64.elf; or `ptr` or `cache_line` differ from the firmware's",
        ),
        (
            "base: 0x2000, ptr: 64, cache_line: 0, mb_id: 1",
            "`mb_id` is 1, but there is no image with a section .mailbox; leave it out, and give \
             the channel's own address as `base`",
        ),
        (
            "elf: plain.elf, base: 0x2000, cache_line: 0, mb_id: 1",
            "`mb_id` is 1, but there is no image with a section .mailbox; leave it out, and give \
             the channel's own address as `base`",
        ),
        (
            "base: 0x800, ptr: 64, cache_line: 0",
            "the channel is not in memory: space `core0` has no memory at 0x800, needed for the 1512 bytes at 0x800; check `space` and `base`, or map a memory there",
        ),
        (
            "base: 0x10ff8, ptr: 64, cache_line: 0",
            "the channel is not in memory: space `core0` has no memory at 0x11000, needed for the 1512 bytes at 0x10ff8; check `space` and `base`, or map a memory there",
        ),
        (
            "base: 0x2020, ptr: 64, cache_line: 64",
            "the channel's address 0x2020 is not a multiple of 64; check `base` or the image, `ptr` and `cache_line`",
        ),
    ];
    for (keys, message) in cases {
        assert_eq!(channel_error(keys), message, "{keys}");
    }
}

#[test]
fn no_two_channels_are_at_one_place() {
    let second = |keys: &str| {
        error(&format!(
            "a: &a {{space: core0, base: 0x2000, ptr: 64, cache_line: 0}}\nb: {{<<: *a, {keys}}}"
        ))
    };
    let overlap = |address: &str| {
        format!(
            "mb.yaml:2: channel `b`: at {address} it overlaps channel `a`, which is at 0x2000; give the second its own `mb_id` or `base` \
             (the other one is in line 1)"
        )
    };
    assert_eq!(second("elf: fw64.elf"), overlap("0x2000"));
    assert_eq!(second("base: 0x1a20"), overlap("0x1a20"));
    assert_eq!(second("base: 0x25e0"), overlap("0x25e0"));
    // Both spaces have the same memory.
    assert_eq!(second("space: core1"), overlap("0x2000"));
}

#[test]
fn a_channel_across_two_memories_takes_both() {
    let memory = |name, base| format!("{name}: {{base: {base}, size: 0x1000, backend: log}}");
    let [low, high] = [memory("low", 0x1000), memory("high", 0x2000)];
    let map = memories(&format!("space: {{core0: [{low}, {high}]}}"));
    let text = "
a: &a {space: core0, base: 0x1ff8, ptr: 64, cache_line: 0}
b: {<<: *a, base: 0x2000}
";
    let error = parse_mailboxes(text, Path::new("mb.yaml"), &map.unwrap(), &Fake::default());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("overlaps channel `a`"), "{error}");
}

#[test]
fn a_flag_is_on_or_off() {
    for key in ["load", "server", "zero_bss"] {
        for text in ["", "maybe", "2", "truth"] {
            let message = format!(
                "`{key}` is the text `{text}`; give true, false, yes, no, on, off, 1 or 0, or a text that expands to one of them"
            );
            assert_eq!(channel_error(&format!("{key}: '{text}'")), message);
        }
    }
    assert_eq!(
        channel_error("load: $FW"),
        "`load` is the text `fw64.elf`; give true, false, yes, no, on, off, 1 or 0, or a text that expands to one of them"
    );
    assert!(channel_error("load: 2").starts_with("`load` is the text `2`; "));
    assert!(
        channel_error("load: [true]")
            .contains("expected true, false, yes, no, on, off, 1, 0, or a text")
    );
}

#[test]
fn a_missing_pointer_width_is_requested() {
    if features::ptr_width().is_none() {
        assert_eq!(
            channel_error("base: 0x2000"),
            "`ptr` is missing: without `elf`, and without the Cargo feature `ptr32` or `ptr64`, \
             give `ptr: 32` or `ptr: 64`"
        );
    }
}

#[test]
fn keys_are_known_and_of_their_type() {
    let cases = [
        (
            "base: 0x2000, ptr: 16",
            "`ptr` is 16; valid are 32 and 64 (bits)",
        ),
        (
            "base: 0x2000, ptr: 0x100000020",
            "`ptr` is 4294967328; valid are 32 and 64 (bits)",
        ),
        (
            "cache_line: 16, server: false",
            "`cache_line` is 16; valid are 32, 64, 128 and 256 (bytes), and 0 for none",
        ),
        ("bsae: 0x2000", "`bsae`: unknown key; did you mean `base`?"),
        (
            "mb_id: -1",
            "`mb_id`: `-1` is negative; write a whole number of 64 bits, as 4096, 0x1000, 0x8000_0000, 0o17, 0b101, or 64K, 1M, 2G (units of 1024)",
        ),
    ];
    for (keys, message) in cases {
        assert_eq!(channel_error(keys), message, "{keys}");
    }
    assert_eq!(
        error("cpu: {base: 0}"),
        "mb.yaml:1: channel `cpu`: missing field `space`"
    );
    assert_eq!(
        error("cpu: ram"),
        "mb.yaml:1: channel `cpu`: invalid type: string \"ram\", expected the keys of a channel, as `{space: core0, elf: main.elf}`"
    );
    assert_eq!(
        error("cpu: {space: core7}"),
        "mb.yaml:1: channel `cpu`: `space`: the memory configuration has no space `core7`; spaces: `core0`, `core1`"
    );
}

#[test]
fn images_are_read_and_are_elf_files() {
    assert_eq!(
        channel_error("elf: no.elf"),
        "`elf`: no.elf: can't be read: entity not found"
    );
    assert_eq!(
        channel_error("elf: \"${ELF_FILE}\""),
        "`elf`: the environment variable `ELF_FILE` of `${ELF_FILE}` is not set (or not text); set it, or write `$$` for a plain `$`"
    );
    let outside = outside().file("text.elf", b"space: core0".to_vec());
    let text = "cpu: {space: core0, elf: text.elf}";
    assert_eq!(
        parse_mailboxes(text, Path::new("mb.yaml"), &map(), &outside)
            .unwrap_err()
            .to_string(),
        "mb.yaml:1: channel `cpu`: `elf`: text.elf: not an ELF file of 32 or 64 bits"
    );
}

#[test]
fn names_are_not_empty() {
    let empty = |key: &str| format!("`{key}` is empty; give a name, or leave the key out");
    assert_eq!(channel_error("elf: ''"), empty("elf"));
    assert_eq!(channel_error("elf: \"${NOTHING}\""), empty("elf"));
    assert_eq!(
        error("cpu:\n  space: ''\n"),
        format!("mb.yaml:2: channel `cpu`: {}", empty("space"))
    );
    assert_eq!(
        error("'': {space: core0}"),
        "mb.yaml: a channel has an empty name; give it one"
    );
}

/// The braces of a variable are those of a map for YAML.
#[test]
fn a_variable_inside_of_braces_is_quoted() {
    for text in ["a: 1\ncpu: {space: ${SP}, base: 0}", "cpu: {args: [${A}]}"] {
        let error = error(text);
        let hint = error
            .ends_with("; quote a value with a variable inside of braces or brackets: \"${NAME}\"");
        assert!(hint, "{error}");
    }
    let error = error("cpu: {space: \"${SP}\"\nx: {");
    assert!(!error.contains("quote"), "{error}");
}

#[test]
fn the_document_is_a_map_of_channels_each_named_once() {
    assert_eq!(
        error("[cpu]"),
        "mb.yaml:1: the document: must be a map of channels"
    );
    let twice = error("cpu: {space: core0, server: false}\ncpu: {space: core0, server: false}");
    assert!(twice.starts_with("mb.yaml: not valid YAML: "), "{twice}");
    assert!(
        twice.contains("the key `cpu` is given twice in one map"),
        "{twice}"
    );
}
