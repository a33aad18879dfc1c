//! Rejected memory configurations and their errors.

use super::*;

#[test]
fn sizes_multiply_out() {
    let cases = [
        ("base: 0, size: 0", "`size` is 0; give at least 1"),
        (
            "base: 0, size: 8, path: m, width: 0",
            "`width` is 0; give at least 1",
        ),
        (
            "base: 0, size: 8, path: m, width: 12",
            "`width` of 12 bits is not a whole number of bytes; give a multiple of 8",
        ),
        (
            "base: 0, size: 8, path: m, width: 1048584",
            "`width` of 1048584 bits is more than the 1048576 bits that are supported; widths are in bits, sizes in bytes",
        ),
        (
            "base: 0, size: 8, path: m",
            "`width` is missing; a memory with `path` needs it",
        ),
        (
            "base: 0, size: 8, array_dims: {rows: 2}",
            "`width` is missing; a memory with `array_dims` needs it",
        ),
        (
            "base: 0, size: 10, path: m, width: 32",
            "`size` of 10 bytes is not a multiple of 4 bytes, which is `width` / 8",
        ),
        (
            "base: 0, size: 32, path: m, width: 32, array_dims: {rows: 3, cols: 3}",
            "`array_dims`: 3 rows × 3 cols is not 8 words, as given by `size` / (`width` / 8)",
        ),
        (
            "base: 0, size: 32, path: m, width: 32, array_dims: {rows: 3}",
            "`array_dims`: 3 rows × 2 cols is not 8 words, as given by `size` / (`width` / 8)",
        ),
        (
            "base: 0, size: 32, path: m, width: 32, array_dims: {rows: 0xffffffffffffffff, cols: 2}",
            "`array_dims`: 18446744073709551615 rows × 2 cols is not 8 words, as given by `size` / \
             (`width` / 8)",
        ),
        (
            "base: 0, size: 32, path: m, width: 32, array_dims: {rows: 0}",
            "`array_dims.rows` is 0; give at least 1",
        ),
        (
            "base: 0, size: 32, path: m, width: 32, array_dims: {cols: 0}",
            "`array_dims.cols` is 0; give at least 1",
        ),
        (
            "base: 0xfffffffffffffff0, size: 17",
            "`base` + `size`: 0x11 bytes at 0xfffffffffffffff0 run past the last address, 0xffffffffffffffff",
        ),
    ];
    for (keys, message) in cases {
        assert_eq!(memory_error(keys), message, "{keys}");
    }
}

#[test]
fn banks_fill_the_memory() {
    let sram = "base: 0, size: 64, path: m, width: 64, ";
    let cases = [
        (
            "bank_width: 32",
            "`bank_width` is for banked memories, but there are no `banks`; list them or leave `bank_width` out",
        ),
        (
            "bank_depth: 32",
            "`bank_depth` is for banked memories, but there are no `banks`; list them or leave `bank_depth` out",
        ),
        (
            "banks: [[a, b]], bank_depth: 8",
            "`bank_width` is missing; a memory with `banks` needs it",
        ),
        (
            "banks: [[a, b]], bank_width: 32",
            "`bank_depth` is missing; a memory with `banks` needs it",
        ),
        (
            "banks: [[a, b]], bank_depth: 0, bank_width: 32",
            "`bank_depth` is 0; give at least 1",
        ),
        (
            "banks: [[a, b]], bank_depth: 8, bank_width: 0",
            "`bank_width` is 0; give at least 1",
        ),
        (
            "banks: [[a, b]], bank_depth: 8, bank_width: 33",
            "`bank_width` of 33 bits is not a whole number of bytes; give a multiple of 8",
        ),
        (
            "banks: [[a, b]], bank_depth: 8, bank_width: 24",
            "`bank_width` of 24 bits does not divide `width` of 64 bits",
        ),
        (
            "banks: [[a, b]], bank_depth: 8, bank_width: 128",
            "`bank_width` of 128 bits does not divide `width` of 64 bits",
        ),
        (
            "banks: [[a, b]], bank_depth: 3, bank_width: 32",
            "`size` of 64 bytes is not a multiple of 24 bytes, which is `width` / 8 × `bank_depth`, a row of banks",
        ),
        (
            "banks: [[a, b]], bank_depth: 0x7fffffffffffffff, bank_width: 32",
            "`size` of 64 bytes is not a multiple of 18446744073709551615 bytes, which is `width` / 8 × `bank_depth`, a row of banks",
        ),
        (
            "banks: [[a, b]], bank_depth: 4, bank_width: 32",
            "`banks` has 1 rows, but `size` / (`width` / 8 × `bank_depth`) is 2",
        ),
        (
            "banks: [], bank_depth: 4, bank_width: 32",
            "`banks` has 0 rows, but `size` / (`width` / 8 × `bank_depth`) is 2",
        ),
        (
            "banks: [[a, b], [c]], bank_depth: 4, bank_width: 32",
            "`banks[1]` has 1 columns, but `width` / `bank_width` is 2",
        ),
        (
            "banks: [[a, b]], bank_depth: 8, bank_width: 32, array_dims: {rows: 3, cols: 3}",
            "`array_dims`: 3 rows × 3 cols is not 8 words, as given by `bank_depth`",
        ),
    ];
    for (keys, message) in cases {
        assert_eq!(memory_error(&format!("{sram}{keys}")), message, "{keys}");
    }
}

#[test]
fn keys_are_known_and_of_their_type() {
    let cases = [
        ("size: 8", "missing field `base`"),
        ("base: 0", "missing field `size`"),
        (
            "bsae: 0, size: 8",
            "`bsae`: unknown key; did you mean `base`?",
        ),
        (
            "base:0x80, size: 8",
            "`base:0x80`: unknown key; write a space after the colon of `base:`",
        ),
        (
            "base: 0, size: 8, array_dims: {row: 1}",
            "`array_dims.row`: unknown key; did you mean `rows`?",
        ),
        (
            "base: 0, size: 8, banks: [a]",
            "`banks[0]`: invalid type: string \"a\", expected a sequence",
        ),
        (
            "base: 0, size: 8, init: {method: zero}",
            "`init.method`: unknown variant `zero`, expected one of `no_init`, `all_zero`, `random`, `hex`",
        ),
        (
            "base: 0, size: 8, init: {method: hex}",
            "`init.file` is missing; a memory with `method: hex` needs it",
        ),
        (
            "base: 0, size: 8, init: {method: all_zero, seed: 1}",
            "`init.seed` does not belong to this `init.method`; `seed` is for `random`, and `file` \
             for `hex`",
        ),
        (
            "base: 0, size: 8, init: {}",
            "`init`: missing field `method`",
        ),
    ];
    for (keys, message) in cases {
        assert_eq!(memory_error(keys), message, "{keys}");
    }
    assert_eq!(
        memories("space: {s: [{ram: {base: 0, size: 8, backend: rom}}]}").unwrap_err(),
        "mem.yaml:1: memory `ram` of space `s`: `backend`: unknown variant `rom`, expected one of `log`, `uvm`, `api`, `static`, `vpi`, `model`"
    );
    assert_eq!(
        memories("space: {s: [{ram: 8}]}").unwrap_err(),
        "mem.yaml:1: memory `ram` of space `s`: invalid type: integer `8`, expected the keys of a memory, as `{base: 0x1000, size: 4096}`"
    );
    assert_eq!(
        memories("shared: {ram: {base: 0}}\nspace: {}").unwrap_err(),
        "mem.yaml:1: shared memory `ram`: missing field `size`"
    );
}

#[test]
fn errors_of_numbers_show_their_forms() {
    let cases = [
        ("base: -4, size: 8", "`base`: `-4` is negative"),
        ("base: '-0x4', size: 8", "`base`: `-0x4` is negative"),
        ("base: 0, size: 4Q", "`size`: `4Q` is not a number"),
        (
            "base: 0, size: 256*1024",
            "`size`: `256*1024` is not a number",
        ),
        (
            "base: 80000000h, size: 8",
            "`base`: `80000000h` is not a number",
        ),
        (
            "base: 0, size: 1.5",
            "`size`: `1.5` is a floating-point number",
        ),
        (
            "base: 0, size: 1e6",
            "`size`: `1000000` is a floating-point number",
        ),
        (
            "base: 0, size: 0262144",
            "`size`: `0262144` begins with 0, which may mean octal: write 0o before an octal \
             number, or leave the 0 out",
        ),
        (
            "base: 0x1_0000_0000_0000_0000, size: 8",
            "`base`: `0x1_0000_0000_0000_0000` does not fit into 64 bits, the largest is 0xffffffffffffffff",
        ),
        (
            "base: 0, size: 99999999999G",
            "`size`: `99999999999G` does not fit into 64 bits, the largest is 0xffffffffffffffff",
        ),
        (
            "base: 0, size: 8, array_dims: {rows: 1:30}",
            "`array_dims.rows`: `1:30` is not a number",
        ),
        (
            "base: 0, size: 8, init: {method: random, seed: ''}",
            "`init.seed`: no value",
        ),
        ("base: 0, size: ", "`size`: no value"),
        ("base: ~, size: 8", "`base`: no value"),
        ("base: 0, size: 8, width: ", "`width`: no value"),
        (
            "base: 0, size: 8, bank_width: '  '",
            "`bank_width`: no value",
        ),
        (
            "base: 0, size: 8, array_dims: {rows: , cols: 8}",
            "`array_dims.rows`: no value",
        ),
        (
            "base: 0x, size: 8",
            "`base`: `0x` has no digits behind its prefix",
        ),
        (
            "base: 1_, size: 8",
            "`base`: `1_` has a `_` that is not between two digits",
        ),
        ("base: 0, size: 1.5K", "`size`: `1.5K` has a fraction"),
        ("base: [0], size: 8", "`base`: a list"),
        ("base: 0, size: {a: 8}", "`size`: a map"),
        ("base: true, size: 8", "`base`: `true` is a flag"),
    ];
    for (keys, message) in cases {
        let error = memory_error(keys);
        let forms = "; write a whole number of 64 bits, as 4096, 0x1000, 0x8000_0000, 0o17, 0b101, or 64K, 1M, 2G (units of 1024)";
        assert_eq!(error, format!("{message}{forms}"), "{keys}");
    }
}

/// Texts that are not numbers, for any key that takes one.
const NO_NUMBERS: [&str; 14] = [
    "-1",
    "1e3",
    "",
    "~",
    "0x",
    "1_",
    "1.5K",
    "1.5",
    "[1]",
    "{a: 1}",
    "true",
    "010",
    "text",
    "18446744073709551616",
];

#[test]
fn a_wrong_value_is_reported_with_its_line() {
    let keys = [
        "base",
        "size",
        "width",
        "bank_width",
        "bank_depth",
        "rows",
        "cols",
        "seed",
    ];
    for key in keys {
        for wrong in NO_NUMBERS {
            let value = |name: &str, value| if name == key { wrong } else { value };
            let text = format!(
                "space:\n  s:\n    - ram:\n        base: {}\n        size: {}\n        width: {}\n        bank_width: {}\n        \
                 bank_depth: {}\n        array_dims:\n          rows: {}\n          cols: {}\n        init:\n          method: random\n          \
                 seed: {}\n        backend: log\n",
                value("base", "0"),
                value("size", "8"),
                value("width", "8"),
                value("bank_width", "8"),
                value("bank_depth", "8"),
                value("rows", "1"),
                value("cols", "8"),
                value("seed", "1")
            );
            let line = 1 + text
                .lines()
                .position(|line| line.contains(&format!(" {key}: ")))
                .unwrap();
            let error = memories(&text).unwrap_err();
            let start = format!("mem.yaml:{line}: memory `ram` of space `s`: `");
            assert!(error.starts_with(&start), "{key}: {wrong}: {error}");
            assert!(
                error.contains(&format!("{key}`: ")),
                "{key}: {wrong}: {error}"
            );
            let forms = "; write a whole number of 64 bits, as 4096, 0x1000, ";
            assert!(error.contains(forms), "{key}: {wrong}: {error}");
        }
    }
}

#[test]
fn a_number_of_more_than_64_bits_is_reported_and_may_be_a_text() {
    let text = |base: &str| {
        format!(
            "space:\n  s:\n    - ram:\n        base: {base}\n        size: 8\n        backend: log\n"
        )
    };
    let wide = [
        "18446744073709551616",
        "'18446744073709551616'",
        "0x10000000000000000",
        "0x1_0000_0000_0000_0000",
        "0x100000000000000000000000000000000",
        "17179869184G",
    ];
    // The parser drops the digits of these.
    for (base, digits) in [
        ("340282366920938463463374607431768211456", 39),
        ("1000000000000000000000000000000000000000", 39),
        ("1e20", 21),
    ] {
        let error = memories(&text(base)).unwrap_err();
        let start = format!(
            "mem.yaml:4: memory `ram` of space `s`: `base`: a number of about {digits} digits does not fit into 64 bits, the largest is \
             0xffffffffffffffff; write "
        );
        assert!(error.starts_with(&start), "{error}");
    }
    for base in wide {
        let error = memories(&text(base)).unwrap_err();
        assert!(
            error.starts_with("mem.yaml:4: memory `ram` of space `s`: `base`: `")
                && error.contains(
                    "` does not fit into 64 bits, the largest is 0xffffffffffffffff; write "
                ),
            "{error}"
        );
    }
    let error = memories(&text("-9223372036854775809")).unwrap_err();
    assert!(error.contains("` is negative; write "), "{error}");
    memories(&format!(
        "{}        note: 18446744073709551616\n",
        text("0")
    ))
    .unwrap();
}

#[test]
fn the_line_is_that_of_the_value_and_not_of_another_one_like_it() {
    let text = "d: &d\n  size: 9Q\nspace:\n  s:\n    - a: {base: 0, size: 8, backend: log}\n    - b: {<<: *d, size: 8, base: 8, backend: log}\n    \
        - c:\n        base: 9Q\n        size: 8\n";
    let error = memories(text).unwrap_err();
    assert!(
        error.starts_with("mem.yaml:8: memory `c` of space `s`: `base`: `9Q`"),
        "{error}"
    );
    // A merged value has the line of its text.
    let merged = text.replace("size: 8, base: 8", "base: 8");
    let error = memories(&merged).unwrap_err();
    assert!(
        error.starts_with("mem.yaml:2: memory `b` of space `s`: `size`: `9Q`"),
        "{error}"
    );
    // A missing key has the line of its map.
    let error = memories("shared:\n  rom: {base: 0}\nspace: {}").unwrap_err();
    assert!(
        error.starts_with("mem.yaml:2: shared memory `rom`: missing field `size`"),
        "{error}"
    );
}

#[test]
fn a_key_that_is_no_text_is_named() {
    for key in ["0", "true"] {
        let error = memories(&format!("space: {{{key}: []}}")).unwrap_err();
        let part = format!("the key `{key}` is not text; write it in quotes");
        assert!(error.contains(&part), "{error}");
    }
}

/// Any blank may precede the comment.
#[test]
fn anchors_in_comments_are_none() {
    let text = "a: &x 1\nb: 2\t# like &x\n#&x\nspace: {s: []} # &x\n";
    memories(text).unwrap();
    let error = memories("a: &x 1\nb: 'a#' &x 2\nspace: {}").unwrap_err();
    assert!(error.contains("`&x` is defined twice"), "{error}");
}

#[test]
fn names_are_not_empty() {
    let hdl = "base: 0, size: 8, width: 8, bank_width: 8, bank_depth: 8, path";
    let cases = [
        ("base: 0, size: 8, width: 8, path: ''".to_owned(), "path"),
        ("base: 0, size: 8, width: 8, path: ' '".to_owned(), "path"),
        (format!("{hdl}: m, banks: [['']]"), "banks"),
        (
            "base: 0, size: 8, width: 8, init: {method: hex, file: ''}".to_owned(),
            "init.file",
        ),
    ];
    for (keys, key) in cases {
        assert_eq!(
            memory_error(&keys),
            format!("`{key}` is empty; give a name, or leave the key out"),
            "{keys}"
        );
    }
    let outside = Fake::default().variable("NOTHING", "");
    let text = "space:\n  s:\n    - ram:\n        {base: 0, size: 8, width: 8,\n        init: {method: hex, file: $NOTHING}}\n";
    assert_eq!(
        memories_in(text, &outside).unwrap_err(),
        "mem.yaml:5: memory `ram` of space `s`: `init.file` is empty; give a name, or leave the key out"
    );
    let ram = "{base: 0, size: 8, backend: log}";
    let cases = [
        (format!("space: {{'': [{{ram: {ram}}}]}}"), "a space"),
        (
            format!("space: {{s: [{{'': {ram}}}]}}"),
            "a memory of space `s`",
        ),
        (
            format!("shared: {{'': {ram}}}\nspace: {{}}"),
            "a shared memory",
        ),
    ];
    for (text, of) in cases {
        let message = format!("mem.yaml: {of} has an empty name; give it one");
        assert_eq!(memories(&text).unwrap_err(), message, "{text}");
    }
}

#[test]
fn hex_files_exist_and_have_a_width() {
    let hex = "base: 0, size: 8, init: {method: hex, file: /no/boot.hex}";
    assert_eq!(
        memory_error(hex),
        "`width` is missing; a memory with `init.file` needs it"
    );
    assert_eq!(
        memory_error(&format!("{hex}, width: 8")),
        "`init.file`: file `/no/boot.hex` does not exist"
    );
    assert_eq!(
        memory_error(
            "base: 0, size: 8, width: 8, init: {method: hex, file: \"${HEX_DIR}/boot.hex\"}"
        ),
        "`init.file`: the environment variable `HEX_DIR` of `${HEX_DIR}/boot.hex` is not set (or not text); \
         set it, or write `$$` for a plain `$`"
    );
}

#[test]
fn a_backend_refuses_unreachable_memories() {
    let error = |keys: &str| {
        memories(&format!(
            "space: {{s: [{{ram: {{base: 0, size: 8, {keys}}}}}]}}"
        ))
        .unwrap_err()
    };
    let api = "mem.yaml:1: memory `ram` of space `s`: `path`: the backend `api` accesses black \
               boxes only; leave `path` out, or choose another `backend`";
    let fixed = "mem.yaml:1: memory `ram` of space `s`: `path` is missing: the backend `static` \
                 requires it and has no black boxes; give `path`, or choose another `backend`";
    assert_eq!(error("backend: api, path: m, width: 8"), api);
    assert_eq!(
        error("backend: api, path: m, width: 8, bank_width: 8, bank_depth: 8, banks: [[a]]"),
        api
    );
    assert_eq!(error("backend: static"), fixed);
    assert_eq!(error("backend: static, width: 8"), fixed);
    let by_feature = " (this one is the default, by Cargo feature)";
    if cfg!(feature = "mem_api") {
        assert_eq!(error("path: m, width: 8"), format!("{api}{by_feature}"));
    }
    if cfg!(feature = "mem_static") {
        assert_eq!(error("width: 8"), format!("{fixed}{by_feature}"));
    }
}

#[test]
fn spaces_hold_memories_apart() {
    let space = |list: &str| {
        let shared = "shared: {ram: {base: 0x1000, size: 0x100, backend: log}, rom: {base: 0, size: 8, backend: log}}";
        memories(&format!("{shared}\nspace: {{core0: {list}}}")).unwrap_err()
    };
    let cases = [
        (
            "[ram, {b: {base: 0x10ff, size: 2, backend: log}}]",
            "mem.yaml:1: space `core0`: `base`: memory `ram` (0x1000 to 0x10ff) overlaps memory `b` (0x10ff to 0x1100) in part; \
             one that contains the other is fine, and the one that is listed first wins (the other one is in line 2)",
        ),
        (
            "[ram, rmo]",
            "mem.yaml:2: space `core0`: there is no shared memory `rmo`; shared: `ram`, `rom`",
        ),
        (
            "[ram, [rom, ram]]",
            "mem.yaml:2: space `core0`: two memories are named `ram`; rename one",
        ),
        (
            "[ram, {ram: {base: 0, size: 8, backend: log}}]",
            "mem.yaml:2: space `core0`: two memories are named `ram`; rename one",
        ),
        (
            "ram",
            "mem.yaml:2: `space.core0`: must be a list of memories",
        ),
        (
            "[ram, 8]",
            "mem.yaml: an item of `space.core0`: must be the name of a shared memory, a map from names to memories, or a list of these",
        ),
    ];
    for (list, message) in cases {
        assert_eq!(space(list), message, "{list}");
    }
    assert_eq!(
        memories("space: {core0: [ram]}").unwrap_err(),
        "mem.yaml:1: space `core0`: there is no shared memory `ram`; shared: none"
    );
}

#[test]
fn the_document_has_its_form() {
    let space = "mem.yaml:1: `space`: must be a map from names of spaces to lists of memories";
    let document =
        "mem.yaml:1: the document: must be a map with the key `space`, and perhaps `shared`";
    assert_eq!(memories("").unwrap_err(), document);
    assert_eq!(memories("[space]").unwrap_err(), document);
    assert_eq!(
        memories("# No memory yet.\n").unwrap_err(),
        document.replace(":1:", ":2:")
    );
    assert_eq!(
        memories("\n\n- space").unwrap_err(),
        document.replace(":1:", ":3:")
    );
    assert_eq!(
        memories("shared: {}").unwrap_err(),
        "mem.yaml: `space`: is missing; give a map from names of spaces to lists of memories"
    );
    assert_eq!(memories("space: []").unwrap_err(), space);
    assert_eq!(
        memories("shared: []\nspace: {}").unwrap_err(),
        "mem.yaml:1: `shared`: must be a map from names to memories"
    );
    let error = memories("space: {core0: [").unwrap_err();
    assert!(error.starts_with("mem.yaml: not valid YAML: "), "{error}");
    assert!(error.contains("at line "), "{error}");
}

#[test]
fn a_binary_file_and_a_second_document_are_refused_with_their_line() {
    let control = |line: usize, code: &str| {
        format!(
            "mem.yaml:{line}: the character {code} is not allowed in YAML; is the file text, as UTF-8?"
        )
    };
    assert_eq!(
        memories("space:\n  s: \0[]").unwrap_err(),
        control(2, "U+0000")
    );
    assert_eq!(
        memories("# \u{1b}\nspace: {}").unwrap_err(),
        control(1, "U+001B")
    );
    let second = |line: usize| {
        format!(
            "mem.yaml:{line}: a second document begins here; a configuration is one document: leave out `---` and `...`"
        )
    };
    for (text, line) in [
        ("space: {}\n---\nspace: {}\n", 2),
        ("# One\n---\n# Two\n--- \nspace: {}\n", 4),
        ("space: {}\n...\n# Three\nspace: {}\n", 4),
        ("---\nspace: {}\n...\n---\n", 4),
    ] {
        assert_eq!(memories(text).unwrap_err(), second(line), "{text}");
    }
    for one in [
        "%YAML 1.2\n---\nspace: {}\n...\n",
        "--- # One\r\nspace:\r\n  s: [{a: {base: 0, size: 8, backend: log, desc: '---'}}]\r\n",
        "space: {}\n...\n# The end.\n",
        "space: {\n ---a: []}\n",
    ] {
        assert!(memories(one).is_ok(), "{one}: {:?}", memories(one));
    }
}

/// A number ends at a comma, and the rest becomes a key.
#[test]
fn a_number_with_a_comma_is_reported() {
    for size in ["1,024", "1,100", "1,000,000"] {
        let text = format!("space: {{s: [{{ram: {{base: 0, size: {size}, backend: log}}}}]}}");
        let error = memories(&text).unwrap_err();
        assert!(error.starts_with("mem.yaml:"), "{error}");
        let reported = [
            "write 1024 or 1_024, and not 1,024",
            "write 1000000 or 1_000_000, and not 1,000,000",
        ];
        assert!(
            reported.iter().any(|reported| error.contains(reported)),
            "{error}"
        );
    }
    let channel = "core0: {space: core0, base: 1,024}";
    let outside = channels::outside();
    let error = parse_mailboxes(channel, Path::new("mb.yaml"), &channels::map(), &outside);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("`024`: unknown key; a number has no comma"),
        "{error}"
    );
}

#[test]
fn another_spelling_of_a_key_that_is_there_is_refused_with_its_line() {
    let text = "space:\n  s:\n    - ram:\n        base: 0\n        size: 8\n        Size: 16\n        backend: log\n";
    assert_eq!(
        memories(text).unwrap_err(),
        "mem.yaml:6: memory `ram` of space `s`: `Size`: unknown key, and `size` is given, too; \
         leave one of them out"
    );
}

/// The other memory may be shared, and listed by name.
#[test]
fn memories_that_overlap_are_named_with_both_lines() {
    let text = "shared:\n  b: {base: 8, size: 16, backend: log}\nspace:\n  s:\n    - a: {base: 0, size: 16, backend: log}\n    - b\n";
    let error = memories(text).unwrap_err();
    assert!(error.starts_with("mem.yaml:5: space `s`: "), "{error}");
    assert!(error.ends_with(" (the other one is in line 2)"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read_text(Path::new("/no/mem.yaml")).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("/no/mem.yaml: can't be read: "), "{text}");
    assert!(std::error::Error::source(&error).is_none());
}

#[test]
fn a_file_in_another_encoding_is_refused_with_line_and_byte() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mem.yaml");
    let error = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let text = read_text(&file).unwrap_err().to_string();
        text.strip_prefix(&file.display().to_string())
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        error(b"space:\n# Gr\xf6\xdfe\n"),
        ":2: byte 0xf6 is not UTF-8; save the file as UTF-8"
    );
    assert_eq!(
        error(b"\xff\xfes\0"),
        ":1: byte 0xff is not UTF-8; save the file as UTF-8"
    );
}
