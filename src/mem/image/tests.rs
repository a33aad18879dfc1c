//! Images that are believed, and those that are refused.

use proptest::prelude::*;

use super::*;
use crate::mem::elf_builder::ElfBuilder;

fn parse(elf: &ElfBuilder) -> Result<Image, String> {
    Image::parse(elf.build(), Path::new("fw.elf")).map_err(|error| error.to_string())
}

fn two_segments() -> ElfBuilder {
    ElfBuilder {
        segments: vec![
            (0x1000, vec![1, 2, 3], 0x10),
            (0x1008, vec![4], 1),
            (0x2000, vec![], 4),
        ],
        mailbox: Some((0x8000_0000, 0x1000)),
        ..ElfBuilder::default()
    }
}

#[test]
fn both_classes_are_read() {
    for (class64, ptr_width) in [(false, PtrWidth::P4), (true, PtrWidth::P8)] {
        let image = parse(&ElfBuilder {
            class64,
            ..two_segments()
        })
        .unwrap();
        assert_eq!(image.ptr_width(), ptr_width);
        assert_eq!(
            image.mailbox(),
            Some(Section {
                address: 0x8000_0000,
                size: 0x1000
            })
        );
        assert_eq!(image.file(), Path::new("fw.elf"));
    }
    assert_eq!(
        parse(&ElfBuilder {
            mailbox: None,
            ..two_segments()
        })
        .unwrap()
        .mailbox(),
        None
    );
}

/// An ELF file that is not made by this test: its own program.
#[cfg(all(target_os = "linux", target_endian = "little"))]
#[test]
fn a_linkers_file_is_read() {
    let file = std::env::current_exe().unwrap();
    let image = Image::parse(std::fs::read(&file).unwrap(), &file).unwrap();
    assert_eq!(image.ptr_width(), PtrWidth::NATIVE);
    assert_eq!(image.mailbox(), None);
    assert!(
        image
            .writes()
            .any(|write| matches!(write, Write::Zero { .. })),
        "it has a .bss"
    );
    assert!(
        image
            .writes()
            .any(|write| matches!(write, Write::Bytes { .. }))
    );
}

#[test]
fn tails_are_zeroed_before_bytes_are_copied() {
    let image = parse(&two_segments()).unwrap();
    let writes: Vec<_> = image.writes().collect();
    assert_eq!(
        writes,
        [
            Write::Zero {
                address: 0x1003,
                len: 0xd
            },
            Write::Zero {
                address: 0x2000,
                len: 4
            },
            Write::Bytes {
                address: 0x1000,
                bytes: &[1, 2, 3]
            },
            Write::Bytes {
                address: 0x1008,
                bytes: &[4]
            },
        ]
    );
}

#[test]
fn the_last_address_can_be_loaded() {
    let segments = vec![(u64::MAX, vec![1], 1)];
    let image = parse(&ElfBuilder {
        class64: true,
        segments,
        ..ElfBuilder::default()
    })
    .unwrap();
    assert_eq!(
        image.writes().collect::<Vec<_>>(),
        [Write::Bytes {
            address: u64::MAX,
            bytes: &[1]
        }]
    );
}

#[test]
fn refusals_name_file_and_reason() {
    let long = |address, mem_size| ElfBuilder {
        class64: true,
        segments: vec![(address, vec![1, 2], mem_size)],
        ..ElfBuilder::default()
    };
    let cases = [
        (
            ElfBuilder {
                big_endian: true,
                ..two_segments()
            },
            "fw.elf: a big-endian ELF file; only little-endian firmware is served",
        ),
        (
            ElfBuilder {
                relocatable: true,
                ..two_segments()
            },
            "fw.elf: a relocatable object, whose sections have no addresses yet; link it first",
        ),
        (
            long(0, 1),
            "fw.elf: segment 0 has 0x2 bytes in the file, but only 0x1 in memory",
        ),
        (
            long(0x10, u64::MAX),
            "fw.elf: segment 0 of 0xffffffffffffffff bytes at physical address 0x10 runs past the last address",
        ),
        (
            ElfBuilder {
                class64: true,
                mailbox: Some((u64::MAX, 2)),
                ..ElfBuilder::default()
            },
            "fw.elf: section .mailbox of 0x2 bytes at 0xffffffffffffffff runs past the last address",
        ),
    ];
    for (elf, message) in cases {
        assert_eq!(parse(&elf).unwrap_err(), message);
    }
    let parse = |bytes: &[u8]| {
        Image::parse(bytes.to_vec(), Path::new("fw.elf"))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        parse(b"#!/bin/sh"),
        "fw.elf: not an ELF file of 32 or 64 bits"
    );
    assert_eq!(parse(b""), "fw.elf: not an ELF file of 32 or 64 bits");
    let bytes = two_segments().build();
    assert_eq!(
        parse(&bytes[..bytes.len() - 2]),
        format!(
            "fw.elf: segment 0 takes 0x3 bytes at offset {:#x} of the file, which has {:#x}; is it cut short?",
            bytes.len() - 4,
            bytes.len() - 2
        )
    );
    assert!(parse(&bytes[..60]).starts_with("fw.elf: broken ELF file: "));
}

#[test]
fn a_file_is_loaded_a_few_times_over_at_most() {
    // Each segment takes all of the file, by its header's place and size.
    let all_of_it = |count: usize| {
        let mut bytes = ElfBuilder {
            class64: true,
            segments: vec![(0x1000, vec![], u64::from(u32::MAX)); count],
            ..ElfBuilder::default()
        }
        .build();
        let len = bytes.len() as u64;
        for header in bytes[64..][..56 * count].chunks_mut(56) {
            header[8..16].fill(0);
            header[32..40].copy_from_slice(&len.to_le_bytes());
        }
        Image::parse(bytes, Path::new("fw.elf"))
    };
    assert_eq!(all_of_it(16).unwrap().writes().count(), 32);
    assert_eq!(
        all_of_it(17).unwrap_err().to_string(),
        "fw.elf: its segments take 0x4d4c bytes, many times the 0x48c that the file has; do its program headers overlap?"
    );
}

proptest! {
    /// Any bytes are an image or an error, and an image's writes are within the file.
    #[test]
    fn hostile_bytes_do_no_harm(
        class64: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        keep: bool,
    ) {
        let mut bytes = ElfBuilder { class64, ..two_segments() }.build();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !keep {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(image) = Image::parse(bytes, Path::new("fw.elf")) {
            let _ = image.writes().count();
        }
    }

    #[test]
    fn random_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..512), magic: bool) {
        if magic && bytes.len() > 8 {
            let class = 1 + (bytes[4] & 1);
            bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1, 1]);
        }
        let _ = Image::parse(bytes, Path::new("fw.elf"));
    }
}
