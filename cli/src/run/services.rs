//! Services of the first channel: arguments, environment, standard streams and time of the program.

use std::fmt::Write as _;

use vhost::Builder;

use super::Args;
use super::program::Program;

/// Prefix of variables with the arguments of firmware, beginning with its name. Values of variables
/// are not expanded, unlike text in the configuration.
const ARGUMENT: &str = "VHOST_RUN_ARGUMENT_";

/// Prefix of variables with the values of firmware's environment.
const VALUE: &str = "VHOST_RUN_VALUE_";

/// Maximum length of a tick, in nanoseconds.
const MAX_TICK_NS: u64 = 1_000_000_000;

/// Source of firmware's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Clock {
    /// One nanosecond an instruction, from the start of the run.
    Ticks,
    /// Time of this machine, since 1970.
    Wall,
}

/// Highest protocol version of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Protocol {
    /// Version 0.2, without the services that came with 0.3.
    #[value(name = "0.2")]
    Old,
    /// Version 0.3.
    #[value(name = "0.3")]
    Newest,
}

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Old => "0.2",
            Self::Newest => "0.3",
        }
    }
}

/// True for a configuration variable that `vhost run` has set.
pub(crate) fn is_made(variable: &str) -> bool {
    [ARGUMENT, VALUE]
        .iter()
        .any(|begin| variable.starts_with(begin))
}

/// Parses a variable of the environment: `NAME=VALUE`.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is to be NAME=VALUE".to_owned()),
    }
}

/// Sets the variables in [`keys`]. The program's name is that of its file.
pub(super) fn provide(mut builder: Builder, args: &Args, program: &Program) -> Builder {
    let name = program.file().file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let given = args.args.iter().cloned();
    for (number, text) in [name].into_iter().chain(given).enumerate() {
        builder = builder.variable(format!("{ARGUMENT}{number}"), text);
    }
    for (number, (_, value)) in args.env.iter().enumerate() {
        builder = builder.variable(format!("{VALUE}{number}"), value);
    }
    builder
}

/// Configuration key of a channel's time, as a line.
pub(super) fn time(args: &Args) -> String {
    match args.clock {
        Clock::Ticks => format!(
            "  time: {{clock: ticks, period: {}ns}}\n",
            args.per_tick.min(MAX_TICK_NS)
        ),
        Clock::Wall => "  time: {clock: wall}\n".to_owned(),
    }
}

/// Configuration keys of the channel, one per line.
pub(super) fn keys(args: &Args) -> String {
    let input = match args.stdin {
        Some(_) => "testbench",
        None => "none",
    };
    let mut keys = format!("  stdio: {{stdin: {input}, stdout: raw, stderr: raw}}\n  args: [");
    for number in 0..=args.args.len() {
        let _ = write!(keys, "\"${{{ARGUMENT}{number}}}\", ");
    }
    keys.push_str("]\n  env: {");
    for (number, (name, _)) in args.env.iter().enumerate() {
        // The last value of a name is used.
        let mut later = args.env[number + 1..].iter();
        if later.all(|(later, _)| later != name) {
            let name = serde_json::Value::from(name.as_str());
            let _ = write!(keys, "{name}: \"${{{VALUE}{number}}}\", ");
        }
    }
    keys.push_str("}\n");
    keys.push_str(&time(args));
    if let Some(version) = args.protocol {
        let _ = writeln!(keys, "  protocol: \"{}\"", version.name());
    }
    keys
}
