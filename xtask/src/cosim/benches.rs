//! Benches of `cargo xtask cosim --bench`.

use anyhow::Result;

use super::build::Builder;
use super::{idle, load, many, overhead};
use crate::tool::{IVERILOG, Missing, Tool, Toolbox, UVM};

/// One bench.
pub(super) struct Bench {
    pub(super) name: &'static str,
    required: Option<Tool>,
    run: fn(&mut Builder<'_>) -> Result<()>,
}

pub(super) const BENCHES: [Bench; 5] = [
    Bench {
        name: "plain",
        required: None,
        run: |builder| overhead::run(builder, &overhead::PLAIN),
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
        run: |builder| overhead::run(builder, &overhead::UVM),
    },
    Bench {
        name: "load",
        required: Some(UVM),
        run: load::run,
    },
];

/// Runs the benches whose name is selected.
pub(super) fn run(
    builder: &mut Builder<'_>,
    tools: &mut Toolbox,
    is_selected: impl Fn(&str) -> bool,
) -> Result<()> {
    for bench in BENCHES.iter().filter(|bench| is_selected(bench.name)) {
        match bench.required.map_or(Ok(()), |tool| tools.get(tool)) {
            Ok(()) => (bench.run)(builder)?,
            Err(Missing(reason)) => println!("skipped: {}: {reason}", bench.name),
        }
    }
    Ok(())
}
