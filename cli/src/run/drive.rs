//! Execution of hart and host in turn.

use std::io;

use anyhow::{Result, anyhow, bail};
use riscv_iss::{Bus, Cells, Hart, Instruction, Op, Stop, Trap, Xlen};
use vhost::Vhost;
use vhost::messages::Interface;
use vhost::messages::front_end::OperateError;

use super::checkpoint::{RunState, SaveAt};
use super::idle::is_idle;
use super::input::Input;

/// Number of ticks after the hart has stopped, in which its last requests are served: more than the
/// entries of a queue.
const LAST_TICKS: u32 = 128;

/// Number of equal waits for an interrupt after which the hart counts as stuck.
const ENDLESS_WAITS: u32 = 100_000;

/// Number of ticks between two checks for a loop without an exit.
const LOOP_CHECK_TICKS: u64 = 4096;

/// Maximum size of a polling loop in bytes.
const NEAR: u64 = 256;

/// Number of checks after which a hart in such a loop may be stuck.
const LOOKS: u32 = 64;

/// Speed and length of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Number of instructions between two ticks.
    pub(super) per_tick: u64,
    /// Maximum number of instructions.
    pub(super) most: u64,
}

/// Checkpoints of a run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Checkpoint to take.
    pub(super) save: Option<SaveAt>,
    /// Identity of the image, for a checkpoint.
    pub(super) image: String,
    /// State from which the run continues; the host is already restored.
    pub(super) restored: Option<RunState>,
}

/// End of a run.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) why: Why,
    /// Number of executed instructions.
    pub(super) instructions: u64,
    /// Address of the next instruction, and its assembly.
    pub(super) at: (u64, String),
}

/// Reason of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Every channel has exited.
    Exited,
    /// The limit of instructions is reached.
    Limit,
    /// Trap of firmware without a trap handler.
    Trap(Trap),
    /// Trap in a trap handler, in a loop.
    TrapLoop(Trap),
    /// Firmware waits for an interrupt, and none can come.
    Waits,
    /// Firmware waits for a character after the end of its input.
    Input,
    /// Firmware is at a jump to itself.
    Spins,
    /// The reader of firmware's text has closed it, which its protocols can't report.
    Pipe,
}

/// Runs hart and host until firmware has exited, or can't continue.
///
/// # Errors
/// An error of the host, or an input that can't be read.
pub(super) fn drive<X: Xlen>(
    vhost: &Vhost,
    memory: &mut Cells<'_>,
    mut input: Option<&mut Input>,
    entry: u64,
    pace: Pace,
    plan: &Plan,
) -> Result<Ended> {
    let mut hart = Hart::<X>::new(0, entry);
    hart.stop_at_semihosting(true);
    let mut instructions = 0;
    if let Some(state) = &plan.restored {
        state.resume(&mut hart)?;
        instructions = state.instructions;
    }
    plan.refuse_passed(vhost.now())?;
    // Requests of a mailbox fail then, and firmware decides what follows.
    let has_mailbox = vhost
        .channels()
        .iter()
        .any(|channel| matches!(channel.interface, Interface::Mailbox(_)));
    let mut stuck = StuckDetector::default();
    let why = loop {
        if let Some(input) = &mut input {
            input.feed(vhost)?;
        }
        // Firmware may wait for input in any loop.
        let awaits_input = input.as_ref().is_some_and(|input| input.is_open());
        let run = hart.run(
            memory,
            pace.per_tick.min(pace.most.saturating_sub(instructions)),
        );
        instructions += run.steps;
        let mut awaits_result = false;
        if run.stop == Stop::Semihosting {
            awaits_result = semihost(vhost, &mut hart)? == TrapOutcome::Pending;
        }
        if tick(vhost)? == 0 {
            break Why::Exited;
        }
        let can_wait = run.stop != Stop::Semihosting || awaits_result;
        let awaited = (can_wait && !awaits_input).then_some(vhost);
        if let Some(why) = stuck.at_stop(run.stop, awaited, &hart, memory)? {
            break why;
        }
        if instructions >= pace.most {
            break Why::Limit;
        }
        if vhost.now().is_multiple_of(LOOP_CHECK_TICKS) {
            if !has_mailbox && has_no_reader(vhost) {
                break Why::Pipe;
            }
            if let Some(input) = &mut input
                && input.comes_later()
                && (awaits_result || reads_input(vhost, &hart, memory)?)
            {
                input.sleep()?;
            }
            let awaited = (!awaits_input).then_some(vhost);
            if let Some(why) = stuck.in_loop(awaited, &hart, memory)? {
                break why;
            }
        }
        if let Some(save) = plan.save.as_ref().filter(|it| it.tick == vhost.now()) {
            let read = input.as_ref().map(|input| input.progress()).transpose()?;
            let read = read.unwrap_or_default();
            save.save(vhost, &hart, instructions, read, &plan.image)?;
        }
    };
    plan.refuse_unreached(vhost.now())?;
    Ok(Ended {
        why: last_ticks(vhost, why)?,
        instructions,
        at: (hart.pc(), assembly(&hart, memory)),
    })
}

impl Plan {
    /// Fails if the run begins behind the checkpoint to take.
    fn refuse_passed(&self, now: u64) -> Result<()> {
        if let Some(save) = self.save.as_ref().filter(|it| it.tick <= now) {
            bail!(
                "the run goes on from tick {now}, behind the checkpoint of --save-at {}: ticks count from the begin of the first run; give a larger number",
                save.tick
            );
        }
        Ok(())
    }

    /// Fails if the run has ended before the checkpoint to take.
    fn refuse_unreached(&self, now: u64) -> Result<()> {
        if let Some(save) = self.save.as_ref().filter(|it| it.tick >= now) {
            bail!(
                "the run has ended in tick {now}, before the checkpoint of --save-at {}: give a smaller number of ticks",
                save.tick
            );
        }
        Ok(())
    }
}

/// Detector of firmware that can't continue. Its methods take the host, or `None` while firmware
/// may wait for something that can still come.
#[derive(Default)]
struct StuckDetector {
    waits: Waits,
    /// Jump to itself at the last check.
    spin: Option<u64>,
    samples: PcSamples,
}

impl StuckDetector {
    /// Reason why a hart that has stopped can't continue.
    fn at_stop<X: Xlen>(
        &mut self,
        stop: Stop,
        awaited: Option<&Vhost>,
        hart: &Hart<X>,
        memory: &mut Cells<'_>,
    ) -> Result<Option<Why>> {
        Ok(match stop {
            Stop::Steps => None,
            Stop::Unhandled(trap) => Some(Why::Trap(trap)),
            Stop::TrapLoop(trap) => Some(Why::TrapLoop(trap)),
            Stop::Semihosting | Stop::Wait => match awaited {
                Some(vhost) if self.waits.endless(hart) => {
                    let for_input = stop == Stop::Semihosting || reads_input(vhost, hart, memory)?;
                    Some(if for_input { Why::Input } else { Why::Waits })
                }
                _ => None,
            },
        })
    }

    /// Reason why a hart in a loop can't continue. Called every [`LOOP_CHECK_TICKS`] ticks.
    fn in_loop<X: Xlen>(
        &mut self,
        awaited: Option<&Vhost>,
        hart: &Hart<X>,
        memory: &mut Cells<'_>,
    ) -> Result<Option<Why>> {
        let at = self_jump(hart, memory);
        let spins = at.is_some() && at == self.spin;
        if let Some(vhost) = awaited
            && spins
        {
            return Ok(Some(match reads_input(vhost, hart, memory)? {
                true => Why::Input,
                false => Why::Spins,
            }));
        }
        self.spin = at;
        // In the code that replaces traps, the hart is at no jump to itself.
        let Some(vhost) = awaited else {
            return Ok(None);
        };
        let is_stuck = self.samples.stay(hart.pc()) && reads_input(vhost, hart, memory)?;
        Ok(is_stuck.then_some(Why::Input))
    }
}

/// True if firmware waits for standard input: by a request, or by a console read of HTIF in a loop
/// that nothing else can end.
fn reads_input<X: Xlen>(vhost: &Vhost, hart: &Hart<X>, memory: &mut Cells<'_>) -> Result<bool> {
    let status = vhost.status().map_err(|error| anyhow!("{error}"))?;
    let mut waits = status
        .lines()
        .filter(|line| line.contains("waits for more bytes of the standard input"));
    // Firmware may continue during a console read.
    Ok(waits.any(|line| !line.contains("or for a command in tohost") || is_idle(hart, memory)))
}

/// True if text of firmware was written to a pipe without a reader.
fn has_no_reader(vhost: &Vhost) -> bool {
    let error = vhost.output_error();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Outcome of an operation of semihosting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrapOutcome {
    /// The hart continues.
    Done,
    /// The operation waits for input.
    Pending,
}

/// Carries out the operation that the hart asks for, by the channel that has semihosting.
fn semihost<X: Xlen>(vhost: &Vhost, hart: &mut Hart<X>) -> Result<TrapOutcome> {
    let (operation, argument) = (hart.register(10), hart.register(11));
    for channel in vhost.exits() {
        match vhost.semihost(&channel.name, 0, operation, argument) {
            Ok(Some(value)) => {
                hart.set_register(10, value);
                hart.set_pc(hart.pc().wrapping_add(4));
                return Ok(TrapOutcome::Done);
            }
            Ok(None) => return Ok(TrapOutcome::Pending),
            Err(vhost::Error::Semihost {
                cause: OperateError::OtherProtocol,
                ..
            }) => {}
            Err(error) => bail!("{error}"),
        }
    }
    // Without such a channel, firmware handles the trap itself.
    hart.stop_at_semihosting(false);
    Ok(TrapOutcome::Done)
}

/// Ticks the host. Returns the number of channels that have not exited.
fn tick(vhost: &Vhost) -> Result<usize> {
    // The error may contain a callback's error, which is not `Send`.
    vhost.tick().map_err(|error| anyhow!("{error}"))
}

/// Serves the requests that firmware made before it stopped, possibly its exit.
fn last_ticks(vhost: &Vhost, why: Why) -> Result<Why> {
    // The second half of a command may be missing. A hart that waits or spins would not store it.
    let cuts_commands = matches!(
        why,
        Why::Limit | Why::Pipe | Why::Trap(_) | Why::TrapLoop(_)
    );
    for _ in 0..LAST_TICKS {
        if why == Why::Exited || cuts_commands && settles_next(vhost)? {
            break;
        }
        if tick(vhost)? == 0 {
            return Ok(Why::Exited);
        }
    }
    Ok(why)
}

/// True if the next tick would accept half a command of HTIF as a whole one.
fn settles_next(vhost: &Vhost) -> Result<bool> {
    let status = vhost.status().map_err(|error| anyhow!("{error}"))?;
    let mut ticks = status.lines().filter_map(|line| {
        let (start, _) = line.split_once(" for the other half of a command")?;
        let (_, tick) = start.rsplit_once("waits until tick ")?;
        tick.parse::<u64>().ok()
    });
    Ok(ticks.any(|until| until <= vhost.now() + 1))
}

/// Counter of waits for an interrupt in the same state.
#[derive(Default)]
struct Waits {
    state: Vec<u64>,
    count: u32,
}

impl Waits {
    /// Counts a wait. Returns true if the hart has waited in this state for very long, without a
    /// change of its registers.
    fn endless<X: Xlen>(&mut self, hart: &Hart<X>) -> bool {
        let registers = (0..32).map(|number| hart.register(number));
        let state = registers.chain([hart.pc()]);
        if self.state.iter().copied().eq(state.clone()) {
            self.count += 1;
        } else {
            self.state = state.collect();
            self.count = 0;
        }
        self.count >= ENDLESS_WAITS
    }
}

/// Samples of the hart's program counter.
#[derive(Default)]
struct PcSamples {
    at: u64,
    looks: u32,
}

impl PcSamples {
    /// Counts a sample. Returns true if the hart has been within the same few instructions for
    /// long. It does so ever more rarely, since the caller then requests a status of the host,
    /// which is recorded.
    fn stay(&mut self, pc: u64) -> bool {
        if self.at.abs_diff(pc) < NEAR {
            self.looks += 1;
        } else {
            *self = Self { at: pc, looks: 0 };
        }
        self.looks >= LOOKS && self.looks.is_power_of_two()
    }
}

/// Instruction at the program counter.
fn next<X: Xlen>(hart: &Hart<X>, memory: &mut Cells<'_>) -> Option<Instruction> {
    let pc = hart.pc();
    let low = u16::from_le_bytes(memory.fetch(pc).ok()?);
    let high = u16::from_le_bytes(memory.fetch(pc.wrapping_add(2)).unwrap_or_default());
    Instruction::decode::<X>(u32::from(high) << 16 | u32::from(low))
}

/// Program counter, if it is at a jump to itself.
fn self_jump<X: Xlen>(hart: &Hart<X>, memory: &mut Cells<'_>) -> Option<u64> {
    let instruction = next(hart, memory)?;
    (instruction.op == Op::Jal && instruction.imm == 0).then(|| hart.pc())
}

fn assembly<X: Xlen>(hart: &Hart<X>, memory: &mut Cells<'_>) -> String {
    let instruction = next(hart, memory);
    instruction.map_or_else(|| "no instruction".to_owned(), |it| it.to_string())
}
