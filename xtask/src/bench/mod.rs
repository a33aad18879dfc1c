//! `cargo xtask bench`: runs the benches of `vhost`, with the caller's arguments passed on.

mod instructions;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the bench target of this name (a folder of benches/)
    #[arg(long)]
    bench: Option<String>,
    /// Count instructions, and compare them with the counts in the repository
    #[arg(long, conflicts_with = "bench")]
    instructions: bool,
    /// Replace the counts in the repository
    #[arg(long, requires = "instructions")]
    keep: bool,
    /// Arguments for the benches: part of a bench's name, or options such as --quick or
    /// --save-baseline NAME
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Returns true if all benches ran to completion.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    if args.instructions {
        return instructions::run(root, args.keep);
    }
    let line = command_line(args);
    println!("cargo {}", line.join(" "));
    let status = Command::new("cargo")
        .args(&line)
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    let wants_taps = args.bench.as_deref().is_none_or(|name| name == QUICKSTART);
    if status.success() && wants_taps && args.rest.is_empty() {
        compare_with_untapped(root)?;
        compare_program(root)?;
    }
    Ok(status.success())
}

const QUICKSTART: &str = "quickstart";

/// Runs of each build of the quickstart's bench, alternating.
const ROUNDS: usize = 3;

/// Prints the cost of support for taps, against a build of the library without it.
fn compare_with_untapped(root: &Path) -> Result<()> {
    let mut fastest = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (untapped, fastest) in [false, true].into_iter().zip(&mut fastest) {
            *fastest = fastest.min(bare_run(root, untapped)?);
        }
    }
    let [tapped, untapped] = fastest;
    println!(
        "nothing attached, to a library in which nothing can be: {:.3}",
        tapped / untapped
    );
    Ok(())
}

/// Runs of the quickstart's program with and without recording.
const CALLS: usize = 300;

/// Prints the cost of recording in the quickstart as users run it: start, run and end of a program.
fn compare_program(root: &Path) -> Result<()> {
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--example", QUICKSTART]);
    let built = build.current_dir(root).status();
    if !built.context("cannot start cargo")?.success() {
        bail!("the quickstart can't be built");
    }
    let program = root.join("target/release/examples").join(QUICKSTART);
    let trace = root.join("target/release/quickstart.trace");
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..CALLS {
        for (recorded, times) in [false, true].into_iter().zip(&mut times) {
            let mut call = Command::new(&program);
            call.current_dir(root).env_remove("VHOST_TRACE");
            if recorded {
                call.env("VHOST_TRACE", &trace);
            }
            call.stdout(Stdio::null()).stderr(Stdio::null());
            let since = Instant::now();
            let status = call.status().context("cannot start the quickstart")?;
            times.push(since.elapsed().as_secs_f64());
            if !status.success() {
                bail!("the quickstart fails: {status}");
            }
            // Each run creates a new file.
            let _ = fs::remove_file(&trace);
        }
    }
    let [bare, recorded] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[CALLS / 2]
    });
    println!(
        "the program recorded, to the program alone: {:.3} (medians of {CALLS} calls in turn)",
        recorded / bare
    );
    Ok(())
}

/// Time of the quickstart with nothing attached, in nanoseconds.
fn bare_run(root: &Path, untapped: bool) -> Result<f64> {
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "-p", "vhost", "--bench", QUICKSTART]);
    if untapped {
        cargo.args(["--config", "build.rustflags = ['--cfg=vhost_untapped']"]);
        cargo.args(["--target-dir", "target/untapped"]);
    }
    cargo.args(["--", "bare"]).current_dir(root);
    let output = cargo.output().context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("nothing attached"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.with_context(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        format!("the bench did not say how long the quickstart takes:\n{errors}")
    })
}

fn command_line(args: &Args) -> Vec<String> {
    let mut line: Vec<String> = ["bench", "-p", "vhost"].map(String::from).into();
    if let Some(name) = &args.bench {
        line.extend(["--bench".into(), name.clone()]);
    }
    if !args.rest.is_empty() {
        line.push("--".into());
        line.extend(args.rest.iter().cloned());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_reach_the_benches() {
        let args = Args {
            bench: Some("bus".into()),
            instructions: false,
            keep: false,
            rest: vec!["idle".into(), "--quick".into()],
        };
        assert_eq!(
            command_line(&args).join(" "),
            "bench -p vhost --bench bus -- idle --quick"
        );
    }

    #[test]
    fn without_arguments_everything_runs() {
        let args = Args {
            bench: None,
            instructions: false,
            keep: false,
            rest: vec![],
        };
        assert_eq!(command_line(&args).join(" "), "bench -p vhost");
    }
}
