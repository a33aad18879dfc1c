//! Sockets of a checkpoint.

use super::super::network::Network as _;
use super::*;
use crate::messages::checkpoint::{SavedSocket, SavedSockets};

/// Socket that had accepted five clients.
fn saved(id: u64, name: &str, port: u16) -> SavedSocket {
    SavedSocket {
        id,
        name: name.to_owned(),
        port,
        greeting: "client {id}".to_owned(),
        accepted: 5,
    }
}

fn restore(fixture: &Fixture, sockets: Vec<SavedSocket>) -> Vec<SocketError> {
    let sockets = SavedSockets {
        opened: 9,
        sockets,
        clients: 5,
    };
    fixture.ask(Restore { sockets })
}

#[test]
fn sockets_are_opened_under_their_numbers_and_ports() {
    let fixture = Fixture::new();
    let SocketId(uart) = fixture.state.uart;
    let restored = restore(
        &fixture,
        vec![saved(uart, "uart", 5000), saved(7, "other", 6000)],
    );
    assert!(restored.is_empty(), "{restored:?}");
    for (socket, port) in [(fixture.state.uart, 5000), (SocketId(7), 6000)] {
        assert_eq!(fixture.ask(LocalPort { socket }), Ok(port));
        let wire = fixture.state.world.borrow_mut().connect(port);
        assert_eq!(fixture.ask(Accept { socket }), Ok(Some(ClientId(6))));
        assert_eq!(wire.borrow().received, b"client 6");
    }
    // Numbers of sockets that were closed before the checkpoint are not used again.
    assert_eq!(fixture.ask(open("next", 0)), Ok(SocketId(10)));
}

#[test]
fn sockets_that_can_not_be_opened_are_named() {
    let fixture = Fixture::new();
    let _other_program = fixture.state.world.clone().listen(7000).unwrap();
    let SocketId(uart) = fixture.state.uart;
    let restored = restore(
        &fixture,
        vec![
            saved(uart, "of another order", 5001),
            saved(7, "taken", 7000),
            saved(8, "low", 80),
        ],
    );
    let refused = |name: &str, port, cause| SocketError::Listen {
        name: name.to_owned(),
        port,
        cause: OsError(cause),
    };
    let taken = SocketError::InUse {
        name: "taken".to_owned(),
        port: 7000,
    };
    assert_eq!(
        restored,
        [
            refused("of another order", 5001, libc::EEXIST),
            taken,
            refused("low", 80, libc::EACCES),
        ]
    );
    // The socket with that number stays with its owner.
    let (client, wire) = fixture.client();
    assert_eq!(client, ClientId(1));
    assert_eq!(wire.borrow().received, b"");
}
