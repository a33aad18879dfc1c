//! One simulation of a regression: firmware on the quickstart's CPU, with methods that take
//! simulated time.
//!
//! ```sh
//! firmware/compile.sh rv32 program.elf examples/farm/program.c
//! VHOST_TRACE=run.trace cargo run --release --example farm -- program.elf SEED ROUNDS SLOW
//! ```
//!
//! `SLOW`: number of ticks by which a sample is slower than in the first revision. The exit status
//! is that of the firmware.

#![allow(
    unreachable_pub,
    reason = "the quickstart's tests use what is `pub` in chip.rs"
)]

#[path = "../quickstart/chip.rs"]
mod chip;

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::task::Poll;

use vhost::{CallResult, HostProgramCall, Vhost, mb_server_run};

use chip::Chip;

/// Instructions between two ticks.
const PER_TICK: u64 = 10;

/// Number of instructions of a round after which firmware counts as hanging.
const MOST_OF_ROUND: u64 = 100_000;

fn main() -> ExitCode {
    match simulate() {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        Err(error) => {
            eprintln!("farm: {error}");
            ExitCode::from(u8::MAX)
        }
    }
}

/// Starts the system of the quickstart's CPU.
fn start(firmware: &str, files: &Path) -> Result<Vhost, vhost::Error> {
    let quickstart = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart");
    Vhost::builder()
        .environment()?
        .memories(format!("{quickstart}/mem.yaml"))
        .mailboxes(format!("{quickstart}/mailbox.yaml"))
        .variable("FIRMWARE", firmware)
        .files(files)
        .start()
}

/// Records the error of a run that can't start, so that an earlier recording of this name does not
/// count for it.
fn record_failure(error: &vhost::Error) {
    let Some(trace) = env::var_os("VHOST_TRACE") else {
        return;
    };
    let builder = Vhost::builder().environment_identity().record(trace);
    // `main` prints the error itself.
    let _ = builder.record_failure("farm", &error.to_string());
}

/// Runs the simulation. Returns the exit code of the firmware.
fn simulate() -> Result<u32, Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [firmware, numbers @ ..] = &args[..] else {
        return Err("arguments: FIRMWARE SEED ROUNDS SLOW".into());
    };
    let numbers: Result<Vec<u64>, _> = numbers.iter().map(|number| number.parse()).collect();
    let [seed, rounds, slow] = numbers?[..] else {
        return Err("arguments: FIRMWARE SEED ROUNDS SLOW".into());
    };
    let files = tempfile::tempdir()?;
    let vhost = start(firmware, files.path()).inspect_err(record_failure)?;
    vhost.register_method("seed", move |_: &Vhost, _: HostProgramCall<'_>| {
        Ok(Poll::Ready(seed))
    })?;
    vhost.register_method("rounds", move |_: &Vhost, _: HostProgramCall<'_>| {
        Ok(Poll::Ready(rounds))
    })?;
    vhost.register_method("sample", sample(seed, slow))?;

    let spaces = vhost.spaces();
    let ram = spaces.get("cpu").and_then(|space| space.get("ram"));
    let [ram] = ram.map_or(&[][..], |ram| ram.buffers) else {
        return Err("mem.yaml has no memory `ram` of one buffer".into());
    };
    let mut chip = Chip::new(ram.clone());
    let most = MOST_OF_ROUND.saturating_mul(rounds.saturating_add(1));
    let mut trapped = Ok(());
    let exits = mb_server_run(&vhost, || {
        trapped = chip.run(PER_TICK);
        trapped.is_err() || chip.instructions >= most
    })?;
    trapped?;
    let code = exits.first().and_then(|channel| channel.code);
    let code = code.ok_or_else(|| format!("firmware hangs at {:#x}", chip.pc()))?;
    vhost.shutdown();
    Ok(code)
}

/// Sample of a port: `sample(port, round)` returns the ticks that it took.
fn sample(seed: u64, slow: u64) -> impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult {
    let mut since = None;
    move |vhost, call| {
        let [port, round] = *call.args else {
            return Err("sample(port, round) takes two arguments".into());
        };
        let duration = 1 + port + (seed + round) % 4 + slow;
        let waited = vhost.now() - *since.get_or_insert(vhost.now());
        if waited < duration {
            return Ok(Poll::Pending);
        }
        since = None;
        Ok(Poll::Ready(waited))
    }
}
