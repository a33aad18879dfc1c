//! Served requests as taps and the testbench see them.

use std::sync::{Arc, Mutex};

use super::*;
use crate::bus::Observation;

#[test]
fn taps_are_shown_the_outcome_of_each_request() {
    let fixture = Fixture::new(&[(BASE, plain(PtrWidth::P4))]);
    let mut firmware = ready(&fixture, BASE, plain(PtrWidth::P4));
    let served = Arc::new(Mutex::new(Vec::new()));
    let kept = served.clone();
    fixture.bus.attach(move |seen: &Observation<'_>| {
        if let Some(announced) = seen.content.downcast_ref::<mailbox::Served>() {
            kept.lock().unwrap().push((seen.tick, announced.clone()));
        }
    });

    let hello = print("hello", &fixture);
    serve(&fixture, &mut firmware, &hello);
    serve(&fixture, &mut firmware, &Request::Exit { code: 3 });

    let served = served.lock().unwrap();
    let notified: Vec<_> = served
        .iter()
        .map(|(tick, served)| {
            assert_eq!(served.since, *tick);
            (
                served.slot,
                Request::try_from(&served.entry),
                served.response,
            )
        })
        .collect();
    assert_eq!(
        notified,
        [
            (0, Ok(hello), Some(Response::Empty)),
            (1, Ok(Request::Exit { code: 3 }), None),
        ]
    );
}

/// Requests served before the testbench observes are not reported to it.
#[test]
fn the_testbench_gets_served_requests_once_it_observes() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let hello = print("hello", &fixture);
    serve(&fixture, &mut firmware, &hello);
    assert_eq!(fixture.seen.served.take(), []);

    fixture.observed.set(true);
    serve(&fixture, &mut firmware, &hello);
    let nowhere = Request::MemSet {
        dest: 0,
        byte: 0,
        len: 1,
    };
    serve(&fixture, &mut firmware, &nowhere);
    let call = Request::Call {
        method: DATA,
        args: [7].into(),
    };
    fixture.chip.ram.put_string(DATA, "later");
    assert!(firmware.try_send(&call));
    fixture.tick();
    fixture.tick();
    assert_eq!(
        fixture.seen.served.borrow().len(),
        2,
        "it is not served yet"
    );
    let pending = fixture.seen.pending.take().pop().unwrap();
    pending.send(Ok(Provider::Testbench.outcome(Progress::Ready(9))));
    fixture.tick();
    firmware.try_receive().unwrap();
    serve(&fixture, &mut firmware, &Request::Exit { code: 3 });

    let notified = fixture.seen.served.take();
    let notified: Vec<_> = notified
        .iter()
        .map(|notified| {
            assert_eq!(&*notified.channel, "core0");
            (
                notified.slot,
                Request::try_from(&*notified.entry),
                notified.ticks,
                notified.result,
            )
        })
        .collect();
    let efault = u64::from((-14_i32).cast_unsigned());
    assert_eq!(
        notified,
        [
            (1, Ok(hello), 0, Some(0)),
            (2, Ok(nowhere), 0, Some(efault)),
            (3, Ok(call), 2, Some(9)),
            (4, Ok(Request::Exit { code: 3 }), 0, None),
        ]
    );
}
