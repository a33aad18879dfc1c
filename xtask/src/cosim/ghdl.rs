//! Simulations in GHDL: designs in VHDL, the library by VHPIDIRECT.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{recreate_dir, run_checked, top};
use crate::library::replace;

/// Source of the object that VHDL calls, relative to the project's root.
const OBJECT: &str = "vhdl/vhost_ghdl.c";

/// Options of each command for a design.
fn options(folder: &Path) -> [String; 2] {
    [
        "--std=08".to_owned(),
        format!("--workdir={}", folder.display()),
    ]
}

/// Compiles the object that VHDL calls into the folder of the library.
pub(crate) fn build_object(root: &Path, folder: &Path) -> Result<()> {
    let new = folder.join("vhost_ghdl.so.built");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"])
        .arg("-I")
        .arg(root.join("include"))
        .arg("-o")
        .args([&new, &root.join(OBJECT)])
        .arg("-ldl");
    run_checked(&mut compiler, OBJECT)?;
    replace(&new, &folder.join("vhost_ghdl.so"))?;
    fs::remove_file(&new).with_context(|| format!("cannot remove {}", new.display()))
}

/// Analyses a design, whose sources are listed in a file, in an empty folder.
pub(super) fn analyse(root: &Path, sources: &str, folder: &Path) -> Result<()> {
    recreate_dir(folder)?;
    let list = root.join(sources);
    let list =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let mut ghdl = Command::new("ghdl");
    ghdl.arg("-a").args(options(folder)).args(list.lines());
    run_checked(ghdl.current_dir(root), sources)
}

/// Arguments of `env` that run an analysed design. GHDL enables VPI only with a module, so the
/// library's is loaded.
pub(super) fn arguments(
    root: &Path,
    sources: &str,
    folder: &Path,
    library: &Path,
) -> Result<Vec<String>> {
    let library = library.display();
    let mut arguments = vec![
        format!("LD_LIBRARY_PATH={library}"),
        "ghdl".to_owned(),
        "-r".to_owned(),
    ];
    arguments.extend(options(folder));
    arguments.extend([top(root, sources)?, format!("--vpi={library}/vhost.vpi")]);
    Ok(arguments)
}
