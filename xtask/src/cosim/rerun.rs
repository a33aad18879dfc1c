//! A run that fails and runs again from a snapshot: the recordings of both, and the waves of the rerun.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What a rerun leaves beside its recording.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rerun {
    Plain,
    Waves,
}

/// Text before the time at which a rerun begins.
const BEGIN: &str = "testbench: runs again from time ";
/// Text before the time of the failure.
const FAILURE: &str = "testbench: has failed at time ";

/// The file for waves of the case of this name, from the project's root. What an earlier run has left is removed.
pub(super) fn waves(root: &Path, name: &str) -> Result<PathBuf> {
    let folder = Path::new("target/cosim/waves");
    fs::create_dir_all(root.join(folder)).context("cannot make the folder of waves")?;
    let file = folder.join(format!("{name}.vcd"));
    if root.join(&file).exists() {
        fs::remove_file(root.join(&file)).context("cannot remove old waves")?;
    }
    Ok(file)
}

/// What `vhost trace diff` prints where one of the recordings is over: its end, or the first message of a shutdown.
const OVER: [&str; 2] = [": its end", "CloseAll"];

/// Compares the recording of a run with that of its rerun. Why they differ; `None` where they are the same until one of the two ends.
pub(super) fn compare(command: &Path, recordings: &[PathBuf]) -> Result<Option<String>> {
    let [run, rerun] = recordings else {
        let count = recordings.len();
        return Ok(Some(format!(
            "there are {count} recordings: one of the run and one of its rerun were expected"
        )));
    };
    let output = Command::new(command)
        .args(["trace", "diff", "--context", "0"])
        .args([run, rerun])
        .stdin(Stdio::null())
        .output()
        .context("cannot start vhost trace diff")?;
    let told = String::from_utf8_lossy(&output.stdout);
    let same = output.status.success() || OVER.iter().any(|over| told.contains(over));
    println!("  run and rerun: {}", told.trim_end().replace('\n', "\n  "));
    Ok((!same).then(|| format!("the rerun is another run:\n{told}")))
}

/// Checks waves against what the run has printed. Why they are not those of the rerun; `None` if they are.
pub(super) fn unmet(file: &Path, lines: &[String]) -> Result<Option<String>> {
    let time = |text| {
        let found = lines.iter().find_map(|line| line.strip_prefix(text));
        let time = found.with_context(|| format!("no line begins with `{text}`"))?;
        Ok::<u64, anyhow::Error>(time.parse()?)
    };
    let (begin, failure) = (time(BEGIN)?, time(FAILURE)?);
    let waves = File::open(file).with_context(|| format!("no waves: {}", file.display()))?;
    let Some(Span { first, last }) = span(BufReader::new(waves))? else {
        bail!("{} has no time", file.display());
    };
    println!("  waves from {first} to {last}; snapshot at {begin}, failure at {failure}");
    let fits = first >= begin && first < failure && last >= failure;
    Ok((!fits).then(|| "the waves are not those of the rerun".into()))
}

/// First and last time of a VCD file.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    first: u64,
    last: u64,
}

fn span(vcd: impl BufRead) -> Result<Option<Span>> {
    let mut span: Option<Span> = None;
    for line in vcd.lines() {
        let line = line.context("cannot read the waves")?;
        let Some(time) = line.strip_prefix('#') else {
            continue;
        };
        let last = time.parse().context("a time that is no number")?;
        span = Some(match span {
            None => Span { first: last, last },
            Some(Span { first, .. }) => Span { first, last },
        });
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_span_their_times() {
        let vcd = "$timescale 1ps $end\n$var wire 1 # clk $end\n#70\n1#\n#80\n0#\n";
        let expected = Span {
            first: 70,
            last: 80,
        };
        assert_eq!(span(vcd.as_bytes()).ok().flatten(), Some(expected));
        assert_eq!(span("$end\n".as_bytes()).ok(), Some(None));
    }

    #[test]
    fn waves_of_another_time_are_refused() {
        let file = std::env::temp_dir().join(format!("waves-{}.vcd", std::process::id()));
        fs::write(&file, "#70\n1#\n#80\n").expect("it can be written");
        let unmet = |begin: u32, failure: u32| {
            let lines = [format!("{BEGIN}{begin}"), format!("{FAILURE}{failure}")];
            unmet(&file, &lines).expect("it can be read")
        };
        assert_eq!(unmet(70, 80), None);
        assert!(unmet(71, 80).is_some(), "it begins before the snapshot");
        assert!(unmet(60, 81).is_some(), "it ends before the failure");
        fs::remove_file(&file).expect("it is there");
    }
}
