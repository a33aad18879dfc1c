//! Session of mock firmware with a whole system: requests, misbehaviour, ticks and backdoor calls
//! in any order. Nothing panics, every tick ends, and well-behaved firmware is served at the end.

#![no_main]

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mailbox_rs::mock::{Firmware, Misbehaviour};
use mailbox_rs::{
    CacheLine, PtrWidth, REQUEST_ARGS, Request, RequestEntry, Response, Version, action,
};
use test_support::host_fixture::{
    Backing, HostFixture, METHODS, Plan, RAM, REGIONS, keeps_host_busy,
};
use test_support::ram::Ram;
use vhost::Error;

/// Decoded input.
#[derive(Arbitrary, Debug)]
struct Session {
    backing: Where,
    wide: [bool; 2],
    lines: [Line; 2],
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Where {
    Static,
    Log,
    Mixed,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Line {
    None,
    B32,
    B256,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Send(bool, Wish),
    Misbehave(bool, Trick),
    Store(bool, u16, u32),
    Receive(bool),
    Put(bool, Place, Text),
    Tick,
    Notify,
    Release,
    Poll(bool, u8, u64),
    Read(Place, Length),
    Status,
}

/// Request, possibly malformed.
#[derive(Arbitrary, Debug)]
enum Wish {
    Print(Length, Place),
    CPrint(Place, Place, [u64; 3]),
    CPrintString(Place, Place),
    Move(Place, Place, Length),
    Set(Place, Length),
    Compare(Place, Place, Length),
    Call(Place, u64, u8),
    File([u8; 2], Place, Length),
    Open(Place, u8),
    Command(u8, u64),
    Any(u32, u32, [u64; 4]),
}

/// Address near one end of a memory, or any address.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    Start(u8, i8),
    End(u8, i8),
    Within(u8, u16),
    Any(u64),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Small(u8),
    Large(u16),
    Power(u8),
    Any(u64),
}

#[derive(Arbitrary, Debug)]
enum Trick {
    Version(u16, u16),
    Reset,
    HalfReset,
    State(u32),
    JumpAhead(u8),
    JumpFar(u32),
    SkipResponses(u32),
    OverwriteConsumer(u32),
    OverwriteProducer(u32),
    Words(u32),
    Deaf,
    Behave,
}

#[derive(Arbitrary, Debug)]
enum Text {
    Method(u8),
    Path(u8),
    Bytes(Vec<u8>),
    Unterminated(Vec<u8>),
}

const PATHS: [&str; 9] = [
    "a",
    "~/${NOT_SET:-a}",
    "$NOT_SET",
    "b.ram",
    "x.bad",
    "x.bug",
    "virtual/endless",
    "virtual/bug",
    "../a",
];

impl Place {
    fn address(self) -> u64 {
        let region = |which: u8| REGIONS[usize::from(which) % REGIONS.len()];
        match self {
            Self::Start(which, by) => region(which).base.wrapping_add_signed(by.into()),
            Self::End(which, by) => region(which).end().wrapping_add_signed(by.into()),
            Self::Within(which, by) => region(which).base + u64::from(by) % region(which).size,
            Self::Any(address) => address,
        }
    }
}

impl Length {
    fn bytes(self) -> u64 {
        match self {
            Self::Small(bytes) => bytes.into(),
            Self::Large(bytes) => u64::from(bytes) + 0x8000,
            Self::Power(power) => 1 << (power % 64),
            Self::Any(bytes) => bytes,
        }
    }
}

impl Wish {
    fn entry(&self) -> RequestEntry {
        let entry = |action, words: u32, counted: &[u64]| {
            let mut args = [0; REQUEST_ARGS];
            args[..counted.len()].copy_from_slice(counted);
            RequestEntry {
                action,
                words,
                args,
            }
        };
        match *self {
            Self::Print(len, at) => entry(action::PRINT, 2, &[len.bytes(), at.address()]),
            Self::CPrint(format, file, [a, b, c]) => entry(
                action::CPRINT,
                6,
                &[format.address(), file.address(), 1, a, b, c],
            ),
            Self::CPrintString(format, string) => entry(
                action::CPRINT,
                4,
                &[format.address(), 0, 1, string.address()],
            ),
            Self::Move(to, from, len) => entry(
                action::MEMMOVE,
                3,
                &[to.address(), from.address(), len.bytes()],
            ),
            Self::Set(at, len) => entry(action::MEMSET, 3, &[at.address(), 0xa5, len.bytes()]),
            Self::Compare(one, other, len) => entry(
                action::MEMCMP,
                3,
                &[one.address(), other.address(), len.bytes()],
            ),
            Self::Call(name, arg, words) => entry(
                action::CALL,
                u32::from(words % 21),
                &[name.address(), arg, arg],
            ),
            Self::File([operation, fd], at, len) => {
                let args = [
                    u64::from(operation % 6),
                    10 + u64::from(fd % 16),
                    at.address(),
                    len.bytes(),
                ];
                entry(action::FILE, 4, &args)
            }
            Self::Open(path, flags) => entry(action::FILE, 3, &[0, path.address(), flags.into()]),
            Self::Command(id, arg) => entry(action::OTHER, 3, &[id.into(), arg, arg]),
            Self::Any(action, words, args) => entry(action, words, &args),
        }
    }
}

impl Trick {
    fn done_by(&self, firmware: &mut Firmware<Ram>) {
        firmware.misbehave(match *self {
            Self::Version(major, minor) => Misbehaviour::Version(Version { major, minor }),
            Self::Reset => Misbehaviour::Reset,
            Self::HalfReset => Misbehaviour::HalfReset,
            Self::State(state) => Misbehaviour::State(state),
            Self::JumpAhead(by) => Misbehaviour::JumpAhead(by.into()),
            Self::JumpFar(by) => Misbehaviour::JumpAhead(by),
            Self::SkipResponses(by) => Misbehaviour::SkipResponses(by),
            Self::OverwriteConsumer(index) => Misbehaviour::OverwriteConsumer(index),
            Self::OverwriteProducer(index) => Misbehaviour::OverwriteProducer(index),
            Self::Words(words) => Misbehaviour::Words(words),
            Self::Deaf => Misbehaviour::Deaf,
            Self::Behave => return firmware.behave(),
        });
    }
}

impl Text {
    fn bytes(&self) -> Vec<u8> {
        let whole = |text: &str| [text.as_bytes(), &[0]].concat();
        match self {
            Self::Method(which) => whole(METHODS[usize::from(*which) % METHODS.len()]),
            Self::Path(which) => whole(PATHS[usize::from(*which) % PATHS.len()]),
            Self::Bytes(text) => [&text[..], &[0]].concat(),
            Self::Unterminated(text) => text.clone(),
        }
    }
}

/// Maximum number of steps of a session, each of which may move 256 MiB.
const STEPS: usize = 64;

const GOOD: &str = "good";

impl Session {
    fn channels(&self) -> [Plan; 3] {
        let width = |wide| if wide { PtrWidth::P8 } else { PtrWidth::P4 };
        let line = |line| match line {
            Line::None => CacheLine::None,
            Line::B32 => CacheLine::B32,
            Line::B256 => CacheLine::B256,
        };
        let hostile = |at: usize, name, space| Plan {
            name,
            space,
            place: 0,
            width: width(self.wide[at]),
            line: line(self.lines[at]),
        };
        let good = Plan {
            name: GOOD,
            space: GOOD,
            place: 0,
            width: PtrWidth::P8,
            line: CacheLine::B64,
        };
        [good, hostile(0, "rude", "rude"), hostile(1, "wild", "wild")]
    }

    fn play(&self, directory: &Path) {
        let backing = match self.backing {
            Where::Static => Backing::Static,
            Where::Log => Backing::Log,
            Where::Mixed => Backing::Mixed,
        };
        let plans = self.channels();
        let fixture = HostFixture::start(directory, backing, &plans);
        let [good, rude, wild] = plans.map(|plan| fixture.firmware(&plan));
        let mut hostile = [rude, wild];
        for firmware in &mut hostile {
            firmware.reset();
        }
        for step in self.steps.iter().take(STEPS) {
            step.take_by(&fixture, &mut hostile);
        }
        serve(&fixture, good);
        fixture.vhost.shutdown();
    }
}

impl Step {
    fn take_by(&self, fixture: &HostFixture, hostile: &mut [Firmware<Ram>; 2]) {
        let space = |which: bool| if which { "wild" } else { "rude" };
        let notified = |error: &Error| assert!(!error.to_string().is_empty());
        match self {
            Self::Send(which, wish) => {
                let entry = wish.entry();
                if !keeps_host_busy(&entry) {
                    hostile[usize::from(*which)].try_send_entry(&entry);
                }
            }
            Self::Misbehave(which, trick) => trick.done_by(&mut hostile[usize::from(*which)]),
            Self::Store(which, word, value) => {
                let firmware = &hostile[usize::from(*which)];
                let words = firmware.layout().channel_size / 4;
                firmware.store(u64::from(*word) % words * 4, *value);
            }
            Self::Receive(which) => drop(hostile[usize::from(*which)].try_receive()),
            Self::Put(which, at, text) => {
                let _ = fixture
                    .vhost
                    .write(space(*which), at.address(), text.bytes())
                    .inspect_err(notified);
            }
            Self::Tick => tick(fixture),
            Self::Notify => fixture.vhost.notify(),
            Self::Release => {
                _ = fixture
                    .released
                    .fetch_not(std::sync::atomic::Ordering::Relaxed)
            }
            Self::Poll(which, method, arg) => {
                let method = METHODS[usize::from(*method) % METHODS.len()];
                let _ = fixture
                    .vhost
                    .poll_call(space(*which), method, &[*arg])
                    .inspect_err(notified);
            }
            Self::Read(at, len) => {
                let len = len.bytes();
                // A host program may request as much as it can hold.
                if !(1 << 20..1 << 48).contains(&len) {
                    let _ = fixture
                        .vhost
                        .read("wild", at.address(), len)
                        .inspect_err(notified);
                }
                let _ = fixture
                    .vhost
                    .read_string("wild", at.address())
                    .inspect_err(notified);
            }
            Self::Status => {
                let status = fixture.vhost.status().expect("the status");
                // One line for each channel, with details below it.
                let channels = status.lines().filter(|line| !line.starts_with(' '));
                assert_eq!(channels.count(), 3, "{status}");
            }
        }
    }
}

/// One tick. Firmware of another version ends its channel's service, which is reported on every
/// tick.
fn tick(fixture: &HostFixture) {
    if let Err(error) = fixture.vhost.tick() {
        assert!(matches!(error, Error::Fatal(_)), "{error}");
    }
}

/// Well-behaved firmware: a handshake, then some requests, each served within a tick.
fn serve(fixture: &HostFixture, mut firmware: Firmware<Ram>) {
    fixture.console.take_text();
    fixture
        .vhost
        .write(GOOD, RAM.base, b"well\n\0".as_slice())
        .expect("its memory");
    firmware.reset();
    tick(fixture);
    assert!(firmware.is_ready(), "no handshake");
    let (ptr, len) = (RAM.base, 5);
    for (request, answer) in [
        (
            Request::MemMove {
                dest: ptr + 2000,
                src: ptr,
                len,
            },
            Response::Empty,
        ),
        (
            Request::MemCmp {
                s1: ptr,
                s2: ptr + 2000,
                len,
            },
            Response::Value(0),
        ),
        (
            Request::Print {
                ptr: ptr + 2000,
                len,
            },
            Response::Empty,
        ),
        (
            Request::Custom {
                action: action::OTHER,
                id: 0,
                args: [42].into(),
            },
            Response::Value(42),
        ),
    ] {
        assert!(firmware.try_send(&request), "the queue is full");
        tick(fixture);
        let response = firmware.try_receive();
        assert_eq!(response, Some(answer.entry(PtrWidth::P8)), "{request}");
    }
    let printed = fixture.console.take_text();
    assert!(
        printed.lines().any(|line| line == "[good] well"),
        "{printed}"
    );
}

/// Folder of files of the sessions of this process.
static DIRECTORY: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("vhost-fuzz-{}", std::process::id())));

fuzz_target!(
    init: {
        let abort = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let text = info.payload_as_str().unwrap_or_default();
            // Intended panics of the host program.
            if !["a callback, of", "an opener, of", "a file that is"].iter().any(|begin| text.starts_with(begin)) {
                abort(info);
            }
        }));
    },
    |session: Session| {
        let root = DIRECTORY.join("root");
        if root.exists() {
            fs::remove_dir_all(&root).expect("an empty root");
        }
        fs::create_dir_all(&*DIRECTORY).expect("a directory for the session");
        session.play(&DIRECTORY);
    }
);
