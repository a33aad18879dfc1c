//! Methods and custom commands of the host program: they return, wait, fail, panic and use the
//! backdoor.

use std::collections::HashMap;
use std::error::Error;
use std::task::Poll;

use vhost::{Builder, CallResult, HostProgramCall, Progress, Vhost};

use crate::event::{Event, Log, PollResult, Target, channel_number};

/// Panics as part of a run, without calling a hook.
pub fn panic_on_purpose() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Methods by name.
pub const METHODS: &[&str] = &[
    "echo", "wait", "fail", "panic", "wide", "poke", "peek", "deep",
];
/// Custom commands by id, with the method that each performs.
pub const COMMANDS: &[(u64, &str)] = &[(1, "echo"), (2, "wait"), (3, "fail"), (1 << 31, "wide")];

/// True for an existing method or command.
pub fn exists(target: &Target) -> bool {
    match target {
        Target::Method(name) => METHODS.contains(&name.as_str()),
        Target::Command(id) => COMMANDS.iter().any(|(known, _)| known == id),
    }
}

/// Registers all methods and commands.
pub fn register(mut builder: Builder, log: &Log) -> Builder {
    for name in METHODS {
        let target = Target::Method((*name).to_owned());
        builder = builder.method(*name, logged_method(name, target, log));
    }
    for (id, name) in COMMANDS {
        builder = builder.command(*id, logged_method(name, Target::Command(*id), log));
    }
    // Called only by `deep`.
    for level in ["deep2", "deep3"] {
        builder = builder.method(level, |vhost, call| Ok(Poll::Ready(deeper(vhost, call)?)));
    }
    builder
}

type Waits = HashMap<usize, (u64, u64)>;

fn logged_method(
    name: &'static str,
    target: Target,
    log: &Log,
) -> impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult + Send + 'static {
    let log = log.clone();
    let mut waits = Waits::new();
    move |vhost, call| {
        let channel = channel_number(call.channel).unwrap_or(usize::MAX);
        let result = act(name, vhost, call, channel, &mut waits, &log);
        let polled = match &result {
            Ok(Poll::Ready(value)) => PollResult::Ready(*value),
            Ok(Poll::Pending) => PollResult::Pending,
            Err(_) => PollResult::Failed,
        };
        log.push(Event::Call {
            channel,
            target: target.clone(),
            args: call.args.to_vec(),
            result: polled,
        });
        if name == "panic" {
            panic_on_purpose();
        }
        result
    }
}

fn act(
    name: &str,
    vhost: &Vhost,
    call: HostProgramCall<'_>,
    channel: usize,
    waits: &mut Waits,
    log: &Log,
) -> CallResult {
    let arg = |at: usize| call.args.get(at).copied().unwrap_or(0);
    let space = vhost.space_of(call.channel)?;
    Ok(Poll::Ready(match name {
        "echo" => (1..).zip(call.args).fold(0, |sum: u64, (factor, arg)| {
            sum.wrapping_add(arg.wrapping_mul(factor))
        }),
        "wait" => {
            let now = vhost.now();
            // After a tick without a poll, the channel was reset, and this is another call.
            let same = waits.get(&channel).filter(|(last, _)| now == last + 1);
            let left = same.map_or(1 + arg(0) % 4, |(_, left)| *left);
            if left > 0 {
                waits.insert(channel, (now, left - 1));
                return Ok(Poll::Pending);
            }
            waits.remove(&channel);
            arg(1)
        }
        "wide" => arg(0).wrapping_mul(0x1_0000_0001),
        "poke" => {
            if vhost.read(space, arg(0), 4).is_err() {
                return Ok(Poll::Ready(1));
            }
            let data = (arg(1) as u32).to_le_bytes().to_vec();
            log.push(Event::Poke {
                channel,
                address: arg(0),
                data: data.clone(),
            });
            vhost.write(space, arg(0), data)?;
            0
        }
        "peek" => {
            let Ok(data) = vhost.read(space, arg(0), 8) else {
                return Ok(Poll::Ready(1));
            };
            log.push(Event::Peek {
                channel,
                address: arg(0),
                data: data.to_vec(),
            });
            crate::wire::number(&data, 0, 8)
        }
        "deep" => deeper(vhost, call)?,
        _ => return Err("this method fails".into()),
    }))
}

/// Number of levels of re-entry that a call of `deep` reaches.
pub fn depth(args: &[u64]) -> u64 {
    1 + args.first().map_or(0, |level| level % 3)
}

/// Calls the backdoor, or another method, until it reaches the depth.
fn deeper(vhost: &Vhost, call: HostProgramCall<'_>) -> Result<u64, Box<dyn Error>> {
    let levels = call.args.first().map_or(0, |level| level % 3);
    if levels == 0 {
        let address = call.args.get(1).copied().unwrap_or(0);
        let space = vhost.space_of(call.channel)?;
        return Ok(vhost
            .read(space, address, 4)
            .map_or(1, |data| data.len() as u64));
    }
    let next = if levels == 2 { "deep2" } else { "deep3" };
    let args: Vec<u64> = std::iter::once(levels - 1)
        .chain(call.args.iter().skip(1).copied())
        .collect();
    match vhost.poll_call(call.channel, next, &args)? {
        Progress::Ready(value) => Ok(value + 1),
        other => Err(format!("`{next}` answers {other:?}").into()),
    }
}
