//! Sockets, greetings, and the assignment of clients to sockets.

use super::*;

#[test]
fn a_client_is_greeted_as_established() {
    let bench = Fixture::new();
    let socket = bench.ask(open("uart", 0)).unwrap();
    let port = bench.ask(LocalPort { socket }).unwrap();
    let wire = bench.state.world.borrow_mut().connect(port);
    assert_eq!(bench.ask(Accept { socket }), Ok(Some(ClientId(1))));
    let greeting = format!("[uart-1] Connected to 127.0.0.1:{port}!\n");
    assert_eq!(wire.borrow().received, greeting.as_bytes());
}

#[test]
fn a_greeting_is_filled_in_once() {
    let bench = Fixture::new();
    let socket = bench.ask(open("{id}{addr}", 6000)).unwrap();
    let greet = |text: &str| {
        let text = text.to_owned();
        bench.ask(Greet { socket, text }).unwrap();
        let wire = bench.state.world.borrow_mut().connect(6000);
        bench.ask(Accept { socket }).unwrap().unwrap();
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
    let bench = Fixture::new();
    assert_eq!(bench.accept(), Ok(None));
    let (first, _wire) = bench.client();
    assert_eq!(first, ClientId(1));
    assert_eq!(bench.accept(), Ok(None));
}

#[test]
fn numbers_are_never_used_again() {
    let bench = Fixture::new();
    for id in 1..=200 {
        let (client, wire) = bench.client();
        assert_eq!(client, ClientId(id));
        wire.borrow_mut().ended = true;
        bench.disconnect(client).unwrap();
        assert_eq!(bench.disconnect(client), Err(no_client(client)));
        assert!(wire.borrow().closed);
    }
    bench
        .ask(Close {
            socket: bench.state.uart,
        })
        .unwrap();
    let again = bench.ask(open("uart", 5000)).unwrap();
    assert_ne!(again, bench.state.uart);
    bench.state.world.borrow_mut().connect(5000);
    assert_eq!(bench.ask(Accept { socket: again }), Ok(Some(ClientId(1))));
}

#[test]
fn a_client_is_only_its_own_sockets() {
    let bench = Fixture::new();
    let other = bench.ask(open("other", 6000)).unwrap();
    let (client, wire) = bench.client();
    wire.borrow_mut().sent.extend(b"x");
    let read = bench.ask(Read {
        socket: other,
        client,
        want: ReadMode::UpTo(1),
    });
    assert!(
        matches!(&read, Err(SocketError::NoClient { name, .. }) if name == "other"),
        "{read:?}"
    );
    bench.ask(Close { socket: other }).unwrap();
    assert_eq!(bench.read(client, ReadMode::UpTo(1)), some(b"x"));
}

#[test]
fn unopened_and_closed_sockets_are_refused() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    assert_eq!(
        bench.ask(Close {
            socket: bench.state.uart
        }),
        Ok(())
    );
    assert!(!bench.state.world.borrow().listens(5000));
    assert!(wire.borrow().finished);
    for socket in [
        bench.state.uart,
        SocketId(0),
        SocketId(7),
        SocketId(u64::MAX),
    ] {
        let not_open = SocketError::NotOpen(socket);
        let data = Bytes::from_static(b"x");
        let text = String::new();
        let want = ReadMode::Text;
        assert_eq!(bench.ask(LocalPort { socket }), Err(not_open.clone()));
        assert_eq!(bench.ask(Greet { socket, text }), Err(not_open.clone()));
        assert_eq!(bench.ask(Accept { socket }), Err(not_open.clone()));
        let write = Write {
            socket,
            client,
            data,
        };
        assert_eq!(bench.ask(write), Err(not_open.clone()));
        let read = Read {
            socket,
            client,
            want,
        };
        assert_eq!(bench.ask(read), Err(not_open.clone()));
        let disconnect = Disconnect { socket, client };
        assert_eq!(bench.ask(disconnect), Err(not_open.clone()));
        assert_eq!(bench.ask(Close { socket }), Err(not_open));
    }
}

#[test]
fn clients_that_never_were() {
    let bench = Fixture::new();
    bench.client();
    for id in [0, 2, -1, i32::MAX, i32::MIN] {
        let client = ClientId(id);
        assert_eq!(bench.write(client, b"x"), Err(no_client(client)));
        assert_eq!(bench.read(client, ReadMode::Text), Err(no_client(client)));
        assert_eq!(bench.disconnect(client), Err(no_client(client)));
    }
}

#[test]
fn a_port_that_can_not_be_had() {
    let bench = Fixture::new();
    let error = bench.ask(open("two", 5000)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`two`") && text.contains("5000") && text.contains("in use"),
        "{text}"
    );
    let error = bench.ask(open("low", 80)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`low`") && text.contains("80") && text.contains("denied"),
        "{text}"
    );
}

#[test]
fn a_system_out_of_files_is_no_end() {
    let bench = Fixture::new();
    bench.state.world.borrow_mut().connect(5000);
    bench.state.world.borrow_mut().accept_fails = Some(OsError(libc::EMFILE));
    let text = bench.accept().unwrap_err().to_string();
    assert!(
        text.contains("`uart`") && text.contains("open files"),
        "{text}"
    );
    // A repeated error is not reported; a different one is.
    assert_eq!(bench.accept(), Ok(None));
    bench.state.world.borrow_mut().accept_fails = Some(OsError(libc::ENFILE));
    assert!(bench.accept().is_err());
    assert_eq!(bench.accept(), Ok(None));
    bench.state.world.borrow_mut().accept_fails = None;
    assert_eq!(bench.accept(), Ok(Some(ClientId(1))));
    bench.state.world.borrow_mut().accept_fails = Some(OsError(libc::ENFILE));
    assert!(bench.accept().is_err());
}

#[test]
fn open_sockets_can_be_served_elsewhere() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().window = 1;
    wire.borrow_mut().sent.extend(b"abc");
    bench.write(client, b"xyz").unwrap();
    assert_eq!(bench.read(client, ReadMode::UpTo(1)), some(b"a"));

    let next = Fixture::serving(bench.state.hub.clone(), bench.state.world.clone());
    drop(bench);
    wire.borrow_mut().window = 2;
    assert!(next.tick());
    assert_eq!(wire.borrow().received, b"xyz");
    assert_eq!(next.read(client, ReadMode::UpTo(9)), some(b"bc"));
    let (second, _wire) = next.client();
    assert_eq!(second, ClientId(2));
}
