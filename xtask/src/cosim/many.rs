//! Cost of many runs after one boot: children forked from one simulation, compared with simulations
//! that each boot.

use std::path::Path;

use anyhow::{Result, bail};

use super::build::Builder;
use super::overhead::spread;
use super::simulate::command;
use super::simulation::{Model, Simulation};
use crate::clock::Clock;

const RUNS: u32 = 50;

/// Number of measurements, of which the median counts.
const ROUNDS: usize = 3;

/// Rounds of work after the boot. The boot has nine times as many; the total is 2.6 million clocks.
const WORK: &str = "+rounds=8000";

/// Maximum ratio of the children's processor time to that of separate simulations.
const TARGET: f64 = 0.2;

/// Exit status of firmware with payload 0.
const FIRST: u32 = 100;

/// Measures both and prints the ratio of processor time.
pub(super) fn run(builder: &mut Builder<'_>) -> Result<()> {
    println!(
        "\n{RUNS} runs, of which the boot is nine tenths: children of one boot, and each with its own"
    );
    let images = builder.firmware("many", &["payload".into()])?;
    let simulation = builder.simulation(Model::of("picorv32"))?;
    let root = builder.root();
    let roots = "+roots=target/cosim/files/many";
    let mut ratios = vec![];
    for round in 1..=ROUNDS {
        let forked = [format!("+runs={RUNS}"), WORK.into(), roots.into()];
        let forked = time(root, &simulation, &images, &forked, FIRST)?;
        let mut cold = 0.0;
        for run in 0..RUNS {
            let alone = [format!("+run={run}"), WORK.into(), roots.into()];
            cold += time(root, &simulation, &images, &alone, FIRST + run)?;
        }
        let ratio = forked / cold;
        println!("round {round}: {forked:.2} s of processor time, and {cold:.2} s: {ratio:.3}");
        ratios.push(ratio);
    }
    let [least, ratio, most] = spread(ratios.into_iter());
    let verdict = if ratio > TARGET { "ABOVE" } else { "within" };
    println!("\nratio {ratio:.3} ({least:.3} to {most:.3}): {verdict} {TARGET}");
    Ok(())
}

/// Processor time of a simulation and its children, in seconds.
fn time(
    root: &Path,
    simulation: &Simulation,
    images: &[String],
    plusargs: &[String],
    status: u32,
) -> Result<f64> {
    let clocks = "+clocks=20000000".to_owned();
    let plusargs = [plusargs, &[clocks]].concat();
    let mut command = command(root, simulation, "many", images, &plusargs)?;
    let clock = Clock::start();
    let output = command.output()?;
    if output.status.code() != Some(i32::try_from(status)?) {
        let text = String::from_utf8_lossy(&output.stdout);
        bail!("the simulation failed, {}:\n{text}", output.status);
    }
    Ok(clock.elapsed().cpu.as_secs_f64())
}
