//! Doorbells and timers: polled watches, and per-tick callbacks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::*;
use crate::bus::{BusError, DOORBELL_BYTES, Doorbell, PolledWords, Watch};

/// Byte of a simulated memory, and the number of its reads.
#[derive(Clone, Default)]
struct Memory {
    byte: Rc<Cell<u8>>,
    broken: Rc<Cell<bool>>,
    looks: Rc<Cell<usize>>,
    /// Arguments of callbacks.
    rings: Diary,
}

impl Memory {
    fn watched_by(&self, doorbell: &Doorbell) {
        let (memory, rings) = (self.clone(), self.rings.clone());
        doorbell.watch(Watch::new(
            1,
            Box::new(move |to| {
                memory.looks.set(memory.looks.get() + 1);
                to[0] = memory.byte.get();
                !memory.broken.get()
            }),
            Box::new(move |seen| rings.write(format!("{seen:?}"))),
        ));
    }
}

#[test]
fn a_tick_with_nothing_to_do_does_nothing() {
    let bus = Bus::new();
    bus.doorbell();
    bus.timer(Box::new(|_| panic!("nobody wanted it")));
    assert_eq!(bus.tick(), Ok(false));
    assert_eq!(bus.tick(), Ok(false));
    assert_eq!(bus.now(), 2);
}

#[test]
fn a_doorbell_calls_back_at_the_first_poll_and_at_changes() {
    let bus = Bus::new();
    let memory = Memory::default();
    memory.watched_by(&bus.doorbell());
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(memory.rings.read(), ["Some([0])"]);
    assert_eq!(bus.tick(), Ok(false));
    assert_eq!(memory.rings.read().len(), 0);
    memory.byte.set(5);
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(memory.rings.read(), ["Some([5])"]);
    assert_eq!(bus.tick(), Ok(false));
    assert_eq!(memory.looks.get(), 4, "one look a tick");
}

#[test]
fn notify_rings_every_bell_once() {
    let bus = Bus::new();
    let memories = [Memory::default(), Memory::default()];
    for memory in &memories {
        memory.watched_by(&bus.doorbell());
    }
    bus.tick().unwrap();
    bus.notify();
    for memory in &memories {
        memory.rings.read();
    }
    assert_eq!(bus.tick(), Ok(true));
    for memory in &memories {
        assert_eq!(memory.rings.read(), ["Some([0])"]);
    }
    assert_eq!(bus.tick(), Ok(false));
}

#[test]
fn a_failed_read_is_reported_once() {
    let bus = Bus::new();
    let memory = Memory::default();
    let doorbell = bus.doorbell();
    memory.watched_by(&doorbell);
    bus.tick().unwrap();
    memory.broken.set(true);
    memory.rings.read();
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(memory.rings.read(), ["None"]);
    bus.notify();
    assert_eq!(bus.tick(), Ok(false));
    assert_eq!(memory.looks.get(), 2);
    // The next watch is polled again.
    memory.broken.set(false);
    memory.watched_by(&doorbell);
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(memory.rings.read(), ["Some([0])"]);
}

#[test]
fn a_silenced_bell_looks_at_nothing() {
    let bus = Bus::new();
    let memory = Memory::default();
    let doorbell = bus.doorbell();
    memory.watched_by(&doorbell);
    doorbell.disarm();
    bus.notify();
    assert_eq!(bus.tick(), Ok(false));
    assert_eq!(memory.looks.get(), 0);
}

#[test]
fn a_bell_watches_so_many_bytes_at_most() {
    let bus = Bus::new();
    let doorbell = bus.doorbell();
    let lengths = Rc::new(RefCell::new(Vec::new()));
    let (looked, rang) = (lengths.clone(), lengths.clone());
    doorbell.watch(Watch::new(
        1000,
        Box::new(move |to| {
            looked.borrow_mut().push(to.len());
            true
        }),
        Box::new(move |seen| rang.borrow_mut().push(seen.unwrap().len())),
    ));
    bus.tick().unwrap();
    assert_eq!(*lengths.borrow(), [DOORBELL_BYTES; 2]);
}

/// Starts a clerk that sets its watch again at every callback.
fn rearmed_at_every_ring(bus: &Bus, memory: &Memory) {
    let doorbell = bus.doorbell();
    let rings = Rc::new(RefCell::new(None::<Port<clerk::Inbox>>));
    let watch = {
        let (doorbell, memory, rings) = (doorbell.clone(), memory.clone(), rings.clone());
        move || {
            let memory = memory.clone();
            let clerk = rings.borrow().clone().unwrap();
            doorbell.watch(Watch::new(
                1,
                Box::new(move |to| {
                    memory.looks.set(memory.looks.get() + 1);
                    to[0] = memory.byte.get();
                    true
                }),
                Box::new(move |seen| clerk.post(clerk::Note(seen.unwrap()[0].into()))),
            ));
        }
    };
    let (diary, again) = (memory.rings.clone(), watch.clone());
    *rings.borrow_mut() = Some(worker(bus, move |message| {
        if let clerk::Inbox::Note(note) = message {
            diary.write(format!("{}", note.message.0));
            again();
        }
    }));
    watch();
}

#[test]
fn new_watches_are_polled_in_the_same_tick_up_to_a_limit() {
    let bus = Bus::new();
    let memory = Memory::default();
    rearmed_at_every_ring(&bus, &memory);
    memory.byte.set(3);
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(memory.rings.read(), ["3"; 4]);
    assert_eq!(memory.looks.get(), 4);
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(memory.looks.get(), 8);
}

#[test]
fn a_bell_that_did_not_change_hands_is_looked_at_once_a_tick() {
    let bus = Bus::new();
    let (usual, busy) = (Memory::default(), Memory::default());
    usual.watched_by(&bus.doorbell());
    rearmed_at_every_ring(&bus, &busy);
    bus.tick().unwrap();
    assert_eq!(usual.looks.get(), 1);
}

/// A poll is a foreign call, and may re-enter the bus.
#[test]
fn a_look_may_ask() {
    let bus = Rc::new(Bus::new());
    let clerk = forwarder(&bus, &doubler(&bus));
    let rings = Diary::default();
    let (weak, diary) = (Rc::downgrade(&bus), rings.clone());
    bus.doorbell().watch(Watch::new(
        1,
        Box::new(move |to| {
            let bus = weak.upgrade().unwrap();
            assert!(bus.in_foreign_call());
            let what = "a tick";
            let from = "a foreign call";
            assert_eq!(bus.tick(), Err(BusError::Reentrant { what, from }));
            to[0] = u8::try_from(bus.ask(&clerk, clerk::Ask(4)).unwrap()).unwrap();
            true
        }),
        Box::new(move |seen| diary.write(format!("{seen:?}"))),
    ));
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(rings.read(), ["Some([8])"]);
    assert!(!bus.in_foreign_call());
    assert_eq!(bus.now(), 1);
}

/// The owner sets another watch during a poll: neither the bytes read nor a failure of the read
/// reaches the callback.
#[test]
fn a_poll_of_a_replaced_watch_calls_nothing() {
    for readable in [true, false] {
        let bus = Bus::new();
        let next = Memory::default();
        next.byte.set(7);
        let doorbell = bus.doorbell();
        let (inner, watched) = (doorbell.clone(), next.clone());
        doorbell.watch(Watch::new(
            1,
            Box::new(move |_| {
                watched.watched_by(&inner);
                readable
            }),
            Box::new(|_| panic!("an old doorbell rang")),
        ));
        assert_eq!(bus.tick(), Ok(true));
        assert_eq!(next.rings.read(), ["Some([7])"], "in the same tick");
        assert_eq!(bus.tick(), Ok(false));
        assert_eq!(next.looks.get(), 2);
    }
}

#[test]
fn a_look_that_panics_leaves_the_bus_as_it_was() {
    let bus = Bus::new();
    let moody = Rc::new(Cell::new(true));
    let look = moody.clone();
    bus.doorbell().watch(Watch::new(
        1,
        Box::new(move |_| {
            assert!(!look.get(), "no");
            true
        }),
        Box::new(|_| {}),
    ));
    let ticked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bus.tick()));
    assert!(ticked.is_err());
    assert!(!bus.in_foreign_call());
    moody.set(false);
    assert_eq!(bus.tick(), Ok(true));
}

#[test]
fn settled_ticks_look_once_at_each_bell_and_ring_those_that_have_changed() {
    let bus = Bus::new();
    let memories: [Memory; 4] = Default::default();
    for memory in &memories {
        memory.watched_by(&bus.doorbell());
    }
    let rings = || memories.each_ref().map(|memory| memory.rings.read().len());
    let looks = || memories.each_ref().map(|memory| memory.looks.get());
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(rings(), [1; 4]);
    assert!(bus.is_settled());

    let ticks = bus.settled_ticks();
    let tick = || {
        let mut polled = PolledWords::default();
        let rang = ticks.poll(&mut polled);
        if rang {
            bus.finish_tick(ticks.finish_poll(&polled));
        }
        rang
    };
    assert!(!tick());
    assert_eq!((rings(), looks()), ([0; 4], [2; 4]));
    memories[1].byte.set(3);
    memories[3].byte.set(4);
    assert!(tick());
    assert_eq!((rings(), looks()), ([0, 1, 0, 1], [3; 4]));
    memories[2].broken.set(true);
    assert!(tick());
    assert_eq!((rings(), looks()), ([0, 0, 1, 0], [4; 4]));
    assert!(!tick());
    assert_eq!((rings(), looks()), ([0; 4], [5, 5, 4, 5]));
    assert_eq!(bus.now(), 5);

    assert!(bus.has_settled_ticks(&ticks));
    memories[0].watched_by(&bus.doorbell());
    assert!(!bus.has_settled_ticks(&ticks));
}

#[test]
fn a_timer_runs_while_it_is_enabled() {
    let bus = Bus::new();
    let rings = Diary::default();
    let diary = rings.clone();
    let timer = bus.timer(Box::new(move |tick| diary.write(tick.to_string())));
    bus.tick().unwrap();
    timer.set_enabled(true);
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(bus.tick(), Ok(true));
    timer.set_enabled(false);
    assert_eq!(bus.tick(), Ok(false));
    assert_eq!(rings.read(), ["2", "3"]);
}

#[test]
fn messages_of_a_timer_are_delivered_in_the_same_tick() {
    let bus = Bus::new();
    let clerk = forwarder(&bus, &doubler(&bus));
    let replies = Rc::new(RefCell::new(Vec::new()));
    let kept = replies.clone();
    let timer = bus.timer(Box::new(move |tick| {
        kept.borrow_mut().push(clerk.ask(clerk::Ask(tick)));
    }));
    timer.set_enabled(true);
    bus.tick().unwrap();
    let reply = replies.borrow_mut().pop().unwrap();
    assert_eq!(futures_util::FutureExt::now_or_never(reply), Some(Ok(2)));
}

#[test]
fn a_tick_delivers_messages_posted_between_ticks() {
    let bus = Bus::new();
    let diary = Diary::default();
    let (inside, outside) = (diary.clone(), diary.clone());
    let clerk = worker(&bus, move |_: clerk::Inbox| inside.write("actor"));
    let world = world(&bus, move |_| outside.write("outside"));
    bus.run_until_idle().unwrap();
    clerk.post(clerk::Note(0));
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(diary.read(), ["actor"]);
    world.post(world::Note(0));
    assert_eq!(bus.tick(), Ok(true));
    assert_eq!(diary.read(), ["outside"]);
    assert_eq!(bus.tick(), Ok(false));
}

/// An ask returns as soon as its reply is there. Other resulting work is done at the next call of
/// the bus.
#[test]
fn a_foreign_call_left_over_by_an_ask_is_made_in_the_next_tick() {
    let bus = Bus::new();
    let diary = Diary::default();
    let reported = diary.clone();
    let world = world(&bus, move |_| reported.write("told"));
    let clerk = worker(&bus, move |message| {
        if let clerk::Inbox::Ask(call) = message {
            world.post(world::Note(0));
            call.reply.send(1);
        }
    });
    assert_eq!(bus.ask(&clerk, clerk::Ask(0)), Ok(1));
    bus.tick().unwrap();
    assert_eq!(diary.read(), ["told"]);
}
