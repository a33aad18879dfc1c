//! Compressed recordings of random messages, with chunks of a few bytes, compared with plain
//! recordings of the same messages.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::*;
use crate::bus::{Bus, Envelope, ReplySender};
use crate::mem::{AccessError, Op, OpOutcome, SpaceId, Span};
use crate::messages::memory::{self, Access};

/// Action on the bus.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Posts a message with this number of bytes.
    Post(usize),
    /// Replies to one of the unanswered messages.
    Reply(usize),
    /// Forwards one of the unanswered messages to the same receiver.
    Forward(usize),
    /// Drops one of the unanswered messages.
    Drop(usize),
    Tick,
    /// Moves to an earlier tick, as a restore does.
    Back(u64),
    Flush,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..90_usize).prop_map(Act::Post),
        1 => (0..6_000_usize).prop_map(Act::Post),
        4 => (0..4_usize).prop_map(Act::Reply),
        1 => (0..4_usize).prop_map(Act::Forward),
        1 => (0..4_usize).prop_map(Act::Drop),
        3 => Just(Act::Tick),
        1 => (0..5_u64).prop_map(Act::Back),
        1 => Just(Act::Flush),
    ];
    proptest::collection::vec(act, 1..60)
}

type Held = Rc<RefCell<Vec<ReplySender<Result<OpOutcome, AccessError>>>>>;

/// Performs the acts, and records them in these files.
fn perform(acts: &[Act], recorders: Vec<Recorder>) {
    let bus = Bus::new();
    for recorder in recorders {
        bus.attach(recorder);
    }
    let held = Held::default();
    let holder = held.clone();
    let port = bus.foreign(Rc::new(move |call| match call {
        memory::Inbox::Access(Envelope { reply, .. }) => holder.borrow_mut().push(reply),
        other => drop(other),
    }));
    let message = |len: usize| {
        let span = Span {
            address: len as u64,
            len: len as u64,
        };
        let data = (0..len).map(|at| (at * len) as u8).collect::<Vec<_>>();
        Access {
            space: SpaceId(0),
            op: Op::Write(span, data.into()),
        }
    };
    let take = |number: usize| {
        let mut held = held.borrow_mut();
        let at = number % held.len().max(1);
        (at < held.len()).then(|| held.remove(at))
    };
    for act in acts {
        match *act {
            Act::Post(len) => port.post(message(len)),
            Act::Reply(number) => {
                if let Some(reply) = take(number) {
                    reply.send(Ok(OpOutcome::Done));
                }
            }
            Act::Forward(number) => {
                if let Some(reply) = take(number) {
                    port.forward(message(number), reply);
                }
            }
            Act::Drop(number) => drop(take(number)),
            Act::Tick => drop(bus.tick().unwrap()),
            Act::Back(ticks) => bus.set_now(bus.now().saturating_sub(ticks)),
            Act::Flush => bus.flush(),
        }
        bus.run_until_idle().unwrap();
    }
}

fn recorder(file: &Path, compressed: bool, chunks: u64) -> Recorder {
    let header = Header {
        compressed,
        ..Header::new()
    };
    Recorder::create(file, &header)
        .unwrap()
        .with_chunks_of(chunks)
}

/// Records the acts twice. Returns the plain recording, and the compressed one.
fn record(folder: &TempDir, acts: &[Act], chunks: u64) -> (PathBuf, PathBuf) {
    let [plain, compressed] = ["a.trace", "b.trace"].map(|name| folder.path().join(name));
    let recorders = vec![
        recorder(&plain, false, chunks),
        recorder(&compressed, true, chunks),
    ];
    perform(acts, recorders);
    (plain, compressed)
}

fn entries(file: &Path) -> Vec<Entry> {
    Trace::open(file).unwrap().map(Result::unwrap).collect()
}

/// Entries without their frame numbers, which differ because landmarks are frames.
fn without_frames(entries: &[Entry]) -> Vec<Entry> {
    let entries = entries.iter().cloned();
    entries.map(|entry| Entry { frame: 0, ..entry }).collect()
}

/// Entries of a recording up to its end or to an error, for these ticks if they are given.
fn read(file: &Path, ticks: Option<RangeInclusive<u64>>) -> (Vec<Entry>, bool, bool) {
    let Ok(mut trace) = Trace::open(file) else {
        return (Vec::new(), false, false);
    };
    if let Some(ticks) = ticks
        && trace.skip_to(ticks).is_err()
    {
        return (Vec::new(), false, false);
    }
    let mut entries = Vec::new();
    for entry in &mut trace {
        match entry {
            Ok(entry) => entries.push(entry),
            Err(_) => return (entries, false, false),
        }
    }
    (entries, true, trace.is_truncated())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_compressed_recording_has_the_entries_of_a_plain_one(acts in acts(), chunks in 1..20_000_u64) {
        let folder = TempDir::new().unwrap();
        let (plain, compressed) = record(&folder, &acts, chunks);
        let expected = entries(&plain);
        let read = entries(&compressed);
        prop_assert_eq!(without_frames(&read), without_frames(&expected));
        prop_assert!(Trace::open(&compressed).unwrap().header().compressed);

        // The output of other unpackers is a recording with the same frames.
        let packed = std::fs::read(&compressed).unwrap();
        let mut bytes = Vec::with_capacity(1 << 20);
        zstd_safe::decompress(&mut bytes, &packed).unwrap();
        std::fs::write(&plain, bytes).unwrap();
        prop_assert_eq!(entries(&plain), read);
    }

    #[test]
    fn entries_of_ticks_are_found_without_those_before(
        acts in acts(),
        chunks in 1..3_000_u64,
        first in 0..20_u64,
        ticks in 0..20_u64,
        has_table: bool,
    ) {
        let folder = TempDir::new().unwrap();
        let (_, compressed) = record(&folder, &acts, chunks);
        let ticks = first..=first + ticks;
        let of = |entries: Vec<Entry>| {
            let entries = entries.into_iter();
            entries.filter(|entry| ticks.contains(&entry.tick)).collect::<Vec<_>>()
        };
        let all = entries(&compressed);
        if !has_table {
            let bytes = std::fs::read(&compressed).unwrap();
            let table = bytes.windows(4).rposition(|it| it == [0x5e, 0x2a, 0x4d, 0x18]).unwrap();
            std::fs::write(&compressed, &bytes[..table]).unwrap();
        }
        let (found, is_well, is_truncated) = read(&compressed, Some(ticks.clone()));
        prop_assert!(is_well && !is_truncated);
        prop_assert_eq!(of(found), of(all));
    }

    #[test]
    fn a_recording_that_is_cut_off_has_its_beginning(acts in acts(), chunks in 1..3_000_u64, at: prop::sample::Index) {
        let folder = TempDir::new().unwrap();
        let (_, compressed) = record(&folder, &acts, chunks);
        let all = entries(&compressed);
        let bytes = std::fs::read(&compressed).unwrap();
        let cut = &bytes[..at.index(bytes.len())];
        std::fs::write(&compressed, cut).unwrap();
        if Trace::open(&compressed).is_err() {
            prop_assert!(cut.len() < 1000, "the header was read from the first bytes");
            return Ok(());
        }
        let (found, is_well, _) = read(&compressed, None);
        prop_assert!(is_well);
        prop_assert!(all.starts_with(&found));
        let (found, is_well, _) = read(&compressed, Some(3..=5));
        prop_assert!(is_well);
        prop_assert!(found.iter().all(|entry| all.contains(entry)));
    }

    #[test]
    fn damage_is_found_and_entries_before_it_are_read(
        acts in acts(),
        chunks in 1..3_000_u64,
        at: prop::sample::Index,
        change in 1..=255_u8,
    ) {
        let folder = TempDir::new().unwrap();
        let (_, compressed) = record(&folder, &acts, chunks);
        let all = entries(&compressed);
        let mut bytes = std::fs::read(&compressed).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        // The last bytes show that the file is complete.
        let is_end = at + 9 >= bytes.len();
        std::fs::write(&compressed, bytes).unwrap();
        let (found, _, is_truncated) = read(&compressed, None);
        prop_assert!(!is_truncated || is_end);
        prop_assert!(all.starts_with(&found));
        let (found, _, _) = read(&compressed, Some(3..=5));
        prop_assert!(found.iter().all(|entry| all.contains(entry)));
    }

    #[test]
    fn any_bytes_in_frames_of_zstd_are_entries_or_an_error(bytes: Vec<u8>, first in 0..9_u64) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("run.trace");
        for content in [&b"VHOSTTRC\x05\0\0\0"[..], b""] {
            let mut packed = Vec::with_capacity(1 << 16);
            zstd_safe::compress(&mut packed, &[content, &bytes].concat(), 1).unwrap();
            packed.extend(&bytes);
            std::fs::write(&file, packed).unwrap();
            let _ = read(&file, None);
            let _ = read(&file, Some(first..=first));
        }
    }
}

/// A flush writes all entries, so that a process that ends after it loses none.
#[test]
fn a_flush_leaves_all_entries_in_the_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    let bus = Bus::new();
    bus.attach(recorder(&file, true, 1 << 20));
    let port = bus.foreign(Rc::new(|call: memory::Inbox| drop(call)));
    for number in 1..=5 {
        let span = Span { address: 0, len: 1 };
        let space = SpaceId(1);
        port.post(memory::MappedLength { space, span });
        bus.run_until_idle().unwrap();
        bus.flush();
        let copy = folder.path().join("copy.trace");
        std::fs::copy(&file, &copy).unwrap();
        let (found, is_well, is_truncated) = read(&copy, None);
        assert!(is_well && !is_truncated);
        assert_eq!(found.len(), 2 * number);
    }
}

#[test]
fn parts_before_the_ticks_are_not_read() {
    let folder = TempDir::new().unwrap();
    let acts = [Act::Post(900), Act::Reply(0), Act::Tick].repeat(40);
    let (_, compressed) = record(&folder, &acts, 2_000);
    let (all, found) = (entries(&compressed), read(&compressed, Some(30..=30)).0);
    let [first, last] = [found.first(), found.last()].map(|entry| entry.unwrap().tick);
    assert!((20..30).contains(&first), "{first}");
    assert_eq!(all.last().unwrap().tick, last);
    let (found, ..) = read(&compressed, Some(3..=4));
    // Ticks may go back within the last chunk.
    let ticks: Vec<_> = found.iter().map(|entry| entry.tick).collect();
    assert!(!ticks.contains(&20), "{ticks:?}");
}

#[test]
fn a_few_bytes_that_unpack_to_a_large_block_are_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    drop(recorder(&file, true, 1));
    let mut bytes = std::fs::read(&file).unwrap();
    let zeros = vec![0; 1 << 20];
    let bomb = [&(1_u32 << 30).to_le_bytes()[..], &zeros].concat();
    let mut packed = Vec::with_capacity(1 << 16);
    zstd_safe::compress(&mut packed, &bomb, 1).unwrap();
    bytes.extend(&packed);
    std::fs::write(&file, &bytes).unwrap();
    let error = Trace::open(&file).unwrap().find_map(Result::err);
    let text = error.unwrap().to_string();
    assert!(text.contains("1073741824 bytes is too large"), "{text}");
}

#[test]
fn a_window_that_takes_much_memory_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    // A frame with a window of 2 GiB, and an empty block.
    std::fs::write(&file, [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0]).unwrap();
    let text = Trace::open(&file).unwrap_err().to_string();
    assert!(text.contains("can't be unpacked"), "{text}");
}

/// Another program truncates the file while it is read: the bytes in the reader's buffer are still
/// read.
#[test]
fn a_file_that_is_truncated_while_it_is_read_ends_there() {
    let folder = TempDir::new().unwrap();
    let acts: Vec<_> = (0..600)
        .flat_map(|number| [Act::Post(number), Act::Flush])
        .collect();
    let (plain, compressed) = record(&folder, &acts, 1 << 20);
    for file in [plain, compressed] {
        let all = entries(&file);
        let mut trace = Trace::open(&file).unwrap();
        std::fs::File::create(&file).unwrap();
        let read: Vec<_> = trace.by_ref().map(Result::unwrap).collect();
        assert!(trace.is_truncated());
        assert!(read.len() < all.len());
        assert_eq!(read, all[..read.len()]);
    }
}

#[test]
fn a_frame_of_another_program_is_read() {
    let folder = TempDir::new().unwrap();
    let (plain, compressed) = record(&folder, &[Act::Post(9), Act::Tick, Act::Reply(0)], 1);
    let bytes = std::fs::read(&plain).unwrap();
    let mut packed = Vec::with_capacity(1 << 16);
    zstd_safe::compress(&mut packed, &bytes, 19).unwrap();
    std::fs::write(&compressed, packed).unwrap();
    assert_eq!(entries(&compressed), entries(&plain));
    let (found, is_well, _) = read(&compressed, Some(5..=9));
    assert!(is_well);
    assert_eq!(found, entries(&plain));
}
