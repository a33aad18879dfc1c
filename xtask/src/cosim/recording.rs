//! Recordings of simulations: replay without the simulation, and golden files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::build::Builder;

/// Folder of the golden files, relative to the project's root. `cargo test` replays them.
const GOLDEN: &str = "integration/golden";

/// Maximum size of a golden file: people read it, and it stays in the history.
const MAX_BYTES: u64 = 200_000;

/// Checker finding for a request with an unmapped address. Some firmware sends such requests to
/// test their rejection.
const ASTRAY: &str = "firmware reaches outside of the map";

/// Recording of one run, and those of its forked processes.
pub(super) struct Recording {
    name: String,
    file: PathBuf,
}

impl Recording {
    /// Recording of the case of this name. Removes those of earlier runs.
    pub(super) fn of(root: &Path, name: &str) -> Result<Self> {
        let folder = root.join("target/cosim/recordings");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = folder.join(format!("{name}.trace"));
        let name = name.to_owned();
        let recording = Self { name, file };
        for file in recording.files()? {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        Ok(recording)
    }

    /// Files of the recording: `name.trace`, `name.SYSTEM.trace` for each further system, and the
    /// same with `.PID` for each forked process.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>> {
        let folder = self.file.parent().context("the recording has no folder")?;
        let mut files = vec![];
        for entry in
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let file = entry?.path();
            let of = file.file_name().and_then(|name| name.to_str());
            let id = of.and_then(|of| of.strip_prefix(&self.name)?.strip_suffix(".trace"));
            // No case has a dot in its name.
            let is_ours = |id: &str| id.is_empty() || id.starts_with('.');
            if id.is_some_and(is_ours) {
                files.push(file);
            }
        }
        // The run's own recording precedes those of its children.
        files.sort_by_key(|file| (file.as_os_str().len(), file.clone()));
        Ok(files)
    }

    /// Compares the recording with that of another case, message by message. Returns the first
    /// difference; `None` if there is none, or if the other case has not run.
    pub(super) fn differs_from(
        &self,
        builder: &Builder<'_>,
        other: &str,
    ) -> Result<Option<String>> {
        let other_file = self.file.with_file_name(format!("{other}.trace"));
        if !other_file.is_file() {
            println!("  not compared with {other}, which has not run");
            return Ok(None);
        }
        let mut diff = Command::new(builder.command());
        diff.args(["trace", "diff"]).args([&other_file, &self.file]);
        let output = diff.output().context("cannot start the command vhost")?;
        if output.status.success() {
            println!("  its recording is that of {other}");
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Some(format!(
            "its recording is not that of {other}:\n{text}"
        )))
    }

    /// Makes a simulation record its run.
    pub(super) fn record(&self, simulation: &mut Command) {
        simulation.env("VHOST_TRACE", &self.file);
    }

    /// Replays the files with the command `vhost` and a protocol checker. Returns the first
    /// difference, or the first finding of the checker that is not the next one of `findings`; or
    /// `None`. Prints the speed-up if the duration of the simulation is given.
    pub(super) fn replay(
        &self,
        builder: &Builder<'_>,
        simulated: Option<Duration>,
        findings: &[String],
    ) -> Result<Option<String>> {
        let mut files = self.files()?;
        if files.is_empty() {
            // The command reports the missing file.
            files.push(self.file.clone());
        }
        for file in files {
            let unmet = replay_file(&file, builder, simulated, findings)?;
            if unmet.is_some() {
                return Ok(unmet);
            }
        }
        Ok(None)
    }

    /// Copies the recording to the golden file of its case.
    pub(super) fn keep(&self, root: &Path) -> Result<()> {
        let bytes =
            fs::read(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        let here = root.to_string_lossy();
        if let Some(at) = find(&bytes, here.as_bytes()) {
            bail!(
                "the recording has the path {here}, at byte {at}, which does not exist elsewhere"
            );
        }
        if bytes.len() as u64 > MAX_BYTES {
            bail!(
                "the recording has {} bytes: a golden file may have {MAX_BYTES}",
                bytes.len()
            );
        }
        let golden = root.join(GOLDEN).join(format!("{}.trace", self.name));
        fs::write(&golden, bytes).with_context(|| format!("cannot write {}", golden.display()))
    }
}

fn replay_file(
    file: &Path,
    builder: &Builder<'_>,
    simulated: Option<Duration>,
    expected: &[String],
) -> Result<Option<String>> {
    let mut command = Command::new(builder.command());
    command.args(["replay", "--attach", "check=warning"]);
    command.arg(file).stdin(Stdio::null());
    let begin = Instant::now();
    let output = command.output().context("cannot start vhost replay")?;
    let replayed = begin.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    let findings = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let text = [text, findings].concat();
        return Ok(Some(format!("the recording is not replayed: {text}")));
    }
    println!("  {}", text.trim_end());
    if let Some(unmet) = unmet_finding(&findings, expected) {
        return Ok(Some(unmet));
    }
    if let Some(simulated) = simulated {
        let times = simulated.as_secs_f64() / replayed.as_secs_f64();
        println!("  replayed {times:.0} times as fast as simulated");
    }
    Ok(None)
}

/// First line of the checker's findings without the next expected text, or the first text that is
/// in no line.
fn unmet_finding(findings: &str, expected: &[String]) -> Option<String> {
    let mut expected = expected.iter();
    for finding in findings.lines().filter(|line| !line.contains(ASTRAY)) {
        if !expected.next().is_some_and(|text| finding.contains(text)) {
            return Some(format!("the protocol was broken: {finding}"));
        }
    }
    let missing = expected.next()?;
    Some(format!("the checker did not find: {missing}"))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_the_expected_ones_in_their_order() {
        let found = format!("warning: a of 1\nwarning: {ASTRAY}\nwarning: b of 2\n");
        let unmet = |expected: &[&str]| {
            let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
            unmet_finding(&found, &expected)
        };
        assert_eq!(unmet(&["a of 1", "b of 2"]), None);
        let broken = |line| Some(format!("the protocol was broken: {line}"));
        assert_eq!(unmet(&["a of 1"]), broken("warning: b of 2"));
        assert_eq!(unmet(&["b of 2", "a of 1"]), broken("warning: a of 1"));
        let missing = Some("the checker did not find: c".to_owned());
        assert_eq!(unmet(&["a of 1", "b of 2", "c"]), missing);
    }
}
