//! Cost of memory by itself: lookup of an address among few and many memories, and a word's write
//! to a static memory.

use std::hint::black_box;

use criterion::Criterion;
use vhost::mem::{Backend, Buffer, Init, Memory, MemoryId, MemoryMap, Shape, Space, SpaceId};

const SIZE: u64 = 0x1000;

/// Space of this number of memories, with a gap behind each.
fn map(count: u32) -> MemoryMap {
    let memory = |nth: u32| Memory {
        name: format!("ram{nth}"),
        base: u64::from(nth) * 2 * SIZE,
        size: SIZE,
        shape: Shape::BlackBox,
        init: Init::None,
        backend: Backend::Log,
    };
    let memories: Vec<_> = (0..count).map(memory).collect();
    let ids: Vec<_> = (0..count).map(MemoryId).collect();
    let space = Space::new("core".to_owned(), &ids, &memories).expect("gaps between them");
    MemoryMap {
        memories,
        spaces: vec![space],
    }
}

pub(crate) fn memory(criterion: &mut Criterion) {
    for count in [1, 10, 100, 1000] {
        let map = map(count);
        criterion.bench_function(&format!("lookup among {count}"), |bencher| {
            let mut nth = 0;
            bencher.iter(|| {
                // A stride that visits all memories in an unpredictable order.
                nth = (nth + 619) % count;
                let address = u64::from(nth) * 2 * SIZE + 8;
                black_box(map.resolve(SpaceId(0), address, 4).is_ok())
            });
        });
    }
    let Some(buffer) = Buffer::new(1 << 20) else {
        return;
    };
    criterion.bench_function("word into a buffer", |bencher| {
        let mut nth = 0;
        bencher.iter(|| {
            nth = (nth + 4 * 619) & 0xf_fffc;
            black_box(buffer.write(nth, &black_box(7_u32).to_le_bytes()))
        });
    });
}
