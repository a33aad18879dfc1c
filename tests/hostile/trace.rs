//! Malicious recordings: read, decoded and replayed to an end or an error, within a short time and
//! with little memory.

use std::fs;
use std::io;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use crate::heap;
use fastrand::Rng;
use mailbox_rs::mock::Firmware;
use mailbox_rs::{CacheLine, FileRequest, Layout, OpenFlags, PtrWidth, Request};
use test_support::frames::{frames, recording_with_identity};
use test_support::ram::Ram;
use vhost::attach::{Logger, ProtocolChecker, Statistics};
use vhost::trace::{RunIdentity, Trace, decode};
use vhost::{ActorName, Replay, Vhost};

/// Records a short run with messages of every endpoint.
pub(crate) fn record(directory: &Path) -> PathBuf {
    const MEMORIES: &str = "space:\n  core:\n    - ram: {base: 0, size: 0x2000, path: ram, width: 32, backend: static, init: {method: random}}\n";
    let (memories, trace) = (directory.join("trace.yaml"), directory.join("run.trace"));
    fs::write(&memories, MEMORIES).expect("the memory YAML");
    let vhost = Vhost::builder()
        .memories(memories)
        .mailboxes_text("core: {space: core, base: 0x1000, ptr: 32, cache_line: 0}")
        .files(directory)
        .console(io::sink())
        .identify(RunIdentity::ID, "a run")
        .identify(RunIdentity::SEED, "17")
        .record(&trace)
        .start()
        .expect("a system");
    let slow = |vhost: &Vhost, _: vhost::HostProgramCall<'_>| {
        vhost.read_u32("core", 0x800)?;
        Ok(if vhost.now().is_multiple_of(3) {
            Poll::Ready(7)
        } else {
            Poll::Pending
        })
    };
    vhost.register_method("slow", slow).expect("a method");
    vhost
        .write("core", 0x800, b"slow\0a.txt\0text %d\n\0".to_vec())
        .expect("its memory");
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let mut firmware = Firmware::new(Ram::of(&vhost, "core", "ram"), 0x1000, layout);
    firmware.reset();
    let flags = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0);
    let requests = [
        Request::Print { ptr: 0x80b, len: 5 },
        Request::CPrint {
            format: 0x80b,
            file: 0,
            line: 0,
            args: [5].into(),
        },
        Request::MemSet {
            dest: 0x100,
            byte: 3,
            len: 200,
        },
        Request::MemMove {
            dest: 0x180,
            src: 0x100,
            len: 100,
        },
        Request::MemCmp {
            s1: 0x100,
            s2: 0x180,
            len: 99,
        },
        Request::Call {
            method: 0x800,
            args: [1, 2].into(),
        },
        Request::Call {
            method: 0x805,
            args: [].into(),
        },
        Request::File(FileRequest::Open { path: 0x805, flags }),
        Request::File(FileRequest::Write {
            fd: 10,
            ptr: 0x100,
            len: 8,
        }),
        Request::File(FileRequest::Seek {
            fd: 10,
            position: 0,
        }),
        Request::File(FileRequest::Read {
            fd: 10,
            ptr: 0x100,
            len: 8,
        }),
        Request::Exit { code: 3 },
    ];
    let mut requests = requests.iter().peekable();
    for _ in 0..200 {
        vhost.notify();
        vhost.tick().expect("a tick");
        while firmware.try_receive().is_some() {}
        if firmware.is_ready()
            && let Some(request) = requests.peek()
            && firmware.try_send(request)
        {
            requests.next();
        }
    }
    assert!(requests.next().is_none(), "all were sent");
    vhost.shutdown();
    trace
}

/// Damages a recording that stays well-formed.
fn harm(rng: &mut Rng, frames: &mut Vec<Vec<u8>>) {
    let any = rng.usize(..frames.len());
    match rng.u8(..8) {
        0 => drop(frames.remove(any)),
        1 => frames.insert(rng.usize(..frames.len()), frames[any].clone()),
        2 => {
            let other = rng.usize(..frames.len());
            frames.swap(any, other);
        }
        3 => frames[any].truncate(rng.usize(..16)),
        4 => frames[any].extend([0xfc, 0xff, 0xff, 0xff, 0xff]),
        _ => {
            let frame = &mut frames[any];
            for _ in 0..rng.usize(1..4) {
                if !frame.is_empty() {
                    let at = rng.usize(..frame.len());
                    frame[at] = if rng.bool() {
                        rng.u8(..)
                    } else {
                        0xfb + rng.u8(..5)
                    };
                }
            }
        }
    }
}

/// Of this number of recordings one is replayed; the others are only read.
const REPLAYED: u64 = 4;

/// Number of recordings after which the process has made its permanent allocations.
const FIRST: u64 = 100;

/// Maximum number of bytes that it allocates in addition until the last one.
const MAX_GROWTH: usize = 32 * 1024;

/// Reads `count` recordings, each with other damage.
pub(crate) fn attack(directory: &Path, count: u64, seed: u64) {
    static PANICS: AtomicU64 = AtomicU64::new(0);
    let sound = record(directory);
    Replay::of(&sound).run().expect("nothing differs");
    let sound = fs::read(sound).expect("the recording");
    let frames = frames(&sound);
    assert_eq!(
        test_support::frames::frames(&recording_with_identity(&frames)),
        frames
    );

    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
    let harmed = directory.join("harmed.trace");
    let (mut equal, mut refused) = (0, 0);
    let mut held = 0;
    for number in 0..count {
        if number == FIRST {
            held = heap::held();
        }
        let mut rng = Rng::with_seed(seed + number);
        let mut bytes = {
            let mut frames = frames.clone();
            for _ in 0..rng.usize(1..3) {
                harm(&mut rng, &mut frames);
            }
            recording_with_identity(&frames)
        };
        if rng.u8(..8) == 0 {
            let at = rng.usize(..bytes.len());
            bytes[at] ^= 1 << rng.u8(..8);
        }
        if rng.u8(..4) == 0 {
            let mut packed = Vec::with_capacity(2 * bytes.len() + 100);
            zstd_safe::compress(&mut packed, &bytes, 1).expect("room");
            bytes = packed;
            if rng.bool() {
                let at = rng.usize(..bytes.len());
                bytes[at] ^= 1 << rng.u8(..8);
            }
        }
        if rng.u8(..8) == 0 {
            bytes.truncate(rng.usize(..bytes.len()));
        }
        fs::write(&harmed, bytes).expect("the recording");
        if let Ok(mut trace) = Trace::open(&harmed) {
            if rng.bool() {
                let _ = trace.skip_to(rng.u64(..300)..=rng.u64(..));
            }
            for entry in trace.map_while(Result::ok) {
                let _ = decode(&entry);
            }
        }
        // Replays take most of the time: of the system, or of an actor that receives the damaged
        // message.
        if number % REPLAYED == 0 {
            let replay = Replay::of(&harmed)
                .attach(ProtocolChecker::new())
                .attach(Logger::writer(io::sink()))
                .attach(Statistics::new())
                .on_finding(|finding| assert!(!finding.text.is_empty()));
            match replay.run() {
                Ok(_) => equal += 1,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
            if let Some(actor) = rng.choice(ActorName::ALL)
                && let Err(error) = Replay::of(&harmed).only(actor).run()
            {
                assert!(!error.to_string().is_empty());
            }
        }
        let panics = PANICS.load(Ordering::Relaxed);
        assert_eq!(panics, 0, "recording {number} of seed {seed}");
    }
    let grown = heap::held().saturating_sub(held);
    assert!(
        count <= FIRST || grown < MAX_GROWTH,
        "{grown} bytes are held by replays that have ended"
    );
    println!(
        "{}{equal} recordings replayed, {refused} refused",
        crate::REPORT_PREFIX
    );
    assert!(refused > count / REPLAYED / 2);
}
