//! Channels of an image's section `.mailbox`.

use mailbox_rs::{CacheLine, ImageNote, Layout, NEWEST, PtrWidth, Version};

use super::channels::map;
use super::*;
use crate::channel::MailboxPlace;
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
            // Sections with room for three channels, and for one byte less.
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
                    let expected = MailboxPlace {
                        address: START + mb_id * size,
                        layout: Layout::new(width, CacheLine::from_bytes(n).unwrap()),
                    };
                    assert_eq!(channels.unwrap()[0].mailbox(), Some(expected), "{case}");
                }
            }
        }
    }
}

/// Result of a configuration with an image of three channels and this note.
fn with_note(note: ImageNote, keys: &str) -> Result<MailboxPlace, String> {
    let elf = ElfBuilder {
        class64: note.ptr_width == PtrWidth::P8,
        mailboxes: vec![(0x2000, 0x3000)],
        segments: vec![ElfSegment::at(0x2000, [0; 4], 0x3000)],
        notes: note.to_bytes().to_vec(),
        ..ElfBuilder::default()
    };
    let outside = Fake::default().file("fw.elf", elf.build());
    let text = format!("cpu: {{space: core0, elf: fw.elf{keys}}}");
    let channels = parse_mailboxes(&text, Path::new("mb.yaml"), &map(), &outside);
    let channels = channels.map_err(|error| error.to_string())?;
    Ok(channels[0].mailbox().unwrap())
}

#[test]
fn a_configuration_that_differs_from_the_note_is_refused() {
    for ptr_width in [PtrWidth::P4, PtrWidth::P8] {
        let bits = 8 * ptr_width.bytes();
        for line in [0, 32, 64, 128, 256] {
            let cache_line = CacheLine::from_bytes(line).unwrap();
            let note = ImageNote {
                version: NEWEST,
                ptr_width,
                cache_line,
                channels: 2,
            };
            for configured in [0, 32, 64, 128, 256] {
                for configured_bits in [32, 64] {
                    let keys = format!(", cache_line: {configured}, ptr: {configured_bits}");
                    let result = with_note(note, &keys);
                    if configured_bits != bits {
                        let error = result.unwrap_err();
                        let expected = format!(
                            "`ptr` is {configured_bits}, but fw.elf has pointers of {bits} bits"
                        );
                        assert!(error.contains(&expected), "{error}");
                    } else if configured != line {
                        let error = result.unwrap_err();
                        let expected = format!(
                            "`cache_line` is {configured}, but fw.elf was compiled for {line} (MB_CACHE_LINE)"
                        );
                        assert!(error.contains(&expected), "{error}");
                    } else {
                        assert_eq!(result.unwrap().layout, Layout::new(ptr_width, cache_line));
                    }
                }
            }
            for mb_id in 0..4 {
                let result = with_note(note, &format!(", cache_line: {line}, mb_id: {mb_id}"));
                assert_eq!(result.is_ok(), mb_id < 2, "{result:?}");
                if let Err(error) = result {
                    let expected = format!("`mb_id` is {mb_id}, but fw.elf has 2 channels");
                    assert!(error.contains(&expected), "{error}");
                }
            }
            for (word, served) in [(1, false), (2, true), (9, true), (0x1_0002, false)] {
                let version = Version::from(word);
                let note = ImageNote { version, ..note };
                let result = with_note(note, &format!(", cache_line: {line}"));
                assert_eq!(result.is_ok(), served, "{result:?}");
                if let Err(error) = result {
                    let expected = format!("speaks protocol {version}, and this host 0.2 to 0.3");
                    assert!(error.contains(&expected), "{error}");
                }
            }
        }
    }
}
