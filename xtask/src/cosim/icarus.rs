//! Simulations in Icarus Verilog: the design in plain Verilog, the library by its VPI module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{run_checked, top};
use crate::library::replace;

/// Source of the module, relative to the project's root.
const MODULE: &str = "sv/icarus/vhost_vpi.c";

/// Compiles the module into the folder of the library.
pub(crate) fn build_module(root: &Path, folder: &Path) -> Result<()> {
    let new = folder.join("vhost.vpi.built");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"])
        .arg("-o")
        .args([&new, &root.join(MODULE)])
        .arg("-ldl");
    run_checked(&mut compiler, MODULE)?;
    replace(&new, &folder.join("vhost.vpi"))?;
    fs::remove_file(&new).with_context(|| format!("cannot remove {}", new.display()))
}

/// Design to compile.
pub(super) struct Design<'a> {
    /// List of its sources, relative to the project's root.
    pub(super) sources: &'a str,
    /// Folder of the library and its module.
    pub(super) library: &'a Path,
    /// Folder of the core.
    pub(super) core: PathBuf,
    /// Compiled design.
    pub(super) to: &'a Path,
}

/// Compiles a design. It takes less than a second, so the result is not cached.
pub(super) fn compile(root: &Path, design: &Design<'_>) -> Result<()> {
    let mut compiler = Command::new("iverilog");
    compiler
        .args(["-g2005", "-m", "vhost", "-s", &top(root, design.sources)?])
        .arg("-L")
        .arg(design.library)
        .arg("-o")
        .arg(design.to)
        .args(["-f", design.sources])
        .env("PICORV32", &design.core)
        .env_remove("LD_LIBRARY_PATH")
        .current_dir(root);
    run_checked(&mut compiler, design.sources)
}

/// Arguments of `vvp` for a compiled design.
pub(super) fn arguments(design: &Path, library: &Path) -> Vec<String> {
    let library = library.display().to_string();
    let design = design.display().to_string();
    ["-n", "-M", &library, "-m", "vhost", &design]
        .map(String::from)
        .to_vec()
}
