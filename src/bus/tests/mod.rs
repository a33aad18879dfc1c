//! Bus with endpoints for tests. Each test defines their behaviour by a closure.

mod asking;
mod lifetime;
mod observed_elision;
mod panics;
mod reentry;
mod taps;
mod ticks;

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, Context, Handler};

use super::{ActorContext, Bus, ElidedForm, Endpoint, Inbox, Port};

/// Endpoint with two messages: one with a number as its reply, one without a reply.
macro_rules! endpoint {
    ($endpoint:ident, $name:literal) => {
        #[allow(unreachable_pub, reason = "the inboxes of the crate are public")]
        mod $endpoint {
            use serde::{Deserialize, Serialize};

            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct Ask(pub u64);

            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct Note(pub u64);

            crate::bus::inbox! {
                $name {
                    Ask -> u64 { channel: none, payload: none },
                    Note -> () { channel: none, payload: none },
                }
            }
        }
    };
}

endpoint!(clerk, "clerk");
endpoint!(deputy, "deputy");
endpoint!(world, "world");

/// Actor that passes its messages to a closure of the test.
struct Worker<I> {
    context: ActorContext,
    work: Box<dyn FnMut(I)>,
}

impl<I: Inbox + Unpin> Actor for Worker<I> {
    type Context = Context<Self>;
}

impl<I: Inbox + Unpin> Handler<I> for Worker<I> {
    type Result = ();

    fn handle(&mut self, message: I, _: &mut Context<Self>) {
        let context = self.context.clone();
        context.handle(message, |message| (self.work)(message));
    }
}

/// Starts an actor.
fn worker<I: Inbox + Unpin>(bus: &Bus, work: impl FnMut(I) + 'static) -> Port<I> {
    let context = bus.context(I::ENDPOINT);
    let work = Box::new(work);
    bus.start(|_| Worker { context, work }).unwrap()
}

/// Starts an actor that forwards every `Ask` to the world, with its reply cell.
fn forwarder(bus: &Bus, world: &Port<world::Inbox>) -> Port<clerk::Inbox> {
    let world = world.with_sender(clerk::ENDPOINT);
    worker(bus, move |message| {
        if let clerk::Inbox::Ask(call) = message {
            world.forward(world::Ask(call.message.0), call.reply);
        }
    })
}

/// Port to an endpoint that is not an actor.
fn world(bus: &Bus, callee: impl Fn(world::Inbox) + 'static) -> Port<world::Inbox> {
    bus.foreign(Rc::new(callee))
}

/// Foreign endpoint that replies at once with twice the number.
fn doubler(bus: &Bus) -> Port<world::Inbox> {
    world(bus, |message| match message {
        world::Inbox::Ask(call) => call.reply.send(call.message.0 * 2),
        world::Inbox::Note(note) => note.reply.send(()),
    })
}

/// Log of events in their order.
#[derive(Clone, Default)]
struct Diary(Rc<RefCell<Vec<String>>>);

impl Diary {
    fn write(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    /// Takes the events since the last read.
    fn read(&self) -> Vec<String> {
        self.0.take()
    }
}
