//! ELF image: nothing panics, the ranges of an accepted image are inside the file, and an outline
//! has all that a replay needs.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vhost::mem::{Image, Write};

/// Names of symbols that configurations look up.
const NAMES: [&str; 3] = ["tohost", "fromhost", "_SEGGER_RTT"];

fuzz_target!(|data: &[u8]| {
    let file = Path::new("program.elf");
    let image = match Image::parse(data.to_vec(), file) {
        Ok(image) => image,
        Err(error) => return assert!(error.to_string().starts_with("program.elf: "), "{error}"),
    };
    for warning in image.warnings() {
        assert!(!warning.to_string().is_empty());
    }
    let architecture = image.architecture().expect("bytes in memory");
    assert!(architecture.is_none_or(|text| !text.is_empty()));
    if let Some(id) = image.build_id() {
        assert!(id.chars().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    }
    let content = image.content().expect("bytes in memory");
    for write in image.writes() {
        let Write::Bytes(segment) = write else {
            continue;
        };
        let pieces = content.pieces(&segment);
        let bytes: Vec<u8> = pieces
            .flat_map(|piece| piece.expect("bytes of the file").1)
            .collect();
        let start = segment.offset as usize;
        assert_eq!(bytes, data[start..start + segment.len as usize]);
    }
    let outline = Image::parse(image.outline(), file).expect("an outline");
    assert_eq!(outline.mailbox(), image.mailbox());
    assert_eq!(outline.ptr_width(), image.ptr_width());
    if let Ok(symbols) = image.symbols(NAMES) {
        let outlined = outline.symbols(NAMES).expect("symbols of an outline");
        assert_eq!(outlined, symbols);
    }
});
