//! Host program with the C ABI: its hook, panicking functions and failing calls. Each is reported
//! by name, and the system continues.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(
    unsafe_code,
    reason = "it is the testbench and the host program, which are found by C symbols"
)]

use std::ffi::{CStr, c_char, c_int};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use test_support::c_host::{MAILBOXES, init, last_error, mb_shutdown, mb_tick, read, write};
use vhost::{Builder, MemoryModel, ModelError, with_host};

vhost::host!(configure);

/// The mailbox is in the host program's memory, which every tick peeks at.
const MEMORIES: &str = "space: {core: [{io: {base: 0, size: 0x4000, backend: model}}]}";

/// Name of the function that panics.
static PANICS: Mutex<&str> = Mutex::new("");

/// Reports to the testbench: id and text.
static REPORTS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Lock of the process's only system of the C ABI, since tests run concurrently.
static ALONE: Mutex<()> = Mutex::new(());

/// Exclusive use of the C ABI's system and its testbench, which are reset when the test ends.
struct Alone(#[expect(dead_code, reason = "held until the test ends")] MutexGuard<'static, ()>);

fn alone() -> Alone {
    Alone(lock(&ALONE))
}

impl Drop for Alone {
    fn drop(&mut self) {
        *lock(&PANICS) = "";
        mb_shutdown();
        reports();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[unsafe(no_mangle)]
extern "C" fn mb_report(_: c_int, id: *const c_char, text: *const c_char) {
    // SAFETY: the library passes C strings.
    let [id, text] = [id, text].map(|text| unsafe { CStr::from_ptr(text) }.to_str().unwrap());
    lock(&REPORTS).push((id.to_owned(), text.to_owned()));
}

/// Reports so far, each as `id: text`.
fn reports() -> Vec<String> {
    let reports = std::mem::take(&mut *lock(&REPORTS));
    let lines = reports
        .into_iter()
        .map(|(id, text)| format!("{id}: {text}"));
    lines.collect()
}

fn panic_if_requested(function: &str) {
    let is_requested = *lock(&PANICS) == function;
    assert!(!is_requested, "as requested by the test");
}

fn configure(builder: Builder) -> Result<Builder, Box<dyn std::error::Error>> {
    panic_if_requested("configure");
    if *lock(&PANICS) == "with_host in configure" {
        with_host(|vhost| vhost.now())?;
    }
    Ok(builder
        .memory_model("io", Device([0; 0x4000]))
        .on_start(|_| {
            panic_if_requested("on_start");
            Ok(())
        }))
}

/// Memory whose byte accesses and peeks may panic.
struct Device([u8; 0x4000]);

impl MemoryModel for Device {
    fn read(&mut self, offset: u64) -> Result<u8, ModelError> {
        panic_if_requested("read");
        Ok(self.0[usize::try_from(offset)?])
    }

    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError> {
        panic_if_requested("write");
        self.0[usize::try_from(offset)?] = data;
        Ok(())
    }

    fn peek(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        panic_if_requested("peek");
        self.read_block(offset, data)
    }
}

fn start(folder: &Path) {
    assert_eq!(init(folder, MEMORIES, MAILBOXES), 0, "{}", last_error());
    assert_eq!(reports(), [""; 0]);
}

/// Asserts that no system starts while `function` panics, that one report contains `named`, and
/// that a system starts afterwards.
fn refuses_to_start(function: &'static str, named: &str) {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    *lock(&PANICS) = function;
    assert_eq!(init(folder.path(), MEMORIES, MAILBOXES), -1);
    *lock(&PANICS) = "";
    assert!(last_error().contains(named), "{}", last_error());
    let reports = reports();
    assert!(
        matches!(&reports[..], [report] if report.contains(named)),
        "{reports:?}"
    );
    start(folder.path());
    assert_eq!(mb_tick(), 1);
    mb_shutdown();
}

#[test]
fn a_configure_that_panics_is_named() {
    refuses_to_start(
        "configure",
        "the host program's setup failed: its function `configure` panicked: as requested by the test",
    );
}

#[test]
fn an_on_start_that_panics_is_named() {
    refuses_to_start(
        "on_start",
        "the host program's setup failed: the function of `on_start` panicked: as requested by the test",
    );
}

/// Asserts that a panic of a memory's function is reported by name.
fn reports_a_panic_of_the_memory(function: &'static str, access: impl Fn() -> bool) {
    *lock(&PANICS) = function;
    access();
    *lock(&PANICS) = "";
    let named = format!("its model failed: `{function}` panicked: as requested by the test");
    let reports = reports();
    let has_name = |report: &String| report.contains("io") && report.contains(&named);
    assert!(reports.iter().any(has_name), "{reports:?}");
}

#[test]
fn accesses_of_a_memory_that_panic_are_named() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    start(folder.path());
    let accesses: [(_, fn() -> bool); 2] = [
        ("read", || read(0x2000, &mut [0; 4])),
        ("write", || write(0x2000, &[1; 4])),
    ];
    for (function, access) in accesses {
        reports_a_panic_of_the_memory(function, access);
        assert!(access(), "{function}");
    }
    assert_eq!(mb_tick(), 1);
}

/// A mailbox that can't be read ends the service of its channel.
#[test]
fn a_peek_that_panics_is_named() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    start(folder.path());
    reports_a_panic_of_the_memory("peek", || mb_tick() >= 0);
    assert_eq!(mb_tick(), -1);
    assert!(last_error().contains("`peek` panicked"), "{}", last_error());
    mb_shutdown();
    start(folder.path());
    assert_eq!(mb_tick(), 1);
}

#[test]
fn with_host_reports_its_panics_and_leaves_the_host_usable() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    start(folder.path());
    let error = with_host(|_| panic!("in between")).unwrap_err().to_string();
    assert_eq!(error, "the function panicked: in between");
    assert_eq!(reports(), [format!("with_host: {error}")]);
    assert_eq!(last_error(), format!("with_host: {error}"));
    let elsewhere = thread::spawn(|| with_host(|vhost| vhost.now()).is_ok());
    assert!(elsewhere.join().unwrap());
    mb_shutdown();
}

/// A refusal of `with_host` is reported, also if the host program ignores the error.
#[test]
fn with_host_reports_its_refusals() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    *lock(&PANICS) = "with_host in configure";
    assert_eq!(init(folder.path(), MEMORIES, MAILBOXES), -1);
    *lock(&PANICS) = "";
    let inside = reports();
    assert!(
        inside[0].starts_with("with_host: the system is being built"),
        "{inside:?}"
    );
    assert!(
        inside[1].starts_with("mb_init: the host program's setup failed"),
        "{inside:?}"
    );

    start(folder.path());
    let refused = with_host(|_| {
        thread::spawn(|| with_host(|vhost| vhost.now()).is_err())
            .join()
            .unwrap()
    });
    assert!(refused.unwrap());
    assert_eq!(mb_tick(), 1);
    let overlap = reports();
    assert!(
        matches!(&overlap[..], [report] if report.starts_with("with_host: a call was refused")),
        "{overlap:?}"
    );
    mb_shutdown();
}

/// The first refused call is reported at once, the number of others at the end.
#[test]
fn refused_calls_are_counted() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    start(folder.path());
    for _ in 0..5 {
        with_host(|_| thread::spawn(|| mb_tick()).join().unwrap()).unwrap();
        assert_eq!(mb_tick(), 1);
        assert!(last_error().starts_with("mb_tick: a call was refused"));
    }
    assert_eq!(reports().len(), 1);
    mb_shutdown();
    let count = reports();
    assert!(
        matches!(&count[..], [report] if report.starts_with("vhost: 4 more calls were refused")),
        "{count:?}"
    );
    mb_shutdown();
    assert_eq!(reports(), [""; 0]);
}
