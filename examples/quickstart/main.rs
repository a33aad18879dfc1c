//! Main use of vhost in Rust only: it serves firmware on a simulated RISC-V CPU.
//!
//! ```sh
//! cargo run --release --example quickstart                 # firmware/selftest-rv32.elf
//! cargo run --release --example quickstart -- other.elf    # firmware of yours
//! VHOST_TRACE=run.trace cargo run --release --example quickstart   # recorded
//! ```
//!
//! - `chip.rs`: the CPU and its RAM; in practice an RTL simulation.
//! - `testbench.rs`: starts the host, and provides the methods that firmware calls.
//! - `mem.yaml`, `mailbox.yaml`: the chip's memory, and the place of the mailbox.
//! - this file: runs CPU and host in turn until firmware exits.
//!
//! The exit status is that of the firmware; 255 if it is larger, or if there is none.
#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(
    unreachable_pub,
    reason = "tests/quickstart.rs has this file as a module, and uses what is `pub`"
)]

mod chip;
mod testbench;

use std::error::Error;
use std::process::ExitCode;

use vhost::attach::Statistics;
use vhost::{Vhost, mb_server_run};

pub use chip::Chip;
pub use testbench::{builder, start};

/// Default firmware: uses every service and checks each response.
pub const SELFTEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware/selftest-rv32.elf");

/// Number of instructions between two polls of the mailbox.
const INSTRUCTIONS_PER_TICK: u64 = 10;

/// Number of instructions after which firmware counts as hanging.
const MOST_INSTRUCTIONS: u64 = 1_000_000;

fn main() -> ExitCode {
    match quickstart() {
        Ok(code) => ExitCode::from(exit_status(code)),
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::from(u8::MAX)
        }
    }
}

/// Runs the firmware, prints its results, and returns its exit code.
fn quickstart() -> Result<u32, Box<dyn Error>> {
    let firmware = std::env::args().nth(1);
    let firmware = firmware.as_deref().unwrap_or(SELFTEST);
    let files = tempfile::tempdir()?;
    let statistics = Statistics::new();

    let builder = builder(firmware, files.path(), std::io::stdout());
    let mut builder = builder.attach(statistics.clone());
    if let Some(trace) = std::env::var_os("VHOST_TRACE") {
        builder = builder.record(trace);
    }
    let vhost = start(builder)?;
    let end = run(&vhost)?;

    println!();
    print!("{}", statistics.table());
    println!();
    println!(
        "{} instructions, {} ticks; exit code {}",
        end.instructions,
        vhost.now(),
        end.code
    );
    Ok(end.code)
}

/// Exit status of the process for firmware's exit code of 32 bits: only 0 becomes 0.
pub fn exit_status(code: u32) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// Result of a run.
#[derive(Debug)]
pub struct RunResult {
    /// Exit code of the firmware.
    pub code: u32,
    /// Number of executed instructions.
    pub instructions: u64,
}

/// Runs CPU and host in turn until the firmware exits.
///
/// # Errors
/// Fails if the CPU or the host can't continue, or if the firmware hangs.
pub fn run(vhost: &Vhost) -> Result<RunResult, Box<dyn Error>> {
    let spaces = vhost.spaces();
    let ram = spaces.get("cpu").and_then(|space| space.get("ram"));
    let [ram] = ram.map_or(&[][..], |ram| ram.buffers) else {
        return Err(
            "mem.yaml: the example needs a memory `ram` of one buffer in the space `cpu`".into(),
        );
    };
    let mut chip = Chip::new(ram.clone());

    let mut trapped = Ok(());
    let exits = mb_server_run(vhost, || {
        trapped = chip.run(INSTRUCTIONS_PER_TICK);
        trapped.is_err() || chip.instructions >= MOST_INSTRUCTIONS
    })?;
    trapped?;

    let instructions = chip.instructions;
    match exits.first().and_then(|channel| channel.code) {
        Some(code) => Ok(RunResult { code, instructions }),
        None => Err(format!(
            "the firmware did not exit within {instructions} instructions; it is at {:#x}, and the host says:\n{}",
            chip.pc(),
            vhost.status()?.trim_end()
        )
        .into()),
    }
}
