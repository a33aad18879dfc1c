//! Cost of an idle host in Icarus Verilog and GHDL: instructions per clock, counted by callgrind,
//! with and without the host.
//!
//! Each run is made in two lengths, and the difference excludes the start. Without the host, the
//! library loads the image and is not called again.

use anyhow::{Context, Result, bail};

use super::build::Builder;
use super::case::Simulator;
use super::limit::Limit;
use super::simulate::command;
use super::simulation::Model;

/// Lengths of a run, in clocks.
const CLOCKS: [u64; 2] = [1000, 3000];

/// Limit of wall time of a run: callgrind makes it about fifty times slower.
const SECONDS: u64 = 1800;

/// One measurement.
struct Run {
    name: &'static str,
    simulator: Simulator,
    design: &'static str,
    /// Arguments of the run, before its length.
    arguments: &'static [&'static str],
    /// Argument that sets the length.
    clocks: &'static str,
}

const fn icarus(name: &'static str, design: &'static str) -> Run {
    Run {
        name,
        simulator: Simulator::Icarus,
        design,
        arguments: &[],
        clocks: "+clocks=",
    }
}

const fn ghdl(name: &'static str, arguments: &'static [&'static str]) -> Run {
    Run {
        name,
        simulator: Simulator::Ghdl,
        design: "ghdl-idle",
        arguments,
        clocks: "-gCLOCKS=",
    }
}

/// Runs of each simulator. The first one is without the host.
const RUNS: [&[Run]; 2] = [
    &[
        icarus("Icarus Verilog, without the host", "icarus-idle"),
        icarus("ticks when notified", "icarus-idle-notified"),
        icarus("a tick on every 16th clock", "icarus-idle-16th"),
        icarus("a tick on every clock", "icarus-idle-every"),
    ],
    &[
        ghdl("GHDL, without the host", &["-gTICKS=false"]),
        ghdl("a tick on every clock", &["-gTICKS=true"]),
    ],
];

/// Measures all runs and prints their ratios to the first of their simulator.
pub(super) fn run(builder: &mut Builder<'_>) -> Result<()> {
    let images = builder.firmware("bench-idle", &["idle".into()])?;
    println!("\n{:34} instructions a clock", "");
    for runs in RUNS {
        let mut without = None;
        for run in runs {
            let per_clock = instructions(builder, run, &images)?;
            let first = *without.get_or_insert(per_clock);
            let share = 100.0 * (per_clock / first - 1.0);
            println!("{:34} {per_clock:10.0}  {share:+.2} %", run.name);
        }
    }
    Ok(())
}

/// Number of instructions per clock.
fn instructions(builder: &mut Builder<'_>, run: &Run, images: &[String]) -> Result<f64> {
    let mut simulation = builder.simulation(Model {
        simulator: run.simulator,
        ..Model::of(run.design)
    })?;
    let program = simulation.program.display().to_string();
    let callgrind = ["--tool=callgrind", "--trace-children=yes"].map(String::from);
    let nowhere = "--callgrind-out-file=/dev/null".to_owned();
    let before = callgrind.into_iter().chain([nowhere, program]);
    simulation.arguments.splice(0..0, before);
    simulation.program = "valgrind".into();
    simulation.limit = Limit::of_seconds(SECONDS);
    let count = |clocks: u64| {
        let mut arguments: Vec<String> = run.arguments.iter().map(ToString::to_string).collect();
        arguments.push(format!("{}{clocks}", run.clocks));
        let output = command(
            builder.root(),
            &simulation,
            "bench-idle",
            images,
            &arguments,
        )?
        .output()
        .context("cannot start valgrind")?;
        let text = String::from_utf8_lossy(&output.stderr);
        let counts = text
            .lines()
            .filter_map(|line| line.split_once("Collected : "))
            .map(|(_, count)| Ok(count.trim().parse::<u64>()?));
        let count: u64 = counts.sum::<Result<u64>>()?;
        if !output.status.success() || count == 0 {
            bail!("{} was not counted:\n{text}", run.design);
        }
        Ok(count)
    };
    let [short, long] = CLOCKS;
    let more = count(long)?.saturating_sub(count(short)?);
    Ok(more as f64 / (long - short) as f64)
}
