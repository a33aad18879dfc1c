//! Disconnected clients, which still receive the bytes written before.

use super::*;
use crate::actors::sockets::hub::LEAVING_MAX;

#[test]
fn a_connection_is_closed_when_both_ends_have_finished() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"never read");
    fixture.write(client, b"bye").unwrap();
    fixture.disconnect(client).unwrap();
    assert_eq!(
        fixture.read(client, ReadMode::UpTo(9)),
        Err(no_client(client))
    );
    assert!(wire.borrow().finished && !wire.borrow().closed);
    assert!(!fixture.tick(), "nothing is queued");
    wire.borrow_mut().ended = true;
    fixture.accept().unwrap();
    assert!(wire.borrow().closed);
}

#[test]
fn queued_bytes_come_before_the_end() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().window = 1;
    fixture.write(client, b"bye").unwrap();
    fixture.disconnect(client).unwrap();
    assert!(fixture.tick());
    assert!(!wire.borrow().finished);
    wire.borrow_mut().window = 9;
    assert!(fixture.tick());
    assert!(wire.borrow().finished);
    assert_eq!(wire.borrow().received, b"bye");
    assert!(!fixture.tick());
}

#[test]
fn a_closed_socket_still_sends_the_rest() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().window = 0;
    fixture.write(client, b"bye").unwrap();
    fixture
        .ask(Close {
            socket: fixture.state.uart,
        })
        .unwrap();
    wire.borrow_mut().window = 9;
    assert!(fixture.tick());
    assert_eq!(wire.borrow().received, b"bye");
}

#[test]
fn a_flood_does_not_hold_up_the_leave() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(vec![0; 5 * READ_MAX]);
    wire.borrow_mut().ended = true;
    fixture.disconnect(client).unwrap();
    assert!(wire.borrow().sent.len() >= 4 * READ_MAX, "a bit at a time");
    for _ in 0..5 {
        fixture.accept().unwrap();
    }
    assert!(wire.borrow().closed);
}

#[test]
fn a_connection_that_breaks_meanwhile_is_reported_only_if_bytes_are_lost() {
    for (window, warnings) in [(0, 1), (9, 0)] {
        let fixture = Fixture::new();
        let (client, wire) = fixture.client();
        wire.borrow_mut().window = window;
        fixture.write(client, b"bye").unwrap();
        fixture.disconnect(client).unwrap();
        wire.borrow_mut().reset = true;
        fixture.accept().unwrap();
        assert!(wire.borrow().closed);
        assert_eq!(fixture.warnings().len(), warnings);
    }
}

#[test]
fn those_that_never_go_are_cut_off() {
    let fixture = Fixture::new();
    let mut wires = Vec::new();
    for _ in 0..=LEAVING_MAX {
        let (client, wire) = fixture.client();
        wire.borrow_mut().window = 0;
        fixture.write(client, b"bye").unwrap();
        fixture.disconnect(client).unwrap();
        wires.push(wire);
    }
    let closed: Vec<bool> = wires.iter().map(|wire| wire.borrow().closed).collect();
    assert_eq!(closed.iter().filter(|closed| **closed).count(), 1);
    assert!(closed[0], "the one that has been at it longest");
    let warnings = fixture.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains("client 1 of socket `uart`"),
        "{warnings:?}"
    );
}

#[test]
fn at_the_end_everything_is_closed() {
    let fixture = Fixture::new();
    fixture.ask(open("other", 6000)).unwrap();
    let (_, prompt) = fixture.client();
    let (client, slow) = fixture.client();
    slow.borrow_mut().window = 1;
    fixture.write(client, b"bye").unwrap();
    fixture.ask(CloseAll);
    assert!(prompt.borrow().closed && slow.borrow().closed);
    assert!(
        !fixture.state.world.borrow().listens(5000) && !fixture.state.world.borrow().listens(6000)
    );
    let warnings = fixture.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains("last 2 bytes"),
        "{warnings:?}"
    );
    assert!(!fixture.tick());
    let error = fixture.accept().unwrap_err();
    assert_eq!(error, SocketError::NotOpen(fixture.state.uart));
}
