//! Re-entrant calls into the bus: allowed from foreign calls, rejected from actors and taps.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::*;
use crate::bus::{BusError, Observation, OwnedObservation};

thread_local! {
    /// Bus of the test. Taps can't hold a bus; they use this one, as the C ABI does.
    static BUS: RefCell<Weak<Bus>> = const { RefCell::new(Weak::new()) };
}

fn this_bus() -> Rc<Bus> {
    BUS.with_borrow(Weak::upgrade).unwrap()
}

fn bus() -> Rc<Bus> {
    let bus = Rc::new(Bus::new());
    BUS.set(Rc::downgrade(&bus));
    bus
}

/// Starts an actor that answers every `Ask` by a foreign call of `callee`. The callee gets the
/// actor's port and may send a further `Ask`.
fn forwarder_to(
    bus: &Bus,
    callee: impl Fn(&Port<clerk::Inbox>, u64) -> u64 + 'static,
) -> Port<clerk::Inbox> {
    let known: Rc<RefCell<Option<Port<clerk::Inbox>>>> = Rc::default();
    let port = known.clone();
    let world = world(bus, move |message| {
        if let world::Inbox::Ask(call) = message {
            let port = port.borrow().clone().unwrap();
            call.reply.send(callee(&port, call.message.0));
        }
    });
    let forwarder = forwarder(bus, &world);
    known.replace(Some(forwarder.clone()));
    forwarder
}

fn reentered<T>(what: &'static str, from: &'static str) -> Result<T, BusError> {
    Err(BusError::Reentrant { what, from })
}

#[test]
fn foreign_calls_may_ask_three_levels_deep() {
    let bus = bus();
    let diary = Diary::default();
    let top = {
        let diary = diary.clone();
        forwarder_to(&bus, move |top, level| {
            assert!(this_bus().in_foreign_call());
            diary.write(format!("{level} begins"));
            let below = match level {
                3 => 0,
                _ => this_bus().ask(top, clerk::Ask(level + 1)).unwrap(),
            };
            diary.write(format!("{level} ends"));
            below * 10 + level
        })
    };
    assert_eq!(bus.ask(&top, clerk::Ask(0)), Ok(3210));
    assert!(!bus.in_foreign_call());
    let order = [
        "0 begins", "1 begins", "2 begins", "3 begins", "3 ends", "2 ends", "1 ends", "0 ends",
    ];
    assert_eq!(diary.read(), order);
}

/// A method of the testbench has static variables, so another one must not run inside of it unless
/// needed.
#[test]
fn messages_of_a_foreign_call_come_before_waiting_foreign_calls() {
    let bus = bus();
    let diary = Diary::default();
    let top = {
        let diary = diary.clone();
        forwarder_to(&bus, move |top, number| {
            diary.write(format!("{number} begins"));
            if number < 100 {
                assert_eq!(this_bus().ask(top, clerk::Ask(number + 100)), Ok(0));
                diary.write(format!("{number} ends"));
            }
            0
        })
    };
    for number in 1..=3 {
        top.post(clerk::Ask(number));
    }
    bus.run_until_idle().unwrap();
    let order = [
        "1 begins",
        "101 begins",
        "1 ends",
        "2 begins",
        "102 begins",
        "2 ends",
        "3 begins",
        "103 begins",
        "3 ends",
    ];
    assert_eq!(diary.read(), order);
}

#[test]
fn a_waiting_foreign_call_is_made_if_the_reply_needs_it() {
    let bus = bus();
    let diary = Diary::default();
    let kept = Rc::new(RefCell::new(None));
    let clerk = worker(&bus, move |message| match message {
        clerk::Inbox::Ask(call) => *kept.borrow_mut() = Some(call.reply),
        clerk::Inbox::Note(note) => kept.take().unwrap().send(note.message.0),
    });
    let world = {
        let (diary, clerk) = (diary.clone(), clerk.clone());
        world(&bus, move |message| match message {
            world::Inbox::Ask(_) => {
                diary.write("1 begins");
                let reply = this_bus().ask(&clerk, clerk::Ask(0)).unwrap();
                diary.write(format!("1 ends with {reply}"));
            }
            world::Inbox::Note(note) => {
                diary.write("2");
                clerk.post(clerk::Note(note.message.0));
            }
        })
    };
    world.post(world::Ask(1));
    world.post(world::Note(22));
    bus.run_until_idle().unwrap();
    assert_eq!(diary.read(), ["1 begins", "2", "1 ends with 22"]);
}

#[test]
fn calls_that_come_back_do_not_pile_up_on_the_stack() {
    let bus = bus();
    let deepest = Rc::new(Cell::new(0));
    let depth = Rc::new(Cell::new(0));
    let inner = doubler(&bus);
    let world = {
        let deepest = deepest.clone();
        world(&bus, move |_| {
            depth.set(depth.get() + 1);
            deepest.set(deepest.get().max(depth.get()));
            assert_eq!(this_bus().ask(&inner, world::Ask(1)), Ok(2));
            depth.set(depth.get() - 1);
        })
    };
    for number in 0..10_000 {
        world.post(world::Note(number));
    }
    bus.run_until_idle().unwrap();
    assert_eq!(deepest.get(), 1);
    assert_eq!(bus.take_panics(), []);
}

/// The inner `Ask` depends on the reply of the call in which it is made.
#[test]
fn an_ask_that_waits_for_its_own_caller_is_an_error() {
    let bus = bus();
    let found = Rc::new(RefCell::new(None));
    let clerk = Rc::new(RefCell::new(None::<Port<clerk::Inbox>>));
    let world = {
        let (found, clerk) = (found.clone(), clerk.clone());
        world(&bus, move |message| {
            let world::Inbox::Ask(call) = message else {
                return;
            };
            let clerk = clerk.borrow().clone().unwrap();
            *found.borrow_mut() = Some(this_bus().ask(&clerk, clerk::Ask(2)));
            call.reply.send(1);
        })
    };
    // Serves one message after the other.
    let queue = Rc::new(RefCell::new(Vec::new()));
    let spawner = bus.spawner();
    *clerk.borrow_mut() = Some(worker(&bus, move |message| {
        let clerk::Inbox::Ask(call) = message else {
            return;
        };
        queue.borrow_mut().push(call);
        if queue.borrow().len() == 1 {
            let (queue, reply) = (queue.clone(), world.ask(world::Ask(0)));
            spawner.spawn(async move {
                let reply = reply.await.unwrap();
                for call in queue.take() {
                    call.reply.send(reply);
                }
            });
        }
    }));
    let top = clerk.borrow().clone().unwrap();
    assert_eq!(bus.ask(&top, clerk::Ask(1)), Ok(1));
    let endpoint = clerk::ENDPOINT;
    let message = "Ask";
    assert_eq!(
        found.take(),
        Some(Err(BusError::Stalled { endpoint, message }))
    );
}

struct Idle;

impl Actor for Idle {
    type Context = Context<Self>;
}

impl Handler<OwnedObservation> for Idle {
    type Result = ();

    fn handle(&mut self, _: OwnedObservation, _: &mut Context<Self>) {}
}

/// Calls every function that would run actors.
fn try_everything(bus: &Bus) -> Vec<Result<(), BusError>> {
    vec![
        bus.ask(&doubler(bus), world::Ask(1)).map(drop),
        bus.tick().map(drop),
        bus.run_until_idle(),
        bus.start(|_: Port<clerk::Inbox>| Worker {
            context: bus.context(clerk::Inbox::ENDPOINT),
            work: Box::new(drop),
        })
        .map(drop),
        bus.spawn(|spawner| spawner.start(|_| Idle)).map(drop),
    ]
}

fn all_reentered() -> Vec<Result<(), BusError>> {
    let from = "an actor or a tap";
    vec![
        reentered("Ask", from),
        reentered("a tick", from),
        reentered("a run of the actors", from),
        reentered("the start of an actor", from),
        reentered("a task or attachment", from),
    ]
}

#[test]
fn an_actor_can_not_wait() {
    let bus = bus();
    let tried = Rc::new(RefCell::new(Vec::new()));
    let clerk = {
        let tried = tried.clone();
        worker(&bus, move |message| {
            if let clerk::Inbox::Ask(call) = message {
                *tried.borrow_mut() = try_everything(&this_bus());
                call.reply.send(call.message.0);
            }
        })
    };
    assert_eq!(bus.ask(&clerk, clerk::Ask(1)), Ok(1));
    assert_eq!(tried.take(), all_reentered());
    assert_eq!(bus.ask(&clerk, clerk::Ask(2)), Ok(2));
    assert_eq!(bus.now(), 0);
    let error = all_reentered().remove(0).unwrap_err().to_string();
    assert_eq!(
        error,
        "Ask is refused inside of an actor or a tap: return from it first"
    );
}

#[test]
fn the_start_of_an_actor_can_not_wait() {
    let bus = bus();
    let mut tried = Vec::new();
    let context = bus.context(clerk::Inbox::ENDPOINT);
    let started = bus.start(|_: Port<clerk::Inbox>| {
        tried = try_everything(&bus);
        Worker {
            context,
            work: Box::new(drop),
        }
    });
    assert!(started.is_ok());
    assert_eq!(tried, all_reentered());
    assert_eq!(bus.run_until_idle(), Ok(()));
}

#[test]
fn a_tap_can_not_wait_wherever_it_is_called_from() {
    thread_local!(static TRIED: RefCell<Vec<Result<(), BusError>>> = const { RefCell::new(vec![]) });
    let bus = bus();
    let clerk = forwarder(&bus, &doubler(&bus));
    bus.attach(|_: &Observation<'_>| {
        TRIED.with_borrow_mut(|tried| tried.extend(try_everything(&this_bus())));
    });
    assert_eq!(bus.ask(&clerk, clerk::Ask(1)), Ok(2));
    // Two messages, one from outside and one from an actor; two replies, both from a foreign call.
    let tried = TRIED.take();
    assert_eq!(tried.len(), 4 * 5);
    for tried in tried.chunks(5) {
        assert_eq!(tried, all_reentered());
    }
    assert_eq!(bus.now(), 0);
}

#[test]
fn a_foreign_call_may_do_all_but_let_time_pass() {
    let bus = bus();
    let tried = Rc::new(RefCell::new(Vec::new()));
    let world = {
        let tried = tried.clone();
        world(&bus, move |_| {
            *tried.borrow_mut() = try_everything(&this_bus());
        })
    };
    world.post(world::Note(0));
    bus.run_until_idle().unwrap();
    let mut expected = vec![Ok(()); 5];
    expected[1] = reentered("a tick", "a foreign call");
    assert_eq!(tried.take(), expected);
    assert_eq!(bus.tick(), Ok(false));
}
