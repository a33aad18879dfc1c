//! Overhead of the host in a simulation: the same firmware for the same number of clocks, with and
//! without the host, alternating.
//!
//! Firmware makes a handshake and then counts, so that the chip does the same in each run and the
//! host idles. Without the host, the library loads the image and is not called again. Times are
//! processor time, in nanoseconds per clock.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::build::{Builder, Model, Simulation};
use super::case::Backend;
use super::command;

/// Design with idle firmware, and the runs to measure.
pub(super) struct Bench {
    title: &'static str,
    design: &'static str,
    backend: Option<Backend>,
    clocks: &'static str,
    runs: &'static [Run],
}

/// Run to measure: name, plusargs, and the target ratio to the first run.
type Run = (&'static str, &'static str, Option<f64>);

/// Testbench without UVM, with memory in a C model.
pub(super) const PLAIN: Bench = Bench {
    title: "one core, one channel, memory in a C model",
    design: "picorv32",
    backend: None,
    clocks: "+clocks=2000000",
    runs: &[
        ("without the host", "+tick=0", None),
        (
            "a DPI call per clock that does nothing",
            "+tick=0 +yardstick",
            None,
        ),
        ("a tick on every clock", "+tick=1", Some(1.25)),
        ("a tick on every 16th clock", "+tick=16", Some(1.10)),
        ("ticks when notified", "+notify", Some(1.02)),
    ],
};

/// UVM testbench with memory by UVM's HDL access, in which a poll of a mailbox takes a few calls.
pub(super) const UVM: Bench = Bench {
    title: "one core, one channel, under UVM, memory by uvm_hdl_read",
    design: "single",
    backend: Some(Backend::Uvm),
    clocks: "+clocks=200000",
    runs: &[
        ("without the host", "+UVM_TESTNAME=IdleTest +unserved", None),
        (
            "a tick on every clock",
            "+UVM_TESTNAME=IdleTest +period=1",
            None,
        ),
        (
            "a tick on every 16th clock",
            "+UVM_TESTNAME=IdleTest +period=16",
            Some(1.05),
        ),
        (
            "ticks when notified",
            "+UVM_TESTNAME=IdleTest +notify",
            Some(1.05),
        ),
    ],
};

pub(super) const ROUNDS: usize = 5;

/// Repetitions within a round, of which the fastest counts: other load on the machine only slows
/// down.
const TURNS: usize = 5;

/// Measures all runs and prints their ratios to the first.
pub(super) fn run(builder: &mut Builder<'_>, bench: &Bench) -> Result<()> {
    println!("\n{}", bench.title);
    let images = builder.firmware("bench", &["idle".into()])?;
    let simulation = builder.simulation(Model {
        backend: bench.backend,
        ..Model::of(bench.design)
    })?;
    let time = |plusargs| time(builder.root(), &simulation, &images, plusargs, bench.clocks);
    let mut rounds = vec![];
    for round in 1..=ROUNDS {
        let mut times = vec![f64::INFINITY; bench.runs.len()];
        for _ in 0..TURNS {
            for (least, (_, plusargs, _)) in times.iter_mut().zip(bench.runs) {
                *least = least.min(time(plusargs)?);
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
    for (index, (name, _, target)) in bench.runs.iter().enumerate() {
        let [_, time, _] = spread(rounds.iter().map(|times| times[index]));
        let [least, ratio, most] = spread(rounds.iter().map(|times| times[index] / times[0]));
        let target = match target {
            Some(target) if ratio > *target => format!("  ABOVE {target:.2}"),
            Some(target) => format!("  within {target:.2}"),
            None => String::new(),
        };
        println!("{name:40} {time:9.1}  {ratio:.3} ({least:.3} to {most:.3}){target}");
    }
    Ok(())
}

/// Time of one run, in nanoseconds per clock.
fn time(
    root: &Path,
    simulation: &Simulation,
    images: &[String],
    plusargs: &str,
    clocks: &str,
) -> Result<f64> {
    let plusargs = plusargs.split(' ').chain(["+idle", clocks]);
    let plusargs: Vec<String> = plusargs.map(String::from).collect();
    let output = command(root, simulation, "bench", images, &plusargs)?
        .output()
        .context("cannot start the simulation")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("main: "));
    match line.and_then(|line| line.split(' ').next()) {
        Some(number) if output.status.success() => Ok(number.parse()?),
        _ => bail!("the simulation failed:\n{text}"),
    }
}

/// Minimum, median and maximum.
pub(super) fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [0, values.len() / 2, values.len() - 1].map(|at| values[at])
}
