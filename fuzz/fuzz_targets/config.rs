//! Both YAML files and an image, as text and bytes: nothing panics, and an accepted configuration
//! can be used.
//!
//! An input is the memory YAML, the mailbox YAML and the ELF file, separated by lines of `===`.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vhost::config::{self, ConfigEnvironment};
use vhost::mem::{
    Backend, Image, ImageError, Init, MemoryMap, Placement, Segments, SpaceId, Write, initial,
};

fuzz_target!(|data: &[u8]| {
    let [memories, mailboxes, image] = parts(data);
    let outside = Outside(image);
    let (memories, mailboxes) = (
        String::from_utf8_lossy(memories),
        String::from_utf8_lossy(mailboxes),
    );
    match config::parse_memory_map(&memories, Path::new("memories.yaml"), &outside) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(map) => {
            resolve(&map);
            contain(&map);
            channels(&mailboxes, &map, &outside);
        }
    }
});

const SEPARATOR: &[u8] = b"\n===\n";

fn parts(data: &[u8]) -> [&[u8]; 3] {
    let cut = |data: &'_ [u8]| data.windows(SEPARATOR.len()).position(|at| at == SEPARATOR);
    let split = |data| match cut(data) {
        Some(at) => (&data[..at], &data[at + SEPARATOR.len()..]),
        None => (data, &data[data.len()..]),
    };
    let (memories, rest) = split(data);
    let (mailboxes, image) = split(rest);
    [memories, mailboxes, image]
}

/// Configuration environment with one image and one hex file.
struct Outside<'a>(&'a [u8]);

impl ConfigEnvironment for Outside<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        (name.len() < 3).then(|| format!("{name}.elf"))
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        let is_elf = file.extension().is_some_and(|extension| extension == "elf");
        Image::parse(if is_elf { self.0.to_vec() } else { Vec::new() }, file)
    }

    fn is_file(&self, file: &Path) -> bool {
        file.extension().is_some_and(|extension| extension == "hex")
    }
}

/// Checks that every memory is at its address, and every byte at one place of its arrays.
fn resolve(map: &MemoryMap) {
    for (at, space) in (0..).map(SpaceId).zip(&map.spaces) {
        for memory in space.memories().iter().filter_map(|id| map.memory(*id)) {
            let last = memory.base + (memory.size - 1);
            for (address, len) in [(memory.base, memory.size), (memory.base, 1), (last, 1)] {
                let place = map.resolve(at, address, len).expect("a memory's own bytes");
                assert_eq!(place.iter().map(|segment| segment.len).sum::<u64>(), len);
                assert_eq!(map.clip(at, address, len), len);
                assert_eq!(map.mapped(at, address, len), place);
            }
            for (address, len) in [
                (last, 2),
                (memory.base.wrapping_sub(1), 2),
                (memory.base, u64::MAX),
            ] {
                let whole = map.resolve(at, address, len).is_ok();
                assert_eq!(whole, map.clip(at, address, len) == len);
            }
        }
    }
}

/// Largest total size of static memories whose contents are checked.
const SMALL: u64 = 1 << 16;

/// Checks that initial contents are inside their memories.
fn contain(map: &MemoryMap) {
    let kept = map
        .memories
        .iter()
        .filter(|memory| memory.backend == Backend::Static);
    if kept.map(|memory| memory.size).fold(0, u64::saturating_add) > SMALL {
        return;
    }
    for (id, memory) in map.numbered() {
        if !matches!(memory.init, Init::Hex { .. }) {
            let content = initial(id, memory, 1).expect("content from no file");
            for op in content.writes().take(2) {
                let fits =
                    |place: &Segments| place.iter().all(|at| at.offset + at.len <= memory.size);
                assert!(op.all_places(&fits), "{op:?}");
            }
        }
    }
}

/// Checks that placed bytes are in memory, and that an outline has the same mailbox as its image.
fn load(map: &MemoryMap, space: SpaceId, image: &Image) {
    let outline = Image::parse(image.outline(), image.file()).expect("an outline");
    assert_eq!(outline.mailbox(), image.mailbox());
    assert_eq!(outline.ptr_width(), image.ptr_width());
    let placement = Placement::of(map, space, image, true);
    assert!(
        placement
            .errors
            .iter()
            .all(|error| !error.to_string().is_empty())
    );
    let content = image.content().expect("bytes in memory");
    for write in image.writes() {
        if let Write::Bytes(segment) = write {
            let pieces = content
                .pieces(&segment)
                .map(|piece| piece.expect("bytes of the file"));
            assert_eq!(
                pieces.map(|(_, bytes)| bytes.len() as u64).sum::<u64>(),
                segment.len
            );
            let placed = map.resolve(space, segment.address, segment.len).is_ok();
            assert!(placed || !placement.errors.is_empty());
        }
    }
}

fn channels(text: &str, map: &MemoryMap, outside: &Outside<'_>) {
    match config::parse_mailboxes(text, Path::new("mailboxes.yaml"), map, outside) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(channels) => {
            for channel in channels {
                if let Some(mailbox) = channel.mailbox() {
                    let size = mailbox.layout.channel_size;
                    map.resolve(channel.space, mailbox.address, size)
                        .expect("a channel is in memory");
                }
                if let Some(image) = &channel.load {
                    load(map, channel.space, image);
                }
            }
        }
    }
}
