//! `vhost run`: runs an image on the instruction-set simulator, with this process as its host.
//!
//! - `program`: entry point, width and symbols of the image.
//! - `channels`: channels of an image without configuration, found in the image.
//! - `services`: arguments, environment, standard streams and time of firmware.
//! - `system`: memory and channels for an image without configuration, or from configuration files.
//! - `memory`: memory of the hart: the bytes of the system's memories.
//! - `checkpoint`: state of a run in a file.
//! - `files`: files that the run reads and writes.
//! - `drive`: hart and host in turn, until firmware exits or can't continue.
//! - `idle`: loops in which a hart changes nothing.
//! - `input`: standard input of firmware.
//! - `ending`: error of a run that did not end well, and the exit status.
//! - `reports`: reports of the system on standard error.
//! - `size`: sizes and addresses of the command line.

mod channels;
mod checkpoint;
mod drive;
mod ending;
mod files;
mod idle;
mod input;
mod memory;
mod program;
mod reports;
mod services;
mod size;
mod system;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use mailbox_rs::PtrWidth;
use riscv_iss::{Rv32, Rv64};
use vhost::Vhost;
use vhost::attach::{self, AttachError, Builtin};
use vhost::messages::foreign::Severity;

use crate::ExitOutcome;
use crate::output::{ERROR, WholeStderr};
use checkpoint::{RunState, SaveAt};
use drive::{Ended, Pace, Plan, drive};
pub(crate) use ending::LIMIT_REACHED;
use ending::{Ending, Error};
use input::Input;
use memory::memory;
use program::Program;
use reports::Reports;
pub(crate) use services::is_made;
use services::{Clock, Protocol};
use size::{address, bytes};

/// Exit status if the limit of instructions was reached.
const LIMIT: u8 = 124;

/// Exit status if firmware has exited with 0, and attached checkers have found errors.
const FOUND: u8 = 123;

/// Exit status if the run can't start, or firmware can't continue.
const FAILED: u8 = 125;

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: that of firmware, 255 where it is larger; 123 where that is 0 and --attach check has found errors; 124 where --max-instructions was reached; 125 where \
                  the run can't start, firmware crashed or hangs, or its output can't be written; 2 where the command line is wrong.\n\n\
                  VHOST_TRACE, VHOST_ATTACH, VHOST_WATCHDOG and VHOST_LOG work as in a simulation."
)]
pub(crate) struct Args {
    /// The image: a linked ELF file for RISC-V of 32 or 64 bits
    image: PathBuf,
    /// Directory of firmware's files; without it there are none
    #[arg(long, value_name = "DIR", env = "MAILBOX_FS_ROOT")]
    files: Option<PathBuf>,
    /// Standard input of firmware: a file, or `-` for that of this process; without it there is
    /// none
    #[arg(long, value_name = "FILE", conflicts_with = "mailbox")]
    stdin: Option<PathBuf>,
    /// Size of the RAM, as 64K, 16M, 1G or a number of bytes, rounded up to 4 KiB [default: 16M, or
    /// more if the image needs it]
    #[arg(long, value_name = "SIZE", value_parser = bytes, conflicts_with = "memory")]
    mem: Option<u64>,
    /// Lowest address of the RAM, rounded down to 4 KiB [default: that of the image]
    #[arg(long, value_name = "ADDRESS", value_parser = address, conflicts_with = "memory")]
    base: Option<u64>,
    /// A memory configuration in place of the RAM; ${IMAGE} is the image. All memories are static,
    /// of one array
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
    /// A mailbox configuration in place of one channel in section .mailbox; ${IMAGE} is the image
    #[arg(long, value_name = "FILE")]
    mailbox: Option<PathBuf>,
    /// Space of the memory configuration that the image runs in
    #[arg(
        long,
        value_name = "NAME",
        default_value = "cpu",
        requires = "memory",
        conflicts_with = "mailbox"
    )]
    space: String,
    /// Cache line of the channel, MB_CACHE_LINE of firmware, if the image has no note about it
    #[arg(long, value_name = "BYTES", conflicts_with = "mailbox")]
    cache_line: Option<u64>,
    /// File below --files for the signature of a test with HTIF, from begin_signature to
    /// end_signature, written at the exit
    #[arg(
        long,
        value_name = "FILE",
        requires = "files",
        conflicts_with = "mailbox"
    )]
    signature: Option<String>,
    /// Bytes in a line of the signature
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 16,
        requires = "signature",
        conflicts_with = "mailbox"
    )]
    granularity: u64,
    /// Variable of firmware's environment; more than once for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = services::variable, conflicts_with = "mailbox")]
    env: Vec<(String, String)>,
    /// Source of firmware's time: its own ticks, of 1 ns an instruction, or the time of this
    /// machine
    #[arg(
        long,
        value_name = "CLOCK",
        default_value = "ticks",
        conflicts_with = "mailbox"
    )]
    clock: Clock,
    /// Highest protocol version of the host, to see firmware on an older one [default: 0.3]
    #[arg(long, value_name = "VERSION", conflicts_with = "mailbox")]
    protocol: Option<Protocol>,
    /// Instructions between two ticks of the host
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    per_tick: u64,
    /// Instructions after which firmware counts as hanging [default: none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_instructions: Option<u64>,
    /// Record all messages, for `vhost trace` and `vhost replay`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Attach loggers, checkers and collectors: `check`, `log`, `log-json`, `statistics`, each with
    /// `=FILE` or, for `check`, `=SEVERITY`; commas between them
    #[arg(long, value_name = "LIST", value_parser = attached)]
    attach: Vec<Vec<Builtin>>,
    /// Write a checkpoint to FILE after N ticks of the host, and go on
    #[arg(long, num_args = 2, value_names = ["N", "FILE"])]
    save_at: Vec<String>,
    /// Go on from a checkpoint of `--save-at`; the other options are to be those of that run
    #[arg(long, value_name = "FILE")]
    restore: Option<PathBuf>,
    /// Print the state of the channels at the end; it is printed anyway where firmware does not
    /// exit
    #[arg(long)]
    status: bool,
    /// Arguments of firmware, behind its name
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

fn attached(list: &str) -> Result<Vec<Builtin>, AttachError> {
    attach::parse(list)
}

pub(crate) fn run(args: &Args) -> Result<ExitOutcome> {
    if args.mailbox.is_some() && !args.args.is_empty() {
        bail!(
            "arguments of firmware behind `--` are not for --mailbox: give them by the key `args` of a channel there"
        );
    }
    files::of(args).are_distinct()?;
    match execute(args) {
        Ok(status) => Ok(ExitOutcome::Status(status)),
        Err(error) => {
            // Without standard error there is no way to report.
            let _ = writeln!(WholeStderr::default(), "{ERROR}error:{ERROR:#} {error:#}");
            Ok(ExitOutcome::Status(FAILED))
        }
    }
}

/// Runs the image. Returns the exit status of the process.
fn execute(args: &Args) -> Result<u8> {
    let reports = Reports::default();
    let started = start(args, &reports);
    let (program, save, vhost) =
        started.inspect_err(|error| reports::record_unstarted(args, error))?;
    let ended = serve(args, &program, &vhost, save);
    finish(args, &program, vhost, &reports, ended)
}

/// Reads the image, and starts its system.
fn start(args: &Args, reports: &Reports) -> Result<(Program, Option<SaveAt>, Vhost)> {
    let program = Program::open(&args.image)?;
    let save = SaveAt::of(&args.save_at)?;
    let vhost = system::start(args, &program, reports)?;
    Ok((program, save, vhost))
}

/// Runs the image until firmware has exited, or can't continue.
fn serve(args: &Args, program: &Program, vhost: &Vhost, save: Option<SaveAt>) -> Result<Ended> {
    if vhost.exits().is_empty() {
        bail!("no channel is served: the mailbox configuration is to have one with a mailbox");
    }
    let input = args.stdin.as_deref();
    let mut input = input.map(|file| Input::open(file, vhost)).transpose()?;
    let restored = args.restore.as_deref();
    let restored = restored.map(|file| RunState::restore(vhost, file, program));
    let restored = restored.transpose()?;
    if let Some(state) = &restored {
        resume_input(args, vhost, input.as_mut(), state)?;
    }
    let image = match save {
        Some(_) => program.identity()?,
        None => String::new(),
    };
    let plan = Plan {
        save,
        image,
        restored,
    };
    let mut memory = memory(vhost, args, program)?;
    let pace = Pace {
        per_tick: args.per_tick,
        most: args.max_instructions.unwrap_or(u64::MAX),
    };
    let (entry, input) = (program.entry(), input.as_mut());
    match program.ptr_width() {
        PtrWidth::P4 => drive::<Rv32>(vhost, &mut memory, input, entry, pace, &plan),
        PtrWidth::P8 => drive::<Rv64>(vhost, &mut memory, input, entry, pace, &plan),
    }
}

/// Continues the standard input from a checkpoint, and reports a difference from that of its run.
fn resume_input(
    args: &Args,
    vhost: &Vhost,
    input: Option<&mut Input>,
    state: &RunState,
) -> Result<()> {
    let taken = state.input.iter().map(|it| it.taken).max().unwrap_or(0);
    let difference = match input {
        None if state.input.iter().any(|it| !it.has_ended) => Some(format!(
            "the run of the checkpoint had --stdin, and this one has none: its input ends behind {taken} bytes"
        )),
        None => None,
        Some(input) => {
            let is_same = input.has_begun_with(&state.input)?;
            input.resume(&state.input);
            let file = args.stdin.as_deref().map(|file| file.display().to_string());
            (!is_same).then(|| {
                format!(
                    "--stdin {} is not the input of the checkpoint: the first {taken} bytes, which the host has already taken, differ; \
                     the input goes on behind them",
                    file.unwrap_or_default()
                )
            })
        }
    };
    if let Some(text) = difference {
        // The error may contain a callback's error, which is not `Send`.
        let reported = vhost.report(Severity::Warning, "checkpoint", &text);
        reported.map_err(|error| anyhow!("{error}"))?;
    }
    Ok(())
}

/// Ends the system. The error of the run is recorded before, and printed after firmware's last
/// text.
fn finish(
    args: &Args,
    program: &Program,
    vhost: Vhost,
    reports: &Reports,
    ended: Result<Ended>,
) -> Result<u8> {
    let Ending { status, error } = Ending::of(program, &vhost, reports, ended);
    let channels = vhost.status();
    if let Some(error) = &error {
        reports.record(&vhost, error.text());
    }
    vhost.shutdown();
    let mut stderr = WholeStderr::default();
    // Without standard error there is no way to report.
    if let Some(Error::Stuck(text) | Error::Host(text)) = &error {
        let _ = writeln!(stderr, "{ERROR}error:{ERROR:#} {text}");
    }
    if args.status || matches!(error, Some(Error::Stuck(_))) {
        // The hart has no cache.
        let text = channels.map(|text| text.replace("; stale or dirty cache line?", ""));
        let text = text.unwrap_or_else(|error| error.to_string());
        let _ = writeln!(stderr, "{}", text.trim_end());
    }
    Ok(status)
}
