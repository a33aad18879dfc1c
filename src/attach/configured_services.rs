//! Services of served channels, from their configuration.

use bytes::Bytes;
use mailbox_rs::NEWEST;

use crate::config::{FaultRule, FaultsConfig, Level, ServicesConfig, StreamConfig};
use crate::messages::foreign::Severity;
use crate::messages::{ChannelServices, Clock, Faults, InputSource, OutputTarget, SeverityRule};

/// Services of a channel.
pub(super) fn services(configured: &ServicesConfig) -> ChannelServices {
    let ServicesConfig {
        stdin,
        stdout,
        stderr,
        args,
        env,
        period,
        seed,
        errors,
        faults,
        protocol,
        adopts,
    } = configured;
    let environment = env.iter().map(|(name, value)| format!("{name}={value}"));
    let clock = period.map_or(Clock::Wall, |picoseconds| Clock::Ticks { picoseconds });
    let severities = errors.iter().map(|rule| SeverityRule {
        operation: rule.operation,
        errno: rule.errno,
        severity: severity(rule.level),
    });
    ChannelServices {
        stdin: match stdin {
            StreamConfig::Testbench => InputSource::Testbench,
            StreamConfig::File(path) => InputSource::File(path.clone()),
            StreamConfig::Nothing | StreamConfig::Console | StreamConfig::Raw => {
                InputSource::Nothing
            }
        },
        stdout: target(stdout),
        stderr: target(stderr),
        arguments: block(args.iter().cloned()),
        environment: block(environment),
        clock,
        seed: *seed,
        severities: severities.collect(),
        faults: faults.as_ref().map(injected),
        is_old: *protocol < NEWEST,
        adopts: *adopts,
    }
}

fn injected(configured: &FaultsConfig) -> Faults {
    let rules = |rules: &[FaultRule]| {
        let rules = rules.iter();
        rules.map(|rule| (rule.errno, rule.probability.0)).collect()
    };
    Faults {
        seed: configured.seed,
        files: rules(&configured.files),
        short: configured.short.0,
        memory: rules(&configured.memory),
        flip: configured.flip.0,
        calls: rules(&configured.calls),
        delay: configured.delay.clone(),
    }
}

fn target(configured: &StreamConfig) -> OutputTarget {
    match configured {
        StreamConfig::Raw => OutputTarget::Raw,
        StreamConfig::File(path) => OutputTarget::File(path.clone()),
        StreamConfig::Console | StreamConfig::Nothing | StreamConfig::Testbench => {
            OutputTarget::Console
        }
    }
}

/// Joins texts, each with a NUL.
fn block(texts: impl Iterator<Item = String>) -> Bytes {
    let texts: String = texts.map(|text| text + "\0").collect();
    Bytes::from(texts)
}

fn severity(level: Level) -> Severity {
    match level {
        Level::Info => Severity::Info,
        Level::Warning => Severity::Warning,
        Level::Error => Severity::Error,
        Level::Fatal => Severity::Fatal,
    }
}
