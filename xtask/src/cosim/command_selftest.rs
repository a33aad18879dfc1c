//! `vhost selftest` in Verilator. The page `docs/simulators.md` runs it in Icarus Verilog; the
//! command's own tests check the command lines of other simulators.

use std::env;
use std::iter;
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{Builder, recreate_dir};
use super::watch;

/// Name of the case.
pub(super) const NAME: &str = "command-selftest";

/// Options for this build of Verilator with gcc.
const OPTIONS: [&str; 4] = [
    "-CFLAGS",
    "-std=c++20 -fcoroutines",
    "-MAKEFLAGS",
    "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG=",
];

/// Runs the command. Returns the reason of a failure, or `None`.
pub(super) fn run(builder: &Builder<'_>) -> Result<Option<String>> {
    let folder = builder.root().join("target/cosim").join(NAME);
    recreate_dir(&folder)?;
    let verilator = builder.packages().join("verilator");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(verilator.join("bin")).chain(env::split_paths(&path));
    let mut command = Command::new(builder.command());
    command
        .args(["selftest", "--simulator", "verilator", "--folder"])
        .arg(folder.join("design"))
        .arg("--")
        .args(OPTIONS)
        .env(
            "PATH",
            env::join_paths(folders).context("a folder with a colon can't be in PATH")?,
        )
        .env("VERILATOR_ROOT", &verilator)
        .env_remove("LD_LIBRARY_PATH")
        .current_dir(&folder);
    builder.use_ccache(&mut command);
    let (status, lines) = watch(command, |_| ())?;
    if status != Some(0) {
        return Ok(Some("it has not passed".to_owned()));
    }
    let has_row = lines.iter().any(|line| line.starts_with("| Verilator | "));
    Ok((!has_row).then(|| "it has printed no row".to_owned()))
}
