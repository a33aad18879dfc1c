//! `cargo xtask bench --instructions`: instructions of each operation, counted by callgrind and
//! compared with the counts in the repository.
//!
//! Each operation is run N and 2N times. The difference is its cost without start and end of the
//! program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};

use crate::library;

/// Counts in the repository, relative to the project's root: a name and a number per line.
const COUNTS_FILE: &str = "benches/instructions/counts.txt";

/// Folder for output, relative to the project's root.
const FOLDER: &str = "target/instructions";

/// Largest accepted difference from the kept count, in percent.
const TOLERANCE: f64 = 3.0;

const MEMORIES: &str =
    "space:\n  core0:\n    - ram: {base: 0x80000000, size: 0x40000, backend: api}\n";
const CHANNELS: &str = "core0: {space: core0, base: 0x80000000, ptr: 64}\n";

/// Functions of the C ABI in which instructions are counted.
const COUNTED: [&str; 3] = ["mb_tick", "mb_backdoor_read_u32", "mb_backdoor_write_u32"];

/// Operation to be counted.
struct Operation {
    name: &'static str,
    /// Name of the operation in `count.c`.
    run: &'static str,
    times: u64,
    condition: Condition,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// The operation.
    Bare,
    /// The operation, while it is recorded.
    Recorded,
    /// One message or reply of the operation's recording, when it is replayed.
    Replayed,
}

const OPERATIONS: [Operation; 11] = [
    Operation::bare("idle tick", "idle", 1000),
    Operation::bare("PRINT", "print", 200),
    Operation::bare("CALL", "call", 200),
    Operation::bare("pending CALL, each tick", "pending", 500),
    Operation::bare("MEMMOVE of 4 KiB", "move", 200),
    Operation::bare("FILE SEEK and READ of 4 KiB", "file", 100),
    Operation::bare("backdoor read of a word", "read_word", 1000),
    Operation::bare("backdoor write of a word", "write_word", 1000),
    Operation::of("idle tick, recorded", "idle", 1000, Condition::Recorded),
    Operation::of("PRINT, recorded", "print", 200, Condition::Recorded),
    Operation::of(
        "replay, each event of a PRINT",
        "print",
        200,
        Condition::Replayed,
    ),
];

impl Operation {
    const fn bare(name: &'static str, run: &'static str, times: u64) -> Self {
        Self::of(name, run, times, Condition::Bare)
    }

    const fn of(name: &'static str, run: &'static str, times: u64, condition: Condition) -> Self {
        Self {
            name,
            run,
            times,
            condition,
        }
    }
}

/// Counts all operations. With `keep`, the counts replace those of the repository; otherwise
/// returns false if one differs by more than the tolerance.
pub(super) fn run(root: &Path, keep: bool) -> Result<bool> {
    let bench = Bench::build(root)?;
    let kept = parse(&fs::read_to_string(root.join(COUNTS_FILE)).unwrap_or_default())?;
    let mut counts = BTreeMap::new();
    let mut differ = Vec::new();
    println!("{:>9} {:>9}  operation, in instructions", "counted", "kept");
    for operation in &OPERATIONS {
        let count = bench.count(operation)?;
        let before = kept.get(operation.name).copied();
        let shown = before.map_or_else(|| "-".to_owned(), |before| before.to_string());
        println!("{count:>9} {shown:>9}  {}", operation.name);
        if before.is_none_or(|before| differs(count, before)) {
            differ.push(operation.name);
        }
        counts.insert(operation.name.to_owned(), count);
    }
    if keep {
        fs::write(root.join(COUNTS_FILE), render(&counts))
            .with_context(|| format!("cannot write {COUNTS_FILE}"))?;
        return Ok(true);
    }
    if !differ.is_empty() {
        println!(
            "more than {TOLERANCE} % from what {COUNTS_FILE} has: {}; where that is meant, run `cargo xtask bench --instructions --keep`",
            differ.join(", ")
        );
    }
    Ok(differ.is_empty())
}

/// True if two counts differ by more than the tolerance.
fn differs(count: u64, kept: u64) -> bool {
    count.abs_diff(kept) as f64 > kept as f64 * TOLERANCE / 100.0
}

/// Parses counts into a map by name.
fn parse(text: &str) -> Result<BTreeMap<String, u64>> {
    let lines = text.lines().filter(|line| !line.is_empty());
    let count = |line: &str| {
        let (name, count) = line
            .rsplit_once(": ")
            .with_context(|| format!("{COUNTS_FILE}: `{line}`"))?;
        let count = count
            .parse()
            .with_context(|| format!("{COUNTS_FILE}: `{line}`"))?;
        Ok((name.to_owned(), count))
    };
    lines.map(count).collect()
}

/// Formats counts for [`parse`], in the order of the operations.
fn render(counts: &BTreeMap<String, u64>) -> String {
    let known = OPERATIONS.iter().filter_map(|operation| {
        let count = counts.get(operation.name)?;
        Some(format!("{}: {count}\n", operation.name))
    });
    known.collect()
}

/// Programs built for counting.
struct Bench {
    folder: PathBuf,
    program: PathBuf,
    /// The command `vhost`.
    vhost: PathBuf,
}

impl Bench {
    /// Builds library and command with the shipped profile, and the program that plays firmware.
    fn build(root: &Path) -> Result<Self> {
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {FOLDER}"))?;
        let release = library::build_shipped(root)?;
        let program = folder.join("count");
        let mut cc = Command::new("cc");
        let options = [
            "-O2",
            "-rdynamic",
            "-Iinclude",
            "-Itests/c",
            "-DNO_METHODS",
            "-o",
        ];
        cc.args(options).arg(&program);
        cc.args([
            "benches/instructions/count.c",
            "tests/c/chip.c",
            "tests/c/firmware.c",
        ]);
        cc.arg(format!("-L{}", release.display()));
        cc.arg(format!("-Wl,-rpath,{}", release.display()))
            .arg("-lvhost");
        output(cc.current_dir(root))?;
        for (name, text) in [("mem.yaml", MEMORIES), ("mailbox.yaml", CHANNELS)] {
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
        }
        Ok(Self {
            vhost: release.join("vhost"),
            folder,
            program,
        })
    }

    fn count(&self, operation: &Operation) -> Result<u64> {
        let counts =
            [operation.times, 2 * operation.times].map(|times| self.counts(operation, times));
        let [(one, units), (two, more_units)] = match counts {
            [Ok(one), Ok(two)] => [one, two],
            [Err(error), _] | [_, Err(error)] => return Err(error.context(operation.name)),
        };
        ensure!(
            more_units > units && two > one,
            "{}: nothing was counted",
            operation.name
        );
        Ok((two - one) / (more_units - units))
    }

    /// Instructions of an operation that is run `times` times, and the number of counted units.
    fn counts(&self, operation: &Operation, times: u64) -> Result<(u64, u64)> {
        let trace = self.folder.join("recording.trace");
        let recorded = operation.condition != Condition::Bare;
        let mut program = if operation.condition == Condition::Replayed {
            let mut program = Command::new(&self.program);
            program.env_remove("LD_LIBRARY_PATH");
            program
        } else {
            let mut callgrind = self.callgrind(&COUNTED);
            callgrind.arg(&self.program);
            callgrind
        };
        program.arg(operation.run).arg(times.to_string());
        program.env("MEM_CFG_FILE", self.folder.join("mem.yaml"));
        program.env("MAILBOX_CFG_FILE", self.folder.join("mailbox.yaml"));
        program.env("MAILBOX_FS_ROOT", &self.folder);
        program.env_remove("VHOST_TRACE");
        if recorded {
            program.env("VHOST_TRACE", &trace);
        }
        let ran = output(&mut program)?;
        if operation.condition != Condition::Replayed {
            return Ok((collected(&ran)?, times));
        }
        let mut replay = self.callgrind(&[]);
        replay.arg(&self.vhost).arg("replay").arg(&trace);
        let replayed = output(&mut replay)?;
        Ok((collected(&replayed)?, events(&replayed)?))
    }

    /// Callgrind command that counts within these functions, or everywhere if the list is empty.
    fn callgrind(&self, functions: &[&str]) -> Command {
        let mut callgrind = Command::new("valgrind");
        callgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        for function in functions {
            callgrind.arg(format!("--toggle-collect={function}"));
        }
        callgrind.current_dir(&self.folder);
        // Cargo sets it to a folder with a library of another profile.
        callgrind.env_remove("LD_LIBRARY_PATH");
        callgrind
    }
}

/// Runs a command. Fails if the command does.
fn output(command: &mut Command) -> Result<Output> {
    let name = command.get_program().display().to_string();
    let output = command
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{name} ended with {}:\n{errors}", output.status);
    }
    Ok(output)
}

/// Parses the number of instructions from callgrind's output.
fn collected(output: &Output) -> Result<u64> {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.rsplit_once("Collected : ")?.1.trim().parse().ok());
    count.with_context(|| format!("callgrind has counted nothing:\n{text}"))
}

/// Parses the number of messages and replies from a replay's output.
fn events(output: &Output) -> Result<u64> {
    let text = String::from_utf8_lossy(&output.stdout);
    let count = text
        .strip_prefix("replayed: ")
        .and_then(|text| text.split_once(' '));
    let count = count.and_then(|(count, _)| count.parse().ok());
    count.with_context(|| format!("the replay does not say how much it has replayed:\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_are_written() {
        let counts = BTreeMap::from([("idle tick".to_owned(), 300), ("PRINT".to_owned(), 6000)]);
        let text = render(&counts);
        assert_eq!(text, "idle tick: 300\nPRINT: 6000\n");
        assert_eq!(parse(&text).unwrap(), counts);
        assert!(parse("idle tick 300").is_err());
        assert!(parse("idle tick: many").is_err());
    }

    #[test]
    fn counts_differ_beyond_the_tolerance() {
        for (count, kept, expected) in [(100, 100, false), (103, 100, false), (97, 100, false)] {
            assert_eq!(differs(count, kept), expected);
        }
        assert!(differs(104, 100));
        assert!(differs(96, 100));
    }
}
