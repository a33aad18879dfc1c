//! System with mock firmware on two channels, and its reports.

use std::path::Path;
use std::task::Poll;

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request, ResponseEntry};
use vhost::{Builder, Vhost};

use super::ram::Ram;
use super::reports::Reports;

const MEMORIES: &str = "\
space:
  one: [ram: {base: 0x1000, size: 0x4000, path: ram, width: 32, backend: static}]
  two: [ram2: {base: 0x1000, size: 0x4000, path: ram2, width: 32, backend: static}]
";

const MAILBOXES: &str = "\
core0: {space: one, base: 0x1000, ptr: 32, cache_line: 0}
core1: {space: two, base: 0x1000, ptr: 64, cache_line: 64}
";

/// Builder of a system with its configuration in `folder`, which is also the root of firmware's
/// files.
pub fn builder(folder: &Path) -> (Builder, Reports) {
    let memories = folder.join("mem.yaml");
    std::fs::write(&memories, MEMORIES).unwrap();
    let reports = Reports::default();
    let builder = Vhost::builder()
        .memories(memories)
        .mailboxes_text(MAILBOXES)
        .files(folder)
        .console(std::io::sink())
        .on_report(reports.callback());
    (builder, reports)
}

/// Starts a system with the method `wait`, which takes the number of ticks in its argument.
pub fn start(builder: Builder) -> Vhost {
    let vhost = builder.start().unwrap();
    let mut waited = 0;
    let wait = move |_: &Vhost, call: vhost::HostProgramCall<'_>| {
        if waited < call.args[0] {
            waited += 1;
            return Ok(Poll::Pending);
        }
        waited = 0;
        Ok(Poll::Ready(12))
    };
    vhost.register_method("wait", wait).unwrap();
    vhost
}

/// Creates firmware for both channels.
pub fn firmware(vhost: &Vhost) -> [Firmware<Ram>; 2] {
    let wide = [
        (PtrWidth::P4, CacheLine::None),
        (PtrWidth::P8, CacheLine::B64),
    ];
    let [one, two] = wide.map(|(width, line)| Layout::new(width, line));
    [
        Firmware::new(Ram::of(vhost, "one", "ram"), 0x1000, one),
        Firmware::new(Ram::of(vhost, "two", "ram2"), 0x1000, two),
    ]
}

/// Completes the handshake.
pub fn shake(vhost: &Vhost, firmware: &mut Firmware<Ram>) {
    firmware.reset();
    vhost.tick().unwrap();
    assert!(firmware.is_ready());
    firmware.memory().write(NAME, b"wait\0");
}

/// Sends a request and ticks until the response.
pub fn ask(vhost: &Vhost, firmware: &mut Firmware<Ram>, request: &Request) -> ResponseEntry {
    assert!(firmware.try_send(request));
    for _ in 0..20 {
        vhost.tick().unwrap();
        if let Some(response) = firmware.try_receive() {
            return response;
        }
    }
    panic!("{request} is not answered\n{}", vhost.status().unwrap());
}

/// Address of a method's name.
pub const NAME: u64 = 0x4000;

/// Call of `wait` for this number of ticks.
pub fn call(ticks: u64) -> Request {
    Request::Call {
        method: NAME,
        args: [ticks].into(),
    }
}

/// Requests of both channels in most tests: a print, a move, a call of three ticks, and a call that
/// fails.
pub fn session(vhost: &Vhost) {
    for mut firmware in firmware(vhost) {
        shake(vhost, &mut firmware);
        firmware.memory().write(NAME + 8, b"hello\n");
        let requests = [
            Request::Print {
                ptr: NAME + 8,
                len: 6,
            },
            Request::MemMove {
                dest: NAME + 0x100,
                src: NAME,
                len: 32,
            },
            call(3),
            Request::MemSet {
                dest: 0x10,
                byte: 0,
                len: 4,
            },
        ];
        for request in requests {
            ask(vhost, &mut firmware, &request);
        }
    }
}
