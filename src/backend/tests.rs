use bytes::Bytes;

use super::*;
use crate::mem::{Array, Backend, Geometry, Init, Op, OpOutcome, Segments, Shape, execute};

fn memory(name: &str, backend: Backend, size: u64, shape: Shape) -> Memory {
    Memory {
        name: name.to_owned(),
        base: 0x8000_0000,
        size,
        shape,
        init: Init::None,
        backend,
    }
}

fn memories(memories: Vec<Memory>) -> Backends {
    let spaces = vec![];
    Backends::new(Rc::new(MemoryMap { memories, spaces })).unwrap()
}

fn array(width: u64, cols: u64) -> Array {
    let rows = 1;
    Array { width, rows, cols }
}

fn direct(path: &str, width: u64, words: u64) -> Shape {
    let path = path.to_owned();
    let array = array(width, words);
    Shape::Direct { path, array }
}

fn banked(banks: &[&[&str]], width: u64, words: u64) -> Shape {
    let row = |row: &&[&str]| row.iter().map(|path| (*path).to_owned()).collect();
    Shape::Banked {
        banks: banks.iter().map(row).collect(),
        bank: array(width, words),
    }
}

fn at(memory: u32, offset: u64, len: u64) -> Segment {
    let memory = MemoryId(memory);
    Segment {
        memory,
        offset,
        len,
    }
}

fn read(memories: &Backends, at: Segment) -> Result<Vec<u8>, String> {
    // Not zero, so that unread bytes are visible.
    let mut bytes = vec![0xee; usize::try_from(at.len).unwrap()];
    let read = memories.read(&at, &mut bytes);
    read.map(|()| bytes).map_err(|error| error.to_string())
}

fn write(memories: &Backends, at: Segment) -> Result<(), String> {
    let data = vec![1; usize::try_from(at.len).unwrap()];
    memories
        .write(&at, &data)
        .map_err(|error| error.to_string())
}

#[test]
fn the_error_of_a_missing_symbol_names_it() {
    let box_of = |backend| memory("ram", backend, 0x100, Shape::BlackBox);
    let memories = memories(vec![
        box_of(Backend::Api),
        box_of(Backend::Uvm),
        box_of(Backend::Vpi),
    ]);
    let lacks =
        |symbol| format!("memory `ram`, 4 bytes at offset 0x10: the simulator has no `{symbol}`");
    let symbols = [
        ("__vhost_bb_mem_read", "__vhost_bb_mem_write"),
        ("mb_bb_mem_read", "mb_bb_mem_write"),
        ("mb_bb_mem_read", "mb_bb_mem_write"),
    ];
    for (id, (reads, writes)) in (0..).zip(symbols) {
        let error = read(&memories, at(id, 0x10, 4)).unwrap_err();
        assert!(error.starts_with(&lacks(reads)), "{error}");
        let error = write(&memories, at(id, 0x10, 4)).unwrap_err();
        assert!(error.starts_with(&lacks(writes)), "{error}");
    }
}

#[test]
fn a_memory_of_the_log_reads_as_zero() {
    let memories = memories(vec![
        memory("box", Backend::Log, 0x100, Shape::BlackBox),
        memory("direct", Backend::Log, 16, direct("top.ram", 4, 4)),
    ]);
    for id in [0, 1] {
        assert_eq!(write(&memories, at(id, 4, 4)), Ok(()));
        assert_eq!(read(&memories, at(id, 4, 4)), Ok(vec![0; 4]));
    }
}

#[test]
fn nothing_passes_the_end_of_a_memory() {
    let boxed = |backend| memory("ram", backend, 16, Shape::BlackBox);
    let memories = memories(vec![
        boxed(Backend::Log),
        boxed(Backend::Api),
        boxed(Backend::Uvm),
        memory("ram", Backend::Static, 16, direct("top.ram", 4, 4)),
    ]);
    let error = |offset, len| {
        format!("memory `ram`, {len} bytes at offset {offset:#x}: the memory has only 0x10 bytes")
    };
    for id in 0..4 {
        for (offset, len) in [(14, 4), (16, 1), (u64::MAX, 2)] {
            let text = error(offset, len);
            assert_eq!(read(&memories, at(id, offset, len)), Err(text.clone()));
            assert_eq!(write(&memories, at(id, offset, len)), Err(text));
        }
    }
    let error = read(&memories, at(4, 0, 1)).unwrap_err();
    assert_eq!(
        error,
        "memory `#4`, 1 bytes at offset 0x0: it belongs to another map"
    );
}

#[test]
fn functions_that_the_simulator_lacks_are_named() {
    let absent = |backend, symbol| {
        let ram = memory("ram", backend, 16, direct("top.ram", 4, 4));
        let memories = memories(vec![ram]);
        let place = "memory `ram`, 4 bytes at offset 0x0";
        let advice = "link or export it, or choose another backend for the memory";
        let error = format!("{place}: the simulator has no `{symbol}`: {advice}");
        assert_eq!(write(&memories, at(0, 0, 4)), Err(error));
    };
    absent(Backend::Uvm, "uvm_hdl_deposit");
    absent(Backend::Vpi, "vpi_handle_by_name");
}

#[test]
fn a_backend_without_a_way_to_such_a_memory_is_named() {
    let memories = memories(vec![
        memory("ram", Backend::Api, 16, direct("top.ram", 4, 4)),
        memory("box", Backend::Static, 16, Shape::BlackBox),
    ]);
    let error = |name, backend| {
        let limits = "`api` is for memories without `path`, `static` for those with one, `model` \
                      for those with a model registered by the host program";
        Err(format!(
            "memory `{name}`, 4 bytes at offset 0x0: backend `{backend}` can't access it: {limits}"
        ))
    };
    assert_eq!(write(&memories, at(0, 0, 4)), error("ram", "api"));
    assert_eq!(write(&memories, at(1, 0, 4)), error("box", "static"));
}

#[test]
fn each_configurable_backend_serves_black_boxes_or_arrays() {
    for backend in Backend::ALL {
        let shapes = [Shape::BlackBox, direct("top.ram", 4, 4)];
        let served = shapes.into_iter().filter(|shape| {
            let ram = memory("ram", *backend, 16, shape.clone());
            let zeros: Box<[u8]> = vec![0; 16].into();
            let mut models = Models::from([("ram".to_owned(), Box::new(zeros) as Box<_>)]);
            let mut resources = Resources {
                space: None,
                models: &mut models,
                instances: &mut Instances::default(),
            };
            let created = AnyBackend::create(&ram, &mut resources).unwrap();
            !matches!(created, Some(AnyBackend::Unsupported(_)) | None)
        });
        assert_ne!(served.count(), 0, "{backend}");
    }
}

/// Reads every byte of every instance, by the geometry's words one by one.
fn by_words(memories: &Backends, shape: &Shape) -> Vec<u8> {
    let geometry = Geometry::of(shape).unwrap();
    let mut bytes = vec![0; usize::try_from(geometry.size()).unwrap()];
    for run in geometry.runs(0, geometry.size()) {
        let buffer = &memories.buffers(MemoryId(0))[usize::try_from(run.instance).unwrap()];
        for word in run.words() {
            for byte in 0..word.len {
                let cell = usize::try_from(word.index * run.width + word.skip + byte).unwrap();
                let data = usize::try_from(word.data + byte).unwrap();
                bytes[data] = buffer.cells()[cell].get();
            }
        }
    }
    bytes
}

#[test]
fn bytes_lie_at_their_place_in_the_geometry() {
    let shapes = [
        direct("top.ram", 4, 12),
        direct("top.odd", 3, 16),
        banked(&[&["a", "b"]], 4, 6),
        banked(&[&["a", "b", "c"], &["d", "e", "f"]], 2, 4),
    ];
    for shape in shapes {
        let memories = memories(vec![memory("ram", Backend::Static, 48, shape.clone())]);
        assert_eq!(
            memories.buffers(MemoryId(0)).len(),
            shape.instances().count()
        );
        let mut model = vec![0; 48];
        let mut next = 0_u8;
        for offset in 0..48 {
            for len in [1, 2, 5, 11, 48] {
                if offset + len > 48 {
                    continue;
                }
                let data: Vec<u8> = (0..len)
                    .map(|_| {
                        next = next.wrapping_add(1);
                        next
                    })
                    .collect();
                model[offset..offset + len].copy_from_slice(&data);
                let place = at(0, offset as u64, len as u64);
                memories.write(&place, &data).unwrap();
                assert_eq!(read(&memories, place), Ok(data));
            }
        }
        assert_eq!(
            read(&memories, at(0, 0, 48)),
            Ok(model.clone()),
            "{shape:?}"
        );
        assert_eq!(by_words(&memories, &shape), model, "{shape:?}");
    }
}

#[test]
fn a_bank_holds_its_turn_of_the_words() {
    let shape = banked(&[&["a", "b"]], 2, 2);
    let memories = memories(vec![memory("ram", Backend::Static, 8, shape)]);
    memories.write(&at(0, 0, 8), b"AaBbCcDd").unwrap();
    let banks = memories.buffers(MemoryId(0)).iter();
    let banks: Vec<Vec<u8>> = banks
        .map(|bank| bank.cells().iter().map(std::cell::Cell::get).collect())
        .collect();
    assert_eq!(banks, [b"AaCc", b"BbDd"]);
}

#[test]
fn memories_that_name_the_same_instance_share_it() {
    let memories = memories(vec![
        memory("one", Backend::Static, 16, direct("top.ram", 4, 4)),
        memory("same", Backend::Static, 16, direct("top.ram", 4, 4)),
        memory("other", Backend::Static, 16, direct("top.rom", 4, 4)),
        memory(
            "banks",
            Backend::Static,
            32,
            banked(&[&["top.ram", "top.b"]], 4, 4),
        ),
    ]);
    memories.write(&at(0, 0, 8), b"ABCDabcd").unwrap();
    assert_eq!(read(&memories, at(1, 0, 8)), Ok(b"ABCDabcd".to_vec()));
    assert_eq!(read(&memories, at(2, 0, 8)), Ok(vec![0; 8]));
    // Consecutive words of one bank are every other word of the memory.
    let banks = b"ABCD\0\0\0\0abcd\0\0\0\0";
    assert_eq!(read(&memories, at(3, 0, 16)), Ok(banks.to_vec()));
    let share = |one, other| memories.may_alias(MemoryId(one), MemoryId(other));
    assert!(share(0, 1) && share(1, 0) && share(3, 0) && share(1, 3));
    assert!(!share(0, 2) && !share(2, 3) && !share(0, 0) && !share(3, 3));
}

#[test]
fn an_instance_twice_in_a_memory_shares_with_itself() {
    let twice = memory("twice", Backend::Static, 32, banked(&[&["a", "a"]], 4, 4));
    assert!(memories(vec![twice]).may_alias(MemoryId(0), MemoryId(0)));
    let one = memory("one", Backend::Static, 16, direct("a", 4, 4));
    let after = banked(&[&["b", "a"], &["a", "c"]], 4, 4);
    let after = memory("after", Backend::Static, 64, after);
    let memories = memories(vec![one, after]);
    let share = |one, other| memories.may_alias(MemoryId(one), MemoryId(other));
    assert!(share(0, 1) && share(1, 1) && !share(0, 0));
}

/// A list of all pairs would exceed memory.
#[test]
fn many_memories_may_name_one_instance() {
    const COUNT: u32 = 100_000;
    let same = memory("ram", Backend::Log, 16, direct("top.ram", 4, 4));
    let memories = memories(vec![same; COUNT as usize]);
    assert!(memories.may_alias(MemoryId(0), MemoryId(COUNT - 1)));
    assert!(!memories.may_alias(MemoryId(1), MemoryId(1)));
}

/// Copies more than one chunk between two aliases of the same bytes, 8 bytes apart. No order of
/// chunks would be correct.
#[test]
fn a_long_copy_between_names_of_the_same_bytes_is_right() {
    const SIZE: u64 = 0x4_0000;
    for (to, from) in [(8, 0), (0, 8)] {
        let memories = memories(vec![
            memory("one", Backend::Static, SIZE, direct("top.ram", 4, SIZE / 4)),
            memory(
                "same",
                Backend::Static,
                SIZE,
                direct("top.ram", 4, SIZE / 4),
            ),
        ]);
        let len = SIZE - 8;
        let content: Bytes = (0..len).map(|at| (at / 251 + at) as u8).collect();
        let place = |memory, offset| Segments::from(at(memory, offset, len));
        execute(&memories, &Op::Write(place(0, from), content.clone())).unwrap();
        let (to, from) = (place(1, to), place(0, from));
        execute(
            &memories,
            &Op::Copy {
                to: to.clone(),
                from,
            },
        )
        .unwrap();
        let copied = execute(&memories, &Op::Read(to)).unwrap();
        assert!(copied == OpOutcome::Bytes(content));
    }
}

#[test]
fn only_memories_of_this_process_have_buffers() {
    let memories = memories(vec![
        memory("static", Backend::Static, 16, direct("top.ram", 4, 4)),
        memory("log", Backend::Log, 16, direct("top.ram", 4, 4)),
        memory("uvm", Backend::Uvm, 16, direct("top.ram", 4, 4)),
    ]);
    let sizes = |id| {
        memories
            .buffers(MemoryId(id))
            .iter()
            .map(Buffer::len)
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(0), [16]);
    for id in 1..4 {
        assert_eq!(sizes(id), [0; 0]);
    }
}

/// A peeker reads the same bytes as `peek`, if the backend has one.
#[test]
fn a_looker_reads_as_a_look_does() {
    let memories = memories(vec![
        memory("one", Backend::Static, 0x40, direct("tb.one", 4, 0x10)),
        memory("two", Backend::Static, 0x40, banked(&[&["a", "b"]], 4, 8)),
    ]);
    for id in [0, 1] {
        let data: Vec<u8> = (0..0x40).collect();
        memories.write(&at(id, 0, 0x40), &data).unwrap();
    }
    assert!(memories.peeker(&at(1, 0, 4)).is_none());
    for (offset, len) in [(0, 0), (0, 4), (3, 7), (0x3c, 4), (0, 0x40)] {
        let place = at(0, offset, len);
        let mut peeked = vec![0xee; usize::try_from(len).unwrap()];
        let peeker = memories.peeker(&place).unwrap();
        assert_eq!(peeker(&mut peeked, false), peeked.len());
        assert_eq!(Ok(peeked), read(&memories, place));
    }
    assert!(memories.peeker(&at(0, 0x3e, 4)).is_none(), "past the end");
}
