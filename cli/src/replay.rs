//! `vhost replay`: replays a recorded run without its simulator.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use vhost::attach::{self, AttachError, Builtin, Finding};
use vhost::trace::{Content, Entry, Trace};
use vhost::{ActorName, Replay, ReplayError, Severity};

use crate::ExitOutcome;
use crate::files::Files;
use crate::incomplete::{self, TRUNCATED};
use crate::output::{ERROR, NAME, OK, Sanitized, WARNING, WholeStderr, out, progress};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// Print the text of firmware
    #[arg(long)]
    print: bool,
    /// Replay one actor: feed it its recorded messages, and compare those that it sends
    #[arg(
        long,
        value_name = "ACTOR",
        value_parser = PossibleValuesParser::new(ActorName::ALL.map(ActorName::name)).try_map(|name| name.parse::<ActorName>())
    )]
    only: Option<ActorName>,
    /// Attach loggers, checkers and collectors: `check`, `log`, `log-json`, `statistics`, each with
    /// `=FILE` or, for `check`, `=SEVERITY`; commas between them
    #[arg(long, value_name = "LIST", value_parser = attached)]
    attach: Vec<Vec<Builtin>>,
}

fn attached(list: &str) -> Result<Vec<Builtin>, AttachError> {
    attach::parse(list)
}

pub(crate) fn run(args: &Args) -> Result<ExitOutcome> {
    let mut files = Files::default();
    files.input("the recording", &args.file);
    files
        .attached(args.attach.iter().flatten())
        .are_distinct()?;
    if let Some(actor) = args.only
        && args.print
        && actor != ActorName::Console
    {
        bail!("--only {actor} prints nothing: --print is of --only console, or of all actors");
    }
    let progress = progress(None, args.print);
    if !progress.is_hidden() {
        progress.enable_steady_tick(Duration::from_millis(200));
    }
    let begin = Instant::now();
    let found_errors = Rc::new(Cell::new(false));
    let (bar, found) = (progress.clone(), found_errors.clone());
    let mut replay = Replay::of(&args.file)
        .printing(args.print)
        .on_finding(move |finding| {
            bar.suspend(|| print_finding(finding));
            found.set(found.get() || finding.severity >= Severity::Error);
        });
    if let Some(actor) = args.only {
        replay = replay.only(actor);
    }
    for what in args.attach.iter().flatten() {
        replay = replay.attach(what.clone());
    }
    let replayed = replay.run();
    let seconds = begin.elapsed().as_secs_f64();
    progress.finish_and_clear();

    let mut out = out();
    let outcome = match replayed {
        Ok(replayed) => {
            let (messages, ticks) = (replayed.messages, replayed.ticks);
            if let Some(actor) = args.only.filter(|_| messages == 0) {
                if replayed.is_truncated {
                    incomplete::warn(args.file.display(), TRUNCATED);
                }
                bail!(
                    "{} has no messages of {actor}; it has those of {}",
                    args.file.display(),
                    actors(&args.file)?
                );
            }
            let of = args.only.map(|actor| format!(" of {actor}"));
            let of = of.unwrap_or_default();
            writeln!(
                out,
                "{OK}replayed:{OK:#} {messages} messages{of} in {ticks} ticks, all as recorded, in {seconds:.3} s"
            )?;
            match incomplete::outcome(&args.file, replayed.is_truncated) {
                ExitOutcome::Passed if found_errors.get() => ExitOutcome::Failed,
                outcome => outcome,
            }
        }
        Err(ReplayError::Divergence(divergence)) => {
            writeln!(out, "{ERROR}different:{ERROR:#} {divergence}")?;
            ExitOutcome::Failed
        }
        // The error may contain a callback's error, which is not `Send`.
        Err(error) => bail!("{error}"),
    };
    out.flush()?;
    Ok(outcome)
}

/// Names of the actors with messages or replies in a recording.
fn actors(file: &Path) -> Result<String> {
    let mut found = BTreeSet::new();
    for entry in Trace::open(file)? {
        let Entry { kind, content, .. } = entry?;
        found.insert(match content {
            Content::Message { .. } => kind.from.clone(),
            Content::Reply { .. } | Content::Dropped => kind.to.clone(),
        });
    }
    let all = ActorName::ALL.map(ActorName::name).into_iter();
    let names: Vec<&str> = all.filter(|name| found.contains(*name)).collect();
    Ok(names.join(", "))
}

/// Prints a checker's finding.
fn print_finding(finding: &Finding) {
    let Finding { severity, id, text } = finding;
    let style = match severity {
        Severity::Info => NAME,
        Severity::Warning => WARNING,
        Severity::Error | Severity::Fatal => ERROR,
    };
    let (severity, id, text) = (severity.name(), Sanitized(id), Sanitized(text));
    // Without standard error there is no way to report.
    let _ = writeln!(
        WholeStderr::default(),
        "{style}{severity}:{style:#} {id}: {text}"
    );
}
