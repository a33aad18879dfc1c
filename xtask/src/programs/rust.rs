//! Firmware in Rust with files: the program `files` of `firmware/rust`. It does not run on this
//! machine; its file and its output follow from its input.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Folders, empty};
use crate::library::SHIPPED;
use crate::tool::{RISCV32, RISCV64};

const INPUT: &str = "Ada\nof Lovelace\n";
const OUTPUT: &str = "\"copy.txt\" has 16 bytes, first [65, 100, 97, 10]";

/// Compiles and runs the program on both widths. Returns the differences from the expectation.
pub(super) fn check(folders: &Folders) -> Result<Vec<String>> {
    let mut problems = vec![];
    for target in [RISCV32.name(), RISCV64.name()] {
        problems.extend(check_on(folders, target)?.map(|problem| format!("{target}: {problem}")));
    }
    Ok(problems)
}

fn check_on(folders: &Folders, target: &str) -> Result<Option<String>> {
    let Folders { root, work, .. } = folders;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--bin", "files"]);
    cargo.args(["--target", target, "--target-dir", "target/firmware"]);
    cargo.args(["--manifest-path", "firmware/rust/Cargo.toml"]);
    let status = cargo.current_dir(root).status();
    if !status.context("cannot start cargo")?.success() {
        bail!("the firmware in Rust can't be built for {target}");
    }
    let folder = work.join("firmware/rust");
    empty(&folder)?;
    let input = work.join("stdin");
    fs::write(&input, INPUT).with_context(|| format!("cannot write {}", input.display()))?;
    let image = root.join("target/firmware").join(target);
    let mut vhost = Command::new(root.join(SHIPPED).join("vhost"));
    vhost.arg("run").arg(image.join("release/files"));
    vhost.arg("--files").arg(&folder).arg("--stdin").arg(&input);
    vhost.args(["--", "copy.txt"]).stdin(Stdio::null());
    let ended = vhost.output().context("cannot start vhost")?;
    let output = String::from_utf8_lossy(&ended.stdout);
    let copy = fs::read_to_string(folder.join("copy.txt")).unwrap_or_default();
    let is_right = ended.status.success() && output.contains(OUTPUT) && copy == INPUT;
    Ok((!is_right).then(|| {
        let errors = String::from_utf8_lossy(&ended.stderr);
        format!("{}, file {copy:?}, output:\n{output}{errors}", ended.status)
    }))
}
