//! The command `vhost-sim`: simulated runs by seed.

#![allow(
    clippy::print_stdout,
    reason = "results of a command go to standard output"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, process};

use anyhow::{Context, Result};
use clap::Parser;

use vhost_sim::coverage::Coverage;
use vhost_sim::event::lock;
use vhost_sim::generator::generate;
use vhost_sim::run::{Failed, run, run_twice};
use vhost_sim::scenario::Scenario;
use vhost_sim::shrink::shrink;
use vhost_sim::soak::{SoakSize, resident, soak};

/// Interval of seeds whose runs are repeated.
const REPEAT_INTERVAL: u64 = 16;

/// Simulated runs of vhost: each seed is a random system with random firmware and faults, checked
/// against a model.
#[derive(Parser)]
struct Args {
    /// Run one seed
    #[arg(long, conflicts_with_all = ["seeds", "minutes", "scenario"])]
    seed: Option<u64>,
    /// Run this number of seeds
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// First seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Number of threads
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Run seeds for this number of minutes
    #[arg(long)]
    minutes: Option<u64>,
    /// Run a scenario of a file
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Minimise a failing scenario, and write it to a file
    #[arg(long, value_name = "FILE")]
    shrink: Option<PathBuf>,
    /// Run one system for long, in place of seeds
    #[arg(long, conflicts_with_all = ["seed", "seeds", "minutes", "scenario"])]
    soak: bool,
    /// Requests of --soak
    #[arg(long, default_value_t = 1_000_000, requires = "soak")]
    requests: u64,
    /// Channels of --soak
    #[arg(long, default_value_t = 64, requires = "soak")]
    channels: usize,
    /// Clients of sockets in --soak
    #[arg(long, default_value_t = 1000, requires = "soak")]
    clients: u64,
    /// Recordings in --soak
    #[arg(long, default_value_t = 10, requires = "soak")]
    recordings: u64,
    /// Print the scenario of --seed before it runs, and counters
    #[arg(long)]
    verbose: bool,
}

fn main() -> ExitCode {
    match run_command(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("vhost-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run_command(args: &Args) -> Result<bool> {
    if let Some(file) = &args.scenario {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let scenario = serde_json::from_str(&text)
            .with_context(|| format!("{} is no scenario", file.display()))?;
        return run_scenario(&scenario, &format!("scenario {}", file.display()), args);
    }
    if let Some(seed) = args.seed {
        let scenario = generate(seed);
        if args.verbose {
            println!("{}", serde_json::to_string_pretty(&scenario)?);
        }
        return run_scenario(&scenario, &format!("seed {seed}"), args);
    }
    if args.soak {
        return run_soak(args);
    }
    run_seeds(args)
}

/// Runs one system for a long time.
fn run_soak(args: &Args) -> Result<bool> {
    let extent = SoakSize {
        requests: args.requests,
        channels: args.channels,
        clients: args.clients,
        recordings: args.recordings,
    };
    match soak(extent, folder()?.path()) {
        Ok(figures) => {
            println!("{figures}");
            if !figures.is_steady() {
                println!("FAILED soak commit {}: memory grows", commit());
            }
            Ok(figures.is_steady())
        }
        Err(text) => {
            println!("FAILED soak commit {}", commit());
            println!("{text}");
            Ok(false)
        }
    }
}

/// Folder for one thread's runs, in memory if the system has such a file system.
fn folder() -> Result<tempfile::TempDir> {
    let shared = Path::new("/dev/shm");
    let parent = if shared.is_dir() {
        shared.to_owned()
    } else {
        std::env::temp_dir()
    };
    let made = tempfile::Builder::new()
        .prefix("vhost-sim")
        .tempdir_in(&parent);
    made.with_context(|| format!("cannot make a folder in {}", parent.display()))
}

/// Commit of the sources, as git describes it.
fn commit() -> String {
    let mut git = process::Command::new("git");
    let output = git
        .args([
            "-C",
            env!("CARGO_MANIFEST_DIR"),
            "describe",
            "--always",
            "--dirty",
        ])
        .output();
    let text = output.ok().filter(|output| output.status.success());
    text.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn run_scenario(scenario: &Scenario, title: &str, args: &Args) -> Result<bool> {
    let folder = folder()?;
    match run_twice(scenario, folder.path()) {
        Ok(passed) => {
            if args.verbose {
                print!("{}", passed.coverage);
            }
            println!("{title}: passed, hash {:016x}", passed.hash);
            Ok(true)
        }
        Err(failed) => {
            println!("FAILED {title} commit {}", commit());
            println!("{failed}");
            if let Some(file) = &args.shrink {
                let small = shrink(scenario, &mut |smaller| {
                    let smaller = run_twice(smaller, folder.path());
                    smaller.is_err_and(|smaller| smaller.resembles(&failed))
                });
                if let Err(failed) = run_twice(&small, folder.path()) {
                    println!("minimised: {failed}");
                }
                fs::write(file, serde_json::to_string_pretty(&small)? + "\n")
                    .with_context(|| format!("cannot write {}", file.display()))?;
                println!("minimised scenario: {}", file.display());
            }
            Ok(false)
        }
    }
}

/// State that the threads share.
struct SeedRuns {
    next: AtomicU64,
    end: u64,
    until: Option<Instant>,
    done: AtomicU64,
    failed: AtomicBool,
    coverage: Mutex<Coverage>,
    failures: Mutex<Vec<(u64, Failed)>>,
}

fn run_seeds(args: &Args) -> Result<bool> {
    let start = Instant::now();
    let state = SeedRuns {
        next: AtomicU64::new(args.from),
        end: args
            .minutes
            .map_or(args.from.saturating_add(args.seeds), |_| u64::MAX),
        until: args
            .minutes
            .map(|minutes| start + Duration::from_secs(60 * minutes)),
        done: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        coverage: Mutex::default(),
        failures: Mutex::default(),
    };
    // Warm-up, for allocations that are made once.
    let warm = folder()?;
    let _ = run(&generate(args.from), warm.path());
    let (memory, descriptors) = (resident(), descriptors());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..args.jobs.max(1))
            .map(|_| scope.spawn(|| worker(&state)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(_) => anyhow::bail!("a thread of the simulation has panicked"),
            })
    })?;
    let done = state.done.load(Ordering::Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    let coverage = lock(&state.coverage);
    if args.verbose {
        print!("{coverage}");
    }
    let missing = coverage.missing();
    if !missing.is_empty() {
        println!("not reached: {}", missing.join(", "));
    }
    let grown = resident().saturating_sub(memory);
    println!(
        "{done} seeds in {seconds:.1} s, {:.0} seeds/s; memory grew by {} MiB",
        done as f64 / seconds,
        grown >> 20
    );
    let mut passed = true;
    if done >= SEEDS_FOR_ALL_GOALS && !missing.is_empty() && !state.failed.load(Ordering::Relaxed) {
        println!("FAILED seeds {}..: goals are not reached", args.from);
        passed = false;
    }
    for (seed, failed) in lock(&state.failures).iter() {
        println!("FAILED seed {seed} commit {}", commit());
        println!("{failed}");
        passed = false;
        if args.shrink.is_some() {
            run_scenario(&generate(*seed), &format!("seed {seed}"), args)?;
        }
    }
    let left = self::descriptors().saturating_sub(descriptors);
    if left > 0 {
        println!(
            "FAILED seeds {}..: {left} descriptors are left open",
            args.from
        );
        passed = false;
    }
    if grown > MAX_GROWTH {
        println!(
            "FAILED seeds {}..: memory grew by {} MiB",
            args.from,
            grown >> 20
        );
        passed = false;
    }
    Ok(passed)
}

/// Number of seeds that reach every goal of the generator.
const SEEDS_FOR_ALL_GOALS: u64 = 2000;

/// Maximum growth of memory in bytes, for any number of seeds.
const MAX_GROWTH: u64 = 128 << 20;

fn worker(state: &SeedRuns) -> Result<()> {
    let folder = folder()?;
    let mut coverage = Coverage::default();
    while !state.failed.load(Ordering::Relaxed)
        && state.until.is_none_or(|until| Instant::now() < until)
    {
        let seed = state.next.fetch_add(1, Ordering::Relaxed);
        if seed >= state.end {
            break;
        }
        let scenario = generate(seed);
        let result = if seed.is_multiple_of(REPEAT_INTERVAL) {
            run_twice(&scenario, folder.path())
        } else {
            run(&scenario, folder.path())
        };
        state.done.fetch_add(1, Ordering::Relaxed);
        match result {
            Ok(passed) => coverage.add(&passed.coverage),
            Err(failed) => {
                state.failed.store(true, Ordering::Relaxed);
                lock(&state.failures).push((seed, failed));
            }
        }
    }
    lock(&state.coverage).add(&coverage);
    Ok(())
}

/// Number of open descriptors of this process.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
