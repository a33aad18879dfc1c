//! Accepted and refused images.

use std::io::Write as _;

use mailbox_rs::CacheLine;
use proptest::prelude::*;

use super::*;
use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

fn parse(elf: &ElfBuilder) -> Result<Image, String> {
    Image::parse(elf.build(), Path::new("fw.elf")).map_err(|error| error.to_string())
}

fn two_segments() -> ElfBuilder {
    ElfBuilder {
        segments: vec![
            ElfSegment::at(0x1000, [1, 2, 3], 0x10),
            ElfSegment::at(0x1008, [4], 1),
            ElfSegment::at(0x2000, [], 4),
        ],
        mailboxes: vec![(0x8000_0000, 0x1000)],
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
                physical: 0x8000_0000,
                size: 0x1000
            })
        );
        assert_eq!(image.file(), Path::new("fw.elf"));
    }
    assert_eq!(
        parse(&ElfBuilder {
            mailboxes: vec![],
            ..two_segments()
        })
        .unwrap()
        .mailbox(),
        None
    );
}

/// Step of loading an image, with its bytes.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Zero(u64, u64),
    Bytes(u64, Vec<u8>),
}

fn steps(image: &Image) -> Vec<Step> {
    let content = image.content().unwrap();
    let mut steps = Vec::new();
    for write in image.writes() {
        match write {
            Write::Zero { address, len } => steps.push(Step::Zero(address, len)),
            Write::Bytes(segment) => steps.extend(content.pieces(&segment).map(|piece| {
                let (address, bytes) = piece.unwrap();
                Step::Bytes(address, bytes.to_vec())
            })),
        }
    }
    steps
}

/// Writes a file with these bytes.
fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// A linker script for a mailbox leaves an empty section in a program without one.
#[test]
fn an_empty_mailbox_section_is_none() {
    let image = |mailboxes| {
        parse(&ElfBuilder {
            mailboxes,
            ..two_segments()
        })
        .unwrap()
    };
    assert_eq!(image(vec![(0x160, 0)]).mailbox(), None);
    let section = Section {
        address: 0x200,
        physical: 0x200,
        size: 0x400,
    };
    assert_eq!(
        image(vec![(0x160, 0), (0x200, 0x400)]).mailbox(),
        Some(section)
    );
}

/// Reads an ELF file that this test has not built: its own program.
#[cfg(all(target_os = "linux", target_endian = "little"))]
#[test]
fn a_linkers_file_is_read() {
    let file = std::env::current_exe().unwrap();
    let image = Image::open(&file).unwrap();
    assert_eq!(image.ptr_width(), PtrWidth::NATIVE);
    assert_eq!(image.mailbox(), None);
    let zeros = |write: &Write| matches!(write, Write::Zero { .. });
    assert!(image.writes().any(|write| zeros(&write)), "it has a .bss");
    // The file is not firmware, and Rust's linker puts the headers into the first segment.
    let warnings = image.warnings();
    assert!(
        warnings.contains(&ImageWarning::PositionIndependent),
        "{warnings:?}"
    );
    assert!(
        matches!(
            warnings[1],
            ImageWarning::OwnHeaders {
                segment: _,
                address: 0
            }
        ),
        "{warnings:?}"
    );
    let content = image.content().unwrap();
    let bytes = std::fs::read(&file).unwrap();
    for segment in image.segments() {
        let mut next = segment.address;
        for piece in content.pieces(segment) {
            let (address, piece) = piece.unwrap();
            assert_eq!(address, next);
            assert!(!piece.is_empty() && piece.len() as u64 <= MAX_READ);
            let at = usize::try_from(segment.offset + (address - segment.address)).unwrap();
            assert!(piece == bytes[at..][..piece.len()]);
            next += piece.len() as u64;
        }
        assert_eq!(next, segment.address + segment.len);
    }
}

#[test]
fn tails_are_zeroed_before_bytes_are_copied() {
    let expected = [
        Step::Zero(0x1003, 0xd),
        Step::Zero(0x2000, 4),
        Step::Bytes(0x1000, vec![1, 2, 3]),
        Step::Bytes(0x1008, vec![4]),
    ];
    assert_eq!(steps(&parse(&two_segments()).unwrap()), expected);
    let file = file_of(&two_segments().build());
    assert_eq!(steps(&Image::open(file.path()).unwrap()), expected);
}

#[test]
fn notes_are_read_and_bad_ones_refused() {
    for class64 in [false, true] {
        let note = ImageNote {
            version: mailbox_rs::NEWEST,
            ptr_width: PtrWidth::P4,
            cache_line: CacheLine::B64,
            channels: 1,
        };
        let with = |notes: Vec<u8>| ElfBuilder {
            class64,
            notes,
            ..two_segments()
        };
        assert_eq!(parse(&with(vec![])).unwrap().note(), None);
        let image = parse(&with(note.to_bytes().repeat(3))).unwrap();
        let three = ImageNote {
            channels: 3,
            ..note
        };
        assert_eq!(image.note(), Some(three));
        assert_eq!(steps(&image).len(), 4, "notes are not loaded");
        let error = parse(&with(note.to_bytes()[..20].to_vec())).unwrap_err();
        assert!(
            error.starts_with("fw.elf: section .note.vhost: the note at offset 0x0 is cut short; "),
            "{error}"
        );
        let error = parse(&with(vec![0; 0x1_0001])).unwrap_err();
        assert_eq!(
            error,
            "fw.elf: section .note.vhost has 0x10001 bytes, more than the 0x10000 that an image may have"
        );
    }
}

#[test]
fn the_last_address_can_be_loaded() {
    let segments = vec![ElfSegment::at(u64::MAX, [1], 1)];
    let image = parse(&ElfBuilder {
        class64: true,
        segments,
        ..ElfBuilder::default()
    })
    .unwrap();
    assert_eq!(steps(&image), [Step::Bytes(u64::MAX, vec![1])]);
}

#[test]
fn a_file_that_changes_before_it_is_loaded_is_refused() {
    let mut file = file_of(&two_segments().build());
    let image = Image::open(file.path()).unwrap();
    file.write_all(b"more").unwrap();
    let error = image.content().unwrap_err().to_string();
    let name = file.path().display();
    let problem = "has changed since its headers were read; start again when it is complete";
    assert_eq!(error, format!("{name}: {problem}"));
    let folder = tempfile::tempdir().unwrap();
    for (file, problem) in [
        (
            folder.path(),
            "is not a regular file, but a directory, a pipe or a device",
        ),
        (
            Path::new("/dev/zero"),
            "is not a regular file, but a directory, a pipe or a device",
        ),
        (
            &folder.path().join("no.elf"),
            "can't be read: No such file or directory (os error 2)",
        ),
    ] {
        let error = Image::open(file).unwrap_err().to_string();
        assert_eq!(error, format!("{}: {problem}", file.display()));
    }
}

#[test]
fn the_mailbox_is_where_its_segment_is_loaded() {
    let mapped = |virtual_address, mailbox| ElfBuilder {
        class64: true,
        segments: vec![
            ElfSegment::at(0x100, [1], 1),
            ElfSegment {
                address: 0x8000_0000,
                virtual_address,
                bytes: vec![5; 8],
                mem_size: 0x1000,
            },
        ],
        mailboxes: vec![(mailbox, 0x400)],
        ..ElfBuilder::default()
    };
    let high = 0xffff_ffc0_0000_0000_u64;
    for (virtual_address, mailbox, physical) in [
        (high, high, 0x8000_0000),
        (high, high + 0xfff, 0x8000_0fff),
        // In no segment.
        (high, high + 0x1000, high + 0x1000),
        (high, high - 1, high - 1),
        (0x8000_0000, 0x8000_0800, 0x8000_0800),
    ] {
        let section = Section {
            address: mailbox,
            physical,
            size: 0x400,
        };
        let image = parse(&mapped(virtual_address, mailbox)).unwrap();
        assert_eq!(image.mailbox(), Some(section));
        let outline = Image::parse(image.outline(), Path::new("fw.elf")).unwrap();
        assert_eq!(outline.mailbox(), Some(section));
    }
}

/// Note of the build id, as linkers write it.
fn build_id_note(id: &[u8]) -> Vec<u8> {
    let words = [4, id.len() as u32, 3];
    let mut note: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    note.extend(b"GNU\0");
    note.extend(id);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

#[test]
fn a_build_id_is_found_beside_other_notes() {
    for class64 in [false, true] {
        let image = |notes: &[u8]| {
            let elf = ElfBuilder {
                class64,
                notes: notes.to_vec(),
                ..two_segments()
            };
            (parse(&elf).unwrap(), elf.build())
        };
        let note = build_id_note(b"\x01\xab\0\xff\x10");
        let own = ImageNote::native(CacheLine::None, 1).to_bytes();
        for notes in [note.clone(), [&own[..], &note].concat()] {
            let (image, bytes) = image(&notes);
            assert_eq!(image.build_id().as_deref(), Some("01ab00ff10"));
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("fw.elf");
            std::fs::write(&file, bytes).unwrap();
            let opened = Image::open(&file).unwrap();
            assert_eq!(opened.build_id(), image.build_id());
            std::fs::write(&file, "another").unwrap();
            assert_eq!(opened.build_id(), None);
        }
        let none = [
            vec![],
            own.to_vec(),
            build_id_note(b""),
            build_id_note(&[7; 65]),
        ];
        for notes in none {
            assert_eq!(image(&notes).0.build_id(), None, "{notes:?}");
        }
    }
}

#[test]
fn an_outline_has_the_mailbox_and_no_bytes() {
    for (class64, mailboxes) in [(false, vec![(0x100, 0x320)]), (true, vec![])] {
        let mut elf = ElfBuilder {
            class64,
            mailboxes,
            ..two_segments()
        };
        elf.segments[0].bytes = vec![7; 10_000];
        elf.segments[0].mem_size = 10_000;
        let image = parse(&elf).unwrap();
        let outline = image.outline();
        assert!(outline.len() < 300, "{} bytes", outline.len());
        let again = Image::parse(outline.clone(), Path::new("fw.elf")).unwrap();
        assert_eq!(
            (again.ptr_width(), again.mailbox()),
            (image.ptr_width(), image.mailbox())
        );
        assert_eq!(again.writes().count(), 0);
        assert_eq!(again.outline(), outline);
    }
}

/// Texts of the warnings about an image.
fn warnings(elf: &ElfBuilder) -> Vec<String> {
    let image = parse(elf).unwrap();
    image.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn unusual_images_are_doubted() {
    let segments = |segments: &[(u64, usize, u64)]| ElfBuilder {
        segments: segments
            .iter()
            .map(|(address, len, mem_size)| ElfSegment::at(*address, vec![1; *len], *mem_size))
            .collect(),
        mailboxes: vec![(0x100, 0x320)],
        ..ElfBuilder::default()
    };
    let good = segments(&[
        (0x1000, 0x40, 0x80),
        (0x1080, 0x40, 0x40),
        (0, 0, 0),
        (0, 0, 0),
    ]);
    assert_eq!(warnings(&good), [""; 0]);
    // Zeros that overlap zeros have no effect.
    assert_eq!(
        warnings(&segments(&[(0x1000, 4, 0x80), (0x1010, 0, 0x100)])),
        [""; 0]
    );
    let overlap = |between: &str, more: &str| {
        format!(
            "segments {between}{more}: bytes are written in the order of the program headers, after all zeros; check the load addresses \
             of the linker script"
        )
    };
    let cases = [
        (
            ElfBuilder { kind: Some(3), ..good.clone() },
            "is position independent (ET_DYN), and is loaded at the addresses in its program headers without relocation; link it as \
             an executable (`-no-pie`, `-static`)".to_owned(),
        ),
        (
            ElfBuilder { kind: Some(4), ..good.clone() },
            "is a core dump (ET_CORE), not a program, and is loaded nevertheless; give the linked \
             image".to_owned(),
        ),
        (
            ElfBuilder { kind: Some(0xff00), ..good.clone() },
            "has ELF type 0xff00, and is loaded as an executable (ET_EXEC) is; give the linked image".to_owned(),
        ),
        (
            ElfBuilder { mailboxes: vec![(0x100, 0x320), (0x500, 0x320)], ..good.clone() },
            "has two sections .mailbox: the one at 0x100 is used, and the one at 0x500 ignored; gather both in one output section, \
             where `mb_id` counts the channels".to_owned(),
        ),
        // Bytes over bytes, a segment within another, and bytes over zeros.
        (
            segments(&[(0x1010, 0x10, 0x10), (0x1000, 0x40, 0x40)]),
            overlap("1 and 0 overlap from 0x1010 to 0x101f", ""),
        ),
        (
            segments(&[(0x1000, 0x40, 0x100), (0x1080, 0x10, 0x10)]),
            overlap("0 and 1 overlap from 0x1080 to 0x108f", ""),
        ),
        (
            segments(&[(0x1000, 4, 4), (0x1003, 4, 4), (0x1004, 4, 4)]),
            overlap("0 and 1 overlap from 0x1003 to 0x1003", " (1 more overlap)"),
        ),
    ];
    for (elf, warning) in cases {
        assert_eq!(warnings(&elf), [warning]);
    }
    // The first segment contains the start of the file. Its program header is at 52, with the
    // offset in the second word.
    let mut bytes = good.build();
    bytes[56..60].fill(0);
    let image = Image::parse(bytes, Path::new("fw.elf")).unwrap();
    assert_eq!(
        image.warnings(),
        [ImageWarning::OwnHeaders {
            segment: 0,
            address: 0x1000
        }]
    );
    // The section's flags follow its name and type, in the header after that of section 0.
    let mut bytes = good.build();
    let at = 52 + 32 * 4 + 40 + 8;
    assert_eq!(bytes[at], 2);
    bytes[at] = 0;
    let image = Image::parse(bytes, Path::new("fw.elf")).unwrap();
    assert_eq!(
        image.warnings(),
        [ImageWarning::MailboxNotAllocated { address: 0x100 }]
    );
}

proptest! {
    /// Overlaps are compared with a check of each address.
    #[test]
    fn overlaps_are_those_of_a_simple_model(
        segments in prop::collection::vec((0u64..40, 0u64..6, 0u64..6), 0..7),
    ) {
        let elf = ElfBuilder {
            segments: segments
                .iter()
                .map(|(address, len, tail)| ElfSegment::at(*address, vec![1; *len as usize], len + tail))
                .collect(),
            ..ElfBuilder::default()
        };
        let has_byte = |at: u64| segments.iter().filter(|(address, len, _)| (*address..address + len).contains(&at)).count();
        let has_any = |at: u64| segments.iter().filter(|(address, len, tail)| (*address..address + len + tail).contains(&at)).count();
        let overlaps = (0..60).any(|at| has_byte(at) > 0 && has_any(at) > 1);
        let image = parse(&elf).unwrap();
        prop_assert_eq!(image.warnings().len(), usize::from(overlaps), "{:?}", image.warnings());
        if let [ImageWarning::Overlap { from, to, .. }] = image.warnings() {
            prop_assert!((*from..=*to).all(|at| has_byte(at) > 0 && has_any(at) > 1));
        }
    }
}

#[test]
fn refusals_name_file_and_reason() {
    let long = |address, mem_size| ElfBuilder {
        class64: true,
        segments: vec![ElfSegment::at(address, [1, 2], mem_size)],
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
                kind: Some(1),
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
                mailboxes: vec![(u64::MAX, 2)],
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
    for (bytes, format) in [
        (
            &b":10000000214601360121470136007EFE09D2190140\n"[..],
            "Intel HEX",
        ),
        (
            b"@80000000\n13 00 00 00\n",
            "a memory file in the format of `$readmemh`",
        ),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
    ] {
        let error = format!("fw.elf: not an ELF file of 32 or 64 bits, but {format}");
        assert_eq!(parse(bytes), error);
    }
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
    // Each segment contains the whole file, by the offset and the size in its header.
    let all_of_it = |count: usize| {
        let mut bytes = ElfBuilder {
            class64: true,
            segments: vec![ElfSegment::at(0x1000, [], u64::from(u32::MAX)); count],
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
    /// Arbitrary bytes are an image or an error, and an image's writes are within the file.
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
            steps(&image);
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

/// Tables with the maximum number of headers that a file may state.
#[test]
fn tables_that_no_linker_writes_are_refused() {
    let elf = ElfBuilder {
        class64: true,
        ..two_segments()
    };
    let with_half = |at: usize, count: u16| {
        let mut bytes = elf.build();
        bytes[at..at + 2].copy_from_slice(&count.to_le_bytes());
        Image::parse(bytes, Path::new("fw.elf"))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        with_half(56, 4097),
        "fw.elf: 4097 program headers are more than the 4096 that an image may have"
    );
    assert!(with_half(56, 4096).starts_with("fw.elf: broken ELF file: "));
    assert_eq!(
        with_half(60, 0xff01),
        "fw.elf: 65281 section headers are more than the 65280 that an image may have"
    );
    assert!(with_half(60, 0xff00).starts_with("fw.elf: broken ELF file: "));
}
