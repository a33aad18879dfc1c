//! A panic becomes the error of the asker, and the bus continues.

use super::*;
use crate::bus::BusError;

fn text(error: &BusError) -> Option<&str> {
    match error {
        BusError::NoReply(unanswered) => unanswered.panic.as_deref(),
        _ => None,
    }
}

/// Panics at odd numbers.
fn moody(bus: &Bus) -> Port<clerk::Inbox> {
    worker(bus, |message| match message {
        clerk::Inbox::Ask(call) => {
            let number = call.message.0;
            assert!(number.is_multiple_of(2), "{number} is odd");
            call.reply.send(number);
        }
        clerk::Inbox::Note(note) => panic!("note {}", note.message.0),
    })
}

#[test]
fn the_asker_gets_the_text_and_the_actor_goes_on() {
    let bus = Bus::new();
    let clerk = moody(&bus);
    let error = bus.ask(&clerk, clerk::Ask(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "clerk did not reply to Ask: it panicked: 1 is odd"
    );
    assert_eq!(bus.ask(&clerk, clerk::Ask(2)), Ok(2));
    assert_eq!(
        text(&bus.ask(&clerk, clerk::Ask(3)).unwrap_err()),
        Some("3 is odd")
    );
    assert_eq!(bus.take_panics(), [], "it was heard of");
}

#[test]
fn an_actor_that_asked_gets_the_text() {
    let bus = Bus::new();
    let clerk = moody(&bus);
    let spawner = bus.spawner();
    let deputy = worker(&bus, move |message| {
        if let deputy::Inbox::Ask(call) = message {
            let reply = clerk.ask(clerk::Ask(call.message.0));
            spawner.spawn(async move {
                let panicked = reply.await.unwrap_err().panic;
                call.reply
                    .send(panicked.map_or(0, |text| text.len() as u64));
            });
        }
    });
    assert_eq!(bus.ask(&deputy, deputy::Ask(1)), Ok(8));
    assert_eq!(bus.take_panics(), []);
}

#[test]
fn a_panic_without_an_asker_is_kept() {
    let bus = Bus::new();
    let clerk = moody(&bus);
    clerk.post(clerk::Note(1));
    drop(clerk.ask(clerk::Ask(3)));
    bus.run_until_idle().unwrap();
    let panics = bus.take_panics();
    let panics: Vec<_> = panics
        .iter()
        .map(|(ticket, text)| format!("{} {}: {text}", ticket.to(), ticket.name()))
        .collect();
    assert_eq!(panics, ["clerk Note: note 1", "clerk Ask: 3 is odd"]);
    assert_eq!(bus.take_panics(), []);
}

#[test]
fn of_many_panics_the_last_are_kept() {
    let bus = Bus::new();
    let clerk = moody(&bus);
    for number in 0..100 {
        clerk.post(clerk::Note(number));
    }
    bus.run_until_idle().unwrap();
    let texts: Vec<_> = bus
        .take_panics()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(texts.len(), 64);
    assert_eq!(texts[0], "note 36");
    assert_eq!(texts[63], "note 99");
}

#[test]
fn a_foreign_party_that_panics_is_named_to_the_asker() {
    let bus = Bus::new();
    let world = world(&bus, |message| match message {
        world::Inbox::Ask(call) if call.message.0 == 0 => panic!("no zero"),
        world::Inbox::Ask(call) => call.reply.send(1),
        world::Inbox::Note(_) => panic!("no note"),
    });
    let clerk = forwarder(&bus, &world);
    // The clerk has forwarded the reply.
    let error = bus.ask(&clerk, clerk::Ask(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "world did not reply to Ask: it panicked: no zero"
    );
    assert!(!bus.in_foreign_call());
    assert_eq!(bus.take_panics(), []);
    assert_eq!(bus.ask(&clerk, clerk::Ask(1)), Ok(1));

    world.post(world::Note(0));
    bus.run_until_idle().unwrap();
    assert_eq!(bus.take_panics().len(), 1);
}

#[test]
fn a_panic_without_a_text_is_called_so() {
    let bus = Bus::new();
    let clerk = worker::<clerk::Inbox>(&bus, |_| std::panic::panic_any(7));
    let error = bus.ask(&clerk, clerk::Ask(0)).unwrap_err();
    assert_eq!(text(&error), Some("a panic without a message"));
}

/// A panic does not affect the next message.
#[test]
fn a_panic_does_not_affect_other_messages() {
    let bus = Bus::new();
    let clerk = worker(&bus, |message| match message {
        clerk::Inbox::Ask(call) => drop(call),
        clerk::Inbox::Note(_) => panic!("a note"),
    });
    clerk.post(clerk::Note(0));
    let error = bus.ask(&clerk, clerk::Ask(0)).unwrap_err();
    assert_eq!(text(&error), None);
    assert_eq!(bus.take_panics().len(), 1);
}

#[test]
fn a_task_that_panics_under_shelter_gives_the_text() {
    let bus = Bus::new();
    let context = bus.context(clerk::ENDPOINT);
    let spawner = bus.spawner();
    let clerk = worker(&bus, move |message| {
        if let clerk::Inbox::Ask(call) = message {
            let context = context.clone();
            spawner.spawn(async move {
                let number = call.message.0;
                let task = async {
                    tokio::task::yield_now().await;
                    assert_ne!(number, 0, "no zero");
                    number
                };
                let outcome = context.catch_panic(task).await;
                call.reply
                    .send(outcome.unwrap_or_else(|text| text.len() as u64 + 100));
            });
        }
    });
    assert_eq!(bus.ask(&clerk, clerk::Ask(3)), Ok(3));
    assert_eq!(
        bus.ask(&clerk, clerk::Ask(0)),
        Ok(100 + "assertion `left != right` failed: no zero\n  left: 0\n right: 0".len() as u64)
    );
}

/// Without `catch_panic` the text of the panic is lost, but the bus continues and the asker gets an
/// error.
#[test]
fn a_task_that_panics_without_shelter_gives_no_answer() {
    let bus = Bus::new();
    let spawner = bus.spawner();
    let clerk = worker(&bus, move |message| {
        if let clerk::Inbox::Ask(call) = message {
            spawner.spawn(async move {
                assert_ne!(call.message.0, 0);
                call.reply.send(1);
            });
        }
    });
    assert_eq!(text(&bus.ask(&clerk, clerk::Ask(0)).unwrap_err()), None);
    assert_eq!(bus.ask(&clerk, clerk::Ask(1)), Ok(1));
}

#[test]
fn an_actor_that_could_not_be_made_leaves_the_bus_as_it_was() {
    let bus = Bus::new();
    let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        bus.start(|_: Port<clerk::Inbox>| -> Worker<clerk::Inbox> { panic!("no actor") })
    }));
    assert!(made.is_err());
    assert_eq!(bus.ask(&doubler(&bus), world::Ask(1)), Ok(2));
    assert_eq!(bus.ask(&moody(&bus), clerk::Ask(2)), Ok(2));
}
