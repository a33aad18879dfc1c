//! Additions of a host program to a builder: methods, custom commands, memory models, and code for
//! the started system.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::panic, reason = "what a host program must not do, done")]

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, FileRequest, Layout, OpenFlags, PtrWidth, QUEUE_LEN, Request, action};
use vhost::bus::Observation;
use vhost::{Builder, Error, MemoryModel, ModelError, Replay, Vhost};

use test_support::ram::Ram;
use test_support::reports::Reports;

const MEMORIES: &str = "\
space:
  cpu:
    - ram: {base: 0, size: 0x4000, path: tb.ram, width: 32, backend: static, init: {method: all_zero}}
    - io: {base: 0x10000, size: 0x100, backend: model}
";

/// Device with 16 bytes of memory, of which the last can't be written, followed by a register that
/// counts reads.
#[derive(Default)]
struct Device {
    bytes: [u8; 16],
    reads: u8,
}

impl MemoryModel for Device {
    fn read(&mut self, offset: u64) -> Result<u8, ModelError> {
        match usize::try_from(offset)? {
            at @ 0..16 => Ok(self.bytes[at]),
            16 => {
                self.reads += 1;
                Ok(self.reads)
            }
            _ => Err(format!("nothing is at {offset:#x}").into()),
        }
    }

    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError> {
        match usize::try_from(offset)? {
            at @ 0..15 => self.bytes[at] = data,
            _ => return Err("read-only".into()),
        }
        Ok(())
    }
}

fn builder(folder: &Path) -> Builder {
    let memories = folder.join("mem.yaml");
    fs::write(&memories, MEMORIES).unwrap();
    Vhost::builder()
        .memories(memories)
        .mailboxes_text("cpu: {space: cpu, base: 0, ptr: 32, cache_line: 0}")
        .console(io::sink())
}

#[test]
fn a_model_is_accessed_like_any_memory_and_by_others_too() {
    let folder = tempfile::tempdir().unwrap();
    let device = Arc::new(Mutex::new(Device::default()));
    let vhost = builder(folder.path())
        .memory_model("io", device.clone())
        .start()
        .unwrap();
    vhost.write("cpu", 0x10002, vec![7, 8, 9]).unwrap();
    assert_eq!(device.lock().unwrap().bytes[2..5], [7, 8, 9]);
    device.lock().unwrap().bytes[5] = 10;
    assert_eq!(*vhost.read("cpu", 0x10002, 4).unwrap(), [7, 8, 9, 10]);
    assert_eq!(*vhost.read("cpu", 0x10010, 1).unwrap(), [1]);
    assert_eq!(*vhost.read("cpu", 0x10010, 1).unwrap(), [2]);
    let error = vhost.read("cpu", 0x10020, 1).unwrap_err().to_string();
    for part in ["io", "its model failed", "nothing is at 0x20"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let error = vhost
        .write("cpu", 0x1000f, vec![0])
        .unwrap_err()
        .to_string();
    assert!(error.contains("read-only"), "{error}");
}

#[test]
fn plain_bytes_are_a_model() {
    let folder = tempfile::tempdir().unwrap();
    // Smaller than configured: an access past the end is an error of the model, not a panic.
    let bytes: Box<[u8]> = vec![1; 0x80].into();
    let vhost = builder(folder.path()).memory_model("cpu.io", bytes);
    let vhost = vhost.start().unwrap();
    vhost.write("cpu", 0x1007f, vec![5]).unwrap();
    assert_eq!(*vhost.read("cpu", 0x1007e, 2).unwrap(), [1, 5]);
    let error = vhost.read("cpu", 0x1007f, 2).unwrap_err().to_string();
    assert!(error.contains("the model has 0x80 bytes"), "{error}");
}

#[test]
fn a_model_and_its_memory_need_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let error = builder(folder.path()).start().unwrap_err();
    assert!(matches!(error, Error::NoModel { .. }), "{error:?}");
    for part in ["memory `io` of space `cpu`", "memory_model(\"io\""] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    let error = builder(folder.path())
        .memory_model("io", Device::default())
        .memory_model("oi", Device::default())
        .start()
        .unwrap_err();
    assert!(matches!(error, Error::UnusedModel { .. }), "{error:?}");
    assert!(error.to_string().contains("`oi`"), "{error}");
}

/// The functions are available to firmware's first request, and the recording replays without the
/// host program.
#[test]
fn methods_and_commands_are_there_before_firmware_and_a_replay_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let vhost = builder(folder.path())
        .memory_model("io", Device::default())
        .method("sum", |_, call| {
            Ok(Poll::Ready(call.args.iter().sum::<u64>()))
        })
        .command(3, |vhost, call| {
            let read = vhost.read("cpu", 0x10000 + call.args[0], 1)?;
            Ok(Poll::Ready(read[0].into()))
        })
        .on_start(|vhost| {
            vhost.write("cpu", 0x10004, vec![42])?;
            vhost.write_string("cpu", 0x1000, b"sum")?;
            Ok(())
        })
        .record(&trace)
        .start()
        .unwrap();
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let mut firmware = Firmware::new(Ram::of(&vhost, "cpu", "ram"), 0, layout);
    firmware.reset();
    let requests = [
        Request::Call {
            method: 0x1000,
            args: [40, 2].into(),
        },
        Request::Custom {
            id: 3,
            action: action::OTHER,
            args: [4].into(),
        },
        Request::Exit { code: 0 },
    ];
    let mut answers = vec![];
    for request in &requests {
        vhost.tick().unwrap();
        assert!(firmware.is_ready() && firmware.try_send(request));
        vhost.tick().unwrap();
        answers.extend(firmware.try_receive().map(|answer| answer.rets));
    }
    assert_eq!(answers, [42, 42]);
    vhost.shutdown();
    Replay::of(&trace).run().unwrap();
}

#[test]
fn a_start_that_fails_is_no_system() {
    let folder = tempfile::tempdir().unwrap();
    let start = |fails: bool| {
        builder(folder.path())
            .memory_model("io", Device::default())
            .on_start(move |_| {
                if fails {
                    Err("no licence".into())
                } else {
                    Ok(())
                }
            })
            .start()
    };
    let error = start(true).unwrap_err().to_string();
    assert!(error.contains("setup failed: no licence"), "{error}");
    start(false).unwrap();
}

/// Panics in a host program's functions are errors with the name of the function. Firmware's
/// request fails, and the next one is served.
#[test]
fn panics_of_methods_commands_and_special_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let reports = Arc::new(Mutex::new(Vec::new()));
    let notified = reports.clone();
    let vhost = builder(folder.path())
        .memory_model("io", Device::default())
        .method("halve", |_, call| Ok(Poll::Ready(100 / (call.args[0] - 1))))
        .command(3, |_, call| Ok(Poll::Ready([5, 6][call.args[0] as usize])))
        .virtual_file("bad", |path: &str, _| {
            assert_eq!(path, "virtual/good");
            Err(io::ErrorKind::NotFound.into())
        })
        .virtual_file("full", |_: &str, _| Ok(Box::new(Full) as Box<_>))
        .on_start(|vhost| {
            vhost.write_string("cpu", 0x1000, b"halve")?;
            vhost.write_string("cpu", 0x1100, b"virtual/bad")?;
            vhost.write_string("cpu", 0x1200, b"virtual/full")?;
            Ok(())
        })
        .on_report(move |report| {
            notified.lock().unwrap().push(report.text.clone());
            assert!(!report.text.contains("command"), "of all things");
        })
        .start()
        .unwrap();
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let mut firmware = Firmware::new(Ram::of(&vhost, "cpu", "ram"), 0, layout);
    firmware.reset();
    vhost.tick().unwrap();
    let mut ask = |request: Request| {
        assert!(firmware.is_ready() && firmware.try_send(&request));
        vhost.tick().unwrap();
        let answer = firmware.try_receive().map(|answer| answer.rets);
        (answer, std::mem::take(&mut *reports.lock().unwrap()))
    };
    let call = |arg: u64| Request::Call {
        method: 0x1000,
        args: [arg].into(),
    };
    let command = |arg: u64| Request::Custom {
        id: 3,
        action: action::OTHER,
        args: [arg].into(),
    };
    let open = |path: u64| {
        Request::File(FileRequest::Open {
            path,
            flags: OpenFlags::READ | OpenFlags::WRITE,
        })
    };
    let failed = Some(u64::from(u32::MAX) + 1 - 5);
    let fails =
        |ask: &mut dyn FnMut(Request) -> (Option<u64>, Vec<String>), request, named: &str| {
            let (answer, reports) = ask(request);
            assert_eq!(answer, failed, "{named}");
            let notified = reports.iter().any(|report| report.contains(named));
            assert!(notified, "{named}: {reports:?}");
        };
    fails(
        &mut ask,
        call(1),
        "method `halve` failed: it panicked: attempt to divide by zero",
    );
    fails(
        &mut ask,
        command(2),
        "custom command 0x3 failed: it panicked: index out of bounds",
    );
    fails(
        &mut ask,
        open(0x1100),
        "special file `virtual/bad`: `open` panicked: assertion",
    );
    let fd = ask(open(0x1200)).0.unwrap();
    let (ptr, len) = (0x1300, 4);
    let read = FileRequest::Read { fd, ptr, len };
    fails(
        &mut ask,
        Request::File(read),
        "special file `virtual/full`: `read` panicked: nothing",
    );
    let write = FileRequest::Write { fd, ptr, len };
    fails(
        &mut ask,
        Request::File(write),
        "special file `virtual/full`: `write` or `flush` panicked: no room",
    );
    let seek = FileRequest::Seek { fd, position: 0 };
    fails(
        &mut ask,
        Request::File(seek),
        "special file `virtual/full`: `seek` panicked: nowhere",
    );
    let (closed, reports) = ask(Request::File(FileRequest::Close { fd }));
    assert_eq!(closed, None, "a request without a response");
    assert_eq!(
        reports,
        ["special file `virtual/full`: `drop` panicked: not yet"]
    );
    assert_eq!(ask(call(11)).0, Some(10));
    assert_eq!(ask(command(1)).0, Some(6));
}

/// Special file whose operations all fail.
struct Full;

impl Read for Full {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("nothing")
    }
}

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("no room")
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        panic!("nowhere")
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        panic!("not yet")
    }
}

/// Memory of a mailbox that firmware shares. Writes by the host to the response queue fail on
/// request.
#[derive(Default)]
struct Chip {
    bytes: Vec<u8>,
    refuses: bool,
}

/// Firmware's side of a [`Chip`].
struct Side(Arc<Mutex<Chip>>);

/// Layout of its mailbox.
const MAILBOX: Layout = Layout::new(PtrWidth::P4, CacheLine::None);

impl MemoryModel for Chip {
    fn read(&mut self, offset: u64) -> Result<u8, ModelError> {
        Ok(self.bytes[usize::try_from(offset)?])
    }

    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError> {
        let queue = MAILBOX.response_entry(0)..=MAILBOX.response_entry(QUEUE_LEN - 1);
        if self.refuses && queue.contains(&offset) {
            return Err("it is read-only".into());
        }
        self.bytes[usize::try_from(offset)?] = data;
        Ok(())
    }
}

impl Memory for Side {
    fn read(&self, address: u64, buf: &mut [u8]) {
        let start = address as usize;
        buf.copy_from_slice(&self.0.lock().unwrap().bytes[start..start + buf.len()]);
    }

    fn write(&self, address: u64, data: &[u8]) {
        let start = address as usize;
        self.0.lock().unwrap().bytes[start..start + data.len()].copy_from_slice(data);
    }
}

/// Nobody waits for the write of a response: its error is reported, with a tap and without, and
/// service goes on.
#[test]
fn a_response_that_can_not_be_written_is_reported() {
    for is_tapped in [false, true] {
        let chip = Arc::new(Mutex::new(Chip {
            bytes: vec![0; 0x1000],
            refuses: false,
        }));
        let reports = Reports::default();
        let mut builder = Vhost::builder()
            .memories_text("space: {cpu: [ram: {base: 0, size: 0x1000, backend: model}]}")
            .mailboxes_text("cpu: {space: cpu, base: 0, ptr: 32, cache_line: 0}")
            .console(io::sink())
            .memory_model("ram", chip.clone())
            .on_report(reports.callback());
        if is_tapped {
            builder = builder.attach(|_: &Observation<'_>| ());
        }
        let vhost = builder.start().unwrap();
        let mut firmware = Firmware::new(Side(chip.clone()), 0, MAILBOX);
        firmware.reset();
        vhost.tick().unwrap();
        assert!(firmware.is_ready());
        let request = Request::MemCmp {
            s1: 0x800,
            s2: 0x800,
            len: 4,
        };
        chip.lock().unwrap().refuses = true;
        assert!(firmware.try_send(&request));
        vhost.tick().unwrap();
        let notified: Vec<String> = reports.take().into_iter().map(|it| it.text).collect();
        assert_eq!(notified.len(), 1, "{notified:?}");
        assert!(notified[0].contains("memory `ram`"), "{notified:?}");
        assert!(notified[0].contains("it is read-only"), "{notified:?}");
        chip.lock().unwrap().refuses = false;
        assert!(firmware.try_send(&request));
        vhost.tick().unwrap();
        assert_eq!(vhost.exits()[0].code, None);
        assert!(reports.take().is_empty());
        vhost.shutdown();
    }
}
