//! `cargo xtask stage DIR`: copies the files that a simulator flow needs to one folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cosim::{ghdl, icarus};

/// Copied files: source, relative to the project's root, and destination, relative to the folder.
const STAGED: [(&str, &str); 7] = [
    ("sv", "sv"),
    ("vhdl", "vhdl"),
    ("python", "python"),
    ("include/vhost.h", "include/vhost.h"),
    ("mailbox_rs/include", "include"),
    ("target/release/libvhost.so", "lib/libvhost.so"),
    ("target/release/libvhost.a", "lib/libvhost.a"),
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Destination; existing files are replaced
    dir: PathBuf,
    /// Features of the library, such as mem_uvm
    #[arg(long, value_name = "FEATURES", default_value = "")]
    features: String,
}

/// Builds the library and copies it with header, SystemVerilog and Python.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "vhost", "--lib"]);
    cargo.args(["--target-dir", "target", "--features", &args.features]);
    let status = cargo.current_dir(root).status();
    if !status.context("cannot start cargo")?.success() {
        bail!("the library can't be built");
    }
    for (from, to) in STAGED {
        let from = root.join(from);
        if from.exists() {
            copy(&from, &args.dir.join(to))?;
        }
    }
    icarus::build_module(root, &args.dir.join("lib"))?;
    ghdl::build_object(root, &args.dir.join("lib"))?;
    println!("staged to {}", args.dir.display());
    Ok(true)
}

/// Copies a file, or the contents of a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("cannot copy {} to {}", from.display(), to.display());
    if from.is_dir() {
        for entry in fs::read_dir(from).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    fs::copy(from, to).with_context(failed)?;
    Ok(())
}
