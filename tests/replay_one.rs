//! Replay of a single actor: it receives its recorded messages, and its own messages and replies
//! are compared.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use test_support::frames::{frames, header_size, recording, written_out};
use test_support::session;
use vhost::bus::Observation;
use vhost::trace::{Content, Entry, Trace};
use vhost::{ActorName, Divergence, Replay, ReplayError, ReplaySummary, Vhost};

fn entries(trace: &Path) -> Vec<Entry> {
    Trace::open(trace).unwrap().map(Result::unwrap).collect()
}

/// True if the entry is sent by the actor.
fn is_sent_by(actor: ActorName, entry: &Entry) -> bool {
    let by = match entry.content {
        Content::Message { .. } => &entry.kind.from,
        Content::Reply { .. } | Content::Dropped => &entry.kind.to,
    };
    *by == actor.name()
}

#[test]
fn every_actor_sends_its_recorded_messages_again() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 20..28 {
        let trace = session::record(folder.path(), seed);
        let all = Replay::of(&trace).run();
        all.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let entries = entries(&trace);
        for actor in ActorName::ALL {
            let replayed = Replay::of(&trace).only(actor).run();
            let replayed = replayed.unwrap_or_else(|error| panic!("seed {seed}, {actor}: {error}"));
            let printed = entries
                .iter()
                .filter(|entry| is_sent_by(actor, entry))
                .count();
            assert_eq!(replayed.messages, printed as u64, "seed {seed}, {actor}");
            // The firmware of these sessions uses mailboxes.
            let others = [ActorName::Htif, ActorName::Rtt, ActorName::Semihosting];
            assert_eq!(
                printed == 0,
                others.contains(&actor),
                "seed {seed}, {actor}"
            );
        }
    }
}

/// True if the changed entry is an output of the actor. Its events of disk and network are inputs,
/// and so are its reads of memory.
fn is_its_own(entry: &Entry) -> bool {
    let kind = &entry.kind;
    let answers = match entry.content {
        Content::Message { .. } => kind.to == "nobody" && kind.name != "Served",
        Content::Reply { .. } => kind.to == "memory" && kind.name.starts_with("Access"),
        Content::Dropped => true,
    };
    !answers
}

/// True if the actor sends or receives the entry, or if the entry is an event from outside.
fn concerns(actor: ActorName, entry: &Entry) -> bool {
    let (from, to) = (entry.kind.from.as_str(), entry.kind.to.as_str());
    [from, to].contains(&actor.name()) || (from, to) == ("outside", "nobody")
}

fn has_body(entry: &Entry) -> bool {
    match &entry.content {
        Content::Message { body, .. } | Content::Reply { body } => !body.is_empty(),
        Content::Dropped => false,
    }
}

/// Recording with modifiable frames.
struct Changed {
    sound: Vec<Vec<u8>>,
    entries: Vec<Entry>,
    trace: PathBuf,
}

impl Changed {
    fn new(trace: PathBuf) -> Self {
        let sound = written_out(&frames(&std::fs::read(&trace).unwrap()));
        let entries = entries(&trace);
        Self {
            sound,
            entries,
            trace,
        }
    }

    /// Replays one actor after the last byte of these entries was changed.
    fn replay<'a>(
        &self,
        actor: ActorName,
        changed: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<ReplaySummary, ReplayError> {
        let mut frames = self.sound.clone();
        for entry in changed {
            *frames[entry.frame as usize].last_mut().unwrap() ^= 1;
        }
        std::fs::write(&self.trace, recording(&frames)).unwrap();
        Replay::of(&self.trace).only(actor).run()
    }
}

fn divergence(replayed: Result<ReplaySummary, ReplayError>) -> Box<Divergence> {
    match replayed {
        Err(ReplayError::Divergence(divergence)) => divergence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_that_an_actor_sends_otherwise_is_reported_at_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let session = Changed::new(session::record(folder.path(), 1));
    let mut rng = fastrand::Rng::with_seed(1);
    for actor in ActorName::ALL {
        let entries = session.entries.iter();
        let printed: Vec<_> = entries
            .filter(|entry| is_sent_by(actor, entry) && is_its_own(entry) && has_body(entry))
            .collect();
        // The console's replies have no content, and the firmware of this session uses mailboxes.
        let is_silent = matches!(
            actor,
            ActorName::Console | ActorName::Htif | ActorName::Rtt | ActorName::Semihosting
        );
        assert_eq!(printed.is_empty(), is_silent);
        for _ in 0..20.min(printed.len()) {
            let entry = rng.choice(&printed).unwrap();
            let divergence = divergence(session.replay(actor, [*entry]));
            assert_eq!(divergence.frame, entry.frame, "{actor}: {divergence}");
            assert!(divergence.replayed.is_some(), "{actor}: {divergence}");
        }
    }
}

#[test]
fn messages_of_others_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let session = Changed::new(session::record(folder.path(), 2));
    for actor in ActorName::ALL {
        let sound = session.replay(actor, []).unwrap();
        let others = session.entries.iter();
        let others: Vec<_> = others
            .filter(|entry| !concerns(actor, entry) && has_body(entry))
            .collect();
        assert!(others.len() > 100);
        assert_eq!(session.replay(actor, others).unwrap(), sound, "{actor}");
    }
}

/// True if a message or reply contains the text.
fn has_text(entry: &Entry, text: &str) -> bool {
    match &entry.content {
        Content::Message { body, .. } | Content::Reply { body } => {
            body.windows(text.len()).any(|part| part == text.as_bytes())
        }
        Content::Dropped => false,
    }
}

#[test]
fn changed_messages_to_an_actor_change_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let session = Changed::new(session::record(folder.path(), 3));
    for (actor, heard, text, printed) in [
        // The name of the method, which is read from memory: another method is called.
        (ActorName::Mailbox, "Access", "slow", "Call"),
        // The simulator's reply, which is forwarded.
        (
            ActorName::Memory,
            "Access",
            "vpi_handle_by_name",
            "Access gives",
        ),
        // The last byte is the time of the poll.
        (ActorName::Rpc, "Call", "slow", "HostCall"),
        // The last byte has the flags of the open.
        (ActorName::Files, "Open", "a.txt", "FileOpened"),
        (ActorName::Sockets, "LocalPort", "\x01", "LocalPort gives"),
    ] {
        let entry = session.entries.iter().find(|entry| {
            let heard = concerns(actor, entry) && entry.kind.name == heard;
            heard && !is_sent_by(actor, entry) && has_text(entry, text)
        });
        let entry = entry.unwrap();
        let divergence = divergence(session.replay(actor, [entry]));
        assert!(divergence.frame > entry.frame, "{actor}: {divergence}");
        let recorded = divergence.recorded.clone().unwrap();
        assert!(recorded.contains(printed), "{actor}: {divergence}");
    }
}

/// The order of messages may differ: other actors run on their recorded messages, the single actor
/// by itself.
#[test]
fn messages_of_others_may_come_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let session = Changed::new(session::record(folder.path(), 5));
    let actor = ActorName::Files;
    let part: Vec<_> = session
        .entries
        .iter()
        .filter(|entry| concerns(actor, entry))
        .collect();
    // The last occurrence, after the definitions of all kinds of messages.
    let place = part.windows(3).rev().find_map(|three| match three {
        [printed, next, heard] => {
            let heard_last =
                is_sent_by(actor, printed) && is_sent_by(actor, next) && !is_sent_by(actor, heard);
            let is_message = matches!(heard.content, Content::Message { .. });
            let fits = heard_last && is_message && printed.tick == heard.tick;
            fits.then_some((next.frame as usize, heard.frame as usize))
        }
        _ => None,
    });
    let (next, heard) = place.unwrap_or_else(|| panic!("{actor}"));
    let mut frames = session.sound.clone();
    frames[next..=heard].rotate_right(1);
    std::fs::write(&session.trace, recording(&frames)).unwrap();
    let replayed = Replay::of(&session.trace).only(actor).run();
    replayed.unwrap_or_else(|error| panic!("{actor}: {error}"));
}

#[test]
fn a_recording_that_was_cut_off_is_replayed_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let trace = session::record(folder.path(), 4);
    let sound = std::fs::read(&trace).unwrap();
    let header = header_size(&sound);
    for actor in ActorName::ALL {
        let mut before = u64::MAX;
        for cut in (header..sound.len()).rev().step_by(sound.len() / 50) {
            std::fs::write(&trace, &sound[..cut]).unwrap();
            let replayed = Replay::of(&trace).only(actor).run();
            let replayed = replayed.unwrap_or_else(|error| panic!("{actor}, {cut}: {error}"));
            assert!(replayed.messages <= before, "{actor}, {cut}");
            before = replayed.messages;
        }
    }
}

/// Bytes that a client does not take at once are sent on later ticks, which the socket manager
/// receives as messages.
#[test]
fn a_client_that_reads_slowly_is_replayed() {
    const BYTES: usize = 16 << 20;
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("slow.trace");
    let builder = Vhost::builder().socket_queue(BYTES).record(&trace);
    let vhost = builder.start().unwrap();
    let sockets = vhost.sockets();
    let uart = sockets.open("uart", 0).unwrap();
    sockets.greet(uart, "").unwrap();
    let port = sockets.port(uart).unwrap();
    let mut terminal = TcpStream::connect(("127.0.0.1", port)).unwrap();
    terminal.set_nonblocking(true).unwrap();
    let client = (0..1_000_000).find_map(|_| sockets.accept(uart).unwrap());
    let client = client.unwrap();
    sockets.write(uart, client, vec![7; BYTES]).unwrap();
    let (mut room, mut got) = (vec![0; 1 << 20], 0);
    for _ in 0..1_000_000 {
        vhost.tick().unwrap();
        got += terminal.read(&mut room).unwrap_or(0);
        if got == BYTES {
            break;
        }
    }
    assert_eq!(got, BYTES);
    sockets.disconnect(uart, client).unwrap();
    sockets.close(uart).unwrap();
    vhost.shutdown();
    let entries = entries(&trace);
    let flushes = entries.iter().filter(|entry| entry.kind.name == "Flush");
    assert!(flushes.count() > 2);
    let printed = entries
        .iter()
        .filter(|entry| is_sent_by(ActorName::Sockets, entry));
    let replayed = Replay::of(&trace).only(ActorName::Sockets).run();
    let replayed = replayed.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(replayed.messages, printed.count() as u64);
}

/// Taps observe the actor's messages, and the messages to it.
#[test]
fn attachments_see_one_actor() {
    let folder = tempfile::tempdir().unwrap();
    let trace = session::record(folder.path(), 6);
    let concerned = entries(&trace);
    let concerned = concerned.iter().filter(|entry| {
        let outside = entry.kind.from == "outside" && entry.kind.to == "nobody";
        concerns(ActorName::Rpc, entry) && !outside
    });
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let tap = move |_: &Observation<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let replay = Replay::of(&trace).only(ActorName::Rpc).attach(tap);
    replay.run().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(seen.load(Ordering::Relaxed), concerned.count());
}
