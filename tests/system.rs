//! Start of a system through the Rust API.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::{Arc, Mutex};

use object::{Object as _, ObjectSegment as _};
use test_support::elf::{Elf, Segment};
use vhost::bus::Observation;
use vhost::messages::foreign::Report;
use vhost::messages::memory::AccessSegments;
use vhost::{Builder, Error, Replay, Severity, Vhost};

const SELFTEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware/selftest-rv32.elf");

/// Builder of a system with these memories in the space `core`, and these channels.
fn system(memories: &str, mailboxes: &str) -> Builder {
    let memories = format!("space: {{core: [{memories}]}}");
    let builder = Vhost::builder().memories_text(memories);
    let builder = builder.mailboxes_text(mailboxes);
    builder.variable("SELFTEST", SELFTEST)
}

/// Tap that keeps the values that `wanted` returns for messages.
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
    // The thread can start another system.
    system("", "").start().unwrap();
}

#[test]
fn a_channel_in_a_memory_that_reads_as_zeros_is_warned_of() {
    let memories = "ram: {base: 0, size: 0x1000, backend: log}";
    let mailboxes = "cpu: {space: core, base: 0, ptr: 32, cache_line: 0}";
    let reports = |seen: &Observation<'_>| seen.content.downcast_ref::<Report>().cloned();
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
    let accesses = |seen: &Observation<'_>| seen.content.downcast_ref::<AccessSegments>().cloned();
    let (builder, accesses) = kept(system(memories, ""), accesses);
    builder.start().unwrap();
    assert_eq!(accesses.lock().unwrap().len(), 1);
}

#[test]
fn an_image_is_loaded_also_for_a_channel_that_is_not_served() {
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

/// Address and size of the zeros of an image's last segment.
fn zeros_of(image: &str) -> (u64, u64) {
    let image = std::fs::read(image).unwrap();
    let image = object::File::parse(&*image).unwrap();
    let last = image.segments().last().unwrap();
    let (_, in_file) = last.file_range();
    assert!(last.size() > in_file);
    (last.address() + in_file, last.size() - in_file)
}

/// The image overwrites memory. Its zeros are written if the channel's configuration requires it,
/// in the run and in its replay.
#[test]
fn zeros_of_an_image_are_written_unless_the_channel_disables_them() {
    let ram = "{base: 0, size: 0x10000, path: ram, width: 32, backend: static, init: {method: random, seed: 1}}";
    let (zeros, len) = zeros_of(SELFTEST);
    let folder = tempfile::tempdir().unwrap();
    for (flag, kept) in [
        ("", false),
        (", zero_bss: true", false),
        (", zero_bss: false", true),
        (", zero_bss: $NO", true),
    ] {
        let trace = folder.path().join("run.trace");
        let mailboxes =
            format!("cpu: {{space: core, elf: \"${{SELFTEST}}\", cache_line: 0{flag}}}");
        let system = system(&format!("ram: {ram}"), &mailboxes).variable("NO", "no");
        let vhost = system.record(&trace).start().unwrap();
        assert_ne!(vhost.read_u32("core", 0).unwrap(), 0, "{flag}");
        let bytes = vhost.read("core", zeros, len).unwrap();
        assert_eq!(bytes.iter().any(|byte| *byte != 0), kept, "{flag}");
        vhost.tick().unwrap();
        vhost.shutdown();
        Replay::of(&trace)
            .run()
            .unwrap_or_else(|error| panic!("{flag}: {error}"));
    }
}

/// A file is loaded once, in any notation of its path, in the run and in its replay.
#[test]
fn an_image_of_several_names_is_loaded_once() {
    let ram = "{base: 0, size: 0x10000, path: ram, width: 32, backend: static, init: {method: random, seed: 1}}";
    let (zeros, len) = zeros_of(SELFTEST);
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.elf");
    std::os::unix::fs::symlink(SELFTEST, &link).unwrap();
    let (parent, name) = SELFTEST.rsplit_once("/").unwrap();
    let names = [
        "${SELFTEST}".to_owned(),
        link.display().to_string(),
        format!("{parent}/./{name}"),
        format!("$PARENT/../firmware/{name}"),
    ];
    for first in &names {
        for second in &names {
            let mailboxes = format!(
                "one: {{space: core, elf: \"{first}\", server: false}}\ntwo: {{space: core, elf: \"{second}\", server: false, zero_bss: \
                 false}}"
            );
            let trace = folder.path().join("run.trace");
            let system = system(&format!("ram: {ram}"), &mailboxes).variable("PARENT", parent);
            let vhost = system.record(&trace).start().unwrap();
            assert_ne!(vhost.read_u32("core", 0).unwrap(), 0);
            let bytes = vhost.read("core", zeros, len).unwrap();
            assert!(bytes.iter().any(|byte| *byte != 0), "{first}, {second}");
            vhost.tick().unwrap();
            vhost.shutdown();
            let replayed = Replay::of(&trace).run();
            replayed.unwrap_or_else(|error| panic!("{first}, {second}: {error}"));
        }
    }
}

#[test]
fn a_base_that_is_not_used_is_a_note() {
    let memories = "ram: {base: 0, size: 0x10000, path: ram, width: 32, backend: static}";
    let mailboxes = "cpu: {space: core, elf: \"${SELFTEST}\", cache_line: 0, base: 0x8000}";
    let reports = |seen: &Observation<'_>| seen.content.downcast_ref::<Report>().cloned();
    let (builder, reports) = kept(system(memories, mailboxes), reports);
    builder.start().unwrap();
    let reports = reports.lock().unwrap();
    let note = &reports[0];
    assert_eq!(
        (note.severity, note.id.as_str()),
        (Severity::Info, "config")
    );
    assert!(
        note.text
            .contains("channel `cpu`: `base` 0x8000 is not used: section .mailbox of "),
        "{}",
        note.text
    );
}

/// An image that is loaded later belongs to no channel with `zero_bss: false`.
#[test]
fn zeros_of_an_image_that_a_program_loads_are_written() {
    let ram = "{base: 0, size: 0x10000, path: ram, width: 32, backend: static, init: {method: random, seed: 1}}";
    let vhost = system(&format!("ram: {ram}"), "").start().unwrap();
    let (zeros, len) = zeros_of(SELFTEST);
    let are_zeros = || {
        let bytes = vhost.read("core", zeros, len).unwrap();
        bytes.iter().all(|byte| *byte == 0)
    };
    assert!(!are_zeros());
    vhost.load_elf("core", SELFTEST.as_ref()).unwrap();
    assert_ne!(vhost.read_u32("core", 0).unwrap(), 0);
    assert!(are_zeros());
}

/// The order of the channels does not matter.
#[test]
fn one_channel_that_disables_zeros_keeps_those_of_an_image_unwritten() {
    let ram = "{base: 0, size: 0x10000, path: ram, width: 32, backend: static, init: {method: random, seed: 1}}";
    let (zeros, len) = zeros_of(SELFTEST);
    for (flags, kept) in [
        ([true, true, true], false),
        ([false, true, true], true),
        ([true, false, true], true),
        ([true, true, false], true),
        ([false, false, false], true),
    ] {
        let channels: Vec<_> = flags
            .iter()
            .enumerate()
            .map(|(at, zero_bss)| {
                format!(
                    "cpu{at}: {{space: core, elf: \"${{SELFTEST}}\", server: false, zero_bss: {zero_bss}}}"
                )
            })
            .collect();
        let vhost = system(&format!("ram: {ram}"), &channels.join("\n"))
            .start()
            .unwrap();
        assert_ne!(vhost.read_u32("core", 0).unwrap(), 0, "{flags:?}");
        let bytes = vhost.read("core", zeros, len).unwrap();
        assert_eq!(bytes.iter().any(|byte| *byte != 0), kept, "{flags:?}");
    }
}

#[test]
fn doubtful_parts_of_the_configurations_are_reported() {
    let memories = "uart: {base: 0x10, size: 4, backend: log, id: 7}, ram: {base: 0, size: 0x1000, backend: log}";
    let mailboxes = "cpu: {space: core, server: false, desc: none}";
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let reports = |seen: &Observation<'_>| seen.content.downcast_ref::<Report>().cloned();
    let (builder, reports) = kept(system(memories, mailboxes), reports);
    let vhost = builder.record(&trace).start().unwrap();
    vhost.tick().unwrap();
    vhost.shutdown();
    let reports = reports.lock().unwrap();
    let parts = [
        "memory `uart` of space `core`: the key `id` is unknown",
        "memory `uart` (0x10 to 0x13) is in front of memory `ram`",
        "channel `cpu`: the key `desc` is unknown",
    ];
    assert_eq!(reports.len(), parts.len(), "{reports:?}");
    for (report, part) in reports.iter().zip(parts) {
        assert_eq!(
            (report.severity, report.id.as_str()),
            (Severity::Warning, "config")
        );
        assert!(report.text.contains(part), "{}", report.text);
    }
    drop(reports);
    Replay::of(&trace).run().unwrap();
}

/// An image that is loaded later is checked like those in the configuration.
#[test]
fn an_image_that_does_not_fit_leaves_memory_as_it_is() {
    let reports = |seen: &Observation<'_>| seen.content.downcast_ref::<Report>().cloned();
    let memories = "ram: {base: 0x1000, size: 64, path: ram, width: 32, backend: static}";
    let (builder, reports) = kept(system(memories, ""), reports);
    let vhost = builder.start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let load = |elf: &Elf| {
        let file = folder.path().join("fw.elf");
        std::fs::write(&file, elf.build()).unwrap();
        let error = vhost.load_elf("core", &file).err();
        error.map(|error| {
            error
                .to_string()
                .replace(&file.display().to_string(), "fw.elf")
        })
    };
    let first = || Segment::at(0x1000, &[1; 4], 8);
    let misfit = load(&Elf::of(vec![first(), Segment::at(0x1020, &[2; 64], 64)]));
    let expected = "fw.elf can't be loaded into space `core`: segment 1 (0x1020 to 0x105f) has no memory at 0x1040, nearest is memory `ram` \
                    (0x1000 to 0x103f); link it for another address, or map a memory there";
    assert_eq!(misfit.as_deref(), Some(expected));
    assert_eq!(vhost.read("core", 0x1000, 4).unwrap()[..], [0; 4]);
    assert!(
        load(&Elf::of(vec![]))
            .unwrap()
            .starts_with("fw.elf has no bytes to load")
    );
    assert!(reports.lock().unwrap().is_empty());

    let overlapping = Elf {
        kind: 3,
        ..Elf::of(vec![first(), Segment::at(0x1002, &[2; 4], 4)])
    };
    assert_eq!(load(&overlapping), None);
    assert_eq!(
        vhost.read("core", 0x1000, 8).unwrap()[..],
        [1, 1, 2, 2, 2, 2, 0, 0]
    );
    let reports = reports.lock().unwrap();
    let texts = [
        "is position independent (ET_DYN)",
        "segments 0 and 1 overlap from 0x1002 to 0x1003",
    ];
    assert_eq!(reports.len(), texts.len(), "{reports:?}");
    for (report, text) in reports.iter().zip(texts) {
        assert_eq!(
            (report.severity, report.id.as_str()),
            (Severity::Warning, "load")
        );
        assert!(
            report.text.contains(&format!("fw.elf {text}")),
            "{report:?}"
        );
    }
}
