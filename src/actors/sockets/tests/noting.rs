//! Network results that become events.

use std::sync::mpsc;

use super::*;
use crate::bus::Observation;
use crate::messages::events::NetworkResult;

#[test]
fn a_tap_sees_every_reply_in_order() {
    let fixture = Fixture::new();
    let (keep, seen) = mpsc::channel();
    fixture.bus.attach(move |seen: &Observation<'_>| {
        if let Some(result) = seen.content.downcast_ref::<NetworkResult>() {
            keep.send(result.clone()).unwrap();
        }
    });
    assert_eq!(fixture.accept(), Ok(None));
    let (client, wire) = fixture.client();
    wire.borrow_mut().window = 2;
    fixture.write(client, b"abc").unwrap();
    wire.borrow_mut().window = 1;
    wire.borrow_mut().sent.extend(b"x");
    assert_eq!(fixture.read(client, ReadMode::UpTo(9)), some(b"x"));
    // Data that is already buffered needs no network operation.
    fixture.greet("");
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
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"x");
    let hub = &mut *fixture.state.hub.borrow_mut();
    hub.write(fixture.state.uart, client, b"abc").unwrap();
    assert_eq!(
        hub.read(fixture.state.uart, client, ReadMode::UpTo(1)),
        some(b"x")
    );
    assert_eq!(hub.results().take(), []);
}
