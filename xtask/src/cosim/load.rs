//! Time and simulator calls to load an image into an HDL array, for the backends `vpi` and `uvm`,
//! alternating.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::build::{Builder, run_checked};
use super::case::Library;
use super::overhead::{ROUNDS, spread};
use super::simulate::command;
use super::simulation::Model;

const DESIGN: &str = "load";
const SOURCE: &str = "integration/firmware/load.S";
const IMAGE: &str = "target/cosim/load.elf";

/// Minimum ratio of the time of `uvm` to that of `vpi`.
const TARGET: f64 = 5.0;

/// Measures both backends and prints the ratio.
pub(super) fn run(builder: &mut Builder<'_>) -> Result<()> {
    let mut compile = Command::new("clang");
    compile
        .args(["--target=riscv32", "-nostdlib", "-fuse-ld=lld"])
        .args(["-Wl,-Tdata=0,--entry=0,--nmagic", SOURCE, "-o", IMAGE])
        .current_dir(builder.root());
    run_checked(&mut compile, SOURCE)?;
    let simulation = builder.simulation(Model {
        library: Library::Static,
        ..Model::of(DESIGN)
    })?;
    let plusargs = [format!("+image={IMAGE}")];

    println!("\nloading 64 KiB:");
    let mut ratios = vec![];
    for round in 1..=ROUNDS {
        let output = command(builder.root(), &simulation, DESIGN, &[], &plusargs)?
            .output()
            .context("cannot start the simulation")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("the simulation failed:\n{text}");
        }
        let line = |backend: &str| {
            let start = format!("load: {backend}: ");
            let line = text.lines().find_map(|line| line.strip_prefix(&start));
            line.with_context(|| format!("the simulation says nothing of {backend}:\n{text}"))
        };
        let time = |line: &str| {
            Ok::<f64, anyhow::Error>(line.split(' ').next().unwrap_or_default().parse()?)
        };
        let (vpi, uvm) = (line("vpi")?, line("uvm")?);
        println!("round {round}: vpi {vpi}\n         uvm {uvm}");
        ratios.push(time(uvm)? / time(vpi)?);
    }
    let [least, ratio, most] = spread(ratios.into_iter());
    let verdict = if ratio < TARGET { "BELOW" } else { "at least" };
    println!(
        "\nuvm takes {ratio:.1} ({least:.1} to {most:.1}) times as long as vpi: {verdict} {TARGET}"
    );
    Ok(())
}
