//! One simulation of a regression: firmware on the quickstart's CPU, with methods that take simulated time.
//!
//! ```sh
//! firmware/compile.sh rv32 program.elf examples/farm/program.c
//! VHOST_TRACE=run.trace cargo run --release --example farm -- program.elf SEED ROUNDS SLOW
//! ```
//!
//! `SLOW`: ticks that a sample takes longer than in the first revision. The exit status is that of the firmware.

#![allow(
    unreachable_pub,
    reason = "the quickstart's tests use what is `pub` in chip.rs"
)]

#[path = "../quickstart/chip.rs"]
mod chip;

use std::error::Error;
use std::process::ExitCode;
use std::task::Poll;

use vhost::{Call, CallResult, Vhost, mb_server_run};

use chip::Chip;

/// Instructions between two ticks.
const PER_TICK: u64 = 10;

/// Instructions of a round after which firmware counts as hanging.
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

/// Runs the simulation. Returns the exit code of the firmware.
fn simulate() -> Result<u32, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [firmware, numbers @ ..] = &args[..] else {
        return Err("arguments: FIRMWARE SEED ROUNDS SLOW".into());
    };
    let numbers: Result<Vec<u64>, _> = numbers.iter().map(|number| number.parse()).collect();
    let [seed, rounds, slow] = numbers?[..] else {
        return Err("arguments: FIRMWARE SEED ROUNDS SLOW".into());
    };
    let files = tempfile::tempdir()?;
    let quickstart = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart");
    let vhost = Vhost::builder()
        .environment()?
        .memories(format!("{quickstart}/mem.yaml"))
        .mailboxes(format!("{quickstart}/mailbox.yaml"))
        .variable("FIRMWARE", firmware)
        .files(files.path())
        .start()?;
    vhost.register_method("seed", move |_: &Vhost, _: Call<'_>| Ok(Poll::Ready(seed)))?;
    vhost.register_method("rounds", move |_: &Vhost, _: Call<'_>| {
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
fn sample(seed: u64, slow: u64) -> impl FnMut(&Vhost, Call<'_>) -> CallResult {
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
