//! Cost of methods in Python: a call with an immediate result, a call that takes one tick, a call
//! of a method that Python does not have, and a tick while Python is idle. Without the feature
//! `python`, only the baseline runs.

#![allow(
    unsafe_code,
    reason = "plays the testbench, which the library finds by a C symbol"
)]
#![allow(clippy::expect_used, reason = "a bench that can't start says why")]

use std::ffi::c_char;
use std::hint::black_box;
use std::task::Poll;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use vhost::{Progress, Vhost};

#[path = "../host/baseline.rs"]
mod baseline;

use baseline::Baseline;

const MEMORIES: &str =
    "space: {core: [{ram: {base: 0, size: 0x2000, path: tb.ram, width: 32, backend: static}}]}";
const MAILBOXES: &str = "core: {space: core, base: 0x1000, ptr: 64, cache_line: 0}";

/// Entry of Python's path: the folder of this file.
const METHODS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/python");

/// Testbench, which has every method that Python does not have.
#[unsafe(no_mangle)]
extern "C" fn mb_sv_call(
    _: *const c_char,
    _: *const c_char,
    _: u32,
    args: *const u64,
    status: *mut u32,
) -> u64 {
    // SAFETY: the host passes a valid pointer to the status.
    unsafe { status.write(0) };
    // SAFETY: the host passes 16 words.
    unsafe { args.read() }
}

fn started() -> Vhost {
    let folder = std::env::temp_dir().join(format!("vhost-bench-python-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the configuration");
    let memories = folder.join("mem.yaml");
    std::fs::write(&memories, MEMORIES).expect("a configuration file");
    let vhost = Vhost::builder()
        .memories(memories)
        .mailboxes_text(MAILBOXES)
        .start()
        .expect("a system");
    std::fs::remove_dir_all(&folder).expect("the folder");
    vhost
        .register_method("hosts", |_, call| Ok(Poll::Ready(call.args[0])))
        .expect("a method");
    vhost
}

fn python(criterion: &mut Criterion) {
    if std::env::var_os("PYTHONPATH").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("PYTHONPATH", METHODS) };
    }
    let vhost = started();
    let call = |method| vhost.poll_call("core", black_box(method), black_box(&[40, 2]));

    criterion.bench_function("baseline: a bare message", |bencher| {
        let mut baseline = Baseline::new();
        bencher.iter(|| baseline.ask(1));
    });
    criterion.bench_function("idle tick, before Python", |bencher| {
        bencher.iter(|| vhost.tick());
    });
    criterion.bench_function("method of the host program's", |bencher| {
        bencher.iter(|| call("hosts"));
    });
    // The first call imports the modules.
    assert_eq!(call("testbenches").ok(), Some(Progress::Ready(40)));
    criterion.bench_function("method of the testbench's", |bencher| {
        bencher.iter(|| call("testbenches"));
    });
    if cfg!(feature = "python") {
        assert_eq!(call("add").ok(), Some(Progress::Ready(42)));
        criterion.bench_function("method in Python, answered at once", |bencher| {
            bencher.iter(|| call("add"));
        });
        criterion.bench_function("method in Python that reads a word", |bencher| {
            bencher.iter(|| call("read"));
        });
        criterion.bench_function("method in Python that waits for a tick", |bencher| {
            bencher.iter(|| {
                assert_eq!(call("wait").ok(), Some(Progress::Pending));
                vhost.tick().expect("a tick");
                assert_eq!(call("wait").ok(), Some(Progress::Ready(0)));
            });
        });
        // Runs callbacks that the last call has scheduled.
        (0..4).for_each(|_| _ = vhost.tick());
        criterion.bench_function("idle tick, no task in Python", |bencher| {
            bencher.iter(|| vhost.tick());
        });
        assert_eq!(call("forever").ok(), Some(Progress::Pending));
        criterion.bench_function("tick, a task in Python", |bencher| {
            bencher.iter(|| vhost.tick());
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = python
}
criterion_main!(benches);
