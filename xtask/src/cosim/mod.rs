//! `cargo xtask cosim`: RTL simulations with the library loaded, most with firmware on a CPU.
//!
//! - [`selection`]: options, and the cases that they select;
//! - [`case`]: cases of `integration/cases.toml`, and the check of their results;
//! - [`case_run`]: the run of one case; [`simulate`]: a simulation and its output;
//! - [`selected_cases`]: the run of all selected cases; [`summary`]: their outcomes;
//! - [`abi`]: firmware with HTIF, RTT or semihosting;
//! - [`build`]: firmware and library;
//! - [`simulation`]: simulations, which are rebuilt if their inputs change;
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
//! - [`benches`]: benches, of which [`overhead`] is that of the host in a simulation;
//! - [`jobs`]: cases in several processes;
//! - [`limit`]: limits of wall time;
//! - [`load`]: time to load an image;
//! - [`many`]: cost of many runs after one boot.

mod abi;
mod benches;
mod build;
mod case;
mod case_run;
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
mod overhead;
mod recording;
mod rerun;
mod results;
mod riscv_tests;
mod selected_cases;
mod selection;
mod simulate;
mod simulation;
mod summary;

use std::path::Path;

use anyhow::{Result, bail};

use self::build::Builder;
#[cfg(test)]
pub(crate) use self::results::CaseResult;
pub(crate) use self::results::{Results, read as results};
use self::selected_cases::SelectedCases;
pub(crate) use self::selection::Args;
use crate::tool::{
    CCACHE, CLANG, COCOTB, CXX, GHDL, IVERILOG, LIBPYTHON, LLD, LZ4, MAKE, Missing,
    OTHER_VERILATORS, PERL, PICORV32, RISCV32, RISCV64, ROCKET, SYSTEMC, Tool, Toolbox, UVM,
    UVM_2017, VERILATOR, VEXRISCV,
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

/// Runs the cases; returns true if all passed.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let cases = case::read(root)?;
    if args.list {
        args.print_names(&cases);
        return Ok(true);
    }
    args.check(&cases)?;
    let mut tools = Toolbox::new(!args.no_install);
    if let Some(Missing(reason)) = tools.first_missing(&REQUIRED) {
        bail!("{reason}");
    }
    let mut builder = Builder::new(root, tools.get(CCACHE).is_ok(), args.fast_build)?;
    if args.bench {
        let is_selected = |name: &str| args.selects(name, false);
        benches::run(&mut builder, &mut tools, is_selected)?;
        return Ok(true);
    }
    if args.jobs > 1 {
        let (beside, alone) = selection::groups(args, &cases);
        let passed = jobs::run(beside, args.jobs, args.fast_build)?;
        return Ok(jobs::run(alone, 1, args.fast_build)? && passed);
    }
    Ok(SelectedCases::new(args, tools, builder).run(&cases))
}
