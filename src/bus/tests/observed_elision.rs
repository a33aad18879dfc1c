//! Elided messages that taps observe: the same observations, calls and panics as with messages, for
//! every action of a tap.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::bus::{EndpointName, NoReply, Observation};

const CALLER: Endpoint = Endpoint::new(&EndpointName::new("caller"));

/// Action of a tap at one observation.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Nothing,
    /// Posts a message to the world.
    Posts,
    Panics,
    Attaches,
}

/// Behaviour of the world at a call.
#[derive(Debug, Clone, Copy)]
enum World {
    Replies,
    Panics,
    /// Posts a call without waiting for it.
    Posts,
    /// Asks the clerk before the reply.
    Asks,
    Detaches,
    Attaches,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    /// Number of the observation at which the tap acts.
    at: usize,
    deed: Deed,
    world: World,
    is_tapped: bool,
    flushes: bool,
}

thread_local! {
    static BUS: RefCell<Option<Rc<Bus>>> = const { RefCell::new(None) };
    static WORLD: RefCell<Option<Port<world::Inbox>>> = const { RefCell::new(None) };
    static CLERK: RefCell<Option<Port<clerk::Inbox>>> = const { RefCell::new(None) };
}

fn this_bus() -> Rc<Bus> {
    BUS.with_borrow(|bus| bus.clone().unwrap())
}

fn post_note(number: u64, from: Endpoint) {
    WORLD.with_borrow(|world| {
        let world = world.as_ref().unwrap().with_sender(from);
        world.post(world::Note(number));
    });
}

/// Lines of taps and of the world, in their order.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn attach(&self, bus: &Bus, name: &'static str) {
        bus.attach(Writer {
            lines: self.clone(),
            name,
        });
    }
}

struct Writer {
    lines: Lines,
    name: &'static str,
}

impl crate::bus::Tap for Writer {
    fn observe(&mut self, seen: &Observation<'_>) {
        let Observation {
            ticket, awaited, ..
        } = seen;
        self.lines.write(format!(
            "{}: {}.{} {} to {} {awaited} {:?}",
            self.name,
            ticket.root,
            ticket.sequence,
            ticket.from,
            ticket.to(),
            seen.content
        ));
    }

    fn flush(&mut self) {
        self.lines.write(format!("{} flushes", self.name));
    }
}

/// Actions of the world at its first call and at later ones.
fn act(case: Case, lines: &Lines, number: u64) -> u64 {
    lines.write(format!("the world is asked {number}"));
    if number < 10 {
        match case.world {
            World::Replies => {}
            World::Panics => panic!("the world's"),
            World::Posts => post_note(number + 20, CALLER),
            World::Asks => {
                let clerk = CLERK.with_borrow(|clerk| clerk.clone().unwrap());
                let reply = this_bus().ask(&clerk, clerk::Ask(number + 10));
                lines.write(format!("the world got {reply:?}"));
            }
            World::Detaches => this_bus().detach(),
            World::Attaches => lines.attach(&this_bus(), "second"),
        }
    }
    number * 2
}

/// Runs a task that asks the clerk and posts to the world, by messages or elided ones. Returns the
/// logged lines.
fn run(case: Case, elides: bool) -> Vec<String> {
    let lines = Lines::default();
    let bus = Rc::new(Bus::new());
    BUS.set(Some(bus.clone()));
    let seen = lines.clone();
    let world = world(&bus, move |message| match message {
        world::Inbox::Ask(call) => {
            let reply = act(case, &seen, call.message.0);
            call.reply.send(reply);
        }
        world::Inbox::Note(note) => {
            act(case, &seen, note.message.0);
            note.reply.send(());
        }
    });
    WORLD.set(Some(world.clone()));
    let clerk = forwarder(&bus, &world);
    CLERK.set(Some(clerk.clone()));
    if case.is_tapped {
        let (count, after) = (Cell::new(0), lines.clone());
        bus.attach(move |_: &Observation<'_>| {
            if count.replace(count.get() + 1) != case.at {
                return;
            }
            match case.deed {
                Deed::Nothing => {}
                Deed::Posts => post_note(100, Endpoint::TAP),
                Deed::Panics => panic!("the tap's"),
                Deed::Attaches => after.attach(&this_bus(), "third"),
            }
        });
        lines.attach(&bus, "first");
    }
    bus.flush_before_calls(case.flushes);
    let elision = bus.elision().clone();
    let (asker, noter) = (clerk.with_sender(CALLER), world.with_sender(CALLER));
    let of_clerk = world.with_sender(clerk::ENDPOINT);
    let reported = lines.clone();
    let task = async move {
        for number in [1, 2] {
            let reply = match elides && elision.form() == Some(ElidedForm::Shown) {
                true => {
                    let ask = clerk::Ask(number);
                    let request = elision.show::<clerk::Inbox, _>(CALLER, &ask);
                    let reply: Result<Result<u64, NoReply>, _> = match request.is_undisturbed() {
                        true => {
                            let call = |_, ask: &world::Ask| Some(act(case, &reported, ask.0));
                            request.forward_call(&of_clerk, world::Ask(number), call)
                        }
                        false => Err(request.deliver(&asker, ask)),
                    };
                    match reply {
                        Ok(reply) => reply,
                        Err(later) => later.await,
                    }
                }
                false => asker.ask(clerk::Ask(number)).await,
            };
            reported.write(format!("the task got {reply:?}"));
            let note = world::Note(number + 2);
            if elides && elision.form() == Some(ElidedForm::Shown) {
                let request = elision.show_post::<world::Inbox, _>(CALLER, &note);
                match request.is_undisturbed() {
                    true => request.call_post(|| {
                        act(case, &reported, note.0);
                        Some(())
                    }),
                    false => request.deliver_post(&noter, note),
                }
            } else {
                noter.post(note);
            }
        }
    };
    bus.spawn(|spawner| spawner.spawn(task)).unwrap();
    bus.run_until_idle().unwrap();
    for (ticket, text) in bus.take_panics() {
        lines.write(format!("{} panicked: {text}", ticket.to()));
    }
    BUS.take();
    WORLD.take();
    CLERK.take();
    std::mem::take(&mut *lines.0.lock().unwrap())
}

fn cases() -> impl Strategy<Value = Case> {
    let deed = prop_oneof![
        Just(Deed::Nothing),
        Just(Deed::Posts),
        Just(Deed::Panics),
        Just(Deed::Attaches),
    ];
    let world = prop_oneof![
        Just(World::Replies),
        Just(World::Panics),
        Just(World::Posts),
        Just(World::Asks),
        Just(World::Detaches),
        Just(World::Attaches),
    ];
    let rest = (0..14_usize, any::<bool>(), any::<bool>());
    (rest, deed, world).prop_map(|((at, is_tapped, flushes), deed, world)| Case {
        at,
        deed,
        world,
        is_tapped,
        flushes,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn elided_messages_are_seen_like_messages(case in cases()) {
        prop_assert_eq!(run(case, true), run(case, false));
    }
}

#[test]
fn a_request_that_a_call_replaces_is_seen_with_its_replies() {
    let case = Case {
        at: 0,
        deed: Deed::Nothing,
        world: World::Replies,
        is_tapped: true,
        flushes: false,
    };
    let lines = run(case, true);
    let expected = [
        "first: 1.1 caller to clerk true Message(Ask(1))",
        "first: 1.2 clerk to world true Message(Ask(1))",
        "the world is asked 1",
        "first: 1.2 clerk to world true Reply(2)",
        "first: 1.1 caller to clerk true Reply(2)",
        "the task got Ok(2)",
        "first: 3.3 caller to world false Message(Note(3))",
        "the world is asked 3",
        "first: 3.3 caller to world false Reply(())",
    ];
    assert_eq!(lines[..expected.len()], expected);
}
