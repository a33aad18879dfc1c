//! Disconnected clients, which still receive the bytes written before.

use super::*;
use crate::actors::sockets::hub::LEAVING_MAX;

#[test]
fn a_connection_is_closed_when_both_ends_have_finished() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().sent.extend(b"never read");
    bench.write(client, b"bye").unwrap();
    bench.disconnect(client).unwrap();
    assert_eq!(
        bench.read(client, ReadMode::UpTo(9)),
        Err(no_client(client))
    );
    assert!(wire.borrow().finished && !wire.borrow().closed);
    assert!(!bench.tick(), "nothing is queued");
    wire.borrow_mut().ended = true;
    bench.accept().unwrap();
    assert!(wire.borrow().closed);
}

#[test]
fn queued_bytes_come_before_the_end() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().window = 1;
    bench.write(client, b"bye").unwrap();
    bench.disconnect(client).unwrap();
    assert!(bench.tick());
    assert!(!wire.borrow().finished);
    wire.borrow_mut().window = 9;
    assert!(bench.tick());
    assert!(wire.borrow().finished);
    assert_eq!(wire.borrow().received, b"bye");
    assert!(!bench.tick());
}

#[test]
fn a_closed_socket_still_sends_the_rest() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().window = 0;
    bench.write(client, b"bye").unwrap();
    bench
        .ask(Close {
            socket: bench.state.uart,
        })
        .unwrap();
    wire.borrow_mut().window = 9;
    assert!(bench.tick());
    assert_eq!(wire.borrow().received, b"bye");
}

#[test]
fn a_flood_does_not_hold_up_the_leave() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().sent.extend(vec![0; 5 * READ_MAX]);
    wire.borrow_mut().ended = true;
    bench.disconnect(client).unwrap();
    assert!(wire.borrow().sent.len() >= 4 * READ_MAX, "a bit at a time");
    for _ in 0..5 {
        bench.accept().unwrap();
    }
    assert!(wire.borrow().closed);
}

#[test]
fn a_connection_that_breaks_meanwhile_is_reported_only_if_bytes_are_lost() {
    for (window, warnings) in [(0, 1), (9, 0)] {
        let bench = Fixture::new();
        let (client, wire) = bench.client();
        wire.borrow_mut().window = window;
        bench.write(client, b"bye").unwrap();
        bench.disconnect(client).unwrap();
        wire.borrow_mut().reset = true;
        bench.accept().unwrap();
        assert!(wire.borrow().closed);
        assert_eq!(bench.warnings().len(), warnings);
    }
}

#[test]
fn those_that_never_go_are_cut_off() {
    let bench = Fixture::new();
    let mut wires = Vec::new();
    for _ in 0..=LEAVING_MAX {
        let (client, wire) = bench.client();
        wire.borrow_mut().window = 0;
        bench.write(client, b"bye").unwrap();
        bench.disconnect(client).unwrap();
        wires.push(wire);
    }
    let closed: Vec<bool> = wires.iter().map(|wire| wire.borrow().closed).collect();
    assert_eq!(closed.iter().filter(|closed| **closed).count(), 1);
    assert!(closed[0], "the one that has been at it longest");
    let warnings = bench.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains("client 1 of socket `uart`"),
        "{warnings:?}"
    );
}

#[test]
fn at_the_end_everything_is_closed() {
    let bench = Fixture::new();
    bench.ask(open("other", 6000)).unwrap();
    let (_, prompt) = bench.client();
    let (client, slow) = bench.client();
    slow.borrow_mut().window = 1;
    bench.write(client, b"bye").unwrap();
    bench.ask(CloseAll);
    assert!(prompt.borrow().closed && slow.borrow().closed);
    assert!(!bench.state.world.borrow().listens(5000) && !bench.state.world.borrow().listens(6000));
    let warnings = bench.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains("last 2 bytes"),
        "{warnings:?}"
    );
    assert!(!bench.tick());
    let error = bench.accept().unwrap_err();
    assert_eq!(error, SocketError::NotOpen(bench.state.uart));
}
