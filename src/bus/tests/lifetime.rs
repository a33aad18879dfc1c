//! End of a bus: by a drop, at the end of its thread, or at the end of the process.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Barrier};

use super::*;
use crate::bus::{Observation, Watch};

/// Creates a bus with pending work: an actor's task that waits for a foreign call, a call in the
/// outbox, a message in an actor's queue, a doorbell, a timer and a tap. Each of them holds the
/// token.
fn busy(token: &Rc<()>, shared: &Arc<()>) -> Bus {
    let bus = Bus::new();
    let held = token.clone();
    let kept = RefCell::new(Vec::new());
    let world = world(&bus, move |message| {
        let _ = &held;
        kept.borrow_mut().push(message);
    });
    let held = token.clone();
    let asks = world.clone();
    let spawner = bus.spawner();
    let clerk = worker(&bus, move |message| {
        if let clerk::Inbox::Ask(call) = message {
            let (held, asks) = (held.clone(), asks.clone());
            spawner.spawn(async move {
                let _held = held;
                let reply = asks.ask(world::Ask(call.message.0)).await;
                call.reply.send(reply.unwrap_or(0));
            });
        }
    });
    let held = shared.clone();
    bus.attach(move |_: &Observation<'_>| {
        let _ = &held;
    });
    let held = token.clone();
    let own = clerk.clone();
    bus.timer(Box::new(move |_| {
        let _ = &held;
        own.post(clerk::Note(0));
    }))
    .set_enabled(true);
    let held = token.clone();
    let rings = {
        let clerk = clerk.clone();
        Box::new(move |_: Option<&[u8]>| {
            let _ = &held;
            clerk.post(clerk::Note(1));
        })
    };
    let watch = Watch::new(1, Box::new(|_| true), rings);
    bus.doorbell().watch(watch);
    bus.ask(&clerk, clerk::Ask(1)).unwrap_err();
    bus.tick().unwrap();
    clerk.post(clerk::Ask(2));
    world.post(world::Note(3));
    bus
}

#[test]
fn a_bus_that_is_dropped_takes_everything_with_it() {
    let (token, shared) = (Rc::new(()), Arc::new(()));
    for _ in 0..3 {
        let bus = busy(&token, &shared);
        assert!(Rc::strong_count(&token) > 4);
        assert_eq!(Arc::strong_count(&shared), 2);
        drop(bus);
        assert_eq!(Rc::strong_count(&token), 1, "something outlives the bus");
        assert_eq!(Arc::strong_count(&shared), 1, "a tap outlives the bus");
    }
    // The thread can have another bus.
    let bus = Bus::new();
    assert_eq!(bus.ask(&doubler(&bus), world::Ask(1)), Ok(2));
}

#[test]
fn a_port_that_outlives_its_bus_leads_nowhere() {
    let bus = Bus::new();
    let world = doubler(&bus);
    let clerk = forwarder(&bus, &world);
    bus.ask(&clerk, clerk::Ask(1)).unwrap();
    drop(bus);
    clerk.post(clerk::Note(0));
    let reply = clerk.ask(clerk::Ask(0));
    let reply = futures_util::FutureExt::now_or_never(reply).unwrap();
    assert_eq!(reply.unwrap_err().to_string(), "clerk did not reply to Ask");
    world.post(world::Note(0));
}

#[test]
fn two_buses_of_one_thread_do_not_mix() {
    let (one, other) = (Bus::new(), Bus::new());
    let clerks = [&one, &other].map(|bus| forwarder(bus, &doubler(bus)));
    for number in 0..10 {
        assert_eq!(one.ask(&clerks[0], clerk::Ask(number)), Ok(number * 2));
        assert_eq!(other.ask(&clerks[1], clerk::Ask(number)), Ok(number * 2));
    }
    one.tick().unwrap();
    assert_eq!((one.now(), other.now()), (1, 0));
}

#[test]
fn each_thread_may_have_one() {
    let together = Arc::new(Barrier::new(2));
    let threads = [1, 2].map(|factor| {
        let together = together.clone();
        std::thread::spawn(move || {
            let bus = Bus::new();
            let clerk = forwarder(&bus, &doubler(&bus));
            together.wait();
            (0..1000)
                .map(|number| bus.ask(&clerk, clerk::Ask(number * factor)).unwrap())
                .sum::<u64>()
        })
    });
    let sums = threads.map(|thread| thread.join().unwrap());
    assert_eq!(sums, [999_000, 1_998_000]);
}

thread_local! {
    static LEFT: RefCell<Option<Bus>> = const { RefCell::new(None) };
}

/// Leaves a busy bus in a thread-local, which is destroyed before or after those of actix and
/// tokio.
fn leave(first: bool) {
    if first {
        LEFT.with_borrow(|left| assert!(left.is_none()));
    }
    let bus = busy(&Rc::new(()), &Arc::new(()));
    LEFT.set(Some(bus));
}

#[test]
fn a_thread_may_end_without_shutdown() {
    for first in [true, false] {
        std::thread::spawn(move || leave(first)).join().unwrap();
    }
}

/// `exit()` destroys the thread-locals of the thread that calls it. A panic there would abort the
/// process.
#[test]
fn the_process_may_end_without_shutdown() {
    const CHILD: &str = "VHOST_TEST_EXITS";
    if let Ok(first) = std::env::var(CHILD) {
        leave(first == "true");
        std::process::exit(7);
    }
    let this = std::thread::current();
    for first in ["true", "false"] {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                this.name().unwrap(),
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, first)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.code(), Some(7), "{stderr}");
        assert_eq!(stderr, "");
    }
}
