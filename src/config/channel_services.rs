//! Services of a channel: standard streams, arguments and environment, time, random bytes,
//! severities of failed requests.

use std::collections::BTreeMap;

use bytes::Bytes;
use mailbox_rs::{Errno, NEWEST, OPERATION_NAMES, VERSION, Version};

use super::error::ChannelProblem;
use super::expand::expand;
use super::external_inputs::ConfigEnvironment;
use super::faults;
use super::nearest::nearest;
use super::schema::{RawChannel, RawTime};
use super::service_error::{BLOCK_MAX, ServiceProblem};
use crate::channel::{ChannelServices, Clock, InputSource, OutputTarget, Severity, SeverityRule};

/// Key of all error numbers without a rule of their own.
const ANY: &str = "any";

/// Validates the services of a channel.
pub(super) fn validate(
    channel: &str,
    raw: RawChannel,
    outside: &dyn ConfigEnvironment,
) -> Result<ChannelServices, ChannelProblem> {
    let RawChannel {
        stdio,
        args,
        env,
        time,
        seed,
        errors,
        faults,
        protocol,
        adopt,
        ..
    } = raw;
    let adopts = adopt.map_or(Ok(false), |adopt| adopt.value_or(false, "adopt", outside))?;
    let args = args.unwrap_or_else(|| vec![channel.replace('$', "$$")]);
    let args = args.iter().map(|arg| expand(arg, "args", outside));
    let args = args.collect::<Result<Vec<_>, _>>()?;
    let env = env.into_iter().map(|(name, value)| {
        let value = expand(&value, "env", outside)?;
        Ok::<_, ChannelProblem>((name, value))
    });
    let env = env.collect::<Result<BTreeMap<_, _>, _>>()?;
    if let Some(name) = env
        .keys()
        .find(|name| name.is_empty() || name.contains('='))
    {
        let name = name.clone();
        return Err(ServiceProblem::Name { name }.into());
    }
    bounded("args", args.iter().map(String::as_str))?;
    bounded(
        "env",
        env.iter().flat_map(|(name, value)| [&**name, &**value]),
    )?;
    let environment = env.iter().map(|(name, value)| format!("{name}={value}"));
    Ok(ChannelServices {
        stdin: input(stdio.stdin)?,
        stdout: output("stdout", stdio.stdout)?,
        stderr: output("stderr", stdio.stderr)?,
        environment: block(environment),
        arguments: block(args.into_iter()),
        clock: clock(&time)?,
        seed: seed.map_or(0, |seed| seed.0),
        severities: rules(&errors)?,
        faults: faults::validate(faults)?,
        is_old: version(protocol)? < NEWEST,
        adopts,
    })
}

/// Texts one after the other, each with a NUL.
fn block(texts: impl Iterator<Item = String>) -> Bytes {
    let texts: String = texts.map(|text| text + "\0").collect();
    Bytes::from(texts)
}

/// Highest version of a channel: both have a name of one digit on each side of the point.
fn version(text: Option<String>) -> Result<Version, ServiceProblem> {
    let Some(text) = text else {
        return Ok(NEWEST);
    };
    let known = [VERSION, NEWEST].into_iter();
    let mut named = known.filter(|version| version.to_string() == text);
    named.next().ok_or(ServiceProblem::Protocol { text })
}

/// Checks texts that firmware reads, each followed by a NUL.
fn bounded<'a>(
    key: &'static str,
    texts: impl Iterator<Item = &'a str>,
) -> Result<(), ServiceProblem> {
    let mut len = 0;
    for text in texts {
        if text.contains('\0') {
            return Err(ServiceProblem::Nul { key });
        }
        len += text.len() + 1;
    }
    match len {
        0..=BLOCK_MAX => Ok(()),
        len => Err(ServiceProblem::TooLong { key, len }),
    }
}

fn input(value: Option<String>) -> Result<InputSource, ServiceProblem> {
    let key = "stdin";
    Ok(match value.as_deref() {
        None | Some("none") => InputSource::Nothing,
        Some("testbench") => InputSource::Testbench,
        Some(value @ ("console" | "raw")) => {
            let (value, other) = (value.to_owned(), "stdout and stderr");
            return Err(ServiceProblem::Stream { key, value, other });
        }
        Some("") => return Err(ServiceProblem::NoFile { key }),
        Some(path) => InputSource::File(path.to_owned()),
    })
}

fn output(key: &'static str, value: Option<String>) -> Result<OutputTarget, ServiceProblem> {
    Ok(match value.as_deref() {
        None | Some("console") => OutputTarget::Console,
        Some("raw") => OutputTarget::Raw,
        Some(value @ ("none" | "testbench")) => {
            let (value, other) = (value.to_owned(), "stdin");
            return Err(ServiceProblem::Stream { key, value, other });
        }
        Some("") => return Err(ServiceProblem::NoFile { key }),
        Some(path) => OutputTarget::File(path.to_owned()),
    })
}

/// Source of the time.
fn clock(time: &RawTime) -> Result<Clock, ServiceProblem> {
    let ticks = |picoseconds| Clock::Ticks { picoseconds };
    match (time.clock.as_deref(), &time.period) {
        (Some("wall"), None) => Ok(Clock::Wall),
        (Some("wall"), Some(_)) => Err(ServiceProblem::PeriodOfWall),
        (None | Some("ticks"), None) => Ok(Clock::default()),
        (None | Some("ticks"), Some(text)) => {
            let parsed = parse_period(text);
            let problem = || ServiceProblem::Period { text: text.clone() };
            parsed.map(ticks).ok_or_else(problem)
        }
        (Some(text), _) => Err(ServiceProblem::Clock {
            meant: nearest(text, ["ticks", "wall"]),
            text: text.to_owned(),
        }),
    }
}

/// Picoseconds in a number with its unit, such as `10ns`; `None` unless the result is 1 ps to 1 s.
pub fn parse_period(text: &str) -> Option<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start() {
        "ps" => 1,
        "ns" => 1_000,
        "us" => 1_000_000,
        "ms" => 1_000_000_000,
        "s" => SECOND,
        _ => return None,
    };
    let period = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=SECOND).contains(&period).then_some(period)
}

const SECOND: u64 = 1_000_000_000_000;

fn rules(
    errors: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<Vec<SeverityRule>, ServiceProblem> {
    let mut rules = Vec::new();
    for (name, levels) in errors {
        let known = OPERATION_NAMES.into_iter().find(|known| known == name);
        let operation = known.ok_or_else(|| ServiceProblem::Operation {
            name: name.clone(),
            meant: nearest(name, OPERATION_NAMES),
        })?;
        for (name, level) in levels {
            let errno = match &**name {
                ANY => None,
                name => Some(errno(operation, name)?),
            };
            let severity = Severity::named(level).ok_or_else(|| ServiceProblem::Level {
                operation,
                errno: name.clone(),
                name: level.clone(),
                meant: nearest(level, Severity::ALL.map(Severity::name)),
            })?;
            rules.push(SeverityRule {
                operation,
                errno,
                severity,
            });
        }
    }
    Ok(rules)
}

fn errno(operation: &'static str, name: &str) -> Result<Errno, ServiceProblem> {
    let known = || Errno::ALL.iter().filter_map(|errno| errno.name());
    let found = Errno::ALL.iter().find(|errno| errno.name() == Some(name));
    found.copied().ok_or_else(|| ServiceProblem::Errno {
        operation,
        name: name.to_owned(),
        meant: nearest(name, known().chain([ANY])),
    })
}
