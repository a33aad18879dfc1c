//! Whole system with memories in this process, mock firmware on its channels, and a host program
//! whose methods return, wait, fail and panic.

use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use mailbox_rs::mock::Firmware;
use mailbox_rs::{CacheLine, Layout, OpenFlags, PtrWidth, RequestEntry, action, operation};
use vhost::attach::{Logger, ProtocolChecker, Statistics};
use vhost::{CallResult, HostProgramCall, SpecialFile, Vhost};

use super::kept_bytes::KeptBytes;
use super::ram::Ram;
use super::reports::Reports;

/// Backend of the memories that firmware's pointers refer to. Mailboxes and all memories of the
/// space `good` are always in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Static memory of this process.
    Static,
    /// Backend `log`: writes are dropped, reads return zero.
    Log,
    /// Some static, some `log`.
    Mixed,
}

/// Range of addresses, the same in every space.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    pub base: u64,
    pub size: u64,
}

impl Region {
    pub fn end(self) -> u64 {
        self.base.wrapping_add(self.size)
    }

    pub fn contains(self, address: u64) -> bool {
        address.wrapping_sub(self.base) < self.size
    }
}

pub const LOW: Region = Region {
    base: 0,
    size: 0x100,
};
/// Mailboxes of a space. No other memory is adjacent.
pub const MAIL: Region = Region {
    base: 0x1_0000,
    size: 0x4000,
};
/// Banks in rows of three, with a word size that is not a power of two. `NEXT` is adjacent.
pub const RAM: Region = Region {
    base: 0x2_0000,
    size: 0x3000,
};
pub const NEXT: Region = Region {
    base: 0x2_3000,
    size: 0x1_5000,
};
/// Memory that all spaces share.
pub const COMMON: Region = Region {
    base: 0x8000_0000,
    size: 0x2000,
};
/// Ends at 2^32.
pub const EDGE: Region = Region {
    base: 0xffff_f000,
    size: 0x1000,
};
/// A quarter of the 64-bit address range, mapped only if some memory has the backend `log`.
pub const HUGE: Region = Region {
    base: 1 << 48,
    size: 1 << 62,
};
/// Ends at 2^64.
pub const TOP: Region = Region {
    base: 0xffff_ffff_ffff_f000,
    size: 0x1000,
};

/// All regions that may be mapped.
pub const REGIONS: [Region; 8] = [LOW, MAIL, RAM, NEXT, COMMON, EDGE, HUGE, TOP];

/// Distance between two channels of a space.
const CHANNEL: u64 = 0x1000;

/// Number of bytes beyond the limit of one request.
pub const BEYOND_MAX_MOVE: u64 = (256 << 20) + 1;

/// Maximum number of bytes that are read from a `log` memory: all of them would be printed or
/// compared.
const MAX_HUGE_BYTES: u64 = 1 << 17;

/// True if a request would keep the host busy with a large `log` memory: a comparison to its end, a
/// print, or a write to a file.
pub fn keeps_host_busy(entry: &RequestEntry) -> bool {
    let RequestEntry { action, args, .. } = entry;
    let long = |address: u64, len: u64| {
        HUGE.contains(address) && (MAX_HUGE_BYTES..BEYOND_MAX_MOVE).contains(&len)
    };
    match (*action, args[0]) {
        (action::PRINT, len) => long(args[1], len),
        (action::MEMCMP, s1) => long(s1, args[2]),
        (action::MEMMOVE, _) => long(args[1], args[2]),
        (action::FILE, operation::WRITE | operation::READ) => {
            long(args[2], args[3]) || (args[3] == 0 && HUGE.contains(args[2]))
        }
        (action::FILE, operation::RANDOM) => long(args[1], args[2]),
        _ => false,
    }
}

/// Plan of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub name: &'static str,
    pub space: &'static str,
    /// Position of the channel in its space.
    pub place: u64,
    pub width: PtrWidth,
    pub line: CacheLine,
}

/// System and its test fixture.
#[derive(Debug)]
pub struct HostFixture {
    pub vhost: Vhost,
    pub reports: Reports,
    pub console: KeptBytes,
    /// Reports to the user, including findings of checkers.
    pub found: Reports,
    /// While true, the method `forever` completes.
    pub released: Arc<AtomicBool>,
    /// The highest descriptor known to be open.
    pub given: Rc<Cell<u64>>,
}

impl HostFixture {
    /// Starts a system with its files in `directory`.
    pub fn start(directory: &Path, backing: Backing, channels: &[Plan]) -> Self {
        let file = directory.join("memories.yaml");
        fs::write(&file, memories(backing)).expect("the memory YAML");
        let root = directory.join("root");
        fs::create_dir_all(&root).expect("a root for firmware's files");
        let console = KeptBytes::default();
        let found = Reports::default();
        let vhost = Vhost::builder()
            .memories(file)
            .mailboxes_text(mailboxes(channels))
            .files(root)
            .console(console.clone())
            .special_file("ram", |_: &str, _: OpenFlags| {
                opened(Cursor::new(vec![0; 4096].into_boxed_slice()))
            })
            .special_file("bad", |_: &str, _: OpenFlags| {
                Err(io::ErrorKind::InvalidData.into())
            })
            .special_file("bug", |path: &str, _: OpenFlags| {
                panic!("an opener, of {path:?}")
            })
            .virtual_file("endless", |_: &str, _: OpenFlags| opened(OddFile::Endless))
            .virtual_file("bug", |_: &str, _: OpenFlags| opened(OddFile::Panics))
            .attach(ProtocolChecker::new())
            .attach(Logger::writer(io::sink()))
            .attach(Logger::writer(io::sink()).json())
            .attach(Statistics::new())
            .on_report(found.callback())
            .start()
            .expect("a system");
        let reports = Reports::default();
        vhost.attach(reports.tap()).expect("a tap");
        let released = Arc::new(AtomicBool::new(false));
        answer(&vhost, &released).expect("methods and commands");
        Self {
            vhost,
            reports,
            console,
            found,
            released,
            given: Rc::default(),
        }
    }

    /// Findings about a channel since the last call, except those on unmapped addresses.
    pub fn breaches(&self, channel: &str) -> Option<String> {
        let of_channel = format!("channel `{channel}`: ");
        self.found.find(|report| {
            if report.id != "protocol" {
                return None;
            }
            let text = report.text.strip_prefix("tick ");
            let text = text.and_then(|text| Some(text.split_once(": ")?.1));
            let breach = text.expect("a tick").strip_prefix(&of_channel)?;
            let expected = breach.starts_with("firmware reaches outside of the map");
            (!expected).then(|| breach.to_owned())
        })
    }

    /// Clears the reports to the user.
    pub fn forget_found(&self) {
        self.found.take();
    }

    /// Creates firmware for a channel.
    pub fn firmware(&self, plan: &Plan) -> Firmware<Ram> {
        let mail = Ram::of(&self.vhost, plan.space, "mail");
        let base = MAIL.base + plan.place * CHANNEL;
        Firmware::new(mail, base, Layout::new(plan.width, plan.line))
    }
}

/// Names of the methods.
pub const METHODS: [&str; 6] = ["echo", "slow", "forever", "fails", "panics", "returns"];

/// Registers the host program's methods by name and custom commands by number.
fn answer(vhost: &Vhost, released: &Arc<AtomicBool>) -> Result<(), vhost::Error> {
    let released = released.clone();
    let mut forever = Some(move |_: &Vhost, _: HostProgramCall<'_>| -> CallResult {
        Ok(if released.load(Ordering::Relaxed) {
            Poll::Ready(1)
        } else {
            Poll::Pending
        })
    });
    for (id, name) in (0..).zip(METHODS) {
        match name {
            "echo" => both(vhost, id, name, |_, call| {
                Ok(Poll::Ready(call.args.first().copied().unwrap_or(0)))
            })?,
            "slow" => both(vhost, id, name, |vhost, _| {
                Ok(if vhost.now() % 5 == 0 {
                    Poll::Ready(5)
                } else {
                    Poll::Pending
                })
            })?,
            "forever" => {
                let forever = forever.take().expect("one of each");
                both(vhost, id, name, forever)?;
            }
            "fails" => both(vhost, id, name, |_, _| {
                Err("as requested by the test".into())
            })?,
            "panics" => both(vhost, id, name, |_, call| {
                panic!("a callback, of {:?}", call.args)
            })?,
            _ => both(vhost, id, name, reenter)?,
        }
    }
    Ok(())
}

fn both(
    vhost: &Vhost,
    id: u64,
    name: &str,
    callback: impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult + Clone + Send + 'static,
) -> Result<(), vhost::Error> {
    vhost.register_command(id, callback.clone())?;
    vhost.register_method(name, callback)
}

/// Method that calls its own system, in permitted and in forbidden ways.
fn reenter(vhost: &Vhost, call: HostProgramCall<'_>) -> CallResult {
    let space = vhost.space_of(call.channel)?.to_owned();
    let [first, second] = [0, 1].map(|at| call.args.get(at).copied().unwrap_or(0));
    let reported = |error: &dyn StdError| assert!(!error.to_string().is_empty());
    let _ = vhost
        .read_string(&space, first)
        .inspect_err(|error| reported(error));
    let _ = vhost
        .read(&space, first, second % 0x1_0001)
        .inspect_err(|error| reported(error));
    let _ = vhost
        .poll_call(call.channel, "echo", &[second])
        .inspect_err(|error| reported(error));
    // Fails, since the method calls itself.
    let _ = vhost.poll_call(call.channel, "returns", call.args);
    vhost.tick().expect_err("a tick inside of a tick");
    vhost.status()?;
    Ok(Poll::Ready(first))
}

fn opened(file: impl SpecialFile + 'static) -> io::Result<Box<dyn SpecialFile>> {
    Ok(Box::new(file))
}

/// Special files of the host program with unusual behaviour.
enum OddFile {
    /// Endless content.
    Endless,
    /// Panics at each operation.
    Panics,
}

impl Read for OddFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Endless => {
                buf.fill(b'.');
                Ok(buf.len())
            }
            Self::Panics => panic!("a file that is read"),
        }
    }
}

impl Write for OddFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Endless => Ok(buf.len()),
            Self::Panics => panic!("a file that is written"),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for OddFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match (self, to) {
            (Self::Endless, SeekFrom::Start(position)) => Ok(position),
            _ => panic!("a file that is moved in"),
        }
    }
}

/// Memory YAML: three spaces with the same addresses, independent of features.
fn memories(backing: Backing) -> String {
    let mut text = format!(
        "shared:\n  common: {{base: {:#x}, size: {:#x}, path: common, width: 64, backend: static}}\nspace:\n",
        COMMON.base, COMMON.size
    );
    for space in ["good", "rude", "wild"] {
        let backing = if space == "good" {
            Backing::Static
        } else {
            backing
        };
        let kept = if backing == Backing::Log {
            "log"
        } else {
            "static"
        };
        let lost = if backing == Backing::Static {
            "static"
        } else {
            "log"
        };
        let _ = writeln!(text, "  {space}:");
        let mut memory = |name: &str, region: Region, keys: &str, backend: &str| {
            let Region { base, size } = region;
            let _ = writeln!(
                text,
                "    - {name}: {{base: {base:#x}, size: {size:#x}, path: {space}.{name}, backend: {backend}, {keys}}}"
            );
        };
        let banks = "width: 96, bank_width: 32, bank_depth: 512, banks: [[a, b, c], [d, e, f]]";
        // Not sorted by address.
        memory("top", TOP, "width: 128", lost);
        memory("next", NEXT, "width: 32", kept);
        memory("ram", RAM, banks, kept);
        memory("edge", EDGE, "width: 8", lost);
        memory("mail", MAIL, "width: 32", "static");
        memory(
            "low",
            LOW,
            "width: 64, init: {method: random, seed: 7}",
            kept,
        );
        if backing != Backing::Static {
            memory("ocean", HUGE, "width: 64", "log");
        }
        text.push_str("    - common\n");
    }
    text
}

/// Mailbox YAML.
fn mailboxes(channels: &[Plan]) -> String {
    let mut text = String::new();
    for Plan {
        name,
        space,
        place,
        width,
        line,
    } in channels
    {
        let (base, bits, line) = (MAIL.base + place * CHANNEL, width.bytes() * 8, line.bytes());
        let _ = writeln!(
            text,
            "{name}: {{space: {space}, base: {base:#x}, ptr: {bits}, cache_line: {line}}}"
        );
    }
    text
}
