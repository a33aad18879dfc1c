//! The same image on Spike: it must have the same text, files and exit code as in the simulation.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::build::recreate_dir;
use super::case::{Core, is_print};
use super::on_run::{Contents, Simulated, contents};
use crate::tool::VENV;

/// Variable with the path of another Spike.
const VARIABLE: &str = "SPIKE";

/// Signature of a test, as in `integration/designs/signature.mailbox.yaml`.
const SIGNATURE: [&str; 2] = ["+signature=signature.txt", "+signature-granularity=4"];

/// Path of Spike, if it is installed.
fn spike(root: &Path) -> Option<PathBuf> {
    let given = env::var_os(VARIABLE).map(PathBuf::from);
    let installed = root.join(VENV).join("bin/spike");
    given.or_else(|| installed.is_file().then_some(installed))
}

/// Runs the image on the same number of harts. Returns the first difference, or `None`. Without
/// Spike it compares nothing, and prints so.
pub(super) fn compare(
    root: &Path,
    core: Core,
    harts: u32,
    simulated: &Simulated<'_>,
) -> Result<Option<String>> {
    let Simulated { name, image, .. } = *simulated;
    let Some(spike) = spike(root) else {
        println!("skipped: {name} on Spike: not found: Spike ({VARIABLE}, or {VENV}/bin/spike)");
        return Ok(None);
    };
    let folder = root.join(format!("target/cosim/files/{name}-spike"));
    recreate_dir(&folder)?;
    let has_signature = simulated.files.join("signature.txt").is_file();
    let output = Command::new("timeout")
        .arg("60")
        .arg(&spike)
        .arg(format!("--isa={}", core.architecture))
        .arg(format!("-p{harts}"))
        .args(SIGNATURE.iter().filter(|_| has_signature))
        .arg(root.join(image))
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", spike.display()))?;
    let there = String::from_utf8_lossy(&output.stdout);
    let here = simulated.lines.iter().filter(|line| is_print(line));
    let here: String = here
        .map(|line| line.strip_prefix("[cpu0] ").unwrap_or(line).to_owned() + "\n")
        .collect();
    if output.status.code() != simulated.status || here != there {
        return Ok(Some(format!(
            "it exits with {:?} and prints\n{here}\nand on Spike with {}\n{there}\n{}",
            simulated.status,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    let (here, there) = (contents(simulated.files)?, contents(&folder)?);
    if here != there {
        let names = |files: &Contents| {
            let names: Vec<&str> = files.keys().map(String::as_str).collect();
            names.join(", ")
        };
        return Ok(Some(format!(
            "its files are others than on Spike: {}; {}",
            names(&here),
            names(&there)
        )));
    }
    println!(
        "  the same on Spike: {} bytes of text, {} files",
        output.stdout.len(),
        there.len()
    );
    Ok(None)
}
