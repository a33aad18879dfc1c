//! Memory files that are loaded, and those that are refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Runs of a text for a memory of 16 words of 4 bytes.
fn runs(text: &str) -> Result<Vec<(u64, Vec<u8>)>, String> {
    let file = Path::new("boot.hex");
    HexRuns::new(text.as_bytes(), file, 4, 16)
        .map(|run| {
            run.map(|run| (run.word, run.bytes))
                .map_err(|error| error.to_string())
        })
        .collect()
}

#[test]
fn words_are_little_endian_and_go_to_their_address() {
    let text = "dead_beef 1 // one\n@A /* ten:\n*/ 00000000ffFF\n2@c\n";
    assert_eq!(
        runs(text).unwrap_err(),
        "boot.hex:4: `2@c` has a `@`, which is not a hex digit"
    );
    let text = "dead_beef 1 // one\n@A /* ten:\n*/ 00000000ffFF\n2/**/@c @0d\x0b3//";
    let wanted = [
        (0, vec![0xef, 0xbe, 0xad, 0xde, 1, 0, 0, 0]),
        (10, vec![0xff, 0xff, 0, 0, 2, 0, 0, 0]),
        (13, vec![3, 0, 0, 0]),
    ];
    assert_eq!(runs(text).unwrap(), wanted);
    assert_eq!(runs(" // nothing\n").unwrap(), []);
    assert_eq!(runs("@3").unwrap(), []);
}

#[test]
fn words_need_not_be_powers_of_two_wide() {
    let runs: Vec<_> = HexRuns::new(b"abcdef 1", Path::new("f"), 3, 2)
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        runs,
        [HexRun {
            word: 0,
            bytes: vec![0xef, 0xcd, 0xab, 1, 0, 0]
        }]
    );
}

#[test]
fn unknown_digits_are_zero_and_counted() {
    let mut runs = HexRuns::new(b"1x2Z ?? xxxx_xxxx_xxxx", Path::new("f"), 4, 16);
    let run = runs.next().unwrap().unwrap();
    assert_eq!(run.bytes, [0x20, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(runs.next().is_none());
    assert_eq!(runs.unknown_digits(), 16);
}

#[test]
fn refusals_name_file_line_and_value() {
    let words = "0 ".repeat(16);
    let cases = [
        (
            "0\n12g4",
            "boot.hex:2: `12g4` has a `g`, which is not a hex digit",
        ),
        (
            "1_0000_0000",
            "boot.hex:1: the value `1_0000_0000` is wider than the memory's words of 32 bits",
        ),
        (
            "\n\n@10",
            "boot.hex:3: `@10` is for a word outside of the memory, which has 0x10 words; \
             addresses count words from the memory's base, not bytes or addresses of the bus, \
             which `objcopy -O verilog` writes",
        ),
        (
            "@f 1 2",
            "boot.hex:1: `2` is for a word outside of the memory, which has 0x10 words; addresses \
             count words from the memory's base, not bytes or addresses of the bus, which `objcopy \
             -O verilog` writes",
        ),
        (
            "@10000000000000000",
            "boot.hex:1: `@10000000000000000` is for a word outside of the memory, which has 0x10 \
             words; addresses count words from the memory's base, not bytes or addresses of the \
             bus, which `objcopy -O verilog` writes",
        ),
        ("@x", "boot.hex:1: `@x` has a `x`, which is not a hex digit"),
        ("@\n1", "boot.hex:1: `@` is not a number"),
        ("@ /**/1", "boot.hex:1: `@` is not a number"),
        ("@ \t", "boot.hex:1: `@` is not a number"),
        (
            "1\n\x1a\n2",
            "boot.hex:2: `\\u{1a}` has a `\\u{1a}`, which is not a hex digit",
        ),
        (
            "1\n2\0\n3",
            "boot.hex:2: `2\\u{0}` has a `\\u{0}`, which is not a hex digit",
        ),
        (
            "1\r2\r\n3g",
            "boot.hex:3: `3g` has a `g`, which is not a hex digit",
        ),
        ("___", "boot.hex:1: `___` is not a number"),
        (
            "1 / 2",
            "boot.hex:1: `/` has a `/`, which is not a hex digit",
        ),
        (
            "1\n/* 2\n3",
            "boot.hex:2: the comment that starts here has no end",
        ),
        ("/*/", "boot.hex:1: the comment that starts here has no end"),
        (
            "é",
            "boot.hex:1: `é` has a `\u{fffd}`, which is not a hex digit",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(runs(text).unwrap_err(), message, "{text}");
    }
    assert!(runs(&words).is_ok());
    let long = runs(&"1".repeat(1000)).unwrap_err();
    assert_eq!(
        long,
        format!(
            "boot.hex:1: the value `{}` is wider than the memory's words of 32 bits",
            "1".repeat(64)
        )
    );
    // The text is cut between characters.
    let long = runs(&("1".to_owned() + &"€".repeat(1000))).unwrap_err();
    let shown = "1".to_owned() + &"€".repeat(63);
    assert!(
        long.starts_with(&format!("boot.hex:1: `{shown}` ")),
        "{long}"
    );
}

#[test]
fn spellings_beside_the_standard_are_read() {
    let one = |value: u8, word| Ok(vec![(word, vec![value, 0, 0, 0])]);
    assert_eq!(runs("\u{feff}7\n"), one(7, 0));
    assert_eq!(runs("# made by srec_cat\n7 # seven\n#"), one(7, 0));
    assert_eq!(runs("7#seven"), one(7, 0));
    assert_eq!(runs("@ 0a\n7"), one(7, 10));
    assert_eq!(runs("@ \tA // ten\n7"), one(7, 10));
    // Numbers with the prefix of C.
    assert_eq!(runs("0x7"), one(7, 0));
    assert_eq!(runs("@0xA\n0X0000_0007"), one(7, 10));
    assert_eq!(runs("@ 0Xa 7"), one(7, 10));
    // End of a text, as in files of DOS, and in blocks of a ROM programmer.
    assert_eq!(runs("7\n\x1a"), one(7, 0));
    assert_eq!(runs("7\x1a\x1a\n"), one(7, 0));
    assert_eq!(runs("7\r\n\x1a\0\0\0"), one(7, 0));
    assert_eq!(runs("7\0"), one(7, 0));
    assert_eq!(runs("\x1a"), Ok(vec![]));
    // Lines, also of comments, may end with CR.
    assert_eq!(runs("// one\r7\r"), one(7, 0));
    assert_eq!(runs("\u{feff}"), Ok(vec![]));
}

/// `0x` is a prefix; it is a 0 and an unknown digit where the word has that many digits. The value
/// is the same.
#[test]
fn a_prefix_is_no_unknown_digit() {
    let unknown = |text: &str| {
        let mut runs = HexRuns::new(text.as_bytes(), Path::new("f"), 4, 16);
        let run = runs.next().unwrap().unwrap();
        assert_eq!(run.bytes[..2], [0x56, 0x34], "{text}");
        runs.unknown_digits()
    };
    assert_eq!(unknown("0x00003456"), 0);
    assert_eq!(unknown("0x3456"), 0);
    assert_eq!(unknown("0x00_3456"), 1);
    assert_eq!(unknown("00x03456"), 1);
    assert_eq!(
        runs("0x1_0000_0000").unwrap_err(),
        "boot.hex:1: the value `0x1_0000_0000` is wider than the memory's words of 32 bits"
    );
    assert_eq!(runs("0x").unwrap_err(), "boot.hex:1: `0x` is not a number");
    assert_eq!(
        runs("@0x").unwrap_err(),
        "boot.hex:1: `@0x` is not a number"
    );
}

#[test]
fn files_of_other_formats_are_named() {
    let named_at = |line: u64, text: &[u8], format: &str| {
        let mut runs = HexRuns::new(text, Path::new("f"), 4, 16);
        let error = runs.next().unwrap().unwrap_err().to_string();
        let start = format!(
            "f:{line}: this is {format}, not a memory file in the format of `$readmemh`; give words of 4 bytes, "
        );
        assert!(error.starts_with(&start), "{error}");
        assert!(runs.next().is_none());
    };
    let named = |text: &[u8], format| named_at(1, text, format);
    named(
        b":10000000214601360121470136007EFE09D2190140\n:00000001FF\n",
        "Intel HEX",
    );
    named(
        b"S00F000068656C6C6F202020202000003C\nS9030000FC\n",
        "a file of Motorola S-records",
    );
    named_at(2, b"// made by a tool\n:00000001FF\n", "Intel HEX");
    named_at(
        3,
        b"# made by a tool\n/* S\n1 */ S9030000FC\n",
        "a file of Motorola S-records",
    );
    named(b"\0\0\0\0", "binary data");
    named(b"\x7fELF\x01\x01\x01", "an ELF file");
    named(b"\xff\xfe0\0", "text in UTF-16");
    named(b"\x13\0\0\0", "binary data");
    named(b"memory_initialization_radix=16;", "a COE file");
}

#[test]
fn bytes_are_not_taken_for_words() {
    let bytes = |text: &str, width| {
        let mut runs = HexRuns::new(text.as_bytes(), Path::new("f"), width, 64);
        runs.find_map(Result::err).map(|error| error.to_string())
    };
    let objcopy = "@00000000\r\n13 00 00 00 93 00 00 00 \r\n";
    assert_eq!(bytes(objcopy, 1), None);
    for width in [2, 4, 7] {
        let convert = match width {
            7 => String::new(),
            width => format!("convert with `objcopy -O verilog --verilog-data-width={width}`, or "),
        };
        let error = format!(
            "f:2: every value has two digits, with several in a line: these are bytes, as `objcopy -O verilog` writes them, but the \
             memory's words have {width} bytes; {convert}write words with leading zeros"
        );
        assert_eq!(bytes(objcopy, width), Some(error));
    }
    // These may be words: one in a line, a single one, or with another number of digits.
    for text in [
        "// 8\n00\n11\n22\n@4\n44\n55\n",
        "12",
        "1 2 3",
        "12 034",
        "001 002",
        "00000012 13",
    ] {
        assert_eq!(bytes(text, 4), None, "{text}");
    }
}

#[test]
fn words_of_another_width_are_seen() {
    let other = |text: &str, width| {
        let mut runs = HexRuns::new(text.as_bytes(), Path::new("f"), width, 64);
        assert!(runs.by_ref().all(|run| run.is_ok()), "{text}");
        runs.other_words()
    };
    assert_eq!(other("0001 0002", 4), Some(4));
    assert_eq!(other("00000001 00000002", 8), Some(8));
    assert_eq!(other("00000001 00000002\n@8 00000003", 16), Some(8));
    assert_eq!(other("00000001 00000002", 4), None);
    // One in a line, one after a gap, and a single one.
    assert_eq!(other("00\n11\n22\n", 4), Some(2));
    assert_eq!(other("@3\n13", 4), Some(2));
    assert_eq!(other("@3\n13\n@7\n14", 3), Some(2));
    assert_eq!(other("0001\n0002", 4), Some(4));
    assert_eq!(other("0x0001\n0x0002", 4), Some(4));
    // Digits of wider words, whose small values fit.
    assert_eq!(other("0000000000000001", 4), Some(16));
    assert_eq!(other("0001\n0002", 1), Some(4));
    // A width that differs from the memory's by a few bits.
    assert_eq!(other("00000001 00000002", 5), None);
    assert_eq!(other("00000001", 3), None);
    assert_eq!(other("0001 00002", 4), None);
    // A number of digits that matches no width.
    assert_eq!(other("1\n2\n3", 4), None);
    assert_eq!(other("001 002", 6), None);
}

#[test]
fn the_first_error_is_the_last_item() {
    let mut runs = HexRuns::new(b"1 @5 g 2", Path::new("f"), 4, 16);
    assert!(runs.next().unwrap().is_ok());
    assert!(runs.next().unwrap().is_err());
    assert!(runs.next().is_none());
}

#[test]
fn long_files_come_in_pieces() {
    let text = "5a ".repeat(200_000);
    let mut next = 0;
    for run in HexRuns::new(text.as_bytes(), Path::new("f"), 1, u64::MAX) {
        let run = run.unwrap();
        assert_eq!(run.word, next);
        assert!(run.bytes.len() <= RUN && run.bytes.iter().all(|byte| *byte == 0x5a));
        next += run.bytes.len() as u64;
    }
    assert_eq!(next, 200_000);
}

proptest! {
    #[test]
    fn written_words_are_read_back(words in prop::collection::btree_map(0u64..64, any::<u32>(), 0..40), pretty: bool) {
        let mut text = String::new();
        for (word, value) in &words {
            if pretty || *word == 0 || !words.contains_key(&(word - 1)) {
                text.push_str(&format!("@{word:x} "));
            }
            text.push_str(&if pretty { format!("{:04x}_{:04x}\n", value >> 16, value & 0xffff) } else { format!("{value:03X} ") });
        }
        let mut read = BTreeMap::new();
        for run in HexRuns::new(text.as_bytes(), Path::new("f"), 4, 64) {
            let run = run.unwrap();
            for (nth, bytes) in run.bytes.chunks(4).enumerate() {
                read.insert(run.word + nth as u64, u32::from_le_bytes(bytes.try_into().unwrap()));
            }
        }
        prop_assert_eq!(read, words);
    }

    #[test]
    fn hostile_bytes_do_no_harm(
        text in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"01afxz?_@/*\r\n# :S".to_vec())], 0..100),
        width in 0u64..9,
        words in 0u64..20,
    ) {
        let runs = HexRuns::new(&text, Path::new("f"), width, words);
        for run in runs.filter_map(Result::ok) {
            prop_assert!(width == 0 || (run.word + run.bytes.len() as u64 / width) <= words);
        }
    }
}
