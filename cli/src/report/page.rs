//! The page: one file with style, script and data.

use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};

use serde::Serialize;
use vhost::trace::RunIdentity;

use super::verdict::Verdict;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// Scripts, in execution order.
const SCRIPTS: [&str; 3] = [
    include_str!("page.js"),
    include_str!("timeline.js"),
    include_str!("index.js"),
];

/// Row of the index, for each run.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) file: String,
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    pub(super) signature: Option<String>,
    pub(super) ticks: u64,
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// Number of requests over time.
    pub(super) activity: Vec<u64>,
    /// Tick of the first failure.
    pub(super) first: Option<u64>,
    /// Command that replays the run; empty if there is none.
    pub(super) replay: String,
    /// Known properties of the run.
    pub(super) run: Identity,
}

/// Properties of a run on the index.
#[derive(Default, Serialize)]
pub(super) struct Identity {
    pub(super) id: Option<String>,
    pub(super) design: Option<String>,
    pub(super) seed: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) command: Option<String>,
}

impl Identity {
    pub(super) fn of(run: &RunIdentity) -> Self {
        let property = |key| run.get(key).map(str::to_owned);
        Self {
            id: property(RunIdentity::ID),
            design: property(RunIdentity::DESIGN),
            seed: property(RunIdentity::SEED),
            revision: property(RunIdentity::REVISION),
            command: property(RunIdentity::COMMAND),
        }
    }
}

/// Packed data of the page: the index, and each run; empty for a file that can't be read.
pub(super) struct Data {
    pub(super) index: String,
    pub(super) runs: Vec<String>,
}

/// Writes the page. Packed data consists of letters, digits, `+`, `/` and `=` only, so that no text
/// of firmware is part of the markup.
pub(super) fn write(data: &Data, mut to: impl Write) -> io::Result<()> {
    // The policy allows only scripts with this nonce. It is a hash of the data, so that the same
    // data gives the same page.
    let mut hasher = DefaultHasher::new();
    hasher.write(data.index.as_bytes());
    data.runs
        .iter()
        .for_each(|run| hasher.write(run.as_bytes()));
    let nonce = format!("{:016x}", hasher.finish());
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        to.write_all(before.as_bytes())?;
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        match name {
            "nonce" => to.write_all(nonce.as_bytes())?,
            "style" => to.write_all(STYLE.as_bytes())?,
            "script" => {
                for script in SCRIPTS {
                    to.write_all(script.as_bytes())?;
                }
            }
            _ => {
                block(&mut to, "index", &data.index)?;
                for (number, run) in data.runs.iter().enumerate() {
                    block(&mut to, &format!("run-{number}"), run)?;
                }
            }
        }
        rest = after;
    }
    to.write_all(rest.as_bytes())?;
    to.flush()
}

fn block(to: &mut impl Write, id: &str, packed: &str) -> io::Result<()> {
    writeln!(
        to,
        "<script type=\"application/octet-stream\" id=\"data-{id}\">{packed}</script>"
    )
}
