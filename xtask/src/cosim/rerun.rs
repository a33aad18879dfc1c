//! Reruns of failed runs from a snapshot: comparison of both recordings, and check of the rerun's
//! waves.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Artefact of a rerun, beside its recording.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rerun {
    Plain,
    /// Waves in VCD.
    Vcd,
    /// Waves in FST.
    Fst,
}

/// Text before the time at which a rerun begins.
const BEGIN: &str = "testbench: runs again from time ";
/// Text before the time of the failure.
const FAILURE: &str = "testbench: has failed at time ";

/// Waves of a case, in a file relative to the project's root.
pub(super) struct Waves {
    pub(super) file: PathBuf,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Vcd,
    Fst,
}

impl Waves {
    /// Waves of the case of this name; `None` if the rerun has none. Removes those of earlier runs.
    pub(super) fn of(root: &Path, name: &str, rerun: Rerun) -> Result<Option<Self>> {
        let (format, extension) = match rerun {
            Rerun::Plain => return Ok(None),
            Rerun::Vcd => (Format::Vcd, "vcd"),
            Rerun::Fst => (Format::Fst, "fst"),
        };
        let folder = Path::new("target/cosim/waves");
        fs::create_dir_all(root.join(folder)).context("cannot make the folder of waves")?;
        let file = folder.join(format!("{name}.{extension}"));
        if root.join(&file).exists() {
            fs::remove_file(root.join(&file)).context("cannot remove old waves")?;
        }
        Ok(Some(Self { file, format }))
    }

    /// Checks that the waves cover the time of the rerun. Returns the reason of a failure, or
    /// `None`.
    pub(super) fn unmet(&self, root: &Path, lines: &[String]) -> Result<Option<String>> {
        let time = |text| {
            let found = lines.iter().find_map(|line| line.strip_prefix(text));
            let time = found.with_context(|| format!("no line begins with `{text}`"))?;
            Ok::<u64, anyhow::Error>(time.parse()?)
        };
        let (begin, failure) = (time(BEGIN)?, time(FAILURE)?);
        let path = self.file.display();
        let waves =
            File::open(root.join(&self.file)).with_context(|| format!("no waves: {path}"))?;
        let span = match self.format {
            Format::Vcd => span_of_vcd(BufReader::new(waves))?,
            Format::Fst => span_of_fst(waves)?,
        };
        let Some(Span { first, last }) = span else {
            bail!("{path} has no time");
        };
        println!("  waves from {first} to {last}; snapshot at {begin}, failure at {failure}");
        let fits = first >= begin && first < failure && last >= failure;
        Ok((!fits).then(|| "the waves are not those of the rerun".into()))
    }
}

/// Output of `vhost trace diff` if one of the recordings has ended: its end, or the first message
/// of a shutdown.
const OVER: [&str; 2] = [": its end", "CloseAll"];

/// Compares the recording of a run with that of its rerun. Returns their difference, or `None` if
/// they are equal until one of them ends.
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
    let text = String::from_utf8_lossy(&output.stdout);
    let same = output.status.success() || OVER.iter().any(|over| text.contains(over));
    println!("  run and rerun: {}", text.trim_end().replace('\n', "\n  "));
    Ok((!same).then(|| format!("the rerun is another run:\n{text}")))
}

/// First and last time of waves.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    first: u64,
    last: u64,
}

/// Times of an FST file, from its header block: type and length of the block, then both times,
/// eight bytes each, most significant first. `None` if the file was not closed.
fn span_of_fst(mut fst: impl Read) -> Result<Option<Span>> {
    let (mut block, mut first, mut last) = ([0; 9], [0; 8], [0; 8]);
    for part in [&mut block[..], &mut first, &mut last] {
        fst.read_exact(part)
            .context("cannot read the header of the waves")?;
    }
    let (first, last) = (u64::from_be_bytes(first), u64::from_be_bytes(last));
    Ok((first <= last && last > 0).then_some(Span { first, last }))
}

fn span_of_vcd(vcd: impl BufRead) -> Result<Option<Span>> {
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
        assert_eq!(span_of_vcd(vcd.as_bytes()).ok().flatten(), Some(expected));
        assert_eq!(span_of_vcd("$end\n".as_bytes()).ok(), Some(None));
    }

    #[test]
    fn waves_in_fst_span_the_times_of_their_header() {
        let header = |first: u64, last: u64| {
            let length = 329_u64.to_be_bytes();
            let times = [first.to_be_bytes(), last.to_be_bytes()].concat();
            [&[0][..], &length, &times].concat()
        };
        let expected = Span {
            first: 70,
            last: 80,
        };
        let fst = header(70, 80);
        assert_eq!(span_of_fst(&fst[..]).ok().flatten(), Some(expected));
        assert_eq!(span_of_fst(&header(u64::MAX, 0)[..]).ok(), Some(None));
        assert!(span_of_fst(&fst[..20]).is_err());
    }

    #[test]
    fn waves_of_another_time_are_refused() {
        let file = std::env::temp_dir().join(format!("waves-{}.vcd", std::process::id()));
        fs::write(&file, "#70\n1#\n#80\n").expect("it can be written");
        let unmet = |begin: u32, failure: u32| {
            let lines = [format!("{BEGIN}{begin}"), format!("{FAILURE}{failure}")];
            let waves = Waves {
                file: file.clone(),
                format: Format::Vcd,
            };
            waves.unmet(Path::new("/"), &lines).expect("it can be read")
        };
        assert_eq!(unmet(70, 80), None);
        assert!(unmet(71, 80).is_some(), "it begins before the snapshot");
        assert!(unmet(60, 81).is_some(), "it ends before the failure");
        fs::remove_file(&file).expect("it is there");
    }
}
