//! Overhead of the host: time by criterion, and number of accesses to simulated memory, which cost
//! more than anything else in a simulator.
//!
//! All calls go through the C ABI, with 8-byte pointers and memory behind `__vhost_bb_mem_*`, as in
//! a C model. Only the host's part of a request is timed, not the simulated firmware.

#![allow(
    unsafe_code,
    reason = "the C ABI and a C model of memory, which this program plays"
)]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that can't start says why; its output is for reading"
)]

mod baseline;
mod files;
mod memory;
mod sockets;

use std::cell::UnsafeCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use baseline::Baseline;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request};

unsafe extern "C" {
    fn mb_init(memories: *const c_char, mailboxes: *const c_char, root: *const c_char) -> c_int;
    fn mb_tick() -> c_int;
    fn mb_last_error() -> *const c_char;
    fn mb_backdoor_read_u32(space: *const c_char, address: u64, data: *mut u32);
    fn mb_backdoor_write_mem(
        space: *const c_char,
        address: u64,
        data: *const c_void,
        len: u64,
    ) -> i64;
    fn mb_backdoor_read_mem(space: *const c_char, address: u64, data: *mut c_void, len: u64)
    -> i64;
}

const BASE: u64 = 0x8000_0000;
const SIZE: usize = 4 << 20;
const DATA: u64 = BASE + 0x10_0000;
const CHANNELS: [u64; 2] = [BASE, BASE + 0x2000];

const MEMORIES: &str = "
space:
  core:
    - ram: {base: 0x80000000, size: 0x400000, backend: api}
    - direct: {base: 0x10000000, size: 0x100000, path: tb.direct, width: 32, backend: static}
    - banked:
        base: 0x20000000
        size: 0x100000
        path: tb.banked
        width: 128
        bank_width: 32
        bank_depth: 0x10000
        banks: [[b0, b1, b2, b3]]
        backend: static
";

/// Destinations of a moved block of 1 MiB.
const BLOCKS: [(&str, u64); 3] = [
    ("C model", DATA),
    ("static direct", 0x1000_0000),
    ("static banked", 0x2000_0000),
];

const MAILBOXES: &str = "
core: {space: core, base: 0x80000000, ptr: 64, cache_line: 0}
";

/// Memory of the chip.
struct Ram(UnsafeCell<[u8; SIZE]>);

// SAFETY: only the main thread uses it.
unsafe impl Sync for Ram {}

static RAM: Ram = Ram(UnsafeCell::new([0; SIZE]));
static READS: AtomicU64 = AtomicU64::new(0);
static WRITES: AtomicU64 = AtomicU64::new(0);

impl Memory for &Ram {
    fn read(&self, address: u64, buffer: &mut [u8]) {
        let from = self.at(address);
        // SAFETY: the address is in the array, and the buffer does not overlap it.
        unsafe { from.copy_to_nonoverlapping(buffer.as_mut_ptr(), buffer.len()) };
    }

    fn write(&self, address: u64, data: &[u8]) {
        let to = self.at(address);
        // SAFETY: as above.
        unsafe { to.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
    }
}

impl Ram {
    fn at(&self, address: u64) -> *mut u8 {
        let offset = usize::try_from(address - BASE).expect("an address of the memory");
        assert!(offset < SIZE);
        // SAFETY: in bounds.
        unsafe { self.0.get().cast::<u8>().add(offset) }
    }
}

/// Memory model that the host finds.
#[unsafe(no_mangle)]
extern "C" fn __vhost_bb_mem_read(_: u64, address: u64, data: *mut u8, len: usize) -> usize {
    READS.store(READS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    // SAFETY: the host asks for bytes of the memory, and `data` has room for `len` bytes.
    unsafe { RAM.at(address).copy_to_nonoverlapping(data, len) };
    len
}

/// Memory model that the host finds.
#[unsafe(no_mangle)]
extern "C" fn __vhost_bb_mem_write(_: u64, address: u64, data: *const u8, len: usize) -> usize {
    WRITES.store(WRITES.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    // SAFETY: as above.
    unsafe { RAM.at(address).copy_from_nonoverlapping(data, len) };
    len
}

/// Testbench methods that the host finds.
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

fn started() -> Firmware<&'static Ram> {
    let folder = folder();
    std::fs::create_dir_all(&folder).expect("a folder for the configuration");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a configuration file");
        c_path(&path)
    };
    let (memories, mailboxes) = (file("mem.yaml", MEMORIES), file("mailbox.yaml", MAILBOXES));
    let root = c_path(&folder);
    // SAFETY: three C strings.
    let status = unsafe { mb_init(memories.as_ptr(), mailboxes.as_ptr(), root.as_ptr()) };
    // SAFETY: no arguments.
    let error = unsafe { mb_last_error() };
    // SAFETY: the library returns a C string.
    let error = unsafe { CStr::from_ptr(error) };
    assert_eq!(status, 0, "{error:?}");

    let mut firmware = Firmware::new(
        &RAM,
        CHANNELS[0],
        Layout::new(PtrWidth::P8, CacheLine::None),
    );
    firmware.reset();
    assert_eq!(tick(), 1);
    assert!(firmware.is_ready());
    tick();
    firmware
}

/// Folder of the configuration, which is also the root of firmware's files.
fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("vhost-bench-{}", std::process::id()))
}

fn c_path(path: &Path) -> CString {
    CString::new(path.to_str().expect("a UTF-8 path")).expect("no NUL in it")
}

fn tick() -> c_int {
    // SAFETY: no arguments.
    unsafe { mb_tick() }
}

/// Time of the ticks that serve `request`, without the firmware's part.
fn serve(firmware: &mut Firmware<&'static Ram>, request: &Request, times: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        assert!(firmware.try_send(request));
        let start = Instant::now();
        black_box(tick());
        spent += start.elapsed();
        if request.responds() {
            assert!(black_box(firmware.try_receive()).is_some());
        }
    }
    spent
}

fn counted(what: &str, run: impl FnOnce()) {
    let before = (
        READS.load(Ordering::Relaxed),
        WRITES.load(Ordering::Relaxed),
    );
    run();
    let reads = READS.load(Ordering::Relaxed) - before.0;
    let writes = WRITES.load(Ordering::Relaxed) - before.1;
    println!("{what:<24} {reads:>4} reads {writes:>4} writes");
}

fn host(criterion: &mut Criterion) {
    // Text of firmware goes to C's stdout and is discarded.
    silence();
    let mut firmware = started();
    let space = c"core".as_ptr();
    RAM.write_text(DATA, b"fifteen bytes..\n");
    RAM.write_text(DATA + 0x100, b"method\0");

    let requests = [
        ("PRINT 16 B", Request::Print { ptr: DATA, len: 16 }),
        (
            "CALL",
            Request::Call {
                method: DATA + 0x100,
                args: [1, 2].into(),
            },
        ),
        (
            "MEMMOVE 4 KiB",
            Request::MemMove {
                dest: DATA + 0x8000,
                src: DATA,
                len: 4096,
            },
        ),
        (
            "MEMSET 4 KiB",
            Request::MemSet {
                dest: DATA + 0x4000,
                byte: 1,
                len: 4096,
            },
        ),
        (
            "MEMCMP 4 KiB",
            Request::MemCmp {
                s1: DATA + 0x4000,
                s2: DATA + 0x4000,
                len: 4096,
            },
        ),
    ];

    println!("accesses to simulated memory");
    counted("idle tick", || _ = tick());
    for (name, request) in &requests {
        counted(name, || _ = serve(&mut firmware, request, 1));
    }

    criterion.bench_function("baseline: a bare message", |bencher| {
        let mut baseline = Baseline::new();
        bencher.iter(|| baseline.ask(1));
    });
    criterion.bench_function("idle tick", |bencher| bencher.iter(tick));
    criterion.bench_function("the clock of these benches", |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| black_box(Instant::now()).elapsed())
                .sum()
        });
    });
    for (name, request) in &requests {
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|times| serve(&mut firmware, request, times));
        });
    }

    files::files(criterion, &mut firmware);
    std::fs::remove_dir_all(folder()).expect("the folder");

    criterion.bench_function("backdoor read u32", |bencher| {
        let mut word = 0;
        // SAFETY: a C string, and a place for the word.
        bencher.iter(|| unsafe { mb_backdoor_read_u32(space, black_box(DATA), &raw mut word) });
    });

    for (name, address) in BLOCKS {
        let mut block = vec![0_u8; 1 << 20];
        let len = block.len() as u64;
        let mut group = criterion.benchmark_group(format!("1 MiB, {name}"));
        group.throughput(Throughput::Bytes(len));
        group.bench_function("write", |bencher| {
            // SAFETY: a C string, and a buffer of the given length.
            bencher.iter(|| unsafe {
                mb_backdoor_write_mem(space, address, block.as_ptr().cast(), len)
            });
        });
        group.bench_function("read", |bencher| {
            // SAFETY: as above.
            bencher.iter(|| unsafe {
                mb_backdoor_read_mem(space, address, block.as_mut_ptr().cast(), len)
            });
        });
        group.finish();
    }
}

impl Ram {
    fn write_text(&'static self, address: u64, text: &[u8]) {
        Memory::write(&self, address, text);
    }
}

/// Redirects C's `stdout` to `/dev/null`.
fn silence() {
    unsafe extern "C" {
        static mut stdout: *mut c_void;
        fn fopen(path: *const c_char, mode: *const c_char) -> *mut c_void;
    }
    // SAFETY: two C strings.
    let nowhere = unsafe { fopen(c"/dev/null".as_ptr(), c"w".as_ptr()) };
    assert!(!nowhere.is_null());
    // SAFETY: glibc's `stdout` is a variable, and nothing else uses it now.
    unsafe { stdout = nowhere };
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = host, memory::memory, sockets::echo
}
criterion_main!(benches);
