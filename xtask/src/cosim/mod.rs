//! `cargo xtask cosim`: RTL simulations with the library loaded, most with firmware on a CPU.
//!
//! - [`case`]: cases of `integration/cases.toml`, and the check of their results;
//! - [`abi`]: firmware with HTIF, RTT or semihosting;
//! - [`build`]: firmware, library and simulation; a simulation is rebuilt if its inputs change;
//! - [`ccache`]: compiler cache for simulations;
//! - [`client`]: TCP clients of a running simulation;
//! - [`command_selftest`]: the command `vhost selftest`;
//! - [`on_qemu`]: programs with semihosting on QEMU, too;
//! - [`on_run`]: the same image on `vhost run`;
//! - [`on_spike`]: the same image on Spike;
//! - [`recording`]: recording of each run, and its replay without the simulation;
//! - [`mod@results`]: results of cases, for the table of simulators;
//! - [`riscv_tests`]: the official instruction tests, if their sources are available;
//! - [`rerun`]: failed runs that run again from a snapshot;
//! - [`icarus`], [`ghdl`]: simulations in Icarus Verilog and in GHDL;
//! - [`cocotb`]: cases with cocotb's own runner;
//! - [`doc_pages`]: executed documentation pages;
//! - [`mod@bench`]: overhead of the host in a simulation;
//! - [`jobs`]: cases in several processes;
//! - [`limit`]: limits of wall time;
//! - [`load`]: time to load an image;
//! - [`many`]: cost of many runs after one boot.

mod abi;
mod bench;
mod build;
mod case;
mod ccache;
mod client;
mod cocotb;
mod command_selftest;
mod doc_pages;
pub(crate) mod ghdl;
pub(crate) mod icarus;
mod idle;
mod jobs;
mod limit;
mod load;
mod many;
mod on_qemu;
mod on_run;
mod on_spike;
mod recording;
mod rerun;
mod results;
mod riscv_tests;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fmt};

use anyhow::{Context, Result, bail};

use self::build::{Builder, Simulation, mailboxes, memories, recreate_dir};
use self::case::{Case, Cases};
use self::client::Clients;
use self::limit::Limit;
use self::on_run::Simulated;
use self::recording::Recording;
use self::rerun::Waves;
pub(crate) use self::results::{CaseResult, Results, read as results};
use self::riscv_tests::Suite;
use crate::clock::{Clock, Elapsed};
use crate::tally::COST;
use crate::tool::{
    CCACHE, CLANG, COCOTB, CXX, GHDL, IVERILOG, LIBPYTHON, LLD, LZ4, MAKE, Missing,
    OTHER_VERILATORS, PERL, PICORV32, RISCV32, RISCV64, ROCKET, SYSTEMC, Tool, Toolbox, UVM,
    UVM_2017, VENV, VERILATOR, VEXRISCV, download_wheels,
};

/// Required tools, beside a Rust toolchain.
pub(crate) const REQUIRED: [Tool; 11] = [
    CLANG, LLD, CXX, MAKE, PERL, LIBPYTHON, VERILATOR, PICORV32, COCOTB, RISCV32, RISCV64,
];

/// Optional tools. Without Icarus Verilog, GHDL, UVM, LZ4 or a core, some cases are skipped.
/// Without ccache, models take longer to build.
pub(crate) const OPTIONAL: [Tool; 8] =
    [IVERILOG, GHDL, UVM, UVM_2017, LZ4, VEXRISCV, ROCKET, CCACHE];

/// Further optional tools of the full run: other versions of Verilator, and SystemC.
pub(crate) const OPTIONAL_IN_FULL: [Tool; 5] = {
    let [first, second, third, fourth] = OTHER_VERILATORS;
    [first, second, third, fourth, SYSTEMC]
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Cases of integration/cases.toml, or pages of docs/; if none is named, those that stand for a
    /// kind. With --bench: plain, runs, uvm, load; if none is named, all
    cases: Vec<String>,
    /// Run all cases
    #[arg(long, conflicts_with_all = ["cases", "bench", "golden"])]
    full: bool,
    /// List the cases, and run nothing
    #[arg(long)]
    list: bool,
    /// Measure the host's overhead in a simulation, instead of running cases
    #[arg(long)]
    bench: bool,
    /// Record the golden files of integration/golden again; runs only their cases
    #[arg(long, conflicts_with_all = ["cases", "bench"])]
    golden: bool,
    /// Install nothing
    #[arg(long)]
    no_install: bool,
    /// Run as many cases at a time. With more than one, output is printed when a group of cases is
    /// over
    #[arg(long, default_value_t = 1, conflicts_with_all = ["bench", "golden"])]
    jobs: usize,
    /// Build the library with other features without optimisation
    #[arg(long)]
    fast_build: bool,
}

/// Runs the cases; returns true if all passed.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let cases = case::read(root)?;
    if args.list {
        let cases = cases
            .iter()
            .filter(|(name, case)| args.selects(name, case.full));
        let pages = doc_pages::PAGES
            .iter()
            .filter(|page| args.selects(page.name, page.full));
        let cocotb = cocotb::CASES.iter();
        let cocotb = cocotb.filter(|case| args.selects(case.name, case.full));
        let names = cases.map(|(name, _)| name.as_str());
        let special = SPECIAL.into_iter().filter(|name| args.selects(name, true));
        let names = names.chain(special);
        names
            .chain(cocotb.map(|case| case.name))
            .chain(args.suites().map(|suite| suite.name))
            .chain(pages.map(|page| page.name))
            .for_each(|name| println!("{name}"));
        return Ok(true);
    }
    args.check(&cases)?;
    let mut tools = Toolbox::new(!args.no_install);
    for tool in REQUIRED {
        if let Err(Missing(reason)) = tools.get(tool) {
            bail!("{reason}");
        }
    }
    let mut builder = Builder::new(root, tools.get(CCACHE).is_ok(), args.fast_build)?;
    if args.bench {
        for bench in BENCHES
            .iter()
            .filter(|bench| args.selects(bench.name, false))
        {
            match bench.required.map_or(Ok(()), |tool| tools.get(tool)) {
                Ok(()) => (bench.run)(&mut builder)?,
                Err(Missing(reason)) => println!("skipped: {}: {reason}", bench.name),
            }
        }
        return Ok(true);
    }
    if args.jobs > 1 {
        let (beside, alone) = groups(args, &cases);
        let passed = jobs::run(beside, args.jobs, args.fast_build)?;
        return Ok(jobs::run(alone, 1, args.fast_build)? && passed);
    }
    let mut summary = Summary::new(root);
    let selected = |name: &str, case: &Case| match args.golden {
        true => case.golden,
        false => args.selects(name, case.full),
    };
    for (name, case) in cases.iter().filter(|(name, case)| selected(name, case)) {
        println!("\n{name}: {case}");
        let needed = case.tools();
        if let Some(Missing(reason)) = needed.into_iter().find_map(|tool| tools.get(tool).err()) {
            println!("skipped: {name}: {reason}");
            continue;
        }
        summary.version = results::version(case);
        summary.run(name, || run_case(&mut builder, name, case, args.golden));
    }
    if args.golden {
        return Ok(summary.close());
    }
    let cocotb = cocotb::CASES.iter();
    for case in cocotb.filter(|case| args.selects(case.name, case.full)) {
        println!("\n{}: integration/cocotb", case.name);
        let mut needed = case.required.iter();
        match needed.find_map(|tool| tools.get(*tool).err()) {
            Some(Missing(reason)) => println!("skipped: {}: {reason}", case.name),
            None => {
                summary.version = case.version();
                summary.run(case.name, || cocotb::run(&mut builder, case));
            }
        }
    }
    summary.version = None;
    for suite in args.suites() {
        let name = suite.name;
        println!("\n{name}: riscv-tests");
        let mut needed = suite.required.iter();
        if env::var_os(riscv_tests::VARIABLE).is_none() {
            println!("skipped: {name}: {} is not set", riscv_tests::VARIABLE);
        } else if let Some(Missing(reason)) = needed.find_map(|tool| tools.get(*tool).err()) {
            println!("skipped: {name}: {reason}");
        } else {
            summary.run(name, || riscv_tests::run(&mut builder, &suite));
        }
    }
    if args.selects(on_qemu::NAME, true) {
        let name = on_qemu::NAME;
        println!("\n{name}: programs with semihosting");
        let mut needed = on_qemu::REQUIRED.iter();
        if !on_qemu::has_qemu() {
            println!("skipped: {name}: not found: qemu-system-riscv32");
        } else if let Some(Missing(reason)) = needed.find_map(|tool| tools.get(*tool).err()) {
            println!("skipped: {name}: {reason}");
        } else {
            summary.run(name, || on_qemu::run(&mut builder));
        }
    }
    if args.selects(command_selftest::NAME, true) {
        let name = command_selftest::NAME;
        println!("\n{name}: vhost selftest in Verilator and Icarus Verilog");
        let mut has = |tool: Tool| match tools.get(tool) {
            Ok(()) => true,
            Err(Missing(reason)) => {
                println!("skipped: {name}: {reason}");
                false
            }
        };
        let others = OTHER_VERILATORS.into_iter().filter(|tool| has(*tool));
        let versions: Vec<&str> = others.filter_map(Tool::version).collect();
        let has_icarus = has(IVERILOG);
        summary.run(name, || {
            command_selftest::run(&builder, &versions, has_icarus)
        });
    }
    let pages = doc_pages::PAGES.iter();
    for doc_page in pages.filter(|page| args.selects(page.name, page.full)) {
        let page = doc_page.name;
        println!("\n{page}: docs/{page}.md");
        let mut needed = doc_page.required.iter();
        if let Some(Missing(reason)) = needed.find_map(|tool| tools.get(*tool).err()) {
            println!("skipped: docs/{page}.md: {reason}");
        } else if download_wheels(&REQUIRED) {
            summary.run(page, || doc_pages::run(&builder, page));
        } else {
            println!("skipped: docs/{page}.md: its Python packages can't be fetched from here");
        }
    }
    Ok(summary.close())
}

/// Cases of the full run that are neither in cases.toml nor in a list of cases.
const SPECIAL: [&str; 2] = [on_qemu::NAME, command_selftest::NAME];

/// Maximum number of cases of a group.
const GROUP: usize = 8;

/// Cases that one process runs after the other.
type Group = Vec<String>;

/// The selected cases in groups with the same simulation: those that may run beside others, and
/// those that may not. Threads of a simulation wait for each other actively: beside another process
/// they take many times as long.
fn groups(args: &Args, cases: &Cases) -> (Vec<Group>, Vec<Group>) {
    let mut beside_by_model: BTreeMap<String, Group> = BTreeMap::new();
    let mut alone_by_model = beside_by_model.clone();
    for (name, case) in cases
        .iter()
        .filter(|(name, case)| args.selects(name, case.full))
    {
        let by_model = match case.threading {
            Some(_) => &mut alone_by_model,
            None => &mut beside_by_model,
        };
        let group = by_model.entry(case.model().name()).or_default();
        group.push(name.clone());
    }
    let pages = doc_pages::PAGES.iter();
    let pages = pages.filter(|page| args.selects(page.name, page.full));
    let mut groups: Vec<Group> = pages.map(|page| vec![page.name.to_owned()]).collect();
    let cocotb = cocotb::CASES.iter();
    let cocotb = cocotb.filter(|case| args.selects(case.name, case.full));
    // One group, since a recording is compared with that of the previous case.
    groups.push(cocotb.map(|case| case.name.to_owned()).collect());
    groups.retain(|group: &Group| !group.is_empty());
    let special = SPECIAL.into_iter().filter(|name| args.selects(name, true));
    groups.extend(special.map(|name| vec![name.to_owned()]));
    groups.extend(args.suites().map(|suite| vec![suite.name.to_owned()]));
    groups.extend(parts_of(&beside_by_model));
    (groups, parts_of(&alone_by_model).collect())
}

/// Groups of at most [`GROUP`] cases.
fn parts_of(by_model: &BTreeMap<String, Group>) -> impl Iterator<Item = Group> {
    let parts = by_model.values().flat_map(|group| group.chunks(GROUP));
    parts.map(<[String]>::to_vec)
}

/// Benchmark of `--bench`.
struct Bench {
    name: &'static str,
    required: Option<Tool>,
    run: fn(&mut Builder<'_>) -> Result<()>,
}

const BENCHES: [Bench; 5] = [
    Bench {
        name: "plain",
        required: None,
        run: |builder| bench::run(builder, &bench::PLAIN),
    },
    Bench {
        name: "idle",
        required: Some(IVERILOG),
        run: idle::run,
    },
    Bench {
        name: "runs",
        required: None,
        run: many::run,
    },
    Bench {
        name: "uvm",
        required: Some(UVM),
        run: |builder| bench::run(builder, &bench::UVM),
    },
    Bench {
        name: "load",
        required: Some(UVM),
        run: load::run,
    },
];

impl Args {
    /// Rejects unknown names of cases or benches.
    fn check(&self, cases: &Cases) -> Result<()> {
        let is_known = |name: &str| match self.bench {
            true => BENCHES.iter().any(|bench| bench.name == name),
            false => {
                let is_page = doc_pages::PAGES.iter().any(|page| page.name == name);
                let is_suite = riscv_tests::SUITES.iter().any(|suite| suite.name == name);
                let is_special = SPECIAL.contains(&name) || cocotb::is_case(name);
                is_special || is_page || is_suite || cases.contains_key(name)
            }
        };
        match self.cases.iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(unknown) if self.bench => bail!(
                "there is no bench {unknown}; there are {}",
                BENCHES.map(|bench| bench.name).join(", ")
            ),
            Some(unknown) => {
                bail!("there is no case {unknown}; see cargo xtask cosim --full --list")
            }
        }
    }

    /// Selected suites of riscv-tests, all of which are part of the full run only.
    fn suites(&self) -> impl Iterator<Item = Suite> {
        let suites = riscv_tests::SUITES.into_iter();
        suites.filter(|suite| self.selects(suite.name, true))
    }

    /// True if the case or bench of this name is selected. `full`: it is part of the full run only.
    fn selects(&self, name: &str, full: bool) -> bool {
        match self.cases.as_slice() {
            [] => self.full || !full,
            named => named.iter().any(|case| case == name),
        }
    }
}

/// Results in the format of `cargo test`, and the time of each case.
struct Summary<'a> {
    root: &'a Path,
    /// Version of the simulator of the next case.
    version: Option<String>,
    passed: usize,
    failed: usize,
    times: Vec<(String, Elapsed)>,
}

impl<'a> Summary<'a> {
    fn new(root: &'a Path) -> Self {
        Self {
            root,
            version: None,
            passed: 0,
            failed: 0,
            times: vec![],
        }
    }

    /// Runs a case. A case that can't be built or run counts as failed, and the others still run. A
    /// [`Skipped`] case has no result.
    fn run(&mut self, name: &str, case: impl FnOnce() -> Result<Option<String>>) {
        let clock = Clock::start();
        let unmet = case();
        self.times.push((name.to_owned(), clock.elapsed()));
        let passed = match Outcome::of(unmet) {
            Outcome::Skipped(why) => return println!("skipped: {name}: {why}"),
            Outcome::Passed => {
                println!("test cosim::{name} ... ok");
                self.passed += 1;
                true
            }
            Outcome::Failed(why) => {
                println!("{why}\ntest cosim::{name} ... FAILED");
                self.failed += 1;
                false
            }
        };
        let version = self.version.clone();
        if let Err(error) = results::keep(self.root, name, CaseResult { passed, version }) {
            println!("its result is not kept: {error:#}");
        }
    }

    /// Prints the summary; returns true if no case failed.
    fn close(self) -> bool {
        println!("\ntimes, building included:");
        for (name, took) in &self.times {
            println!("  {name}: {took}");
            println!("{COST}{:.1} s cosim::{name}", took.cpu.as_secs_f64());
        }
        let verdict = if self.failed == 0 { "ok" } else { "FAILED" };
        println!(
            "\ntest result: {verdict}. {} passed; {} failed",
            self.passed, self.failed
        );
        self.failed == 0
    }
}

/// Outcome of a case.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Outcome {
    /// Outcome by the reason of a failure, or by an error.
    fn of(unmet: Result<Option<String>>) -> Self {
        match unmet {
            Ok(None) => Self::Passed,
            Ok(Some(why)) => Self::Failed(why),
            Err(error) if error.is::<Skipped>() => Self::Skipped(error.to_string()),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// Reason why a case can't run here: an error that is not a failure.
#[derive(Debug)]
struct Skipped(&'static str);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Skipped {}

/// Runs a case. Returns the reason of a failure, or `None`. With `golden`, a passing case's
/// recording becomes its golden file.
///
/// # Errors
/// A case that can't be built or run; [`Skipped`] if the source of its program can't be fetched.
fn run_case(
    builder: &mut Builder<'_>,
    name: &str,
    case: &Case,
    golden: bool,
) -> Result<Option<String>> {
    let images = builder.firmware_with(name, &case.firmware, case.core(), case.cache())?;
    let images = images.ok_or(Skipped(
        "the source of its program can't be fetched from here",
    ))?;
    let mut simulation = builder.simulation(case.model())?;
    if let Some(name) = &case.mailboxes {
        simulation.mailboxes = mailboxes(name);
    }
    if let Some(line) = case.cache_line {
        simulation.mailboxes = builder.mailboxes_with(name, &simulation.mailboxes, line)?;
    }
    if let Some(seconds) = case.seconds {
        simulation.limit = Limit::of_seconds(seconds);
    }
    if let Some(name) = &case.memories {
        simulation.memories = memories(name);
    }
    if let Some(backend) = case.backend
        && let Some(copy) = builder.memories_by(backend, name, &simulation.memories)?
    {
        simulation.memories = copy;
    }
    let mut command = command(builder.root(), &simulation, name, &images, &case.plusargs)?;
    command.envs(&case.environment);
    let folder = builder.root().join(files(name));
    case.put_files(&folder)?;
    let waves = match case.rerun {
        Some(rerun) => Waves::of(builder.root(), name, rerun)?,
        None => None,
    };
    if let Some(waves) = &waves {
        command.arg(format!("+waves={}", waves.file.display()));
    }
    if let Some(modules) = &case.python {
        // Takes precedence over the library that the simulation was linked with.
        command
            .env("LD_LIBRARY_PATH", builder.python_library()?)
            .env("VIRTUAL_ENV", builder.root().join(VENV))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONPATH", format!("integration/python/{modules}"));
    }
    let recording = Recording::of(builder.root(), name)?;
    recording.record(&mut command);
    let mut clients = Clients::new(builder.root(), &case.clients, simulation.limit);
    let begin = Instant::now();
    let (status, lines) = watch(command, |line| clients.on_line(line))?;
    let simulated = begin.elapsed();
    let unmet_by_clients = clients.unmet()?;
    let expected = case.expected(builder.root())?;
    let unmet = case.unmet(expected.as_deref(), status, &lines);
    let unmet = unmet.or(unmet_by_clients);
    if let Some(unmet) = unmet.or_else(|| case.missing_file(&folder)) {
        return Ok(Some(unmet));
    }
    if let ([image], true) = (&images[..], case.as_run || case.as_spike) {
        let simulated = Simulated {
            name,
            image,
            status,
            lines: &lines,
            files: &folder,
        };
        let mut difference = None;
        if case.as_run {
            difference = on_run::compare(builder, case, &simulation, &simulated)?;
        }
        if case.as_spike && difference.is_none() {
            difference = on_spike::compare(builder.root(), case.core(), case.harts(), &simulated)?;
        }
        if difference.is_some() {
            return Ok(difference);
        }
    }
    if let Some(why) = &case.not_replayed {
        println!("  not replayed: {why}");
        return Ok(None);
    }
    let mut unmet = recording.replay(builder, Some(simulated), &case.findings)?;
    if unmet.is_none() && case.rerun.is_some() {
        unmet = rerun::compare(&builder.command(), &recording.files()?)?;
    }
    if let (None, Some(waves)) = (&unmet, &waves) {
        unmet = waves.unmet(builder.root(), &lines)?;
    }
    if golden && unmet.is_none() {
        recording.keep(builder.root())?;
    }
    Ok(unmet)
}

/// Root of firmware's files, relative to the project's root, like all names in a recording.
fn files(case: &str) -> String {
    format!("target/cosim/files/{case}")
}

/// Command of a simulation with these images, and an empty folder for firmware's files.
fn command(
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
fn watch(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_failure_unless_the_case_is_skipped() {
        let skipped = Skipped("its source is not here").into();
        for (unmet, expected) in [
            (Ok(None), Outcome::Passed),
            (Ok(Some("x".to_owned())), Outcome::Failed("x".to_owned())),
            (
                Err(skipped),
                Outcome::Skipped("its source is not here".to_owned()),
            ),
            (Err(anyhow::anyhow!("y")), Outcome::Failed("y".to_owned())),
        ] {
            assert_eq!(Outcome::of(unmet), expected);
        }
    }
}
