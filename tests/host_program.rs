//! What a host program gives a builder: methods, custom commands, memory models, and code for the started system.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod ram;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use mailbox_rs::mock::Firmware;
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request, action};
use vhost::{Builder, Error, MemoryModel, ModelError, Replay, Vhost};

use ram::Ram;

const MEMORIES: &str = "\
space:
  cpu:
    - ram: {base: 0, size: 0x4000, path: tb.ram, width: 32, backend: static, init: {method: all_zero}}
    - io: {base: 0x10000, size: 0x100, backend: model}
";

/// A device: a register that counts reads, behind 16 bytes of memory, in which the last byte can't be written.
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
        .console(std::io::sink())
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
    // Less than the configuration says: past the end is an error of the model's, not a panic.
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

/// Firmware finds them from its first request on; and what was recorded is replayed without the host program.
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
