//! Recorded runs: mock firmware on two channels, in static memories of this process.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::task::Poll;

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request};
use serde_json::Value;
use vhost::trace::Payloads;
use vhost::{HostProgramCall, Vhost};

use crate::vhost_on;
use test_support::ram::Ram;

const MEMORIES: &str = "
space:
  core0: [ram: {base: 0x1000, size: 0x10000, path: tb.ram0, width: 32, backend: static}]
  core1: [ram: {base: 0x80000000, size: 0x10000, path: tb.ram1, width: 64, backend: static}]
";

const MAILBOXES: &str = "
core0: {space: core0, base: 0x2000, ptr: 32, cache_line: 0}
core1: {space: core1, base: 0x80001000, ptr: 64, cache_line: 64}
";

/// Duration of the method `wait`, in ticks.
pub(crate) const WAIT: u64 = 5;

/// Behaviour of the firmware.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// Text of each print.
    pub(crate) text: &'static str,
    /// Number of prints on each channel.
    pub(crate) prints: u64,
    pub(crate) payloads: Payloads,
    /// True if firmware also writes unmapped memory.
    pub(crate) astray: bool,
    /// True if firmware resets its channel while `wait` is pending, and continues afterwards.
    pub(crate) resets: bool,
    /// True if the run returns to a checkpoint once, from tick [`BACK`] to tick `saved`.
    pub(crate) goes_back: bool,
    /// Tick of the checkpoint, if there is one.
    pub(crate) saved: u64,
}

/// Tick of a checkpoint, tick of one during which `wait` is pending, and tick in which the run
/// returns to it.
pub(crate) const SAVED: u64 = 2;
pub(crate) const SAVED_IN_CALL: u64 = 7;
pub(crate) const BACK: u64 = 9;

impl Default for Run {
    fn default() -> Self {
        Self {
            text: "a line, and some\n",
            prints: 3,
            payloads: Payloads::Keep,
            astray: false,
            resets: false,
            goes_back: false,
            saved: SAVED,
        }
    }
}

/// Firmware of one channel, with its remaining requests.
#[derive(Clone)]
struct Core {
    firmware: Firmware<Ram>,
    requests: Vec<Request>,
    /// True if a call will be dropped by a reset.
    resets: bool,
    /// True if the next step is that reset.
    is_calling: bool,
}

impl Run {
    /// Records the run in a folder. Each channel prints, calls `wait`, and exits.
    pub(crate) fn record(self, folder: &Path) -> PathBuf {
        let (memories, trace) = (folder.join("mem.yaml"), folder.join("run.trace"));
        fs::write(&memories, MEMORIES).unwrap();
        let vhost = Vhost::builder()
            .memories(memories)
            .mailboxes_text(MAILBOXES)
            .console(std::io::sink())
            .record_with(&trace, self.payloads)
            .start()
            .unwrap();
        let mut began = [None; 2];
        vhost
            .register_method("wait", move |vhost: &Vhost, call: HostProgramCall<'_>| {
                let core = usize::from(call.channel == "core1");
                let since = *began[core].get_or_insert(vhost.now());
                let over = vhost.now().saturating_sub(since) >= WAIT;
                Ok(if over { Poll::Ready(7) } else { Poll::Pending })
            })
            .unwrap();
        let mut cores = [
            self.core(&vhost, "core0", 0x1000, PtrWidth::P4, CacheLine::None),
            self.core(&vhost, "core1", 0x8000_0000, PtrWidth::P8, CacheLine::B64),
        ];
        let (mut checkpoint, mut is_back) = (None, false);
        while vhost.tick().unwrap() > 0 {
            assert!(vhost.now() < 10_000, "{}", vhost.status().unwrap());
            cores.iter_mut().for_each(Core::step);
            if self.goes_back && vhost.now() == self.saved && checkpoint.is_none() {
                checkpoint = Some((vhost.checkpoint().unwrap(), cores.clone()));
            }
            if vhost.now() == BACK
                && let Some((state, firmware)) = checkpoint.as_ref().filter(|_| !is_back)
            {
                vhost.restore_checkpoint(state).unwrap();
                cores.clone_from(firmware);
                is_back = true;
            }
        }
        assert_eq!(is_back, self.goes_back);
        vhost.shutdown();
        trace
    }

    fn core(self, vhost: &Vhost, space: &str, base: u64, width: PtrWidth, line: CacheLine) -> Core {
        let ram = Ram::of(vhost, space, "ram");
        let (text, method) = (base + 0x8000, base + 0x9000);
        ram.write(text, self.text.as_bytes());
        ram.write(method, b"wait\0");
        let mut firmware = Firmware::new(ram, base + 0x1000, Layout::new(width, line));
        firmware.reset();
        let print = Request::Print {
            ptr: text,
            len: self.text.len() as u64,
        };
        let mut requests = vec![
            Request::Exit { code: 0 },
            Request::Call {
                method,
                args: [].into(),
            },
        ];
        requests.extend((0..self.prints).map(|_| print));
        if self.astray {
            requests.push(Request::MemSet {
                dest: 0x10,
                byte: 0,
                len: 1,
            });
        }
        Core {
            firmware,
            requests,
            resets: self.resets,
            is_calling: false,
        }
    }
}

impl Core {
    /// Takes the response and sends the next request.
    fn step(&mut self) {
        if std::mem::take(&mut self.is_calling) {
            self.firmware.reset();
            return;
        }
        while self.firmware.try_receive().is_some() {}
        if self.firmware.is_ready()
            && let Some(next) = self.requests.last()
            && self.firmware.try_send(next)
        {
            let sent = self.requests.pop();
            self.is_calling = self.resets && matches!(sent, Some(Request::Call { .. }));
        }
    }
}

/// Output of `trace show --json`, parsed.
pub(crate) fn entries(trace: &Path) -> Vec<Value> {
    lines(&vhost_on("trace show --json", trace).stdout(0))
}

/// Values of lines of JSON.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Place of a frame in a recording.
#[derive(Clone)]
pub(crate) struct Frame {
    /// Start of its block.
    pub(crate) block: usize,
    /// Start of the frame, including its length.
    pub(crate) start: usize,
    pub(crate) content: Range<usize>,
}

/// Frames of a recording.
pub(crate) fn frames(trace: &[u8]) -> Vec<Frame> {
    let u32_at = |at: usize| u32::from_le_bytes(trace[at..at + 4].try_into().unwrap()) as usize;
    let mut frames = vec![];
    let mut block = 12;
    while block < trace.len() {
        let mut start = block + 8;
        let end = start + u32_at(block);
        while start < end {
            let (content, len) = match trace[start] {
                255 => (start + 5, u32_at(start + 1)),
                len => (start + 1, len.into()),
            };
            let content = content..content + len;
            let next = content.end;
            frames.push(Frame {
                block,
                start,
                content,
            });
            start = next;
        }
        block = end;
    }
    frames
}

/// Sets the checksum of a frame's block.
pub(crate) fn seal(trace: &mut [u8], frame: &Frame) {
    let (at, content) = (frame.block + 4, frame.block + 8);
    let len = u32::from_le_bytes(trace[frame.block..at].try_into().unwrap());
    let checksum = crc32fast::hash(
        &[
            &trace[frame.block..at],
            &trace[content..content + len as usize],
        ]
        .concat(),
    );
    trace[at..content].copy_from_slice(&checksum.to_le_bytes());
}

/// The recording up to a frame.
pub(crate) fn cut(trace: &[u8], frame: &Frame) -> Vec<u8> {
    let mut bytes = trace[..frame.start].to_vec();
    let len = frame.start - frame.block - 8;
    if len == 0 {
        bytes.truncate(frame.block);
        return bytes;
    }
    bytes[frame.block..frame.block + 4].copy_from_slice(&(len as u32).to_le_bytes());
    seal(&mut bytes, frame);
    bytes
}

/// Records a run. Beside the recording it writes a copy, `good.trace`, and files with one fault
/// each: `cut`, `empty`, `other` (another format number), `damaged`. Returns the path of the
/// recording.
pub(crate) fn good_and_faulty(folder: &Path) -> PathBuf {
    let trace = Run::default().record(folder);
    let bytes = fs::read(&trace).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    put("good.trace", &bytes);
    put("cut.trace", &bytes[..bytes.len() - 3]);
    put("empty.trace", &[]);
    put(
        "other.trace",
        &[&bytes[..8], &[99, 0, 0, 0], &bytes[12..]].concat(),
    );
    let frames = frames(&bytes);
    let mut damaged = bytes.clone();
    damaged[frames[frames.len() - 1].content.start + 1] ^= 1;
    put("damaged.trace", &damaged);
    trace
}
