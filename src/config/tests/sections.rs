//! Channels of an image's section `.mailbox`.

use mailbox_rs::{CacheLine, Layout, PtrWidth};

use super::channels::map;
use super::*;
use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

/// Size of a channel by the protocol's fields, for pointers of `p` bytes and cache lines of `n`.
fn channel_size(p: u64, n: u64) -> u64 {
    let up = |size: u64, to: u64| size.next_multiple_of(to);
    let (index, whole) = (n.max(4), n.max(p));
    let queue = |entry: u64| up(up(8 + 8 * entry, index) + 4, whole);
    up(8, whole) + queue(8 + 20 * p) + queue(2 * p)
}

#[test]
fn every_channel_of_a_section_is_at_its_multiple_of_the_size() {
    const START: u64 = 0x2000;
    for (width, p) in [(PtrWidth::P4, 4), (PtrWidth::P8, 8)] {
        for n in [0, 32, 64, 128, 256] {
            let size = channel_size(p, n);
            // Room for three channels, and for three but for one byte.
            for (room, fit) in [(3 * size, 3), (3 * size - 1, 2), (size, 1), (size - 1, 0)] {
                let elf = ElfBuilder {
                    class64: p == 8,
                    mailboxes: vec![(START, room)],
                    segments: vec![ElfSegment::at(START, [0; 4], room)],
                    ..ElfBuilder::default()
                };
                let outside = Fake::default().file("fw.elf", elf.build());
                for mb_id in (0..5).chain([1 << 32, u64::MAX]) {
                    let text = format!(
                        "cpu: {{space: core0, elf: fw.elf, cache_line: {n}, mb_id: {mb_id}}}"
                    );
                    let channels = parse_mailboxes(&text, Path::new("mb.yaml"), &map(), &outside);
                    let case = format!("{text}, room for {room:#x}");
                    if mb_id >= fit {
                        let error = channels.unwrap_err().to_string();
                        assert!(error.contains("past the end of section"), "{case}: {error}");
                        continue;
                    }
                    let expected = Mailbox {
                        address: START + mb_id * size,
                        layout: Layout::new(width, CacheLine::from_bytes(n).unwrap()),
                    };
                    assert_eq!(channels.unwrap()[0].mailbox, Some(expected), "{case}");
                }
            }
        }
    }
}
