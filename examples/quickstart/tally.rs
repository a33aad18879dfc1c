//! The tally: a tap that counts what it sees pass on the bus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mailbox_rs::{FileRequest, Request, Response};
use vhost::bus::{Observation, Tap};
use vhost::messages::console::Print;
use vhost::messages::mailbox::Served;

/// Counts requests by kind. Clones are the same tally: one is attached to the bus, one is kept to be read.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

/// What was counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests, by the name that the protocol has for their kind.
    pub kinds: BTreeMap<&'static str, Kind>,
    /// Bytes of text since the last request was served.
    printed: u64,
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kind {
    /// How many there were.
    pub count: u64,
    /// How many of them were answered by an error.
    pub failed: u64,
    /// Bytes that they printed, moved, read or wrote.
    pub bytes: u64,
    /// Ticks that the longest was served for; 0 where each was answered in the tick that it was taken in.
    pub ticks: u64,
}

impl Tap for Tally {
    /// Is shown each message on the bus, and each reply. Two kinds of message tell enough here: what the mailbox server
    /// announces of each request, and the text on its way to the console.
    fn observe(&mut self, seen: &Observation<'_>) {
        let mut counts = self.counts();
        if let Some(served) = seen.event.is::<Served>() {
            counts.add(served, seen.tick);
        } else if let Some(print) = seen.event.is::<Print>() {
            counts.printed += print.text.len() as u64;
        }
    }
}

impl Tally {
    /// What was counted so far.
    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        // Whoever panicked with it left no more than a count that is off by one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, served: &Served, now: u64) {
        let printed = std::mem::take(&mut self.printed);
        let (name, bytes) = match Request::try_from(&served.entry) {
            Ok(request) => (request.kind(), printed + moved(&request, served.response)),
            Err(_) => ("malformed", 0),
        };
        let kind = self.kinds.entry(name).or_default();
        kind.count += 1;
        kind.failed += u64::from(matches!(served.response, Some(Response::Error(_))));
        kind.bytes += bytes;
        kind.ticks = kind.ticks.max(now - served.since);
    }

    /// All requests.
    pub fn total(&self) -> Kind {
        self.kinds.values().fold(Kind::default(), |sum, kind| Kind {
            count: sum.count + kind.count,
            failed: sum.failed + kind.failed,
            bytes: sum.bytes + kind.bytes,
            ticks: sum.ticks.max(kind.ticks),
        })
    }
}

/// Bytes of memory that a request was about, where it succeeded.
fn moved(request: &Request, response: Option<Response>) -> u64 {
    match (request, response) {
        (_, Some(Response::Error(_))) => 0,
        (
            Request::MemMove { len, .. }
            | Request::MemSet { len, .. }
            | Request::MemCmp { len, .. },
            _,
        ) => *len,
        (
            Request::File(FileRequest::Read { .. } | FileRequest::Write { .. }),
            Some(Response::Value(bytes)),
        ) => bytes,
        _ => 0,
    }
}

/// A table with a line for each kind.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, kind: Kind| {
            let Kind {
                count,
                failed,
                bytes,
                ticks,
            } = kind;
            writeln!(f, "{name:<12}{count:>8}{failed:>8}{bytes:>8}{ticks:>8}")
        };
        for (name, kind) in &self.kinds {
            line(name, *kind)?;
        }
        line("all", self.total())
    }
}
