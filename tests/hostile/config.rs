//! Malicious configurations and images for a whole system: each is rejected or accepted, within a
//! short time and with little memory.

use std::fs::{self, OpenOptions};
use std::path::Path;

use fastrand::Rng;
use vhost::{Replay, Vhost, mailbox_init_with_config};

use crate::heap;
use test_support::elf::{Elf, Segment};
use test_support::host_fixture::{HUGE, TOP};

fn start(directory: &Path, memories: &str, mailboxes: &str) -> Result<Vhost, vhost::Error> {
    let file = directory.join("memories.yaml");
    fs::write(&file, memories).expect("the memory YAML");
    mailbox_init_with_config(&file, mailboxes)
}

/// Sizes that exceed any process: an error that names the memory, or no effect.
pub(crate) fn sizes(directory: &Path) {
    let one = |keys: &str| {
        let memories = format!("space:\n  core:\n    - big: {{{keys}}}\n");
        start(directory, &memories, "{}")
    };
    let kept = "base: 0, path: big, width: 64, backend: static";
    for size in [1_u64 << 62, 1 << 63] {
        let error = one(&format!("{kept}, size: {size:#x}")).expect_err("no room for it");
        assert!(error.to_string().starts_with("memory `big`: "), "{error}");
    }
    for init in ["all_zero", "random", "no_init"] {
        let keys = format!(
            "base: 0, size: {:#x}, backend: log, init: {{method: {init}}}",
            1_u64 << 63
        );
        let vhost = one(&keys).expect("nothing is kept of it");
        vhost.read("core", 0, 1 << 62).expect_err("as many bytes");
        vhost
            .write("core", u64::MAX >> 1, b"a".to_vec())
            .expect("the last byte");
        vhost
            .write("core", u64::MAX >> 1, b"ab".to_vec())
            .expect_err("the first byte behind");
    }
}

/// 64-bit image with one segment of a few bytes.
fn image(address: u64, memory_size: u64) -> Vec<u8> {
    let bytes = 0x0123_4567_89ab_cdef_u64.to_le_bytes();
    Elf::of(vec![Segment::at(address, &bytes, memory_size)]).build()
}

/// Image with more debug information than fits into memory: it is not read, and not part of a
/// recording.
pub(crate) fn debug_information(directory: &Path) {
    const DEBUG: u64 = 1 << 40;
    let elf = Elf {
        mailboxes: vec![(0x1000, 1512)],
        debug: DEBUG,
        ..Elf::of(vec![Segment::at(0, &[0x13; 64], 64)])
    };
    let (file, trace) = (directory.join("debug.elf"), directory.join("debug.trace"));
    let bytes = elf.build();
    fs::write(&file, &bytes).expect("the image");
    let sparse = OpenOptions::new()
        .write(true)
        .open(&file)
        .expect("the image");
    // The largest sparse file of the file system; in any case larger than the limit of memory.
    let lens = [DEBUG, 1 << 33, 1 << 31];
    let grown = lens
        .iter()
        .find(|len| sparse.set_len(bytes.len() as u64 + **len).is_ok());
    grown.expect("a sparse file");
    let memories = directory.join("memories.yaml");
    let text =
        "space:\n  core: [ram: {base: 0, size: 0x2000, path: ram, width: 32, backend: static}]\n";
    fs::write(&memories, text).expect("the memory YAML");
    let before = heap::peak();
    let vhost = Vhost::builder()
        .memories(memories)
        .mailboxes_text("core: {space: core, elf: $IMAGE, cache_line: 0}")
        .variable("IMAGE", file.display().to_string())
        .record(&trace)
        .start()
        .expect("a small program");
    assert_eq!(
        vhost.read("core", 60, 8).expect("its end")[..],
        [0x13, 0x13, 0x13, 0x13, 0, 0, 0, 0]
    );
    vhost.load_elf("core", &file).expect("the same image");
    vhost.tick().expect("a tick");
    vhost.shutdown();
    let most = heap::peak() - before;
    assert!(most < 1 << 20, "{most} bytes were held");
    let recorded = fs::metadata(&trace).expect("the recording").len();
    assert!(recorded < 16 << 10, "{recorded} bytes were recorded");
    // The recording replays without the image.
    fs::remove_file(&file).expect("the image");
    Replay::of(&trace).run().expect("a replay");
}

/// Loadable bytes are read in pieces while they are written. A segment without memory is not read.
pub(crate) fn large_segments(vhost: &Vhost, directory: &Path) {
    let file = directory.join("large.elf");
    let large = |address: u64, file_size: u64| {
        let mut bytes = image(address, file_size);
        // `p_filesz` in the first program header.
        bytes[64 + 32..64 + 40].copy_from_slice(&file_size.to_le_bytes());
        fs::write(&file, &bytes).expect("the image");
        let sparse = OpenOptions::new()
            .write(true)
            .open(&file)
            .expect("the image");
        sparse.set_len(64 + 56 + file_size).expect("a sparse file");
        vhost.load_elf("wild", &file)
    };
    let before = heap::peak();
    large(HUGE.base, 128 << 20).expect("its bytes are written into a memory that keeps none");
    large(TOP.base - 0x1000, 1 << 32).expect_err("no memory is there");
    let most = heap::peak() - before;
    assert!(most < 8 << 20, "{most} bytes were held");
}

/// Images that claim more bytes than they have, and images with overwritten bytes.
pub(crate) fn images(vhost: &Vhost, directory: &Path, rounds: u64) {
    let file = directory.join("image.elf");
    let load = |space: &str, image: &[u8]| {
        fs::write(&file, image).expect("the image");
        vhost.load_elf(space, &file)
    };
    for size in [8, 1 << 20, 1 << 63] {
        load("wild", &image(HUGE.base, size)).expect("what is outside is left out");
    }
    load("wild", &image(TOP.base, TOP.size)).expect("it ends where addresses end");
    for (base, size) in [(TOP.base, TOP.size + 1), (HUGE.base, u64::MAX)] {
        load("wild", &image(base, size)).expect_err("it ends where there is no address");
    }
    let error = load("good", &image(HUGE.base, 8)).expect_err("no memory is there");
    assert!(
        error
            .to_string()
            .contains("can't be loaded into space `good`: segment 0 (0x1000000000000 to 0x1000000000007) has no memory at "),
        "{error}"
    );

    let mut rng = Rng::with_seed(rounds);
    for _ in 0..rounds {
        let mut image = if rng.bool() {
            image(TOP.base, 0x100)
        } else {
            let segments = [TOP.base, TOP.base + 0x80].map(|at| Segment::at(at, &[1; 16], 0x100));
            let elf = Elf {
                mailboxes: vec![(TOP.base, 1512); 2],
                ..Elf::of(segments.into())
            };
            elf.build()
        };
        for _ in 0..rng.u32(1..6) {
            let at = rng.usize(..image.len());
            image[at] = rng
                .choice([0, 1, 0x7f, 0xff, rng.clone().u8(..)])
                .unwrap_or(0);
        }
        image.truncate(if rng.u8(..8) == 0 {
            rng.usize(..image.len())
        } else {
            image.len()
        });
        if let Err(error) = load("wild", &image) {
            assert!(!error.to_string().is_empty());
        }
    }
}

/// Nearly valid texts. A system with an accepted one starts and ticks.
pub(crate) fn texts(directory: &Path, rounds: u64) {
    const MEMORIES: &str = "shared:\n  ram: &ram {base: 0x80000000, size: 0x4000, path: ram, width: 128, array_dims: {rows: 16, cols: 64}, backend: static}\nspace:\n  core0:\n    - rom: {base: 0, size: 4096, backend: log, init: {method: random, seed: 1}}\n    - [ram]\n  core1:\n    - ram2: {<<: *ram, base: 0x90000000}\n    - sram: {path: s, base: 0x5000000, size: 64, width: 64, bank_width: 32, bank_depth: 4, backend: static, banks: [[a, b], [c, d]]}\n";
    const MAILBOXES: &str = "a: &a {space: core0, base: 0x80000000, ptr: 64, cache_line: 64}\nb: {<<: *a, space: core1, base: 0x90001000, ptr: 32}\n";
    const PIECES: [&str; 22] = [
        "0",
        "-1",
        "7",
        "0xffffffffffffffff",
        "0x4000000000000000",
        "18446744073709551616",
        "&a ",
        "*a ",
        "<<: *ram",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "\n",
        " ",
        "'",
        "core0",
        "1e400",
        "random",
        "size",
        "\0",
    ];
    let mut rng = Rng::with_seed(rounds);
    let mut mutated = |text: &str| {
        let mut text = text.as_bytes().to_vec();
        for _ in 0..rng.u32(..3) {
            let at = rng.usize(..=text.len());
            let end = (at + rng.usize(..8)).min(text.len());
            let piece = rng.choice(PIECES).unwrap_or_default();
            text.splice(at..end, piece.bytes());
        }
        String::from_utf8(text).expect("ASCII")
    };
    let mut started = 0;
    for _ in 0..rounds {
        let (memories, mailboxes) = (mutated(MEMORIES), mutated(MAILBOXES));
        match start(directory, &memories, &mailboxes) {
            Ok(vhost) => {
                vhost.tick().expect("a tick");
                started += 1;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    assert!(started > rounds / 20, "{started} of {rounds} were accepted");
}
