//! File operations of firmware.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use mailbox_rs::mock::Firmware;
use mailbox_rs::{FileRequest, NEWEST, PosixFlags, Request, Whence};

use crate::{DATA, RAM, Ram, serve, tick};

/// Number of requests of a program that reads a file by small steps.
const MANY: u64 = 20_000;

/// Writes of 1 MiB, and many small requests.
pub(crate) fn files(criterion: &mut Criterion, firmware: &mut Firmware<&'static Ram>) {
    firmware.reset_offering(NEWEST);
    tick();
    assert_eq!(firmware.version(), NEWEST);
    RAM.write_text(DATA, b"file\0");
    let open = Request::File(FileRequest::PosixOpen {
        path: DATA,
        flags: PosixFlags::READ_WRITE | PosixFlags::CREATE,
        mode: 0o644,
    });
    assert!(firmware.try_send(&open));
    tick();
    let fd = firmware.try_receive().expect("a descriptor").rets;
    assert!((10..1 << 31).contains(&fd), "{fd:#x}");
    let lseek = Request::File(FileRequest::Lseek {
        fd,
        whence: Whence::Set,
        offset: 0,
        result: DATA + 0x100,
    });
    let write = |len| {
        let ptr = DATA;
        Request::File(FileRequest::Write { fd, ptr, len })
    };
    let mut group = criterion.benchmark_group("file");
    group.throughput(Throughput::Bytes(1 << 20));
    group.bench_function("WRITE 1 MiB", |bencher| {
        bencher.iter_custom(|times| {
            let times = (0..times).map(|_| {
                serve(firmware, &lseek, 1);
                serve(firmware, &write(1 << 20), 1)
            });
            times.sum::<Duration>()
        });
    });
    group.throughput(Throughput::Elements(MANY));
    for (name, request) in [("20,000 LSEEK", lseek), ("20,000 WRITE 16 B", write(16))] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                serve(firmware, &lseek, 1);
                serve(firmware, &request, times * MANY)
            });
        });
    }
    group.finish();
}
