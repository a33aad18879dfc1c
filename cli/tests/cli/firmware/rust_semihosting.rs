//! Programs in Rust with the crate `semihosting`, which have the same text, files and exit code on
//! QEMU and here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::rust::{RV32, RV64, build};
use super::{Image, tree};

/// Programs of `firmware/semihosting`, and their exit codes.
const PROGRAMS: [(&str, i32); 6] = [
    ("console", 17),
    ("files", 0),
    ("arguments", 3),
    ("panics", 101),
    ("aborts", 134),
    ("input", 38),
];

const INPUT: &str = "two lines of input,\nand no end of line";

/// Standard output, standard error, exit code, and files of a run.
#[derive(Debug, PartialEq, Eq)]
struct RunResult {
    out: String,
    err: String,
    status: Option<i32>,
    files: BTreeMap<String, Vec<u8>>,
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let files = entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    files.filter(|(name, _)| name != "in.txt").collect()
}

/// Run on QEMU; `None` on a machine without it.
fn on_qemu(image: &Image, name: &str, width: &str) -> Option<RunResult> {
    let folder = image.path("qemu");
    fs::create_dir(&folder).unwrap();
    let output = Command::new(format!("qemu-system-riscv{width}"))
        .args(["-M", "virt", "-m", "16M", "-nographic", "-monitor", "none"])
        .args(["-serial", "none", "-bios", "none", "-semihosting-config"])
        .arg(format!(
            "enable=on,target=native,arg={name},arg=second,arg=third"
        ))
        .arg("-kernel")
        .arg(image.path("firmware.elf"))
        .current_dir(&folder)
        .stdin(File::open(image.path("in.txt")).unwrap())
        .output()
        .ok()?;
    Some(RunResult {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code(),
        files: files(&folder),
    })
}

/// Run here: with the traps seen by the command, or with code in their place.
fn here(image: &Image, name: &str, stub: &str) -> RunResult {
    let folder = image.path(stub);
    fs::create_dir(&folder).unwrap();
    fs::copy(image.path("in.txt"), folder.join("in.txt")).unwrap();
    let trace = image.path("run.trace");
    let mailboxes = image.put(
        "mailbox.yaml",
        &format!(
            "cpu: {{space: cpu, elf: \"${{IMAGE}}\", stub: {stub}, args: [{name}, second, third], \
             stdio: {{stdin: in.txt, stdout: raw, stderr: raw}}}}\n"
        ),
    );
    let ended = image.run([
        "--files".as_ref(),
        folder.as_os_str(),
        "--mailbox".as_ref(),
        mailboxes.as_os_str(),
        "--record".as_ref(),
        trace.as_os_str(),
    ]);
    let printed = "firmware is served by semihosting";
    assert!(ended.stderr.contains(printed), "{ended:?}");
    super::replays_in_order(&trace);
    let lines = ended.stderr.split_inclusive('\n');
    let err = lines.filter(|line| !line.starts_with("vhost: "));
    RunResult {
        err: err.collect(),
        out: ended.stdout,
        status: ended.status,
        files: files(&folder),
    }
}

#[test]
fn programs_in_rust_do_the_same_as_on_qemu() {
    for (name, status) in PROGRAMS {
        for (target, width) in [(RV32, "32"), (RV64, "64")] {
            let Some(elf) = build("semihosting", target, name, &[]) else {
                return;
            };
            let image = Image(tempfile::tempdir().unwrap());
            fs::copy(elf, image.path("firmware.elf")).unwrap();
            image.put("in.txt", INPUT);
            let seen = here(&image, name, "none");
            assert_eq!(seen.status, Some(status), "{seen:?}");
            let replaced = here(&image, name, "auto");
            assert_eq!(replaced, seen);
            match on_qemu(&image, name, width) {
                Some(there) => assert_eq!(seen, there, "{name}, {target}"),
                None => {
                    let text = format!("skipped: not found: qemu-system-riscv{width}");
                    let _ = writeln!(std::io::stderr().lock(), "{text}");
                }
            }
        }
    }
    assert!(tree().join("firmware/semihosting/Cargo.lock").exists());
}
