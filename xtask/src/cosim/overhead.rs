//! Overhead of the host in a simulation: the same number of clocks, with and without the host,
//! alternating.
//!
//! Idle firmware makes a handshake and then counts, so that the chip does the same in each run and
//! the host idles. Without the host, the library loads the image and is not called again. Times are
//! processor time, in nanoseconds per clock.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::build::Builder;
use super::case::Backend;
use super::simulate::{command, files};
use super::simulation::{Model, Simulation};

/// Design, and the runs to measure.
pub(super) struct Bench {
    title: &'static str,
    design: &'static str,
    backend: Option<Backend>,
    clocks: &'static str,
    runs: &'static [Run],
}

/// One measurement.
struct Run {
    name: &'static str,
    firmware: &'static str,
    plusargs: &'static str,
    output: Output,
    /// Ratio to the first run that must be reached.
    aim: Option<f64>,
}

/// Target of the simulation's standard output.
#[derive(Clone, Copy)]
enum Output {
    /// A pipe. Each printed line wakes its reader, which the writer's processor time includes.
    Pipe,
    /// A file, like a simulator's log.
    File,
}

const fn idle(name: &'static str, plusargs: &'static str, aim: Option<f64>) -> Run {
    Run {
        name,
        firmware: "idle",
        plusargs,
        output: Output::Pipe,
        aim,
    }
}

const fn printing(name: &'static str, output: Output) -> Run {
    Run {
        name,
        firmware: "prints",
        plusargs: "+tick=1",
        output,
        aim: Some(1.4),
    }
}

/// Testbench without UVM, with memory in a C model.
pub(super) const PLAIN: Bench = Bench {
    title: "one core, one channel, memory in a C model",
    design: "picorv32",
    backend: None,
    clocks: "+clocks=2000000",
    runs: &[
        idle("without the host", "+tick=0", None),
        idle(
            "a DPI call per clock that does nothing",
            "+tick=0 +yardstick",
            None,
        ),
        idle("ticks when notified", "+notify", Some(1.02)),
        idle("a tick on every 16th clock", "+tick=16", Some(1.05)),
        idle("a tick on every clock", "+tick=1", Some(1.25)),
        printing("the same, firmware prints into a file", Output::File),
        printing("the same, firmware prints into a pipe", Output::Pipe),
    ],
};

/// UVM testbench with memory by UVM's HDL access, in which a poll of a mailbox takes a few calls.
pub(super) const UVM: Bench = Bench {
    title: "one core, one channel, under UVM, memory by uvm_hdl_read",
    design: "single",
    backend: Some(Backend::Uvm),
    clocks: "+clocks=200000",
    runs: &[
        idle("without the host", "+UVM_TESTNAME=IdleTest +unserved", None),
        idle(
            "a tick on every clock",
            "+UVM_TESTNAME=IdleTest +period=1",
            None,
        ),
        idle(
            "a tick on every 16th clock",
            "+UVM_TESTNAME=IdleTest +period=16",
            Some(1.05),
        ),
        idle(
            "ticks when notified",
            "+UVM_TESTNAME=IdleTest +notify",
            Some(1.05),
        ),
    ],
};

pub(super) const ROUNDS: usize = 5;

/// Repetitions within a round. The fastest counts, since other load on the machine only slows a run
/// down.
const TURNS: usize = 5;

/// Measures all runs and prints their ratios to the first.
pub(super) fn run(builder: &mut Builder<'_>, bench: &Bench) -> Result<()> {
    println!("\n{}", bench.title);
    let images = |builder: &mut Builder<'_>, run: &Run| {
        let case = format!("bench-{}", run.firmware);
        builder.firmware(&case, &[run.firmware.into()])
    };
    let images: Vec<_> = bench
        .runs
        .iter()
        .map(|run| images(builder, run))
        .collect::<Result<_>>()?;
    let simulation = builder.simulation(Model {
        backend: bench.backend,
        ..Model::of(bench.design)
    })?;
    let time =
        |run: &Run, images: &[String]| time(builder.root(), &simulation, images, run, bench.clocks);
    let mut rounds = vec![];
    for round in 1..=ROUNDS {
        let mut times = vec![f64::INFINITY; bench.runs.len()];
        for _ in 0..TURNS {
            for ((least, run), images) in times.iter_mut().zip(bench.runs).zip(&images) {
                *least = least.min(time(run, images)?);
            }
        }
        let shown: Vec<_> = times.iter().map(|time| format!("{time:.1}")).collect();
        println!("round {round}: {} ns a clock", shown.join(", "));
        rounds.push(times);
    }
    println!(
        "\n{:40} {:>9}  ratio of each round: median (least to most)",
        "", "ns a clock"
    );
    for (index, Run { name, aim, .. }) in bench.runs.iter().enumerate() {
        let [_, time, _] = spread(rounds.iter().map(|times| times[index]));
        let [least, ratio, most] = spread(rounds.iter().map(|times| times[index] / times[0]));
        let aim = match aim {
            Some(aim) if ratio > *aim => format!("  ABOVE {aim:.2}"),
            Some(aim) => format!("  within {aim:.2}"),
            None => String::new(),
        };
        println!("{name:40} {time:9.1}  {ratio:.3} ({least:.3} to {most:.3}){aim}");
    }
    Ok(())
}

/// Time of one run, in nanoseconds per clock.
fn time(
    root: &Path,
    simulation: &Simulation,
    images: &[String],
    run: &Run,
    clocks: &str,
) -> Result<f64> {
    let plusargs = run.plusargs.split(' ').chain(["+idle", clocks]);
    let plusargs: Vec<String> = plusargs.map(String::from).collect();
    let mut simulation = command(root, simulation, "bench", images, &plusargs)?;
    let (status, text) = match run.output {
        Output::Pipe => {
            let output = simulation.output().context("cannot start the simulation")?;
            (output.status, output.stdout)
        }
        Output::File => {
            let log = root.join(files("bench")).with_extension("log");
            let file =
                File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
            let status = simulation.stdin(Stdio::null()).stdout(file).status();
            let status = status.context("cannot start the simulation")?;
            (
                status,
                fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?,
            )
        }
    };
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find_map(|line| line.strip_prefix("main: "));
    match line.and_then(|line| line.split(' ').next()) {
        Some(number) if status.success() => Ok(number.parse()?),
        _ => bail!("the simulation failed:\n{text}"),
    }
}

/// Minimum, median and maximum.
pub(super) fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [0, values.len() / 2, values.len() - 1].map(|at| values[at])
}
