//! Sockets, greetings, and the assignment of clients to sockets.

use super::*;

#[test]
fn a_client_is_greeted_as_established() {
    let fixture = Fixture::new();
    let socket = fixture.ask(open("uart", 0)).unwrap();
    let port = fixture.ask(LocalPort { socket }).unwrap();
    let wire = fixture.state.world.borrow_mut().connect(port);
    assert_eq!(fixture.ask(Accept { socket }), Ok(Some(ClientId(1))));
    let greeting = format!("[uart-1] Connected to 127.0.0.1:{port}!\n");
    assert_eq!(wire.borrow().received, greeting.as_bytes());
}

#[test]
fn a_greeting_is_filled_in_once() {
    let fixture = Fixture::new();
    let socket = fixture.ask(open("{id}{addr}", 6000)).unwrap();
    let greet = |text: &str| {
        let text = text.to_owned();
        fixture.ask(Greet { socket, text }).unwrap();
        let wire = fixture.state.world.borrow_mut().connect(6000);
        fixture.ask(Accept { socket }).unwrap().unwrap();
        let received = wire.borrow().received.clone();
        String::from_utf8(received).unwrap()
    };
    assert_eq!(
        greet("{id}{name}{addr} {port}{"),
        "1{id}{addr}127.0.0.1:6000 {port}{"
    );
    assert_eq!(greet(""), "");
    assert_eq!(greet("{id}"), "3");
}

#[test]
fn accept_without_a_client_returns_none() {
    let fixture = Fixture::new();
    assert_eq!(fixture.accept(), Ok(None));
    let (first, _wire) = fixture.client();
    assert_eq!(first, ClientId(1));
    assert_eq!(fixture.accept(), Ok(None));
}

#[test]
fn numbers_are_never_used_again() {
    let fixture = Fixture::new();
    for id in 1..=200 {
        let (client, wire) = fixture.client();
        assert_eq!(client, ClientId(id));
        wire.borrow_mut().ended = true;
        fixture.disconnect(client).unwrap();
        assert_eq!(fixture.disconnect(client), Err(no_client(client)));
        assert!(wire.borrow().closed);
    }
    fixture
        .ask(Close {
            socket: fixture.state.uart,
        })
        .unwrap();
    let again = fixture.ask(open("uart", 5000)).unwrap();
    assert_ne!(again, fixture.state.uart);
    fixture.state.world.borrow_mut().connect(5000);
    assert_eq!(fixture.ask(Accept { socket: again }), Ok(Some(ClientId(1))));
}

#[test]
fn a_client_is_only_its_own_sockets() {
    let fixture = Fixture::new();
    let other = fixture.ask(open("other", 6000)).unwrap();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"x");
    let read = fixture.ask(Read {
        socket: other,
        client,
        want: ReadMode::UpTo(1),
    });
    assert!(
        matches!(&read, Err(SocketError::NoClient { name, .. }) if name == "other"),
        "{read:?}"
    );
    fixture.ask(Close { socket: other }).unwrap();
    assert_eq!(fixture.read(client, ReadMode::UpTo(1)), some(b"x"));
}

#[test]
fn unopened_and_closed_sockets_are_refused() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    assert_eq!(
        fixture.ask(Close {
            socket: fixture.state.uart
        }),
        Ok(())
    );
    assert!(!fixture.state.world.borrow().listens(5000));
    assert!(wire.borrow().finished);
    for socket in [
        fixture.state.uart,
        SocketId(0),
        SocketId(7),
        SocketId(u64::MAX),
    ] {
        let not_open = SocketError::NotOpen(socket);
        let data = Bytes::from_static(b"x");
        let text = String::new();
        let want = ReadMode::Text;
        assert_eq!(fixture.ask(LocalPort { socket }), Err(not_open.clone()));
        assert_eq!(fixture.ask(Greet { socket, text }), Err(not_open.clone()));
        assert_eq!(fixture.ask(Accept { socket }), Err(not_open.clone()));
        let write = Write {
            socket,
            client,
            data,
        };
        assert_eq!(fixture.ask(write), Err(not_open.clone()));
        let read = Read {
            socket,
            client,
            want,
        };
        assert_eq!(fixture.ask(read), Err(not_open.clone()));
        let disconnect = Disconnect { socket, client };
        assert_eq!(fixture.ask(disconnect), Err(not_open.clone()));
        assert_eq!(fixture.ask(Close { socket }), Err(not_open));
    }
}

#[test]
fn clients_that_never_were() {
    let fixture = Fixture::new();
    fixture.client();
    for id in [0, 2, -1, i32::MAX, i32::MIN] {
        let client = ClientId(id);
        assert_eq!(fixture.write(client, b"x"), Err(no_client(client)));
        assert_eq!(fixture.read(client, ReadMode::Text), Err(no_client(client)));
        assert_eq!(fixture.disconnect(client), Err(no_client(client)));
    }
}

#[test]
fn a_port_that_can_not_be_had() {
    let fixture = Fixture::new();
    let error = fixture.ask(open("two", 5000)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`two`") && text.contains("5000") && text.contains("in use"),
        "{text}"
    );
    let error = fixture.ask(open("low", 80)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`low`") && text.contains("80") && text.contains("denied"),
        "{text}"
    );
}

#[test]
fn a_system_out_of_files_is_no_end() {
    let fixture = Fixture::new();
    fixture.state.world.borrow_mut().connect(5000);
    fixture.state.world.borrow_mut().accept_fails = Some(OsError(libc::EMFILE));
    let text = fixture.accept().unwrap_err().to_string();
    assert!(
        text.contains("`uart`") && text.contains("open files"),
        "{text}"
    );
    // A repeated error is not reported; a different one is.
    assert_eq!(fixture.accept(), Ok(None));
    fixture.state.world.borrow_mut().accept_fails = Some(OsError(libc::ENFILE));
    assert!(fixture.accept().is_err());
    assert_eq!(fixture.accept(), Ok(None));
    fixture.state.world.borrow_mut().accept_fails = None;
    assert_eq!(fixture.accept(), Ok(Some(ClientId(1))));
    fixture.state.world.borrow_mut().accept_fails = Some(OsError(libc::ENFILE));
    assert!(fixture.accept().is_err());
}

#[test]
fn open_sockets_can_be_served_elsewhere() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().window = 1;
    wire.borrow_mut().sent.extend(b"abc");
    fixture.write(client, b"xyz").unwrap();
    assert_eq!(fixture.read(client, ReadMode::UpTo(1)), some(b"a"));

    let next = Fixture::serving(fixture.state.hub.clone(), fixture.state.world.clone());
    drop(fixture);
    wire.borrow_mut().window = 2;
    assert!(next.tick());
    assert_eq!(wire.borrow().received, b"xyz");
    assert_eq!(next.read(client, ReadMode::UpTo(9)), some(b"bc"));
    let (second, _wire) = next.client();
    assert_eq!(second, ClientId(2));
}
