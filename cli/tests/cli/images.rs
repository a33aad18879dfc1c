//! Faulty images and memory files: the command and a run report the same problems.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use vhost::messages::foreign::{Report, Severity};
use vhost::{Replay, Vhost};

use crate::{command, end};
use test_support::elf::{Elf, Segment};

const RAM: u64 = 0x8000_0000;
const MAILBOX: (u64, u64) = (RAM + 0x8000, 1512);

/// Creates a small valid image with a mailbox.
fn good() -> Elf {
    Elf {
        mailboxes: vec![MAILBOX],
        ..Elf::of(vec![Segment::at(RAM, &[0x13; 64], 64)])
    }
}

/// Folder with a RAM of 64 KiB, its image, and a memory file.
fn folder(image: &[u8], hex: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let memories = format!(
        "space: {{core: [ram: {{base: {RAM:#x}, size: 0x10000, path: tb.ram, width: 32, backend: static, init: {{method: hex, file: \"{}\"}}}}]}}",
        path("ram.hex")
    );
    put("mem.yaml", memories.as_bytes());
    let mailboxes = format!(
        "core: {{space: core, elf: \"{}\", cache_line: 0}}",
        path("firmware.elf")
    );
    put("mailbox.yaml", mailboxes.as_bytes());
    put("firmware.elf", image);
    put("ram.hex", hex);
    folder
}

/// Reported warnings, and the error if there is one.
#[derive(Debug, PartialEq, Eq)]
struct Reports {
    warnings: Vec<String>,
    error: Option<String>,
}

impl Reports {
    fn by_check(folder: &Path) -> Self {
        let mut check = command();
        check.arg("check").arg("--mem").arg(folder.join("mem.yaml"));
        let ended = end(check.arg("--mailbox").arg(folder.join("mailbox.yaml")));
        let lines = |grade: &str| {
            let lines = ended.stdout.lines().chain(ended.stderr.lines());
            let lines = lines.filter_map(|line| line.strip_prefix(grade));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let error = lines("error: ").into_iter().next();
        assert_eq!(ended.status, Some(i32::from(error.is_some())), "{ended:?}");
        Self {
            warnings: lines("warning: "),
            error,
        }
    }

    fn by_run(folder: &Path) -> Self {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let kept = reports.clone();
        let trace = folder.join("run.trace");
        let started = Vhost::builder()
            .memories(folder.join("mem.yaml"))
            .mailboxes(folder.join("mailbox.yaml"))
            .on_report(move |report: &Report| kept.lock().unwrap().push(report.clone()))
            .record(&trace)
            .start();
        let error = match started {
            Ok(vhost) => {
                vhost.tick().unwrap();
                vhost.shutdown();
                Replay::of(&trace).run().unwrap();
                None
            }
            Err(error) => Some(error.to_string()),
        };
        let reports = reports.lock().unwrap();
        let warnings = reports.iter().filter(|it| it.severity == Severity::Warning);
        let text = |report: &Report| match report.id.as_str() {
            "ram" => format!("memory `ram`: {}", report.text),
            _ => report.text.clone(),
        };
        Self {
            warnings: warnings.map(text).collect(),
            error,
        }
    }
}

/// Messages of the command and of a run for these files, with file names relative to their folder.
fn reports(image: &[u8], hex: &[u8]) -> Reports {
    let folder = folder(image, hex);
    let mut run = Reports::by_run(folder.path());
    assert_eq!(run, Reports::by_check(folder.path()));
    let short =
        |text: &mut String| *text = text.replace(&format!("{}/", folder.path().display()), "");
    run.warnings
        .iter_mut()
        .chain(&mut run.error)
        .for_each(short);
    run
}

const HEX: &[u8] = b"00000001\n";

/// Change of a valid image.
type Change = fn(&mut Elf);

#[test]
fn unusual_images_are_warned_of() {
    let with = |change: Change| {
        let mut elf = good();
        change(&mut elf);
        let reports = reports(&elf.build(), HEX);
        assert_eq!(reports.error, None);
        reports.warnings
    };
    assert_eq!(with(|_| ()), [""; 0]);
    let cases: [(Change, &str); 6] = [
        (|elf| elf.kind = 3, "is position independent (ET_DYN)"),
        (|elf| elf.kind = 4, "is a core dump (ET_CORE)"),
        (|elf| elf.kind = 0, "has ELF type 0x0"),
        (
            |elf| elf.segments.push(Segment::at(RAM + 0x10, &[1; 16], 16)),
            "segments 0 and 1 overlap from 0x80000010 to 0x8000001f",
        ),
        (
            |elf| elf.segments[0].own_headers = true,
            "loads its own ELF headers at 0x80000000",
        ),
        (
            |elf| elf.mailboxes.push((RAM + 0x9000, 1512)),
            "has two sections .mailbox: the one at 0x80008000 is used",
        ),
    ];
    for (change, warning) in cases {
        let warnings = with(change);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let start = format!("mailbox.yaml: image firmware.elf {warning}");
        assert!(warnings[0].starts_with(&start), "{warnings:?}");
    }
}

#[test]
fn images_that_can_not_be_loaded_are_errors() {
    let error = |elf: &Elf| reports(&elf.build(), HEX).error.unwrap();
    let mut elf = good();
    elf.segments.clear();
    let text = error(&elf);
    assert!(
        text.starts_with("firmware.elf has no bytes to load: it has no program headers; "),
        "{text}"
    );
    elf.segments.push(Segment::at(RAM, &[], 64));
    let text = error(&elf);
    assert!(
        text.contains("its segments have no bytes in the file"),
        "{text}"
    );
    elf.segments.push(Segment::at(RAM + 0xfff0, &[1; 32], 32));
    let text = error(&elf);
    let start = "firmware.elf can't be loaded into space `core`: segment 1 (0x8000fff0 to 0x8001000f) has no memory at 0x80010000, \
                 nearest is memory `ram` (0x80000000 to 0x8000ffff); ";
    assert!(text.starts_with(start), "{text}");
    elf.mailboxes = vec![(RAM - 0x1000, 1512)];
    let text = error(&elf);
    let start = "mailbox.yaml:1: channel `core`: the channel is not in memory: section .mailbox of firmware.elf puts it at 0x7ffff000, ";
    assert!(text.starts_with(start), "{text}");
    // Warnings are reported beside the error.
    let mut elf = good();
    elf.kind = 3;
    elf.segments[0].physical = 0;
    let reports = reports(&elf.build(), HEX);
    assert_eq!(reports.warnings.len(), 1, "{reports:?}");
    assert!(
        reports
            .error
            .unwrap()
            .contains("its virtual address is 0x80000000")
    );
}

#[test]
fn a_mailbox_that_the_mmu_moves_is_served() {
    let high = 0xffff_ffc0_0000_0000;
    let mut elf = good();
    elf.segments.push(Segment {
        virtual_address: high,
        ..Segment::at(RAM + 0x8000, &[0; 8], 1512)
    });
    elf.mailboxes = vec![(high, 1512)];
    let reports = reports(&elf.build(), HEX);
    assert_eq!((reports.warnings, reports.error), (vec![], None));
}

#[test]
fn memory_files_are_reported_alike() {
    let hex = |text: &[u8]| reports(&good().build(), text);
    for text in [
        "\u{feff}# seven\n@ 3\n00000007\n",
        "@0x3\n0x00000007\n",
        "00000007\r\n\x1a\0\0",
    ] {
        let reports = hex(text.as_bytes());
        assert_eq!(
            (reports.warnings, reports.error),
            (vec![], None),
            "{text:?}"
        );
    }
    for (text, warning) in [
        (
            &b""[..],
            "ram.hex: a memory file (format of `$readmemh`) without a value",
        ),
        (b"0001 0002", "ram.hex: every value has 4 digits"),
        (b"00\n11\n22\n", "ram.hex: every value has 2 digits"),
        (
            b"0000000000000013",
            "ram.hex: every value has 16 digits, as for words of 64 bits, but each",
        ),
        (b"0000000x", "ram.hex: 1 digits are x or z"),
    ] {
        let reports = hex(text);
        assert_eq!(
            (reports.warnings.len(), &reports.error),
            (1, &None),
            "{reports:?}"
        );
        let start = format!("memory `ram`: {warning}");
        assert!(reports.warnings[0].starts_with(&start), "{reports:?}");
    }
    for (text, error) in [
        (
            &b"@0\n13 00 00 00\n"[..],
            "ram.hex:2: every value has two digits",
        ),
        (
            b":10000000214601360121470136007EFE09D2190140",
            "ram.hex:1: this is Intel HEX, ",
        ),
        (
            b"S9030000FC",
            "ram.hex:1: this is a file of Motorola S-records, ",
        ),
        (
            b"// made by a tool\n:00000001FF\n",
            "ram.hex:2: this is Intel HEX, ",
        ),
        (b"00000007\n0000\x1a\n1", "ram.hex:2: "),
    ] {
        let reports = hex(text).error.unwrap();
        let start = format!("memory `ram`, init: {error}");
        assert!(reports.starts_with(&start), "{reports}");
    }
}
