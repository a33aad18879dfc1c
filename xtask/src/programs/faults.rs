//! Error cases of programs: output that can't be written, a stack that overflows, invalid options.
//!
//! The program is `firmware/programs/faults.c`. Its run on this machine defines the expected
//! behaviour of its output.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::build::{flags_script, with_flags};
use super::table::{Program, parse};
use super::{ARCHITECTURES, Folders, empty};
use crate::library::SHIPPED;
use crate::tool::RISCV_GCC;

/// Stack size of the program: enough for 30 levels, and not for 3,000.
const STACK: &str = "32K";

/// Target of standard output.
#[derive(Debug, Clone, Copy)]
enum Output {
    /// Pipe without a reader.
    Unread,
    /// Device without space.
    Full,
    /// Pipe with a reader.
    Read,
}

/// End of a run.
#[derive(Debug)]
struct Ended {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs all checks. Returns a text for each difference from the expectation.
pub(super) fn check(folders: &Folders, newlib: &[&'static str]) -> Result<Vec<String>> {
    let mut problems = options(folders)?;
    let program = program()?;
    let source = folders.root.join("firmware/programs");
    let machine = super::build::for_machine(folders, &program, &source)?;
    let ports = ARCHITECTURES
        .iter()
        .map(|architecture| (*architecture, false));
    let ports = ports.chain(newlib.iter().map(|architecture| (*architecture, true)));
    for (architecture, is_newlib) in ports {
        let image = folders.work.join("bin/faults.elf");
        let library = folders.work.join("newlib").join(architecture);
        let library = library.display().to_string();
        let mut flags = vec!["--arch", architecture, "--stack", STACK];
        if is_newlib {
            flags.extend(["--newlib", &library]);
        }
        with_flags(folders, &program, &source, &flags, &image)?;
        // With newlib, fclose succeeds although its stream has failed before.
        let quits: &[&str] = match is_newlib {
            true => &["forever", "ignore", "once"],
            false => &["forever", "ignore", "once", "close"],
        };
        let mut found = outputs(folders, &machine, &image, quits)?;
        found.extend(stacks(folders, &image)?);
        let library = if is_newlib { " with newlib" } else { "" };
        println!(
            "faults on {architecture}{library}: {}",
            if found.is_empty() {
                "as expected"
            } else {
                "different"
            }
        );
        problems.extend(
            found
                .into_iter()
                .map(|text| format!("{architecture}{library}: {text}")),
        );
    }
    Ok(problems)
}

/// Program as a row of the table.
fn program() -> Result<Program> {
    let row = "[[program]]\nname = \"faults\"\nsources = [\"faults.c\"]\nrun = [{}]\n";
    parse(row)?.pop().context("the row has no program")
}

/// Checks output that can't be written: the program observes the same as on this machine, and a run
/// whose output is lost fails.
fn outputs(folders: &Folders, machine: &Path, image: &Path, quits: &[&str]) -> Result<Vec<String>> {
    let mut problems = vec![];
    for what in quits {
        for output in [Output::Unread, Output::Full] {
            if matches!(output, Output::Full) && !Path::new("/dev/full").exists() {
                continue;
            }
            let expected = run(Command::new(machine).arg(what), output)?;
            let got = run(on_firmware(folders, image).arg(what), output)?;
            // The process may not notice, or end by a signal without an exit status.
            let status = match expected.status {
                None => Some(141),
                Some(0) => Some(125),
                status => status,
            };
            // The pipe may have accepted the last line of a process.
            let is_late = matches!(output, Output::Unread) && got.status == Some(141);
            if got.status != status && !is_late {
                problems.push(format!(
                    "`{what}` to {output:?} ends with {got:?}, not {status:?}"
                ));
            }
            let (reports, printed): (Vec<&str>, Vec<&str>) = got
                .stderr
                .lines()
                .partition(|line| line.contains("error: console: "));
            if reports.len() != 1 || printed != expected.stderr.lines().collect::<Vec<_>>() {
                problems.push(format!(
                    "`{what}` to {output:?} says {got:?}, not {expected:?}"
                ));
            }
        }
    }
    let got = run(on_firmware(folders, image).arg("abort"), Output::Read)?;
    if got.status != Some(134) || got.stderr != "no end of line" {
        problems.push(format!("`abort` ends with {got:?}"));
    }
    Ok(problems)
}

/// Checks a stack that overflows: an error that names the function, or the program's own message.
fn stacks(folders: &Folders, image: &Path) -> Result<Vec<String>> {
    let mut problems = vec![];
    let mut expect = |what: &str, status, parts: &[&str]| -> Result<()> {
        let got = run(on_firmware(folders, image).arg(what), Output::Read)?;
        let text = format!("{}{}", got.stdout, got.stderr);
        if got.status != Some(status) || parts.iter().any(|part| !text.contains(part)) {
            problems.push(format!(
                "`{what}` ends with {got:?}, not {status} and {parts:?}"
            ));
        }
        Ok(())
    };
    expect("shallow", 0, &["1\n"])?;
    let guard = ["store to 0x", "(deepen", "guard below the stack", "--stack"];
    expect("deep", 125, &guard)?;
    expect("silent", 125, &guard)?;
    // Beyond the guard: detected at the next request.
    expect("jump", 139, &["stack overflow", "--stack"])?;
    Ok(problems)
}

/// Checks that errors name an invalid option, and that paths may have spaces.
fn options(folders: &Folders) -> Result<Vec<String>> {
    let mut problems = vec![];
    for (options, part) in [
        (["--mem", "16Q"], "--mem is to be a size"),
        (["--mem", ""], "--mem is to be a size"),
        (["--mem", "-1"], "--mem is to be a size"),
        (["--mem", "0"], "--mem is to be a size"),
        (["--mem", "99999999999G"], "--mem is to be a size"),
        (["--code", "16M"], "--mem 16M is too small"),
        (["--mem", "4K"], "too small"),
        (["--stack", "16M"], "too small"),
        (["--stack", "x"], "--stack is to be a size"),
        (["--code", "1.5M"], "--code is to be a size"),
        (["--base", "top"], "--base is to be an address"),
        (["--arch", "arm"], "--arch is rv32... or rv64..."),
        (["--libc", "musl"], "--libc is picolibc or newlib"),
        (["--mum", "16M"], "unknown option --mum"),
    ] {
        let output = flags_script(&folders.root).args(options).output()?;
        let printed = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || printed.lines().count() != 1 || !printed.contains(part) {
            problems.push(format!(
                "flags.sh {options:?}: {}, {printed}",
                output.status
            ));
        }
    }
    let spaced = folders.work.join("a folder");
    empty(&spaced)?;
    let copy = Command::new("cp")
        .args(["-r", "firmware/libc", "mailbox_rs/include"])
        .arg(&spaced)
        .current_dir(&folders.root)
        .status();
    copy.context("cannot start cp")?;
    for (from, to) in [("libc", "firmware/libc"), ("include", "mailbox_rs/include")] {
        let to = spaced.join(to);
        fs::create_dir_all(to.parent().unwrap_or(&spaced))?;
        fs::rename(spaced.join(from), to)?;
    }
    let script = || Command::new(spaced.join("firmware/libc/flags.sh"));
    let output = script().output()?;
    let printed = String::from_utf8_lossy(&output.stderr);
    if output.status.success() || !printed.contains("--response") {
        problems.push(format!(
            "flags.sh in a path with a space: {}, {printed}",
            output.status
        ));
    }
    let made = script()
        .args(["--response", "options"])
        .current_dir(&spaced)
        .output()?;
    let mut compiler = Command::new(RISCV_GCC.name());
    compiler.args(["@options", "-o", "faults.elf"]);
    compiler.arg(folders.root.join("firmware/programs/faults.c"));
    let compiled = compiler.current_dir(&spaced).output()?;
    let image = spaced.join("faults.elf");
    let ended = run(on_firmware(folders, &image).arg("shallow"), Output::Read)?;
    if made.stdout != b"@options\n" || ended.stdout != "1\n" {
        let printed = String::from_utf8_lossy(&compiled.stderr);
        problems.push(format!(
            "a project in a path with a space: {made:?}, {printed}, {ended:?}"
        ));
    }
    Ok(problems)
}

/// `vhost run` command with an image, without its arguments.
fn on_firmware(folders: &Folders, image: &Path) -> Command {
    let mut vhost = Command::new(folders.root.join(SHIPPED).join("vhost"));
    vhost.arg("run").arg(image).arg("--");
    vhost
}

fn run(command: &mut Command, output: Output) -> Result<Ended> {
    let to = match output {
        Output::Unread => Stdio::from(io::pipe()?.1),
        Output::Full => Stdio::from(File::options().write(true).open("/dev/full")?),
        Output::Read => Stdio::piped(),
    };
    command
        .stdin(Stdio::null())
        .stdout(to)
        .stderr(Stdio::piped());
    let child = command.spawn().context("cannot start a program")?;
    let ended = child.wait_with_output()?;
    let printed = String::from_utf8_lossy(&ended.stderr);
    // Without the host's report on the channel.
    let printed = printed
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("vhost: info: config: "));
    Ok(Ended {
        status: ended.status.code(),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: printed.collect(),
    })
}
