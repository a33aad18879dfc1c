//! Memory maps that are believed.

use proptest::prelude::*;

use super::*;
use crate::mem::{Array, Backend, Init, MemoryId, Shape};

/// The example of the specification, each memory with a backend.
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
            .memories
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
    let seen: Vec<_> = map
        .spaces
        .iter()
        .map(|space| space.memories.as_slice())
        .collect();
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
        "mem.yaml: memory `ram` of space `s`: `init.file`: there is no file `f`"
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
    /// A space is believed if and only if no byte of it is in two memories.
    #[test]
    fn memories_of_a_space_are_believed_where_they_are_apart(
        memories_of in prop::collection::vec((0u64..60, 1u64..20), 1..7),
    ) {
        let listed = memories_of.iter().enumerate().map(|(nth, (base, size))| format!("m{nth}: {{base: {base}, size: {size}, backend: log}}"));
        let listed: Vec<_> = listed.collect();
        let believed = memories(&format!("space: {{s: [{{{}}}]}}", listed.join(", ")));
        let mut owners = [0; 80];
        for (base, size) in &memories_of {
            (*base..base + size).for_each(|byte| owners[byte as usize] += 1);
        }
        let apart = owners.iter().all(|owners| *owners < 2);
        match believed {
            Ok(_) => prop_assert!(apart),
            Err(error) => prop_assert!(!apart && error.contains(" overlaps memory `m"), "{}", error),
        }
    }
}

#[test]
fn the_text_of_a_file_is_kept_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mem.yaml");
    let text = "space: {s: [{ram: {base: 0, size: 8, backend: log}}]} # spaces\n";
    std::fs::write(&file, text).unwrap();
    assert_eq!(read_text(&file).unwrap(), text);
}
