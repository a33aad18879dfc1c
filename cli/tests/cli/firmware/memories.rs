//! RAM by options, and memories of configuration files.

use super::{EBREAK, Image, code};

#[test]
fn the_ram_has_the_size_of_the_option() {
    // lw a0, -4(a1) with a1 from auipc: at the last word of 16 MiB, and behind it.
    let at = |offset: u32| [0x0000_0597 | offset, 0xffc5_a503, EBREAK];
    let stops = |instructions: &[u32], options: &[&str], text: &str| {
        let error = Image::of(&code(instructions).build()).fails(options, 125);
        assert!(error.contains(text), "{options:?}: {error}");
    };
    let behind = [0x0000_0597 | 16 << 20, 0x0005_a503, EBREAK];
    stops(&at(16 << 20), &[], "breakpoint");
    stops(&behind, &[], "load from 0x81000000");
    stops(&at(16 << 20), &["--mem", "15M"], "load from 0x80fffffc");
    stops(&behind, &["--mem", "0x1001000"], "breakpoint");
    stops(
        &behind,
        &["--mem", "32MiB", "--base", "0x7ff00000"],
        "breakpoint",
    );
    stops(&at(0), &["--base", "0x7ffff000"], "breakpoint");
    // An image of 20 MiB, mostly zeros.
    let mut large = code(&behind);
    large.segments[0].mem_size = 20 << 20;
    let error = Image::of(&large.build()).fails(&[], 125);
    assert!(error.contains("breakpoint"), "{error}");
}

#[test]
fn a_ram_that_does_not_fit_is_refused() {
    let image = Image::of(&code(&[EBREAK]).build());
    let cases: [(&[&str], &str); 6] = [
        (
            &["--mem", "4K"],
            "needs 0x15e8 bytes from 0x80000000 to 0x800015e7: give --mem 0x15e8 or more",
        ),
        (
            &["--base", "0x80001000"],
            "begins at 0x80000000, before the RAM: give --base 0x80000000 or less",
        ),
        (
            &["--mem", "0xffffffffffffffff"],
            "passes the last address, 0xffffffffffffffff",
        ),
        (
            &["--base", "0", "--mem", "64K"],
            "needs 0x800015e8 bytes from 0x0",
        ),
        (
            &["--base", "0"],
            "too far apart for one RAM: describe the memories",
        ),
        (&["--mem", "0x4000000000000000"], "memory"),
    ];
    for (options, text) in cases {
        let error = image.fails(options, 125);
        assert!(error.contains(text), "{options:?}: {error}");
    }
}

#[test]
fn memories_and_channels_may_come_from_files() {
    // Loads a word behind the RAM, in another memory, and stops there.
    let image = Image::of(&code(&[0x0000_1597, 0x0005_a503, EBREAK]).build());
    let memories = image.put(
        "mem.yaml",
        "space:\n  chip:\n    - rom: {base: 0x80000000, size: 0x1000, path: rom, width: 32, backend: static}\n    \
         - ram: {base: 0x80001000, size: 0x1000, path: ram, width: 32, backend: static}\n",
    );
    let mailboxes = image.put(
        "mailbox.yaml",
        "core7: {space: chip, elf: \"${IMAGE}\", cache_line: 0}\n",
    );
    let [memories, mailboxes] = [memories, mailboxes].map(|file| file.display().to_string());
    let by_space = ["--memory", &memories, "--space", "chip"];
    let by_files = ["--memory", &memories, "--mailbox", &mailboxes];
    for (options, channel) in [(by_space, "cpu"), (by_files, "core7")] {
        let error = image.fails(&options, 125);
        assert!(
            error.contains("breakpoint (ebreak) at 0x80000008"),
            "{error}"
        );
        assert!(
            error.contains(&format!("{channel}: waits for firmware's handshake")),
            "{error}"
        );
    }
    let error = image.fails(&["--memory", &memories], 125);
    assert!(error.contains("`cpu`") && error.contains("chip"), "{error}");
    let banked = image.put(
        "banked.yaml",
        "space:\n  cpu:\n    - ram: {base: 0x80000000, size: 0x2000, path: ram, width: 32, backend: static, \
         array_dims: {rows: 2, cols: 1024}}\n",
    );
    let banked = banked.display().to_string();
    let error = image.fails(&["--memory", &banked], 125);
    let text = "memory `ram` has 2 arrays of bytes in this process: a run needs";
    assert!(error.contains(&banked) && error.contains(text), "{error}");
}
