//! Run with much activity of every actor, for recordings: three channels with arbitrary requests,
//! resets during calls, re-entrant methods, unreachable memories, special files, sockets with
//! clients.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::task::Poll;

use fastrand::Rng;
use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, FileRequest, Layout, OpenFlags, PtrWidth, Request};
use vhost::messages::sockets::{ClientId, SocketId};
use vhost::{Builder, HostProgramCall, SpecialFile, Vhost};

use super::ram::Ram;

const MEMORIES: &str = "
space:
  core0:
    - ram: {base: 0, size: 0x4000, path: ram0, width: 32, backend: static, init: {method: random}}
    - hdl: {base: 0x8000, size: 0x1000, path: hdl, width: 32, backend: vpi}
  core1:
    - ram: {base: 0, size: 0x4000, path: ram1, width: 64, backend: static}
    - void: {base: 0x8000, size: 0x1000, path: void, width: 32, backend: log}
  core2:
    - ram: {base: 0, size: 0x4000, path: ram2, width: 8, backend: static}
";

const MAILBOXES: &str = "
core0: {space: core0, base: 0x2000, ptr: 32, cache_line: 0}
core1: {space: core1, base: 0x2000, ptr: 64, cache_line: 64}
core2:
  {space: core2, base: 0x2000, ptr: 32, cache_line: 32, faults: {seed: 3, files: {EIO: 10%, short: 20%},
   memory: {EFAULT: 5%, flip: 1e-3}, calls: {EIO: 5%}, delay: 0..4}}
";

/// Address of firmware's texts.
const TEXTS: u64 = 0x1000;

/// Distance between texts, in bytes.
const PITCH: u64 = 0x20;

const METHODS: [&str; 4] = ["slow", "back", "fails", "nobody"];
const PATHS: [&str; 5] = [
    "a.txt",
    "b.special",
    "virtual/c",
    "no/such",
    "${VHOST_TEST_NOT_SET:-a}.txt",
];
const FORMATS: [&str; 3] = ["%d of %s\n", "no end of line", "\n\nand %q\n"];

/// Firmware of one channel.
struct Core {
    firmware: Firmware<Ram>,
    rng: Rng,
    /// Number of remaining requests.
    left: u32,
    /// Number of files that it has opened.
    opened: u64,
}

impl Core {
    fn new(vhost: &Vhost, space: &str, layout: Layout, rng: Rng) -> Self {
        let ram = Ram::of(vhost, space, "ram");
        for (number, text) in (0..).zip(METHODS.iter().chain(&PATHS).chain(&FORMATS)) {
            ram.write(TEXTS + number * PITCH, format!("{text}\0").as_bytes());
        }
        let mut firmware = Firmware::new(ram, 0x2000, layout);
        firmware.reset();
        Self {
            firmware,
            rng,
            left: 80,
            opened: 0,
        }
    }

    /// Actions of firmware between two ticks.
    fn step(&mut self) {
        // Sometimes the response queue is full.
        for _ in 0..self.rng.u8(..3) {
            self.firmware.try_receive();
        }
        if !self.firmware.is_ready() {
            return;
        }
        if self.left > 0 && self.rng.u8(..40) == 0 {
            return self.firmware.reset();
        }
        for _ in 0..self.rng.u8(..4) {
            let request = match self.left {
                0 => Request::Exit { code: 3 },
                _ => self.request(),
            };
            if self.firmware.try_send(&request) && self.left > 0 {
                self.left -= 1;
            }
        }
    }

    /// Address of one of these texts.
    fn text(&mut self, first: usize, count: usize) -> u64 {
        TEXTS + (first + self.rng.usize(..count)) as u64 * PITCH
    }

    /// Address, mostly in the RAM.
    fn address(&mut self) -> u64 {
        match self.rng.u8(..12) {
            0 => 0x8000 + self.rng.u64(..0x800),
            1 => 0x7_0000,
            _ => self.rng.u64(..0x800),
        }
    }

    fn request(&mut self) -> Request {
        let (one, other, len) = (self.address(), self.address(), self.rng.u64(..0x200));
        // The host assigns each descriptor once, and the other cores open as many files.
        let fd = 9 + self.rng.u64(..3 + 3 * self.opened);
        let paths = METHODS.len();
        let formats = paths + PATHS.len();
        match self.rng.u8(..13) {
            0 => Request::Print { ptr: one, len },
            1 => Request::CPrint {
                format: self.text(formats, FORMATS.len()),
                file: self.text(paths, PATHS.len()),
                line: 5,
                args: [7, self.text(paths, PATHS.len())].into(),
            },
            2 => Request::MemSet {
                dest: one,
                byte: 3,
                len,
            },
            3 => Request::MemMove {
                dest: one,
                src: other,
                len,
            },
            4 => Request::MemCmp {
                s1: one,
                s2: other,
                len,
            },
            5..8 => Request::Call {
                method: self.text(0, paths),
                args: [self.rng.u64(..4), 2].into(),
            },
            8 => Request::Custom {
                id: self.rng.u64(0x90..0x92),
                action: mailbox_rs::action::OTHER,
                args: [5].into(),
            },
            9 => {
                self.opened += 1;
                Request::File(FileRequest::Open {
                    path: self.text(paths, PATHS.len()),
                    flags: OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0),
                })
            }
            10 => Request::File(FileRequest::Write { fd, ptr: one, len }),
            11 => Request::File(FileRequest::Read { fd, ptr: one, len }),
            _ if self.rng.bool() => Request::File(FileRequest::Close { fd }),
            _ => Request::File(FileRequest::Seek { fd, position: len }),
        }
    }
}

/// Content of special files.
fn special(_: &str, _: OpenFlags) -> std::io::Result<Box<dyn SpecialFile>> {
    Ok(Box::new(Cursor::new(vec![1; 300].into_boxed_slice())))
}

/// Records the run of this seed.
pub fn record(folder: &Path, seed: u64) -> PathBuf {
    let (memories, trace) = (folder.join("session.yaml"), folder.join("session.trace"));
    std::fs::write(&memories, MEMORIES).unwrap();
    std::fs::write(folder.join("a.txt"), [5; 700]).unwrap();
    let vhost = builder(folder)
        .memories(memories)
        .mailboxes_text(MAILBOXES)
        .record(&trace)
        .start()
        .unwrap();
    register(&vhost);
    let mut rng = Rng::with_seed(seed);
    let mut cores = [
        ("core0", PtrWidth::P4, CacheLine::None),
        ("core1", PtrWidth::P8, CacheLine::B64),
        ("core2", PtrWidth::P4, CacheLine::B32),
    ]
    .map(|(space, width, line)| Core::new(&vhost, space, Layout::new(width, line), rng.fork()));
    let mut uart = Uart::new(&vhost);
    while vhost.tick().unwrap() > 0 {
        assert!(vhost.now() < 10_000, "{}", vhost.status().unwrap());
        cores.iter_mut().for_each(Core::step);
        match rng.u8(..20) {
            0 => vhost.notify(),
            1 => drop(vhost.status().unwrap()),
            2 => drop(vhost.read("core0", 0x7fff, 3)),
            3 => drop(vhost.poll_call("core1", "slow", &[1])),
            4..14 => uart.step(&vhost, &mut rng),
            _ => {}
        }
    }
    vhost.shutdown();
    trace
}

fn builder(folder: &Path) -> Builder {
    Vhost::builder()
        .files(folder)
        .special_file("special", special)
        .virtual_file("c", special)
        .console(std::io::sink())
        .socket_queue(1000)
}

fn register(vhost: &Vhost) {
    let slow = |vhost: &Vhost, call: HostProgramCall<'_>| {
        let over = (vhost.now() + call.args[0]).is_multiple_of(5);
        Ok(if over { Poll::Ready(7) } else { Poll::Pending })
    };
    let back = |vhost: &Vhost, call: HostProgramCall<'_>| {
        vhost.write("core2", 0x10, vec![1, 2, 3])?;
        if call.args[0] == 0 {
            vhost.poll_call(call.channel, "slow", &[3])?;
        }
        let _ = vhost.read("core0", 0x8000, 4);
        Ok(Poll::Ready(vhost.read_u32("core1", 0x20)?.into()))
    };
    vhost.register_method("slow", slow).unwrap();
    vhost.register_method("back", back).unwrap();
    let fails = |_: &Vhost, _: HostProgramCall<'_>| Err("it always does".into());
    vhost.register_method("fails", fails).unwrap();
    let custom = |_: &Vhost, call: HostProgramCall<'_>| Ok(Poll::Ready(call.args[0] + 1));
    vhost.register_command(0x90, custom).unwrap();
}

/// Socket with its clients.
struct Uart {
    socket: SocketId,
    clients: Vec<ClientId>,
    terminals: Vec<TcpStream>,
}

impl Uart {
    fn new(vhost: &Vhost) -> Self {
        let socket = vhost.sockets().open("uart", 0).unwrap();
        Self {
            socket,
            clients: vec![],
            terminals: vec![],
        }
    }

    /// Random action of the host or of a client. Results are only recorded.
    fn step(&mut self, vhost: &Vhost, rng: &mut Rng) {
        let (sockets, socket) = (vhost.sockets(), self.socket);
        match rng.u8(..6) {
            0 if self.terminals.len() < 3 => {
                let port = sockets.port(socket).unwrap();
                let terminal = TcpStream::connect(("127.0.0.1", port)).unwrap();
                terminal.set_nonblocking(true).unwrap();
                self.terminals.push(terminal);
            }
            0 => drop(self.terminals.remove(0)),
            1 => self.clients.extend(sockets.accept(socket).unwrap()),
            2 => {
                for terminal in &mut self.terminals {
                    let _ = terminal.write(b"typed\0");
                    let _ = terminal.read(&mut [0; 100]);
                }
            }
            other => {
                let Some(client) = rng.choice(&self.clients).copied() else {
                    return;
                };
                let _ = match other {
                    3 => sockets.write(socket, client, vec![1; rng.usize(..1100)]),
                    4 => sockets.read(socket, client, 10).map(drop),
                    _ => sockets.read_string(socket, client).map(drop),
                };
            }
        }
    }
}
