//! Network results that become events.

use std::sync::mpsc;

use super::*;
use crate::bus::Observation;
use crate::messages::events::NetworkResult;

#[test]
fn a_tap_sees_every_reply_in_order() {
    let bench = Fixture::new();
    let (keep, seen) = mpsc::channel();
    bench.bus.attach(move |seen: &Observation<'_>| {
        if let Some(result) = seen.content.downcast_ref::<NetworkResult>() {
            keep.send(result.clone()).unwrap();
        }
    });
    assert_eq!(bench.accept(), Ok(None));
    let (client, wire) = bench.client();
    wire.borrow_mut().window = 2;
    bench.write(client, b"abc").unwrap();
    wire.borrow_mut().window = 1;
    wire.borrow_mut().sent.extend(b"x");
    assert_eq!(bench.read(client, ReadMode::UpTo(9)), some(b"x"));
    // Data that is already buffered needs no network operation.
    bench.greet("");
    assert_eq!(
        seen.try_iter().collect::<Vec<_>>(),
        [
            NetworkResult::Accept(Ok(false)),
            NetworkResult::Accept(Ok(true)),
            NetworkResult::Send(Ok(Some(2))),
            NetworkResult::Send(Ok(Some(1))),
            NetworkResult::Receive(Ok(Some(Bytes::from_static(b"x")))),
        ]
    );
}

#[test]
fn without_a_tap_nothing_is_noted() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().sent.extend(b"x");
    let hub = &mut *bench.state.hub.borrow_mut();
    hub.write(bench.state.uart, client, b"abc").unwrap();
    assert_eq!(
        hub.read(bench.state.uart, client, ReadMode::UpTo(1)),
        some(b"x")
    );
    assert_eq!(hub.results().take(), []);
}
