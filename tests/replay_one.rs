//! One actor is replayed by itself: what it was sent goes in, and what it says comes out again.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod frames;
mod session;

use std::path::Path;

use frames::{frames, recording};
use vhost::trace::{Entry, Said, Trace};
use vhost::{ActorName, Difference, Replay, ReplayError};

fn entries(trace: &Path) -> Vec<Entry> {
    Trace::open(trace).unwrap().map(Result::unwrap).collect()
}

/// Whether it is this actor who says it.
fn says(actor: ActorName, entry: &Entry) -> bool {
    let by = match entry.said {
        Said::Message { .. } => &entry.kind.from,
        Said::Reply { .. } | Said::Dropped => &entry.kind.to,
    };
    *by == actor.name()
}

#[test]
fn every_actor_says_again_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..8 {
        let trace = session::record(folder.path(), seed);
        let all = Replay::of(&trace).run();
        all.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let entries = entries(&trace);
        for actor in ActorName::ALL {
            let replayed = Replay::of(&trace).only(actor).run();
            let replayed = replayed.unwrap_or_else(|error| panic!("seed {seed}, {actor}: {error}"));
            let said = entries.iter().filter(|entry| says(actor, entry)).count();
            assert_eq!(replayed.messages, said as u64, "seed {seed}, {actor}");
            assert!(said > 10, "seed {seed}, {actor}");
        }
    }
}
