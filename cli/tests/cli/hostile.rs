//! Untrusted files: the command always ends with an exit status of its own, and never panics.

use std::path::Path;

use crate::check::SELFTEST;
use crate::run::{Run, frames, seal};
use crate::{Ended, command, end};

/// Number of files for each command.
const FILES: u32 = 60;

fn ends_well(ended: &Ended, of: &str) {
    let known = matches!(ended.status, Some(0..=2));
    assert!(
        known && !ended.stderr.contains("panicked"),
        "{of}: {ended:?}"
    );
}

/// Changes a few bytes. In every second recording the checksums are corrected, so that the content
/// is decoded.
fn mutate(trace: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = trace.to_vec();
    let frames = frames(&bytes);
    let sealed = random.bool();
    for _ in 0..random.usize(1..8) {
        let frame = &frames[random.usize(..frames.len())];
        let len = frame.content.len();
        if len == 0 {
            continue;
        }
        // The first bytes have the most meaning: message and tick.
        let reach = if random.bool() { 8 } else { len };
        let at = random.usize(..len.min(reach));
        bytes[frame.content.start + at] = *random
            .choice(&[0, 1, 0x7f, 250, 251, 252, 253, 255])
            .unwrap();
        if sealed {
            seal(&mut bytes, frame);
        }
    }
    if random.u8(..8) == 0 {
        bytes.truncate(random.usize(..bytes.len()));
    }
    bytes
}

#[test]
fn recordings() {
    let folder = tempfile::tempdir().unwrap();
    // Requests of mailboxes, and requests without a response of the other protocols.
    let (_folder, others) = crate::open::recorded();
    let recorded = [Run::default().record(folder.path()), others];
    let recorded = recorded.map(|file| (std::fs::read(&file).unwrap(), file));
    let mutated = folder.path().join("mutated.trace");
    let mut random = fastrand::Rng::with_seed(8);
    for (number, (trace, good)) in (0..FILES).zip(recorded.iter().cycle()) {
        std::fs::write(&mutated, mutate(trace, &mut random)).unwrap();
        for words in [
            "trace show",
            "trace show --json",
            "trace stat",
            "trace export --perfetto -o /dev/null",
            "trace export --fst -o /dev/null",
            "trace export --ftr -o /dev/null",
            "report -o /dev/null",
            "replay",
        ] {
            let ended = end(command().args(words.split_whitespace()).arg(&mutated));
            ends_well(&ended, &format!("{words}, file {number}"));
        }
        let ended = end(command().args(["trace", "diff"]).args([good, &mutated]));
        ends_well(&ended, &format!("trace diff, file {number}"));
    }
}

fn check(folder: &Path, of: &str) {
    let ended = end(command().current_dir(folder).args([
        "check",
        "--mem",
        "mem.yaml",
        "--mailbox",
        "mailbox.yaml",
    ]));
    ends_well(&ended, of);
}

#[test]
fn configurations_and_images() {
    const MEMORIES: &str = "
shared: {common: {base: 0x100000, size: 0x1000, backend: api}}
space:
  core:
    - ram: {base: 0, size: 0x10000, path: tb.ram, width: 32, array_dims: {rows: 4, cols: 4096}, init: {method: random}}
    - common
    - banks: {base: 0x20000, size: 0x4000, path: tb, width: 64, bank_width: 32, bank_depth: 1024, banks: [[a, b], [c, d]]}
";
    const MAILBOXES: &str =
        "core: {space: core, elf: image.elf, cache_line: 0, mb_id: 0, ptr: 32}\n";
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let image = std::fs::read(SELFTEST).unwrap();
    let mut random = fastrand::Rng::with_seed(8);
    for number in 0..FILES {
        let mut texts = [MEMORIES, MAILBOXES].map(|text| text.as_bytes().to_vec());
        let mut image = image.clone();
        match number % 3 {
            // The header, near the beginning of the file.
            0 => {
                for _ in 0..4 {
                    let at = random.usize(..0x100);
                    image[at] = random.u8(..);
                }
            }
            text => {
                let text = &mut texts[text as usize - 1];
                for _ in 0..3 {
                    let at = random.usize(..text.len());
                    text[at] = *random.choice(b"09f:{}[]-x \n&*<$").unwrap();
                }
            }
        }
        put("mem.yaml", &texts[0]);
        put("mailbox.yaml", &texts[1]);
        put("image.elf", &image);
        check(folder.path(), &format!("file {number}"));
    }
}
