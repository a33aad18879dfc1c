//! Accepted memory maps.

use proptest::prelude::*;

use super::*;
use crate::mem::{Array, Backend, Init, MemoryId, Shape};

/// Example of the specification, each memory with a backend.
const EXAMPLE: &str = r#"
shared:
  ram: &ram
    base: 0x80000000
    size: 65536
    path: tb.dut.ram.mem
    width: 128
    array_dims: {rows: 256, cols: 16}
    init: {method: hex, file: "${ROOT}/boot.hex"}
    backend: vpi
  a: {base: 0x10000, size: 16, backend: uvm}
  b: {base: 0x20000, size: 16, backend: api}
space:
  core0:
    - ilm: {base: 0, size: 4096, backend: log}
    - ram
    - [a, [b]]
  core1:
    - ram2: {<<: *ram, base: 0x90000000}
    - ram
    - sram:
        path: tb.dut.sram
        base: 0x05000000
        size: 65536
        width: 128
        bank_width: 64
        bank_depth: 1024
        array_dims: {rows: 128, cols: 8}
        backend: static
        banks:
          - [r0.c0.MEM, r0.c1.MEM]
          - [r1.c0.MEM, r1.c1.MEM]
          - [r2.c0.MEM, r2.c1.MEM]
          - [r3.c0.MEM, r3.c1.MEM]
"#;

#[test]
fn the_example_of_the_specification() {
    let outside = Fake::default()
        .variable("ROOT", "/fw")
        .file("/fw/boot.hex", Vec::new());
    let map = memories_in(EXAMPLE, &outside).unwrap();

    let names = |space: usize| -> Vec<_> {
        map.spaces[space]
            .memories()
            .iter()
            .map(|id| map.memory(*id).unwrap().name.as_str())
            .collect()
    };
    assert_eq!(map.spaces[0].name, "core0");
    assert_eq!(names(0), ["ilm", "a", "b", "ram"]);
    assert_eq!(map.spaces[1].name, "core1");
    assert_eq!(names(1), ["sram", "ram", "ram2"]);

    let named = |name| {
        map.memories
            .iter()
            .find(|memory| memory.name == name)
            .unwrap()
    };
    let (ram, ram2, sram) = (named("ram"), named("ram2"), named("sram"));
    assert_eq!(
        (ram.base, ram.size, ram.backend),
        (0x8000_0000, 0x10000, Backend::Vpi)
    );
    assert_eq!(
        ram.init,
        Init::Hex {
            file: PathBuf::from("/fw/boot.hex"),
            width: 16
        }
    );
    let array = Array {
        width: 16,
        rows: 256,
        cols: 16,
    };
    assert_eq!(
        ram.shape,
        Shape::Direct {
            path: "tb.dut.ram.mem".to_owned(),
            array
        }
    );
    assert_eq!(ram2.base, 0x9000_0000);
    assert_eq!(
        (&ram2.shape, &ram2.init, ram2.backend),
        (&ram.shape, &ram.init, ram.backend)
    );

    let Shape::Banked { banks, bank } = &sram.shape else {
        panic!("{:?}", sram.shape)
    };
    assert_eq!(
        *bank,
        Array {
            width: 8,
            rows: 128,
            cols: 8
        }
    );
    assert_eq!(banks.len(), 4);
    assert_eq!(banks[3], ["tb.dut.sram.r3.c0.MEM", "tb.dut.sram.r3.c1.MEM"]);
}

#[test]
fn a_shared_memory_is_one_memory() {
    let map = memories(
        "shared: {ram: {base: 0, size: 8, backend: log}, unseen: {base: 0, size: 8, backend: log}}
space: {core0: [ram], core1: [[ram]], core2: [{ram: {base: 0, size: 8, backend: log}}]}",
    )
    .unwrap();
    let seen: Vec<_> = map.spaces.iter().map(|space| space.memories()).collect();
    assert_eq!(seen, [[MemoryId(0)], [MemoryId(0)], [MemoryId(1)]]);
    assert_eq!(map.memories.len(), 2, "no space sees `unseen`");
}

#[test]
fn defaults_follow_from_the_other_keys() {
    let map = memories(
        "space: {s: [{direct: {base: 0, size: 96, path: m, width: 24, backend: log},
            rows: {base: 0x100, size: 96, path: m, width: 24, array_dims: {rows: 4}, backend: log}}]}",
    )
    .unwrap();
    let array = |nth: usize| map.memories[nth].shape.array().unwrap();
    assert_eq!(
        array(0),
        Array {
            width: 3,
            rows: 1,
            cols: 32
        }
    );
    assert_eq!(
        array(1),
        Array {
            width: 3,
            rows: 4,
            cols: 8
        }
    );
    assert_eq!(map.memories[0].init, Init::None);
}

#[test]
fn a_black_box_may_keep_the_keys_of_a_shape() {
    let map = memories(
        "space: {s: [{ram: {base: 0, size: 96, width: 24, array_dims: {rows: 4}, init: {method: hex, file: f}, backend: api}}]}",
    );
    assert_eq!(
        map.unwrap_err(),
        "mem.yaml:1: memory `ram` of space `s`: `init.file`: file `f` does not exist"
    );
    let outside = Fake::default().file("f", Vec::new());
    let map = memories_in("space: {s: [{ram: {base: 0, size: 96, width: 24, init: {method: hex, file: f}, backend: api}}]}", &outside).unwrap();
    assert_eq!(map.memories[0].shape, Shape::BlackBox);
    assert_eq!(
        map.memories[0].init,
        Init::Hex {
            file: PathBuf::from("f"),
            width: 3
        }
    );
}

#[test]
fn every_init_method() {
    let init = |text: &str| {
        let map = memories(&format!(
            "space: {{s: [{{ram: {{base: 0, size: 8, backend: log, init: {text}}}}}]}}"
        ));
        map.unwrap().memories[0].init.clone()
    };
    assert_eq!(init("{method: no_init}"), Init::None);
    assert_eq!(init("{method: all_zero}"), Init::Zero);
    assert_eq!(init("{method: random}"), Init::Random { seed: None });
    assert_eq!(
        init("{method: random, seed: 0x10}"),
        Init::Random { seed: Some(16) }
    );
}

#[test]
fn the_default_backend_is_the_features_choice() {
    let shape = if Backend::default() == Backend::Static {
        "path: m, width: 8"
    } else {
        ""
    };
    let map = memories(&format!(
        "space: {{s: [{{ram: {{base: 0, size: 8, {shape}}}}}]}}"
    ))
    .unwrap();
    let chosen = [
        (cfg!(feature = "mem_uvm"), Backend::Uvm),
        (cfg!(feature = "mem_api"), Backend::Api),
        (cfg!(feature = "mem_static"), Backend::Static),
        (cfg!(feature = "mem_vpi"), Backend::Vpi),
        (true, Backend::Log),
    ];
    let wanted = chosen
        .into_iter()
        .find_map(|(on, backend)| on.then_some(backend));
    assert_eq!(Some(map.memories[0].backend), wanted);
}

#[test]
fn a_memory_may_end_at_the_last_address() {
    let map = memories("space: {s: [{top: {base: 0xfffffffffffffff0, size: 16, backend: log}}]}")
        .unwrap();
    assert_eq!(map.memories[0].base, u64::MAX - 15);
}

proptest! {
    /// A space is accepted if and only if any two memories are disjoint or nested. Nested ones
    /// cause a warning.
    #[test]
    fn memories_of_a_space_are_accepted_where_they_nest(
        memories_of in prop::collection::vec((0u64..60, 1u64..20), 1..7),
    ) {
        let listed = memories_of.iter().enumerate().map(|(nth, (base, size))| format!("m{nth}: {{base: {base}, size: {size}, backend: log}}"));
        let listed: Vec<_> = listed.collect();
        let outside = Fake::default();
        let accepted = memories_in(&format!("space: {{s: [{{{}}}]}}", listed.join(", ")), &outside);
        let ranges: Vec<_> = memories_of.iter().map(|(base, size)| (*base, base + size)).collect();
        let within = |a: &(u64, u64), b: &(u64, u64)| b.0 <= a.0 && a.1 <= b.1;
        let apart = |a: &(u64, u64), b: &(u64, u64)| a.1 <= b.0 || b.1 <= a.0;
        let pairs = || (0..ranges.len()).flat_map(|a| (0..ranges.len()).filter(move |b| a != *b).map(move |b| (a, b)));
        let nests = pairs().all(|(a, b)| {
            let (a, b) = (&ranges[a], &ranges[b]);
            apart(a, b) || within(a, b) || within(b, a)
        });
        match accepted {
            Ok(_) => {
                prop_assert!(nests);
                let warnings = outside.diagnostics.borrow();
                let named = |text: String| warnings.iter().filter(|warning| warning.contains(&text)).count();
                for (a, b) in pairs() {
                    // Of two equal ranges, the later is within the earlier.
                    let inner = within(&ranges[a], &ranges[b]) && (ranges[a] != ranges[b] || a > b);
                    let hidden = named(format!("memory `m{a}` ({:#x} to {:#x}) is hidden by memory `m{b}`", ranges[a].0, ranges[a].1 - 1));
                    let front = named(format!("memory `m{a}` ({:#x} to {:#x}) is in front of memory `m{b}`", ranges[a].0, ranges[a].1 - 1));
                    prop_assert_eq!((hidden, front), (usize::from(inner && b < a), usize::from(inner && a < b)), "{} {}", a, b);
                }
                // Reference model: the memory of each address.
                let wins = |at: u64| (0..ranges.len()).find(|a| (ranges[*a].0..ranges[*a].1).contains(&at));
                for (a, (from, to)) in ranges.iter().enumerate() {
                    let reached = (*from..*to).any(|at| wins(at) == Some(a));
                    let reported = named(format!("no access reaches `m{a}`")) > 0;
                    prop_assert_eq!(reported, !reached, "m{}", a);
                }
            }
            Err(error) => prop_assert!(!nests && error.contains(" overlaps memory `m"), "{}", error),
        }
    }
}

/// Warnings of an accepted memory configuration.
fn warnings(text: &str) -> Vec<String> {
    let outside = Fake::default();
    memories_in(text, &outside).unwrap();
    outside.diagnostics.take()
}

#[test]
fn a_memory_within_another_is_warned_of() {
    let of = |list: &str| {
        let whole = "all: {base: 0, size: 0x1000, backend: log}";
        let device = "device: {base: 0x100, size: 16, backend: log}";
        let list = list.replace("ALL", whole).replace("DEVICE", device);
        warnings(&format!("space: {{core0: [{list}]}}"))
    };
    assert_eq!(
        of("{DEVICE}, {ALL}"),
        [
            "mem.yaml: space `core0`: memory `device` (0x100 to 0x10f) is in front of memory `all`, which contains it and is listed \
             later: accesses there do not reach `all`"
        ]
    );
    assert_eq!(
        of("{ALL}, {DEVICE}"),
        [
            "mem.yaml: space `core0`: memory `device` (0x100 to 0x10f) is hidden by memory `all`, which contains it and is listed \
             before it: no access reaches `device`; list it first"
        ]
    );
}

#[test]
fn every_pair_of_three_memories_is_warned_of_once() {
    let of = |list: &str| {
        let list = list
            .replace("OUTER", "outer: {base: 0, size: 0x1000, backend: log}")
            .replace("MIDDLE", "middle: {base: 0x100, size: 0x100, backend: log}")
            .replace("INNER", "inner: {base: 0x100, size: 16, backend: log}");
        let warnings = warnings(&format!("space: {{s: [{list}]}}"));
        let pair = |warning: &String| {
            let (_, pair) = warning.split_once(" memory ").unwrap();
            pair.split_once(", which").unwrap().0.to_owned()
        };
        warnings.iter().map(pair).collect::<Vec<_>>()
    };
    let behind = [
        "`inner` (0x100 to 0x10f) is hidden by memory `middle`",
        "`inner` (0x100 to 0x10f) is hidden by memory `outer`",
    ];
    let middle = "`middle` (0x100 to 0x1ff) is hidden by memory `outer`";
    assert_eq!(
        of("{OUTER}, {MIDDLE}, {INNER}"),
        [middle, behind[0], behind[1]]
    );
    let middle = "`middle` (0x100 to 0x1ff) is in front of memory `outer`";
    assert_eq!(
        of("{MIDDLE}, {OUTER}, {INNER}"),
        [middle, behind[0], behind[1]]
    );
}

#[test]
fn a_memory_covered_by_several_is_reported() {
    let text = "space: {s: [{low: {base: 0, size: 8, backend: log}}, {high: {base: 8, size: 8, backend: log}}, \
        {all: {base: 0, size: 16, backend: log}}]}";
    let warnings = warnings(text);
    assert_eq!(warnings.len(), 3);
    assert_eq!(
        warnings[0],
        "mem.yaml: space `s`: memory `all` (0x0 to 0xf) is hidden by the memories in front of it, which cover all of it: no access reaches \
         `all`; leave it out, or list it first"
    );
}

/// The time must not grow with the square of their number.
#[test]
fn many_memories_within_each_other_are_accepted() {
    const COUNT: usize = 20_000;
    let nested = |at: usize| {
        format!(
            "{{m{at}: {{base: {at}, size: {}, backend: log}}}}",
            2 * (COUNT - at)
        )
    };
    let list: Vec<_> = (0..COUNT).map(nested).collect();
    let warnings = warnings(&format!("space: {{s: [{}]}}", list.join(", ")));
    assert_eq!(warnings.len(), 101);
    assert!(warnings[99].contains("is hidden by memory `m"));
    let more = COUNT * (COUNT - 1) / 2 - 100;
    assert_eq!(
        warnings[100],
        format!("mem.yaml: space `s`: {more} more pairs of memories overlap")
    );
}

#[test]
fn a_key_near_one_that_is_there_is_a_warning() {
    let text = "space: {s: [{ram: {base: 0, size: 8, backend: log, side: left, unit: 4, widths: 8, width: 8}}]}";
    let start = "mem.yaml: memory `ram` of space `s`: the key ";
    assert_eq!(
        warnings(text),
        [
            ("side", "; did you mean `size`, which is given, too?"),
            ("unit", "; did you mean `init`?"),
            ("widths", "; did you mean `width`, which is given, too?"),
        ]
        .map(|(key, hint)| format!("{start}`{key}` is unknown, and ignored{hint}"))
    );
    let error =
        memories("space:\n  s:\n    - ram:\n        base: 0\n        size: 8\n        witdh: 8\n")
            .unwrap_err();
    assert_eq!(
        error,
        "mem.yaml:6: memory `ram` of space `s`: `witdh`: unknown key; did you mean `width`?"
    );
}

/// Short keys with one letter missing, doubled or swapped.
#[test]
fn a_slip_in_a_short_key_is_an_error_that_names_the_key() {
    for (key, meant) in [
        ("pth", "path"),
        ("pat", "path"),
        ("paht", "path"),
        ("initt", "init"),
        ("nit", "init"),
    ] {
        let error = memories(&format!(
            "space:\n  s:\n    - ram:\n        base: 0\n        size: 8\n        {key}: top.ram\n"
        ))
        .unwrap_err();
        let wanted = format!("`{key}`: unknown key; did you mean `{meant}`?");
        assert!(error.ends_with(&wanted), "{error}");
    }
}

#[test]
fn a_key_at_the_wrong_level_is_warned_of_with_the_right_one() {
    let text = "space: {s: [{ram: {base: 0, size: 8, backend: log, init: {method: random, width: 8}, seed: 7, ptr: 32}}]}";
    let start = "mem.yaml: memory `ram` of space `s`: the key ";
    assert_eq!(
        warnings(text),
        [
            "`seed` is unknown, and ignored; it belongs inside `init`",
            "`ptr` is unknown, and ignored; it is a key of a channel, in the mailbox file",
            "`init.width` is unknown, and ignored; it belongs beside `init`, not inside",
        ]
        .map(|text| format!("{start}{text}"))
    );
}

#[test]
fn unknown_keys_are_warned_of_and_ignored() {
    let text = "
shared: {ram: {base: 0, size: 8, backend: log, id: 7, array_dims: {unit: words}}}
space: {s: [ram, {rom: {base: 8, size: 8, backend: log, desc: boot, init: {method: all_zero, why: [new]}}}]}
";
    assert_eq!(
        warnings(text),
        [
            "mem.yaml: shared memory `ram`: the key `id` is unknown, and ignored",
            "mem.yaml: shared memory `ram`: the key `array_dims.unit` is unknown, and ignored",
            "mem.yaml: memory `rom` of space `s`: the key `desc` is unknown, and ignored",
            "mem.yaml: memory `rom` of space `s`: the key `init.why` is unknown, and ignored",
        ]
    );
}

#[test]
fn numbers_are_understood_wherever_there_is_one() {
    let text = "space: {s: [{ram: {base: 0x8000_0000, size: 1K, path: m, width: '0X20', array_dims: {rows: 1_6, cols: '16'}, \
        init: {method: random, seed: '7'}, backend: log}}, {sram: {base: 2G, size: 64, path: s, width: 6_4, bank_width: '32', \
        bank_depth: 0b1000, banks: [[a, b]], backend: log}}]}";
    let map = memories(&text.replace("2G", "3G")).unwrap();
    let (ram, sram) = (&map.memories[0], &map.memories[1]);
    assert_eq!((ram.base, ram.size), (0x8000_0000, 1024));
    let array = |width, rows, cols| Some(Array { width, rows, cols });
    assert_eq!(ram.shape.array(), array(4, 16, 16));
    assert_eq!(ram.init, Init::Random { seed: Some(7) });
    assert_eq!(
        (sram.base, sram.shape.array()),
        (0xc000_0000, array(4, 1, 8))
    );
}

#[test]
fn the_text_of_a_file_is_kept_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mem.yaml");
    let text = "space: {s: [{ram: {base: 0, size: 8, backend: log}}]} # spaces\n";
    std::fs::write(&file, text).unwrap();
    assert_eq!(read_text(&file).unwrap(), text);
}
