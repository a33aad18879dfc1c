//! The same image on `vhost run`: it must have the same text, files and exit code as in the
//! simulation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::build::{Builder, recreate_dir};
use super::case::{Case, is_print};
use super::simulation::Simulation;

/// Outcome of a simulation.
pub(super) struct Simulated<'a> {
    pub(super) name: &'a str,
    pub(super) image: &'a str,
    pub(super) status: Option<i32>,
    pub(super) lines: &'a [String],
    /// Root of firmware's files.
    pub(super) files: &'a Path,
}

/// Runs the image with the simulation's mailbox configuration. Returns the first difference, or
/// `None`.
pub(super) fn compare(
    builder: &Builder<'_>,
    case: &Case,
    simulation: &Simulation,
    simulated: &Simulated<'_>,
) -> Result<Option<String>> {
    let Simulated { name, image, .. } = *simulated;
    let root = builder.root();
    let memories = format!("target/cosim/firmware/{name}/run.mem.yaml");
    let text = fs::read_to_string(root.join(&simulation.memories))
        .with_context(|| format!("cannot read {}", simulation.memories))?;
    fs::write(root.join(&memories), in_this_process(&text)).context("cannot write the memories")?;
    let files = format!("target/cosim/files/{name}-run");
    recreate_dir(&root.join(&files))?;
    case.put_files(&root.join(&files))?;
    let output = Command::new(builder.command())
        .args(["run", image, "--files", &files, "--memory", &memories])
        .args(["--mailbox", &simulation.mailboxes])
        .env("FIRMWARE0", image)
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .context("cannot start vhost run")?;
    let reports = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != simulated.status {
        let (there, here) = (output.status, simulated.status.unwrap_or(-1));
        return Ok(Some(format!(
            "it exits with {here}, and on vhost run with {there}:\n{reports}"
        )));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let here: Vec<&str> = simulated
        .lines
        .iter()
        .map(String::as_str)
        .filter(|line| is_print(line))
        .collect();
    let there: Vec<&str> = printed.lines().collect();
    if here != there {
        return Ok(Some(format!(
            "it prints\n{}\nand on vhost run\n{}\n{reports}",
            here.join("\n"),
            there.join("\n")
        )));
    }
    let [here, there] = [simulated.files, &root.join(&files)].map(contents);
    let (here, there) = (here?, there?);
    if here != there {
        let names = |files: &Contents| files.keys().cloned().collect::<Vec<_>>().join(", ");
        return Ok(Some(format!(
            "its files are others than on vhost run: {}; {}",
            names(&here),
            names(&there)
        )));
    }
    println!(
        "  the same on vhost run: {} lines, {} files",
        printed.lines().count(),
        here.len()
    );
    Ok(None)
}

/// Files by name.
pub(super) type Contents = BTreeMap<String, Vec<u8>>;

/// Contents of a folder without subfolders.
pub(super) fn contents(folder: &Path) -> Result<Contents> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Contents::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {name}"))?;
        files.insert(name, bytes);
    }
    Ok(files)
}

/// Memory configuration with each RAM in this process, without memories of the simulation.
pub(super) fn in_this_process(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("backend: vpi"));
    let lines = lines.enumerate().map(|(number, line)| {
        let here = format!("path: ram{number}, width: 64, backend: static");
        line.replace("backend: api", &here) + "\n"
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_of_the_simulation_are_left_out() {
        let text = "space:\n  a:\n    - ram: {base: 0, size: 8, backend: api}\n    - more: {base: 16, size: 8, backend: api}\n    - other: {base: 8, backend: vpi}\n";
        let expected = "space:\n  a:\n    - ram: {base: 0, size: 8, path: ram2, width: 64, backend: static}\n    \
                        - more: {base: 16, size: 8, path: ram3, width: 64, backend: static}\n";
        assert_eq!(in_this_process(text), expected);
    }
}
