//! Recording: nothing panics, entries are read in order, and a cut of a recording is a recording.
//!
//! An input is a file, or frames with their lengths, around which a file with valid checksums is
//! built. The first byte selects one of the two.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vhost::trace::{Trace, TraceError, decode};
use vhost::{Cut, Replay};

/// Start of a recording: its name, and version 3.
const START: &[u8] = b"VHOSTTRC\x03\0\0\0";

/// Folder of this process.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("vhost-fuzz-trace-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for recordings");
    folder
});

/// Largest tick whose replay is short.
const SHORT: u64 = 10_000;

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else {
        return;
    };
    let whole = FOLDER.join("whole.trace");
    let bytes = match how % 2 {
        0 => data.to_vec(),
        _ => recording(data),
    };
    fs::write(&whole, bytes).expect("a recording");
    let Ok(last) = read(&whole) else {
        return;
    };
    if last > SHORT {
        return;
    }
    let part = FOLDER.join("part.trace");
    if let Ok(cut) = Cut::of(&whole, last / 3..=last * 2 / 3, &part) {
        assert!(cut.first <= last * 2 / 3 + 1);
        read(&part).expect("a part of a recording");
    }
    if let Err(error) = Replay::of(&whole).on_finding(|_| ()).run() {
        assert!(!error.to_string().is_empty());
    }
});

/// Recording of these frames. The length of a frame precedes it in one byte, or in four bytes
/// behind a byte of ones. The first frame, the header, has a block of its own.
fn recording(frames: &[u8]) -> Vec<u8> {
    let first = match frames {
        [255, a, b, c, d, ..] => 5 + u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        [len, ..] => 1 + usize::from(*len),
        [] => 0,
    };
    let (header, others) = frames.split_at(first.min(frames.len()));
    let mut file = START.to_vec();
    for block in [header, others] {
        let len = (block.len() as u32).to_le_bytes();
        file.extend(len);
        file.extend(crc32fast::hash(&[&len, block].concat()).to_le_bytes());
        file.extend(block);
    }
    file
}

/// Reads a recording to its end, and again from its last tick on. Returns that tick.
fn read(file: &Path) -> Result<u64, TraceError> {
    let mut trace = Trace::open(file)?;
    let mut frame = 0;
    let mut last = 0;
    for entry in &mut trace {
        let entry = entry?;
        assert!(entry.frame > frame, "frame {} behind {frame}", entry.frame);
        (frame, last) = (entry.frame, entry.tick.max(last));
        if let Ok(Some(body)) = decode(&entry) {
            assert!(!format!("{body:?}").is_empty());
        }
    }
    let mut trace = Trace::open(file)?;
    trace.skip_to(last..=last)?;
    for entry in trace {
        entry?;
    }
    Ok(last)
}
