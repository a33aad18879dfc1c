//! `cargo xtask bench`: the benches of `vhost`, with the caller's arguments handed on to them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the bench target of this name (a folder of benches/)
    #[arg(long)]
    bench: Option<String>,
    /// Arguments for the benches: part of a bench's name, or options such as --quick or --save-baseline NAME
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Whether all benches ran to their end.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let line = command_line(args);
    println!("cargo {}", line.join(" "));
    let status = Command::new("cargo")
        .args(&line)
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    Ok(status.success())
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
            rest: vec![],
        };
        assert_eq!(command_line(&args).join(" "), "bench -p vhost");
    }
}
