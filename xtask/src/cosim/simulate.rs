//! Command of a simulation, and its output while it runs.

use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::build::recreate_dir;
use super::simulation::Simulation;

/// Root of firmware's files, relative to the project's root, like all names in a recording.
pub(super) fn files(case: &str) -> String {
    format!("target/cosim/files/{case}")
}

/// Command of a simulation with these images, and an empty folder for firmware's files.
pub(super) fn command(
    root: &Path,
    simulation: &Simulation,
    name: &str,
    images: &[String],
    plusargs: &[String],
) -> Result<Command> {
    let files = files(name);
    recreate_dir(&root.join(&files))?;

    let mut command = simulation.limit.command(&simulation.program);
    command
        .args(&simulation.arguments)
        .args(plusargs)
        .env("MEM_CFG_FILE", &simulation.memories)
        .env("MAILBOX_CFG_FILE", &simulation.mailboxes)
        .env("MAILBOX_FS_ROOT", &files)
        // Cargo sets it for its own commands to a folder with a library of another build.
        .env_remove("LD_LIBRARY_PATH")
        .current_dir(root);
    for (core, image) in images.iter().enumerate() {
        command.env(format!("FIRMWARE{core}"), image);
    }
    Ok(command)
}

/// Runs a command and prints its output as it arrives. Each line is also passed to `on_line`.
/// Returns exit status and lines.
pub(super) fn watch(
    mut command: Command,
    mut on_line: impl FnMut(&str),
) -> Result<(Option<i32>, Vec<String>)> {
    let (reader, writer) = pipe().context("cannot make a pipe")?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().context("cannot share a pipe")?)
        .stderr(writer);
    let mut child = command.spawn().context("cannot start the simulation")?;
    drop(command); // closes the parent's ends of the pipe, or reading would never end
    let mut lines = vec![];
    for line in BufReader::new(reader).split(b'\n') {
        let line = line.context("cannot read the output of the simulation")?;
        let line = String::from_utf8_lossy(&line).into_owned();
        println!("  {line}");
        on_line(&line);
        lines.push(line);
    }
    let status = child.wait().context("cannot wait for the simulation")?;
    Ok((status.code(), lines))
}
