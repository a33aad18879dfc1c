//! Memory file in the format of `$readmemh`: nothing panics, and each write is inside the memory
//! and has whole words.
//!
//! The first byte of an input is the width of a word, the second one the number of words.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vhost::mem::{Array, Backend, Init, Memory, MemoryId, Op, Shape, initial};

/// File of this process.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("vhost-fuzz-{}.hex", std::process::id())));

fuzz_target!(|data: &[u8]| {
    let [width, words, text @ ..] = data else {
        return;
    };
    let (width, words) = (1 + u64::from(width % 64), 1 + u64::from(*words));
    fs::write(&*FILE, text).expect("a memory file");
    let memory = Memory {
        name: "ram".to_owned(),
        base: 0,
        size: width * words,
        shape: Shape::Direct {
            path: "tb.ram".to_owned(),
            array: Array {
                width,
                rows: 1,
                cols: words,
            },
        },
        init: Init::Hex {
            file: FILE.clone(),
            width,
        },
        backend: Backend::Static,
    };
    match initial(MemoryId(0), &memory, 1) {
        Err(error) => assert!(
            error.to_string().starts_with("memory `ram`, init: "),
            "{error}"
        ),
        Ok(content) => {
            for op in content.writes() {
                let Op::Write(place, bytes) = op else {
                    panic!("{op:?} of a memory file");
                };
                let place = &place[0];
                assert_eq!(place.len, bytes.len() as u64);
                assert!(place.offset + place.len <= memory.size, "{place:?}");
                assert_eq!(
                    (place.offset % width, place.len % width),
                    (0, 0),
                    "{place:?}"
                );
            }
            assert!(
                content
                    .notes
                    .iter()
                    .all(|note| !note.to_string().is_empty())
            );
        }
    }
});
