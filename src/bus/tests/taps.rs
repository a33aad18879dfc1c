//! Taps observe every message and reply, and have no effect on them.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use super::*;
use crate::bus::{
    ActorTap, Content, EndpointName, Observation, OwnedContent, OwnedObservation, Tap,
};

/// Logs its observations.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Tap for Recorder {
    fn observe(&mut self, seen: &Observation<'_>) {
        let what = match seen.content {
            Content::Message(body) => format!("? {body:?}"),
            Content::Reply(body) => format!("= {body:?}"),
            Content::Dropped => "dropped".to_owned(),
        };
        let ticket = seen.ticket;
        let line = format!(
            "{}.{} {} to {}, tick {}: {what}",
            ticket.root,
            ticket.sequence,
            ticket.from,
            ticket.to(),
            seen.tick
        );
        self.0.lock().unwrap().push(line);
    }
}

fn recorded(bus: &Bus) -> Recorder {
    let recorder = Recorder::default();
    bus.attach(recorder.clone());
    recorder
}

#[test]
fn every_message_and_reply_is_seen_with_its_ticket() {
    let bus = Bus::new();
    let world = doubler(&bus);
    let recorder = recorded(&bus);
    assert_eq!(bus.ask(&world, world::Ask(4)), Ok(8));
    bus.tick().unwrap();
    const SOMEBODY: Endpoint = Endpoint::new(&EndpointName::new("somebody"));
    world.with_sender(SOMEBODY).post(world::Note(5));
    bus.run_until_idle().unwrap();
    let expected = [
        "1.1 outside to world, tick 0: ? Ask(4)",
        "1.1 outside to world, tick 0: = 8",
        "2.2 somebody to world, tick 1: ? Note(5)",
        "2.2 somebody to world, tick 1: = ()",
    ];
    assert_eq!(recorder.read(), expected);
}

#[test]
fn an_answer_is_seen_by_each_message_that_it_answers() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &doubler(&bus));
    let deputy = {
        let clerk = clerk.with_sender(deputy::ENDPOINT);
        worker(&bus, move |message| {
            if let deputy::Inbox::Ask(call) = message {
                clerk.forward(clerk::Ask(call.message.0 + 1), call.reply);
            }
        })
    };
    let recorder = recorded(&bus);
    assert_eq!(bus.ask(&deputy, deputy::Ask(1)), Ok(4));
    let expected = [
        "1.1 outside to deputy, tick 0: ? Ask(1)",
        "1.2 deputy to clerk, tick 0: ? Ask(2)",
        "1.3 clerk to world, tick 0: ? Ask(2)",
        "1.3 clerk to world, tick 0: = 4",
        "1.2 deputy to clerk, tick 0: = 4",
        "1.1 outside to deputy, tick 0: = 4",
    ];
    assert_eq!(recorder.read(), expected);
}

#[test]
fn that_there_is_no_answer_is_seen() {
    let bus = Bus::new();
    let world = world(&bus, |message| match message {
        world::Inbox::Ask(_) => panic!("no"),
        world::Inbox::Note(_) => {}
    });
    let clerk = forwarder(&bus, &world);
    let recorder = recorded(&bus);
    bus.ask(&clerk, clerk::Ask(1)).unwrap_err();
    world.post(world::Note(2));
    bus.run_until_idle().unwrap();
    let expected = [
        "1.1 outside to clerk, tick 0: ? Ask(1)",
        "1.2 clerk to world, tick 0: ? Ask(1)",
        "1.2 clerk to world, tick 0: dropped",
        "1.1 outside to clerk, tick 0: dropped",
        "3.3 outside to world, tick 0: ? Note(2)",
        "3.3 outside to world, tick 0: dropped",
    ];
    assert_eq!(recorder.read(), expected);
}

#[test]
fn a_tap_sees_messages_after_its_attachment() {
    let bus = Bus::new();
    let world = doubler(&bus);
    bus.ask(&world, world::Ask(1)).unwrap();
    let reply = world.ask(world::Ask(2));
    let recorder = recorded(&bus);
    bus.run_until_idle().unwrap();
    drop(reply);
    assert_eq!(recorder.read(), [""; 0], "no reply without its message");
    bus.ask(&world, world::Ask(3)).unwrap();
    let expected = [
        "3.3 outside to world, tick 0: ? Ask(3)",
        "3.3 outside to world, tick 0: = 6",
    ];
    assert_eq!(recorder.read(), expected);
}

#[test]
fn messages_are_distinguished_by_type() {
    let bus = Bus::new();
    let world = doubler(&bus);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    bus.attach(move |seen: &Observation<'_>| {
        let ask = seen.content.downcast_ref::<world::Ask>().map(|ask| ask.0);
        let reply = seen.content.downcast_ref::<u64>().copied();
        sink.lock().unwrap().push((ask, reply));
    });
    bus.ask(&world, world::Ask(3)).unwrap();
    world.post(world::Note(3));
    bus.run_until_idle().unwrap();
    let expected = [(Some(3), None), (None, Some(6)), (None, None), (None, None)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

thread_local! {
    /// Port for the posts of a tap, which can't hold a port itself.
    static WAY: RefCell<Option<Port<world::Inbox>>> = const { RefCell::new(None) };
}

#[test]
fn messages_of_a_tap_are_delivered_and_shown_to_no_tap() {
    let bus = Bus::new();
    let diary = Diary::default();
    let seen = diary.clone();
    let world = world(&bus, move |message| match message {
        world::Inbox::Ask(call) => call.reply.send(0),
        world::Inbox::Note(note) => {
            seen.write(format!("{:?}", note.message));
            note.reply.send(());
        }
    });
    WAY.set(Some(world.clone()));
    bus.attach(|seen: &Observation<'_>| {
        if let Some(ask) = seen.content.downcast_ref::<world::Ask>() {
            WAY.with_borrow(|way| way.as_ref().unwrap().post(world::Note(ask.0)));
        }
    });
    let recorder = recorded(&bus);
    bus.ask(&world, world::Ask(9)).unwrap();
    bus.run_until_idle().unwrap();
    WAY.take();
    assert_eq!(diary.read(), ["Note(9)"]);
    let expected = [
        "1.1 outside to world, tick 0: ? Ask(9)",
        "1.1 outside to world, tick 0: = 0",
    ];
    assert_eq!(recorder.read(), expected);
}

#[test]
fn a_tap_may_attach_another() {
    thread_local!(static BUS: RefCell<Option<Bus>> = const { RefCell::new(None) });
    let bus = Bus::new();
    let world = doubler(&bus);
    let recorder = Recorder::default();
    let later = recorder.clone();
    let mut attached = false;
    bus.attach(move |_: &Observation<'_>| {
        if !std::mem::replace(&mut attached, true) {
            BUS.with_borrow(|bus| bus.as_ref().unwrap().attach(later.clone()));
        }
    });
    BUS.set(Some(bus));
    BUS.with_borrow(|bus| bus.as_ref().unwrap().ask(&world, world::Ask(1)))
        .unwrap();
    BUS.take();
    assert_eq!(recorder.read(), ["1.1 outside to world, tick 0: = 2"]);
}

#[test]
fn a_tap_that_panics_is_detached_and_the_others_go_on() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &doubler(&bus));
    let before = recorded(&bus);
    let mut calls = 0;
    bus.attach(move |_: &Observation<'_>| {
        calls += 1;
        assert!(calls < 2, "call {calls}");
    });
    let behind = recorded(&bus);
    assert_eq!(bus.ask(&clerk, clerk::Ask(1)), Ok(2));
    assert_eq!(bus.ask(&clerk, clerk::Ask(2)), Ok(4));
    assert_eq!(before.read().len(), 8);
    assert_eq!(behind.read().len(), 8);
    let panics = bus.take_panics();
    let panics: Vec<_> = panics
        .iter()
        .map(|(ticket, text)| format!("{} at {}: {text}", ticket.to(), ticket.name()))
        .collect();
    assert_eq!(panics, ["a tap at Observation: call 2 (it is detached)"]);
}

/// The reply is dropped while the stack unwinds, and the tap panics at its loss: the process is not
/// aborted.
#[test]
fn a_tap_that_panics_at_a_panic_disturbs_no_message() {
    let bus = Bus::new();
    bus.attach(|seen: &Observation<'_>| {
        assert!(!matches!(seen.content, Content::Dropped), "the tap's own");
    });
    let clerk = worker::<clerk::Inbox>(&bus, |message| {
        let _held = message;
        panic!("the actor's");
    });
    let error = bus.ask(&clerk, clerk::Ask(1)).unwrap_err().to_string();
    assert!(error.ends_with("the actor's"), "{error}");
    let panics = bus.take_panics();
    assert_eq!(panics.len(), 1);
    assert!(panics[0].1.starts_with("the tap's own"));
}

/// An actor as a tap.
struct Keeper(Diary);

impl Actor for Keeper {
    type Context = Context<Self>;
}

impl Handler<OwnedObservation> for Keeper {
    type Result = ();

    fn handle(&mut self, kept: OwnedObservation, _: &mut Context<Self>) {
        let what = match &kept.content {
            OwnedContent::Message(body) => format!("? {body:?}"),
            OwnedContent::Reply(body) => format!("= {body:?}"),
            OwnedContent::Dropped => "dropped".to_owned(),
        };
        let ask = kept.content.downcast_ref::<clerk::Ask>().map(|ask| ask.0);
        self.0
            .write(format!("{} {what}, clerk's: {ask:?}", kept.ticket.sequence));
    }
}

#[test]
fn an_attached_actor_gets_copies() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &doubler(&bus));
    bus.ask(&clerk, clerk::Ask(1)).unwrap();
    let diary = Diary::default();
    let address = bus
        .spawn(|spawner| spawner.start(|_| Keeper(diary.clone())))
        .unwrap();
    bus.attach(ActorTap::new(&address));
    bus.ask(&clerk, clerk::Ask(2)).unwrap();
    bus.run_until_idle().unwrap();
    let expected = [
        "3 ? Ask(2), clerk's: Some(2)",
        "4 ? Ask(2), clerk's: None",
        "4 = 4, clerk's: None",
        "3 = 4, clerk's: None",
    ];
    assert_eq!(diary.read(), expected);
    assert!(address.connected());
}

/// Attached actor that posts a message for an observation.
struct Objector(Port<world::Inbox>);

impl Actor for Objector {
    type Context = Context<Self>;
}

impl Handler<OwnedObservation> for Objector {
    type Result = ();

    fn handle(&mut self, kept: OwnedObservation, _: &mut Context<Self>) {
        match kept.content.downcast_ref::<world::Ask>() {
            Some(world::Ask(13)) => panic!("unlucky"),
            Some(ask) => self.0.post(world::Note(ask.0)),
            None => {}
        }
    }
}

#[test]
fn messages_of_an_attached_actor_are_shown_to_no_tap() {
    let bus = Bus::new();
    let diary = Diary::default();
    let seen = diary.clone();
    let world = world(&bus, move |message| match message {
        world::Inbox::Ask(call) => call.reply.send(0),
        world::Inbox::Note(note) => {
            seen.write(format!("{:?}", note.message));
            note.reply.send(());
        }
    });
    let objector = Objector(world.with_sender(Endpoint::TAP));
    let objector = bus.spawn(|spawner| spawner.start(|_| objector)).unwrap();
    bus.attach(ActorTap::new(&objector));
    let recorder = recorded(&bus);
    bus.ask(&world, world::Ask(9)).unwrap();
    bus.run_until_idle().unwrap();
    assert_eq!(diary.read(), ["Note(9)"]);
    let expected = [
        "1.1 outside to world, tick 0: ? Ask(9)",
        "1.1 outside to world, tick 0: = 0",
    ];
    assert_eq!(recorder.read(), expected);
}

#[test]
fn an_attached_actor_that_panics_is_missed() {
    let bus = Bus::new();
    let world = doubler(&bus);
    let objector = Objector(world.with_sender(Endpoint::TAP));
    let objector = bus.spawn(|spawner| spawner.start(|_| objector)).unwrap();
    bus.attach(ActorTap::new(&objector));
    assert_eq!(bus.ask(&world, world::Ask(13)), Ok(26));
    assert_eq!(bus.ask(&world, world::Ask(1)), Ok(2));
    let panics = bus.take_panics();
    assert_eq!(panics.len(), 1);
    assert_eq!(panics[0].1, "the attached actor has ended (it is detached)");
}

/// Panics at any reply.
struct Fragile;

impl Actor for Fragile {
    type Context = Context<Self>;
}

impl Handler<OwnedObservation> for Fragile {
    type Result = ();

    fn handle(&mut self, kept: OwnedObservation, _: &mut Context<Self>) {
        assert!(!matches!(kept.content, OwnedContent::Reply(_)), "a reply");
    }
}

#[test]
fn an_attached_actor_that_panics_at_the_last_is_missed_too() {
    let bus = Bus::new();
    let world = doubler(&bus);
    let fragile = bus.spawn(|spawner| spawner.start(|_| Fragile)).unwrap();
    bus.attach(ActorTap::new(&fragile));
    assert_eq!(bus.ask(&world, world::Ask(1)), Ok(2));
    bus.run_until_idle().unwrap();
    assert!(bus.take_panics().is_empty());
    bus.detach();
    let panics = bus.take_panics();
    assert_eq!(panics.len(), 1);
    assert_eq!(panics[0].1, "the attached actor has ended");
}

/// Counts, and panics when it is dropped.
struct Clinging(Arc<Mutex<u32>>);

impl Tap for Clinging {
    fn observe(&mut self, _: &Observation<'_>) {
        let mut seen = self.0.lock().unwrap();
        *seen += 1;
        let first = *seen == 1;
        drop(seen);
        assert!(first, "tired");
    }
}

impl Drop for Clinging {
    fn drop(&mut self) {
        panic!("not yet");
    }
}

#[test]
fn a_tap_that_panics_when_it_is_dropped_disturbs_no_message() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &doubler(&bus));
    let seen = Arc::new(Mutex::new(0));
    bus.attach(Clinging(seen.clone()));
    assert_eq!(bus.ask(&clerk, clerk::Ask(1)), Ok(2));
    assert_eq!(bus.ask(&clerk, clerk::Ask(2)), Ok(4));
    assert_eq!(*seen.lock().unwrap(), 2);
    bus.attach(Clinging(Arc::default()));
    bus.detach();
    let panics = bus.take_panics();
    let texts: Vec<_> = panics.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["tired (it is detached)", "not yet", "not yet"]);
}
