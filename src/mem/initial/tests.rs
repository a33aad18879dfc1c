use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::mem::Backend;
use crate::testing::memories::black_box;

const ID: MemoryId = MemoryId(3);

fn memory(size: u64, init: Init) -> Memory {
    Memory {
        init,
        ..black_box("ram", 0x1000, size, Backend::Uvm)
    }
}

/// Final content of the memory, and the note. Bytes that were not written are 0xee.
fn content(size: u64, init: Init) -> (Vec<u8>, Option<String>) {
    let memory = memory(size, init);
    let initial = initial(ID, &memory, 5).unwrap();
    let mut bytes = vec![0xee; usize::try_from(size).unwrap()];
    for op in initial.writes() {
        let (place, data) = match op {
            Op::Write(place, data) => (place, data.to_vec()),
            Op::Fill(place, byte) => {
                let len = usize::try_from(place[0].len).unwrap();
                (place, vec![byte; len])
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((place.len(), place[0].memory), (1, ID));
        assert_eq!(place[0].len, data.len() as u64);
        let start = usize::try_from(place[0].offset).unwrap();
        bytes[start..start + data.len()].copy_from_slice(&data);
    }
    let notes = initial.notes.iter().map(ToString::to_string);
    (bytes, notes.reduce(|all, note| all + "|" + &note))
}

fn hex(size: u64, width: u64, text: &str) -> Result<(Vec<u8>, Option<String>), String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let init = Init::Hex {
        file: file.path().to_owned(),
        width,
    };
    let name = file.path().display().to_string();
    if let Err(error) = initial(ID, &memory(size, init.clone()), 0) {
        return Err(error.to_string().replace(&name, "FILE"));
    }
    let (bytes, note) = content(size, init);
    Ok((bytes, note.map(|note| note.replace(&name, "FILE"))))
}

#[test]
fn content_is_left_unchanged_or_zeroed() {
    assert_eq!(content(3, Init::None), (vec![0xee; 3], None));
    assert_eq!(content(3, Init::Zero), (vec![0; 3], None));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let random = |seed| content(0x2_0001, Init::Random { seed });
    let (bytes, note) = random(Some(7));
    assert_eq!(note.as_deref(), Some("random content from seed 7"));
    assert!(bytes == random(Some(7)).0);
    assert!(bytes != random(Some(8)).0);
    // Without a configured seed, the generated one is used and reported.
    let (drawn, note) = random(None);
    assert_eq!(note.as_deref(), Some("random content from seed 5"));
    assert!(drawn == random(Some(5)).0);
    // All of it is random, also behind the maximum size of one write.
    for part in bytes.chunks(0x1000) {
        assert!(part.len() == 1 || part.iter().any(|byte| *byte != part[0]));
    }
}

#[test]
fn words_of_a_file_lie_at_its_addresses() {
    let (bytes, note) = hex(12, 2, "0102 0304 @4 abcd").unwrap();
    assert_eq!(
        bytes,
        [2, 1, 4, 3, 0xee, 0xee, 0xee, 0xee, 0xcd, 0xab, 0xee, 0xee]
    );
    assert_eq!(note, None);
}

#[test]
fn unknown_digits_are_counted() {
    let (bytes, note) = hex(2, 1, "1x z2").unwrap();
    assert_eq!(bytes, [0x10, 0x02]);
    let text = "FILE: 2 digits are x or z, and read as 0";
    assert_eq!(note.as_deref(), Some(text));
}

#[test]
fn a_file_without_values_or_of_other_words_is_reported() {
    for text in ["", " \n", "// none", "@1"] {
        let (bytes, note) = hex(2, 1, text).unwrap();
        assert_eq!(bytes, [0xee; 2]);
        let text = "FILE: a memory file (format of `$readmemh`) without a value; the memory is left as it is";
        assert_eq!(note.as_deref(), Some(text));
    }
    let (bytes, note) = hex(8, 4, "0001 000x").unwrap();
    assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 0, 0]);
    let text = "FILE: 1 digits are x or z, and read as 0|FILE: every value has 4 digits, as for \
                words of 16 bits, but each fills a word of 32; `objcopy -O verilog \
                --verilog-data-width=4` writes words of 4 bytes";
    assert_eq!(note.as_deref(), Some(text));
    let (bytes, note) = hex(6, 3, "07\n").unwrap();
    assert_eq!(bytes[..3], [7, 0, 0]);
    let text =
        "FILE: every value has 2 digits, as for words of 8 bits, but each fills a word of 24";
    assert_eq!(note.as_deref(), Some(text));
    assert!(hex(8, 4, "00 01").unwrap_err().contains("these are bytes"));
}

#[test]
fn a_file_that_does_not_fit_is_named_with_its_memory() {
    let error = hex(2, 1, "00\n01 02").unwrap_err();
    assert!(error.starts_with("memory `ram`, init: FILE:2: "), "{error}");
    let init = Init::Hex {
        file: Path::new("/nowhere/ram.hex").to_owned(),
        width: 1,
    };
    let error = initial(ID, &memory(2, init), 0).unwrap_err().to_string();
    let start = "memory `ram`, init: can't read /nowhere/ram.hex: ";
    assert!(error.starts_with(start), "{error}");
}

/// A word may be two bytes of the file and many of the memory: held at the same time, these writes
/// would take 32 MiB.
#[test]
fn no_more_than_a_write_is_held() {
    const WIDTH: u64 = 1 << 17;
    const WORDS: usize = 1 << 8;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all("@0 1\n".repeat(WORDS).as_bytes()).unwrap();
    let init = Init::Hex {
        file: file.path().to_owned(),
        width: WIDTH,
    };
    let memory = memory(WIDTH, init);
    let initial = initial(ID, &memory, 0).unwrap();
    assert_eq!(initial.writes().count(), WORDS);
    // A second iteration starts at the beginning.
    assert_eq!(initial.writes().count(), WORDS);
}
