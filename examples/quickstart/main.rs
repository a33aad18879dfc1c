//! The main job, end to end, with nothing but Rust: firmware runs on a simulated RISC-V CPU and is served by vhost.
//!
//! ```sh
//! cargo run --release --example quickstart                 # firmware/selftest-rv32.elf
//! cargo run --release --example quickstart -- other.elf    # firmware of yours
//! VHOST_TRACE=run.trace cargo run --release --example quickstart   # and all that was said is recorded
//! ```
//!
//! - `chip.rs`: the CPU and its RAM; in real life an RTL simulation.
//! - `testbench.rs`: starts the host, and answers what firmware calls.
//! - `mem.yaml`, `mailbox.yaml`: what the chip's memory is, and where the mailbox is.
//! - this file: lets CPU and host take turns until firmware exits.
//!
//! The exit status is that of the firmware; 255 where it is larger, and where there is none.
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

/// What runs if nothing else is asked for: every service, each answer checked.
pub const SELFTEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware/selftest-rv32.elf");

/// The host looks at the mailbox every so many instructions.
const INSTRUCTIONS_PER_TICK: u64 = 10;

/// Firmware that has not exited by then never will.
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

/// Runs the firmware, shows what there was, and gives its exit code.
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

/// The process's exit status for that of the firmware, whose codes have 32 bits: none but 0 is a success.
pub fn exit_status(code: u32) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// How a run ended.
#[derive(Debug)]
pub struct End {
    /// The firmware's exit code.
    pub code: u32,
    /// Instructions that it took.
    pub instructions: u64,
}

/// Lets CPU and host take turns until the firmware exits.
///
/// # Errors
/// Where the CPU can't go on, the host can't, or the firmware hangs.
pub fn run(vhost: &Vhost) -> Result<End, Box<dyn Error>> {
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
        Some(code) => Ok(End { code, instructions }),
        None => Err(format!(
            "the firmware did not exit within {instructions} instructions; it is at {:#x}, and the host says:\n{}",
            chip.pc(),
            vhost.status()?.trim_end()
        )
        .into()),
    }
}
