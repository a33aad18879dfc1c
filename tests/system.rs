//! What the Rust API promises of starting a system.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use vhost::bus::Observation;
use vhost::messages::foreign::Report;
use vhost::messages::memory::AccessAt;
use vhost::{Builder, Error, Severity, Vhost};

const SELFTEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware/selftest-rv32.elf");

/// A system of these memories in the space `core`, and these channels.
fn system(memories: &str, mailboxes: &str) -> Builder {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("system-{count}.yaml"));
    std::fs::write(&file, format!("space: {{core: [{memories}]}}")).unwrap();
    let builder = Vhost::builder().memories(file).mailboxes_text(mailboxes);
    builder.variable("SELFTEST", SELFTEST)
}

/// A tap that keeps what `wanted` makes of messages.
fn kept<T: Send + 'static>(
    builder: Builder,
    wanted: impl Fn(&Observation<'_>) -> Option<T> + Send + 'static,
) -> (Builder, Arc<Mutex<Vec<T>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let tap = move |seen: &Observation<'_>| keep.lock().unwrap().extend(wanted(seen));
    (builder.attach(tap), kept)
}

#[test]
fn a_channel_that_can_not_be_reached_is_no_system() {
    let memories = "ram: {base: 0, size: 0x1000, backend: api}";
    let mailboxes = "cpu: {space: core, base: 0, ptr: 32, cache_line: 0}";
    let error = system(memories, mailboxes).start().unwrap_err();
    assert!(matches!(error, Error::Fatal(_)), "{error:?}");
    let error = error.to_string();
    assert!(
        error.contains("channel cpu") && error.contains("__vhost_bb_mem_write"),
        "{error}"
    );
    // The thread is free for another.
    system("", "").start().unwrap();
}

#[test]
fn a_channel_in_a_memory_that_reads_as_zeros_is_warned_of() {
    let memories = "ram: {base: 0, size: 0x1000, backend: log}";
    let mailboxes = "cpu: {space: core, base: 0, ptr: 32, cache_line: 0}";
    let reports = |seen: &Observation<'_>| seen.event.is::<Report>().cloned();
    let (builder, reports) = kept(system(memories, mailboxes), reports);
    let vhost = builder.start().unwrap();
    assert_eq!(vhost.tick().unwrap(), 1);
    let reports = reports.lock().unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!(
        (reports[0].severity, reports[0].id.as_str()),
        (Severity::Warning, "cpu")
    );
    assert!(reports[0].text.contains("memory `ram`"), "{reports:?}");
}

#[test]
fn a_tap_sees_memories_get_their_first_content() {
    let memories =
        "ram: {base: 0, size: 64, path: ram, width: 32, backend: static, init: {method: all_zero}}";
    let accesses = |seen: &Observation<'_>| seen.event.is::<AccessAt>().cloned();
    let (builder, accesses) = kept(system(memories, ""), accesses);
    builder.start().unwrap();
    assert_eq!(accesses.lock().unwrap().len(), 1);
}

#[test]
fn an_image_is_loaded_whether_its_channel_is_served_or_not() {
    let memories = "ram: {base: 0, size: 0x10000, path: ram, width: 32, backend: static}";
    for (flags, loads, served) in [
        ("", true, 1),
        (", server: false", true, 0),
        (", load: \"false\"", false, 1),
    ] {
        let mailboxes =
            format!("cpu: {{space: core, elf: \"${{SELFTEST}}\", cache_line: 0{flags}}}");
        let vhost = system(memories, &mailboxes).start().unwrap();
        assert_eq!(vhost.read_u32("core", 0).unwrap() != 0, loads, "{flags}");
        assert_eq!(vhost.tick().unwrap(), served, "{flags}");
        assert_eq!(vhost.exits().len(), served, "{flags}");
        assert_eq!(vhost.space_of("cpu").unwrap(), "core", "{flags}");
    }
}
