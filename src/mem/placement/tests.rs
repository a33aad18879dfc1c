//! Images that fit the memories of a space, and images that do not.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::mem::Backend;
use crate::mem::elf_builder::{ElfBuilder, ElfSegment};
use crate::testing::memories::{black_box, map_of};

/// Space of memories `m0`, `m1`… with these bases and sizes.
fn map(memories: &[(u64, u64)]) -> MemoryMap {
    let memory = |(nth, (base, size)): (usize, &(u64, u64))| {
        black_box(&format!("m{nth}"), *base, *size, Backend::Log)
    };
    map_of(memories.iter().enumerate().map(memory).collect()).unwrap()
}

fn image(segments: Vec<ElfSegment>) -> Image {
    let elf = ElfBuilder {
        class64: true,
        segments,
        ..ElfBuilder::default()
    };
    Image::parse(elf.build(), Path::new("fw.elf")).unwrap()
}

fn placement(memories: &[(u64, u64)], segments: Vec<ElfSegment>) -> Placement {
    Placement::of(&map(memories), SpaceId(0), &image(segments), true)
}

fn segment(address: u64, len: usize, mem_size: u64) -> ElfSegment {
    ElfSegment {
        virtual_address: address,
        ..ElfSegment::at(address, vec![1; len], mem_size)
    }
}

#[test]
fn a_segment_without_a_memory_is_reported_with_the_nearest() {
    let rams = [(0x1000, 0x1000), (0x8000, 0x1000)];
    let reported = |segment: ElfSegment| {
        let placement = placement(&rams, vec![self::segment(0x1000, 4, 4), segment]);
        let errors: Vec<_> = placement.errors.iter().map(ToString::to_string).collect();
        errors.join("|")
    };
    let expected = |range: &str, outside: &str, nearest: &str| {
        format!(
            "fw.elf can't be loaded into space `space`: segment 1 ({range}) has no memory at {outside}, nearest is memory {nearest}; \
             link it for another address, or map a memory there"
        )
    };
    assert_eq!(reported(segment(0x8ffc, 4, 4)), "");
    let (m0, m1) = ("`m0` (0x1000 to 0x1fff)", "`m1` (0x8000 to 0x8fff)");
    assert_eq!(
        reported(segment(0, 8, 8)),
        expected("0x0 to 0x7", "0x0", m0)
    );
    assert_eq!(
        reported(segment(0x1ffc, 8, 8)),
        expected("0x1ffc to 0x2003", "0x2000", m0)
    );
    assert_eq!(
        reported(segment(0x7ffc, 8, 8)),
        expected("0x7ffc to 0x8003", "0x7ffc", m1)
    );
    assert_eq!(
        reported(segment(u64::MAX - 7, 8, 8)),
        expected(
            "0xfffffffffffffff8 to 0xffffffffffffffff",
            "0xfffffffffffffff8",
            m1
        )
    );
    let high = ElfSegment {
        virtual_address: 0x8000,
        ..segment(0, 8, 8)
    };
    assert!(reported(high).contains("its virtual address is 0x8000); link it for another address"));
    let nowhere = placement(&[], vec![segment(0, 1, 1)]);
    let error = nowhere.errors[0].to_string();
    assert!(
        error.contains("no memory at 0x0, and the space has no memories; link"),
        "{error}"
    );
}

#[test]
fn an_image_without_bytes_is_an_error() {
    let reason = |segments: Vec<ElfSegment>, headers_are: Option<u8>| {
        let elf = ElfBuilder {
            class64: true,
            segments,
            ..ElfBuilder::default()
        };
        let mut bytes = elf.build();
        if let Some(kind) = headers_are {
            bytes[64] = kind;
        }
        let image = Image::parse(bytes, Path::new("fw.elf")).unwrap();
        let errors = Placement::of(&map(&[(0, 16)]), SpaceId(0), &image, true).errors;
        match &errors[..] {
            [LoadError::Nothing { reason, .. }] => *reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason(vec![], None), Nothing::NoHeaders);
    // PT_NOTE.
    assert_eq!(reason(vec![segment(0, 4, 4)], Some(4)), Nothing::NoSegments);
    assert_eq!(reason(vec![segment(0, 0, 16)], None), Nothing::NoBytes);
    assert_eq!(
        placement(&[], vec![]).errors[0].to_string(),
        "fw.elf has no bytes to load: it has no program headers; give the linked image, or `load: false` for the address of its section \
         .mailbox alone"
    );
}

proptest! {
    /// Bytes and zeros are placed as a check of each address determines.
    #[test]
    fn placement_is_that_of_a_simple_model(
        memories in prop::collection::vec((1u64..5, 0u64..4), 0..5),
        at in 0u64..30,
        len in 1u64..12,
        tail in 0u64..12,
        zero_bss: bool,
    ) {
        let mut next = 0;
        let memories: Vec<(u64, u64)> = memories
            .into_iter()
            .map(|(size, gap)| {
                let base = next + gap;
                next = base + size;
                (base, size)
            })
            .collect();
        let has = |at: u64| memories.iter().any(|(base, size)| (*base..base + size).contains(&at));
        let image = image(vec![segment(at, len as usize, len + tail)]);
        let placement = Placement::of(&map(&memories), SpaceId(0), &image, zero_bss);
        let outside = (at..at + len).find(|at| !has(*at));
        match &placement.errors[..] {
            [] => prop_assert_eq!(outside, None),
            [LoadError::NoMemory(misfit)] => {
                let Misfit { outside: reported, nearest, .. } = &**misfit;
                prop_assert_eq!(outside, Some(*reported));
                let distance = |(base, size): &(u64, u64)| reported.abs_diff(*base).min(reported.abs_diff(base + size - 1));
                let nearest = match nearest {
                    Nearest::None => None,
                    Nearest::Memory { first, last, .. } => Some(distance(&(*first, last - first + 1))),
                };
                prop_assert_eq!(nearest, memories.iter().map(distance).min());
            }
            other => prop_assert!(false, "{:?}", other),
        }
        let left = (at + len..at + len + tail).filter(|at| zero_bss && !has(*at)).count() as u64;
        prop_assert_eq!(placement.left_out.iter().map(|it| it.left).sum::<u64>(), left);
    }
}
