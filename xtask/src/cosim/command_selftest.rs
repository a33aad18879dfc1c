//! `vhost selftest` in versions of Verilator, and in Icarus Verilog. The page `docs/simulators.md`
//! runs it in Icarus Verilog; the command's own tests check the command lines of other simulators.

use std::env;
use std::iter;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{Builder, recreate_dir};
use super::simulate::watch;
use crate::tool::verilator;

/// Name of the case.
pub(super) const NAME: &str = "command-selftest";

/// Name of Icarus Verilog for the command.
const ICARUS: &str = "icarus";

/// Options for this build of Verilator with gcc.
const OPTIONS: [&str; 4] = [
    "-CFLAGS",
    "-std=c++20 -fcoroutines",
    "-MAKEFLAGS",
    "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG=",
];

/// Runs the command in each version of Verilator, and in Icarus Verilog if it is there. The
/// recordings of all versions must be the same. That of Icarus Verilog differs: a method there is
/// answered behind the tick. Returns the reason of a failure, or `None`.
pub(super) fn run(
    builder: &Builder<'_>,
    versions: &[&str],
    has_icarus: bool,
) -> Result<Option<String>> {
    let folder = builder.root().join("target/cosim").join(NAME);
    recreate_dir(&folder)?;
    let newest = ("verilator".to_owned(), builder.packages().join("verilator"));
    let others = versions.iter().map(|version| {
        let name = format!("verilator-{version}");
        (name, builder.root().join(verilator(version)))
    });
    let mut names = Vec::new();
    for (name, root) in iter::once(newest).chain(others) {
        let mut command = selftest(builder, "verilator", &folder.join(&name));
        command.arg("--").args(OPTIONS);
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(root.join("bin")).chain(env::split_paths(&path));
        let path = env::join_paths(folders).context("a folder with a colon can't be in PATH")?;
        command.env("PATH", path).env("VERILATOR_ROOT", &root);
        if let Some(failure) = passes(command, "| Verilator | ")? {
            return Ok(Some(format!("{name}: {failure}")));
        }
        names.push(name);
    }
    if has_icarus {
        let command = selftest(builder, ICARUS, &folder.join(ICARUS));
        if let Some(failure) = passes(command, "| Icarus Verilog | ")? {
            return Ok(Some(format!("{ICARUS}: {failure}")));
        }
    }
    let recording = |name: &str| folder.join(name).join("run.trace");
    for name in names.iter().skip(1) {
        let mut diff = Command::new(builder.command());
        diff.args(["trace", "diff"])
            .args([recording(&names[0]), recording(name)]);
        let (status, _) = watch(diff, |_| ())?;
        if status != Some(0) {
            let first = &names[0];
            return Ok(Some(format!("the recordings of {first} and {name} differ")));
        }
    }
    Ok(None)
}

/// The command, for a simulator and a folder.
fn selftest(builder: &Builder<'_>, simulator: &str, folder: &Path) -> Command {
    let mut command = Command::new(builder.command());
    command
        .args(["selftest", "--simulator", simulator, "--folder"])
        .arg(folder)
        .env_remove("LD_LIBRARY_PATH");
    builder.use_ccache(&mut command);
    command
}

/// Runs the command, which must print a row that begins with this text. Returns the reason of a
/// failure, or `None`.
fn passes(command: Command, row: &str) -> Result<Option<String>> {
    let (status, lines) = watch(command, |_| ())?;
    if status != Some(0) {
        return Ok(Some("it has not passed".to_owned()));
    }
    let has_row = lines.iter().any(|line| line.starts_with(row));
    Ok((!has_row).then(|| "it has printed no row".to_owned()))
}
