//! Error of a run that did not end well, and exit status.

use anyhow::Result;
use riscv_iss::{Cause, Trap};
use vhost::messages::{ChannelDescriptor, Interface};
use vhost::{ChannelExit, Vhost};

use super::drive::{Ended, Why};
use super::memory::guard;
use super::program::Program;
use super::reports::Reports;
use super::{FAILED, FOUND, LIMIT};

/// Prefix of the error of a run that has reached its limit. The following text has the place, which
/// depends on the limit.
pub(crate) const LIMIT_REACHED: &str = "firmware did not exit within --max-instructions";

/// End of a run.
#[derive(Debug)]
pub(super) struct Ending {
    /// Exit status of the process.
    pub(super) status: u8,
    /// Error of the run; `None` if the status is that of firmware.
    pub(super) error: Option<Error>,
}

/// Error of a run.
#[derive(Debug)]
pub(super) enum Error {
    /// Firmware can't continue. The state of its channels is printed, too.
    Stuck(String),
    /// The host can't continue.
    Host(String),
    /// Text of firmware is lost. The library has printed the reason.
    Lost(String),
}

impl Ending {
    /// Ending of a run in its last tick.
    pub(super) fn of(
        program: &Program,
        vhost: &Vhost,
        reports: &Reports,
        ended: Result<Ended>,
    ) -> Self {
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => return Self::failed(Error::Host(format!("{error:#}"))),
        };
        if ended.why == Why::Pipe {
            return Self::failed(Error::Host(format!(
                "standard output: broken pipe: firmware was stopped, as it can't be told; {}",
                counts(&ended, vhost.now())
            )));
        }
        let status = status(&ended, &vhost.exits());
        if let Some(text) = failure(program, &vhost.channels(), &ended, vhost.now()) {
            let error = Some(Error::Stuck(text));
            return Self { status, error };
        }
        match vhost.output_error() {
            Some(error) if status == 0 => Self::failed(Error::Lost(format!(
                "all firmware has exited with 0, and text of it is lost: {error}"
            ))),
            _ if status == 0 && reports.has_lost_signature() => Self::failed(Error::Lost(
                "all firmware has exited with 0, and its signature is not written".to_owned(),
            )),
            // The library reports them at the end of the system.
            _ if status == 0 && vhost.error_findings() > 0 => Self {
                status: FOUND,
                error: None,
            },
            _ => Self {
                status,
                error: None,
            },
        }
    }

    fn failed(error: Error) -> Self {
        Self {
            status: FAILED,
            error: Some(error),
        }
    }
}

impl Error {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Stuck(text) | Self::Host(text) | Self::Lost(text) => text,
        }
    }
}

/// Text on a run that ended without an exit: reason, place, and remedy.
fn failure(
    program: &Program,
    channels: &[ChannelDescriptor],
    ended: &Ended,
    ticks: u64,
) -> Option<String> {
    let (pc, assembly) = &ended.at;
    let place = program.place(*pc);
    // The previous instruction, which has four bytes.
    let wait = program.place(pc.wrapping_sub(4));
    let text = match ended.why {
        Why::Exited | Why::Pipe => return None,
        Why::Limit => format!(
            "{LIMIT_REACHED} {}: it is at {place}, `{assembly}`",
            ended.instructions
        ),
        Why::Trap(trap) => format!(
            "firmware stopped: {}, and it has set no trap handler (mtvec){}",
            described(program, &trap),
            advice(program, &trap)
        ),
        Why::TrapLoop(trap) => format!(
            "firmware hangs: its trap handler causes a trap each time it runs: {}{}",
            described(program, &trap),
            advice(program, &trap)
        ),
        Why::Waits => format!(
            "firmware hangs: it waits at {wait}, `wfi`, and no interrupt comes: have it poll what it waits for, or {}",
            exit_by(channels)
        ),
        Why::Input => format!(
            "firmware hangs: it waits at {place} for a character, and its standard input has ended: give more by --stdin"
        ),
        Why::Spins => format!(
            "firmware hangs: it is at {place}, `{assembly}`, a jump to itself: before that {}",
            exit_by(channels)
        ),
    };
    Some(format!("{text}; {}", counts(ended, ticks)))
}

/// Clause about the length of a run.
fn counts(ended: &Ended, ticks: u64) -> String {
    format!("after {} instructions in {ticks} ticks", ended.instructions)
}

/// Clause about the exits of the served protocols.
fn exit_by(channels: &[ChannelDescriptor]) -> String {
    let mut ways: Vec<_> = channels.iter().filter_map(exit_of).collect();
    ways.sort_unstable();
    ways.dedup();
    match &ways[..] {
        [] => {
            "end the run by --max-instructions: RTT has no exit; or add another protocol".to_owned()
        }
        _ => format!("have it exit ({})", ways.join(", or ")),
    }
}

/// Exit of a channel's protocol.
fn exit_of(channel: &ChannelDescriptor) -> Option<&'static str> {
    match channel.interface {
        Interface::Mailbox(_) => Some("mb_exit"),
        Interface::Htif(_) => Some("a code in tohost"),
        Interface::Semihosting(_) => Some("EXIT of semihosting"),
        Interface::Rtt(_) => None,
    }
}

/// Text of a trap, with the symbol of its place.
fn described(program: &Program, trap: &Trap) -> String {
    let text = trap.to_string();
    let address = format!("{:#x}", trap.pc);
    // After a failed fetch there is no instruction, and the address may be anywhere.
    if trap.cause == Cause::InstructionAccessFault {
        return text;
    }
    match text.strip_suffix(&address) {
        Some(start) => format!("{start}{}", program.place(trap.pc)),
        None => text,
    }
}

fn advice(program: &Program, trap: &Trap) -> String {
    match trap.cause {
        Cause::IllegalInstruction => format!(
            "; the simulator has RV{}IMAC, Zicsr and Zifencei in machine mode: compile for these",
            8 * program.ptr_width().bytes()
        ),
        Cause::LoadAccessFault | Cause::StoreAccessFault
            if guard(program).contains(&trap.value) =>
        {
            "; the address is in the guard below the stack, which overflows: give flags.sh a larger --stack"
                .to_owned()
        }
        Cause::LoadAccessFault | Cause::StoreAccessFault => {
            "; if the chip has memory there, give --base and --mem, or --memory FILE".to_owned()
        }
        Cause::Breakpoint if program.is_semihosting(trap.pc) => {
            "; it is a trap of semihosting, which no channel serves: give --mailbox FILE with a channel of the same space and image that has \
             `abi: semihosting`, `stub: none` and `load: false`, or link firmware without semihosting"
                .to_owned()
        }
        _ => String::new(),
    }
}

/// Exit status of the process.
fn status(ended: &Ended, exits: &[ChannelExit]) -> u8 {
    match ended.why {
        Why::Exited => {
            let codes = exits.iter().filter_map(|exit| exit.code);
            let failed = codes.into_iter().find(|code| *code != 0);
            // Only 0 becomes 0.
            failed.map_or(0, |code| u8::try_from(code).unwrap_or(u8::MAX))
        }
        Why::Limit => LIMIT,
        Why::Trap(_) | Why::TrapLoop(_) | Why::Waits | Why::Input | Why::Spins | Why::Pipe => {
            FAILED
        }
    }
}
