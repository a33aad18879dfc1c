//! Messages that pass a filter.

use std::sync::{Arc, Mutex};

use vhost::attach::{Direction, Filter};
use vhost::bus::Observation;
use vhost::messages::console::Print;
use vhost::messages::mailbox::{DoorbellRang, Served};
use vhost::messages::memory::AccessSegments;
use vhost::messages::{console, memory};

use test_support::two_channels::{builder, session, start};

/// Names of the messages that pass a filter, without duplicates.
fn shown(filter: Filter) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let names = Arc::new(Mutex::new(Vec::new()));
    let kept = names.clone();
    let keep = move |seen: &Observation<'_>| {
        let ticket = &seen.ticket;
        let name = format!("{} to {}: {}", ticket.from, ticket.to(), ticket.name());
        let mut names = kept.lock().unwrap();
        if !names.contains(&name) {
            names.push(name);
        }
    };
    let (builder, _) = builder(folder.path());
    let vhost = start(builder.attach(filter.to(keep)));
    session(&vhost);
    drop(vhost);
    Arc::into_inner(names).unwrap().into_inner().unwrap()
}

/// Number of messages and replies that pass a filter.
fn count(filter: Filter) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let seen = Arc::new(Mutex::new(0));
    let counted = seen.clone();
    let (builder, _) = builder(folder.path());
    let count = move |_: &Observation<'_>| *counted.lock().unwrap() += 1;
    let vhost = start(builder.attach(filter.to(count)));
    session(&vhost);
    *seen.lock().unwrap()
}

#[test]
fn by_kind() {
    assert_eq!(
        shown(Filter::new().kind::<Print>().kind::<Served>()),
        ["mailbox to console: Print", "mailbox to nobody: Served"]
    );
}

#[test]
fn by_party() {
    let names = shown(Filter::new().endpoint(console::ENDPOINT));
    assert!(!names.is_empty());
    assert!(
        names.iter().all(|name| name.contains("console")),
        "{names:?}"
    );
    let memory = shown(Filter::new().endpoint(memory::ENDPOINT));
    assert!(memory.contains(&"mailbox to memory: AccessSegments".to_owned()));
}

#[test]
fn by_direction() {
    let kind = || Filter::new().kind::<AccessSegments>();
    let (messages, replies) = (
        count(kind().only(Direction::Messages)),
        count(kind().only(Direction::Replies)),
    );
    assert!(messages > 10, "{messages}");
    assert_eq!(messages, replies);
    assert_eq!(count(kind()), messages + replies);
}

#[test]
fn by_channel() {
    let all = count(Filter::new().kind::<DoorbellRang>());
    let of = |name: &str| count(Filter::new().kind::<DoorbellRang>().channel(name));
    let (one, two) = (of("core0"), of("core1"));
    assert!(one > 0 && two > 0);
    assert_eq!(one + two, all);
    let both = Filter::new()
        .kind::<DoorbellRang>()
        .channel("core0")
        .channel("core1");
    assert_eq!(count(both), all);
    // Messages caused by a channel's message belong to the channel, too: printed text is read from
    // memory.
    let accesses = || Filter::new().endpoint(memory::ENDPOINT);
    assert!(count(accesses().channel("core1")) > 20);
    assert!(count(accesses().channel("core1")) < count(accesses()));
}

#[test]
fn of_a_channel_that_there_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, _) = builder(folder.path());
    let filter = Filter::new().channel("cpu").to(|_: &Observation<'_>| ());
    let error = builder.attach(filter).start().unwrap_err().to_string();
    assert!(
        error.contains("`cpu`") && error.contains("core0, core1"),
        "{error}"
    );
}
