//! Messages and replies without re-entrant calls.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;

use super::*;
use crate::bus::{BusError, NoReply};

#[test]
fn an_actor_answers() {
    let bus = Bus::new();
    let clerk = worker(&bus, |message| {
        if let clerk::Inbox::Ask(call) = message {
            call.reply.send(call.message.0 + 1);
        }
    });
    assert_eq!(bus.ask(&clerk, clerk::Ask(1)), Ok(2));
    assert_eq!(bus.ask(&clerk, clerk::Ask(2)), Ok(3));
}

#[test]
fn a_forwarded_message_gets_its_reply() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &doubler(&bus));
    assert_eq!(bus.ask(&clerk, clerk::Ask(21)), Ok(42));
}

#[test]
fn the_outside_is_asked_without_an_actor() {
    let bus = Bus::new();
    assert_eq!(bus.ask(&doubler(&bus), world::Ask(4)), Ok(8));
}

#[test]
fn a_message_to_itself_is_the_next_one() {
    let bus = Bus::new();
    let diary = Diary::default();
    let seen = diary.clone();
    let clerk = bus
        .start(|own: Port<clerk::Inbox>| Worker {
            context: bus.context(clerk::Inbox::ENDPOINT),
            work: Box::new(move |message| match message {
                clerk::Inbox::Ask(call) => {
                    own.post(clerk::Note(call.message.0));
                    call.reply.send(0);
                }
                clerk::Inbox::Note(note) => seen.write(format!(
                    "{} from {}",
                    note.message.0,
                    note.reply.ticket().from
                )),
            }),
        })
        .unwrap();
    bus.ask(&clerk, clerk::Ask(7)).unwrap();
    assert_eq!(diary.read(), ["7 from clerk"]);
}

#[test]
fn posts_arrive_in_order_however_many() {
    let bus = Bus::new();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let clerk = {
        let seen = seen.clone();
        worker(&bus, move |message| {
            if let clerk::Inbox::Note(note) = message {
                seen.borrow_mut().push(note.message.0);
            }
        })
    };
    for number in 0..10_000 {
        clerk.post(clerk::Note(number));
    }
    assert!(seen.borrow().is_empty(), "nothing runs by itself");
    bus.run_until_idle().unwrap();
    assert_eq!(*seen.borrow(), (0..10_000).collect::<Vec<_>>());
}

#[test]
fn foreign_calls_are_made_in_order_of_posting_across_parties() {
    let bus = Bus::new();
    let diary = Diary::default();
    let (first, second) = (diary.clone(), diary.clone());
    let world = world(&bus, move |message| {
        first.write(format!("world {}", message.ticket().sequence));
    });
    let other = bus.foreign(Rc::new(move |message: deputy::Inbox| {
        second.write(format!("other {}", message.ticket().sequence));
    }));
    other.post(deputy::Note(0));
    world.post(world::Note(0));
    other.post(deputy::Note(0));
    bus.run_until_idle().unwrap();
    assert_eq!(diary.read(), ["other 1", "world 2", "other 3"]);
}

/// More tasks than one poll of the executor runs, each with a foreign call of its own.
#[test]
fn many_ask_at_once_and_each_gets_its_own_answer() {
    let bus = Bus::new();
    let world = doubler(&bus);
    let spawner = bus.spawner();
    let clerk = worker(&bus, move |message| {
        if let clerk::Inbox::Ask(call) = message {
            let world = world.clone();
            spawner.spawn(async move {
                let once = world.ask(world::Ask(call.message.0)).await.unwrap();
                let twice = world.ask(world::Ask(once)).await.unwrap();
                call.reply.send(twice);
            });
        }
    });
    let replies: Vec<_> = (0..500)
        .map(|number| clerk.ask(clerk::Ask(number)))
        .collect();
    bus.run_until_idle().unwrap();
    for (number, reply) in (0..).zip(replies) {
        assert_eq!(reply.now_or_never(), Some(Ok(number * 4)));
    }
}

#[test]
fn answers_may_come_in_any_order() {
    let bus = Bus::new();
    let kept = Rc::new(RefCell::new(Vec::new()));
    let world = {
        let kept = kept.clone();
        world(&bus, move |message| match message {
            world::Inbox::Ask(call) => kept.borrow_mut().push(call),
            world::Inbox::Note(_) => {
                for call in kept.take().into_iter().rev() {
                    call.reply.send(call.message.0 + 100);
                }
            }
        })
    };
    let clerk = forwarder(&bus, &world);
    let replies: Vec<_> = (0..8).map(|number| clerk.ask(clerk::Ask(number))).collect();
    bus.run_until_idle().unwrap();
    world.post(world::Note(0));
    bus.run_until_idle().unwrap();
    for (number, reply) in (0..).zip(replies) {
        assert_eq!(reply.now_or_never(), Some(Ok(number + 100)));
    }
}

#[test]
fn a_reply_that_is_dropped_is_no_answer() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &world(&bus, drop));
    let error = bus.ask(&clerk, clerk::Ask(1)).unwrap_err();
    assert_eq!(error.to_string(), "clerk did not reply to Ask");
    let unanswered = NoReply {
        endpoint: clerk::ENDPOINT,
        message: "Ask",
        panic: None,
    };
    assert_eq!(error, BusError::NoReply(unanswered));
}

#[test]
fn a_reply_that_is_kept_is_an_error_and_no_hang() {
    let bus = Bus::new();
    let kept = Rc::new(RefCell::new(Vec::new()));
    let world = {
        let kept = kept.clone();
        world(&bus, move |message| kept.borrow_mut().push(message))
    };
    let clerk = forwarder(&bus, &world);
    let error = bus.ask(&clerk, clerk::Ask(1)).unwrap_err();
    assert_eq!(
        error,
        BusError::Stalled {
            endpoint: clerk::ENDPOINT,
            message: "Ask",
        }
    );
    assert_eq!(
        error.to_string(),
        "deadlock: clerk can't reply to Ask before the next tick"
    );
    // A late reply has no effect, and the bus continues.
    let Some(world::Inbox::Ask(late)) = kept.borrow_mut().pop() else {
        panic!("the call was made");
    };
    late.reply.send(5);
    assert_eq!(bus.run_until_idle(), Ok(()));
    assert_eq!(bus.take_panics(), []);
}

#[test]
fn a_dropped_reply_future_leaves_no_panic() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &doubler(&bus));
    drop(clerk.ask(clerk::Ask(1)));
    assert_eq!(bus.run_until_idle(), Ok(()));
    assert_eq!(bus.take_panics(), []);
}
