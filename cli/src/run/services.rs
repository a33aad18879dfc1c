//! Services of the one channel: arguments, environment, standard streams and time.

use std::fmt::Write as _;

use vhost::Builder;

use super::Args;
use super::program::Program;
use super::stdin;

/// Name of the variable in the configuration that has an argument, before its number.
const ARGUMENT: &str = "VHOST_RUN_ARGUMENT_";

/// Name of the variable in the configuration that has a value of the environment, before its number.
const VALUE: &str = "VHOST_RUN_VALUE_";

/// Source of firmware's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Clock {
    /// One nanosecond an instruction, from the start of the run.
    Ticks,
    /// Time of this machine, since 1970.
    Wall,
}

/// Parses a variable of the environment: `NAME=VALUE`.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is to be NAME=VALUE".to_owned()),
    }
}

/// Has the system provide standard input, arguments and values of the environment.
///
/// Texts go by variables of the configuration, which are not expanded again: they may have any character.
pub(super) fn provide(mut builder: Builder, args: &Args, program: &Program) -> Builder {
    let name = program.file().file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let arguments = [name].into_iter().chain(args.arguments.iter().cloned());
    for (number, text) in arguments.enumerate() {
        builder = builder.variable(format!("{ARGUMENT}{number}"), text);
    }
    for (number, (_, value)) in args.env.iter().enumerate() {
        builder = builder.variable(format!("{VALUE}{number}"), value);
    }
    builder.special_file(stdin::EXTENSION, stdin::open)
}

/// Keys of the channel's configuration.
pub(super) fn keys(args: &Args) -> String {
    let mut keys = format!(
        "stdio: {{stdin: ./process.{}, stdout: raw, stderr: raw}}, args: [",
        stdin::EXTENSION
    );
    for number in 0..=args.arguments.len() {
        let _ = write!(keys, "\"${{{ARGUMENT}{number}}}\", ");
    }
    keys.push_str("], env: {");
    // The last value of a name counts.
    for (number, (name, _)) in args.env.iter().enumerate() {
        if args.env[number + 1..]
            .iter()
            .all(|(later, _)| later != name)
        {
            let name = serde_json::Value::from(name.as_str());
            let _ = write!(keys, "{name}: \"${{{VALUE}{number}}}\", ");
        }
    }
    let _ = match args.clock {
        // A tick of one nanosecond an instruction, at most a second.
        Clock::Ticks => write!(
            keys,
            "}}, time: {{clock: ticks, period: {}ns}}",
            args.per_tick.min(1_000_000_000)
        ),
        Clock::Wall => write!(keys, "}}, time: {{clock: wall}}"),
    };
    keys
}
