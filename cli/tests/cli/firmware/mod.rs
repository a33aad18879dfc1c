//! `vhost run`: firmware on the instruction-set simulator.

mod bytes;
mod caches;
mod checkpoint;
mod compiled;
#[cfg(feature = "defmt")]
mod defmt;
mod endings;
mod findings;
mod found;
mod harts;
mod htif;
mod memories;
mod pages;
mod refused;
mod rtt;
mod rust;
mod rust_semihosting;
mod semihosting;
mod services;
mod serving;
mod several;
mod stopped;
mod streams;
mod thumb;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Ended, command, end};
use test_support::elf::{Elf, Segment};

const RAM: u64 = 0x8000_0000;

/// Instructions of 32 bits.
const EBREAK: u32 = 0x0010_0073;
const ILLEGAL: u32 = 0xffff_ffff;
const JUMP_TO_ITSELF: u32 = 0x0000_006f;
const WFI: u32 = 0x1050_0073;
/// `addi a0, a0, 1` and a jump to it.
const COUNT: [u32; 2] = [0x0015_0513, 0xffdf_f06f];
/// `jal zero, -4`.
const JUMP_BACK: u32 = 0xffdf_f06f;

/// Trap of semihosting.
const TRAP: [u32; 3] = [0x01f0_1013, EBREAK, 0x4070_5013];

fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn selftest(width: u32) -> PathBuf {
    tree().join(format!("firmware/selftest-rv{width}.elf"))
}

/// Creates an image with these instructions at its beginning, and a mailbox.
fn code(instructions: &[u32]) -> Elf {
    let bytes: Vec<u8> = instructions
        .iter()
        .flat_map(|bits| bits.to_le_bytes())
        .collect();
    Elf {
        entry: RAM,
        mailboxes: vec![(RAM + 0x1000, 1512)],
        ..Elf::of(vec![Segment::at(RAM, &bytes, bytes.len() as u64)])
    }
}

/// Folder with an image `firmware.elf`.
struct Image(TempDir);

impl Image {
    fn of(bytes: &[u8]) -> Self {
        let image = Self(tempfile::tempdir().unwrap());
        fs::write(image.path("firmware.elf"), bytes).unwrap();
        image
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn run<A: AsRef<OsStr>>(&self, options: impl IntoIterator<Item = A>) -> Ended {
        let mut command = command();
        end(command
            .arg("run")
            .arg(self.path("firmware.elf"))
            .args(options))
    }

    /// Returns the standard error of a run that ends with this status.
    fn fails(&self, options: &[&str], status: i32) -> String {
        self.run(options).stderr(status)
    }
}

/// Standard error of a run after the report on its mailbox.
fn behind_start(printed: &str) -> &str {
    let start = "vhost: info: config: channel `cpu`: a mailbox at 0x";
    assert!(printed.starts_with(start), "{printed}");
    printed.split_once('\n').unwrap().1
}

/// Replays a recording with the protocol checker, which must find nothing.
fn replays_in_order(trace: impl AsRef<OsStr>) {
    let attached = ["--attach", "check=error"];
    let words = ["replay"].into_iter().chain(attached).map(OsStr::new);
    let ended = crate::vhost(words.chain([trace.as_ref()]));
    assert!(!ended.stderr.contains("protocol"), "{ended:?}");
    ended.stdout(0);
}

#[test]
fn the_page_has_all_options() {
    let page = fs::read_to_string(tree().join("docs/run.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `--"));
    let mut documented: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let help = crate::vhost(["run", "--help"]).stdout(0);
    let lines = help.lines().map(str::trim_start);
    let lines = lines.filter_map(|line| {
        line.split_once("--")
            .filter(|(before, _)| before.len() <= 4)
    });
    let options = lines.map(|(_, option)| option.split([' ', ',']).next().unwrap());
    let mut known: Vec<&str> = options.filter(|option| *option != "help").collect();
    documented.sort_unstable();
    known.sort_unstable();
    assert_eq!(documented, known);
}
