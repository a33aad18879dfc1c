//! Sockets with real clients: in this process, in Python, and `nc`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and skipped tests are printed"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use proptest::prelude::*;
use vhost::bus::Observation;
use vhost::messages::sockets as messages;
use vhost::messages::sockets::{ClientId, READ_MAX, SocketError, SocketId};
use vhost::{Error, Sockets, Vhost};

/// Number of polls after which a test fails instead of hanging.
const POLLS: usize = 100_000_000;

/// System with one socket.
struct Server {
    vhost: Vhost,
    socket: SocketId,
}

impl Server {
    /// Server without a greeting.
    fn new() -> Self {
        Self::with_queue(1 << 20)
    }

    fn with_queue(limit: usize) -> Self {
        let vhost = Vhost::builder().socket_queue(limit).start().unwrap();
        let socket = vhost.sockets().open("uart", 0).unwrap();
        vhost.sockets().greet(socket, "").unwrap();
        Self { vhost, socket }
    }

    fn sockets(&self) -> Sockets<'_> {
        self.vhost.sockets()
    }

    fn address(&self) -> SocketAddr {
        let port = self.sockets().port(self.socket).unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// Accepts a client of this process.
    fn client(&self) -> (ClientId, TcpStream) {
        let stream = TcpStream::connect(self.address()).unwrap();
        (self.accepted(), stream)
    }

    /// Accepts the next client.
    fn accepted(&self) -> ClientId {
        self.until(|| self.sockets().accept(self.socket).unwrap())
    }

    /// Ticks until `poll` returns a value.
    fn until<T>(&self, mut poll: impl FnMut() -> Option<T>) -> T {
        for _ in 0..POLLS {
            if let Some(found) = poll() {
                return found;
            }
            self.vhost.tick().unwrap();
            // The data comes from another thread or process.
            thread::yield_now();
        }
        panic!("it never comes");
    }

    /// Reads this number of bytes from a client, in any pieces.
    fn read(&self, client: ClientId, count: usize) -> Vec<u8> {
        let mut read = Vec::new();
        while read.len() < count {
            let most = count - read.len();
            let more = self.until(|| self.sockets().read(self.socket, client, most).unwrap());
            read.extend_from_slice(&more);
        }
        read
    }

    fn write(&self, client: ClientId, data: &[u8]) -> Result<(), Error> {
        self.sockets().write(self.socket, client, data.to_vec())
    }

    /// Sends a client's bytes back until it closes its side.
    fn echo(&self, client: ClientId) -> usize {
        let mut count = 0;
        loop {
            let read = self.until(
                || match self.sockets().read(self.socket, client, READ_MAX) {
                    Err(Error::Socket(SocketError::Ended { .. })) => Some(None),
                    read => read.unwrap().map(Some),
                },
            );
            let Some(bytes) = read else { return count };
            count += bytes.len();
            self.sockets().write(self.socket, client, bytes).unwrap();
        }
    }
}

/// Pseudo-random bytes.
fn noise(count: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count).map(|_| random.u8(..)).collect()
}

#[test]
fn the_greeting_reaches_the_client() {
    let vhost = Vhost::builder().start().unwrap();
    let sockets = vhost.sockets();
    let socket = sockets.open("uart", 0).unwrap();
    let port = sockets.port(socket).unwrap();
    let greeted = |text: Option<&str>| {
        if let Some(text) = text {
            sockets.greet(socket, text).unwrap();
        }
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let client = loop {
            if let Some(client) = sockets.accept(socket).unwrap() {
                break client;
            }
        };
        sockets.disconnect(socket, client).unwrap();
        let mut greeting = String::new();
        stream.read_to_string(&mut greeting).unwrap();
        greeting
    };
    assert_eq!(
        greeted(None),
        format!("[uart-1] Connected to 127.0.0.1:{port}!\n")
    );
    assert_eq!(greeted(Some("{id} of {name}\r\n")), "2 of uart\r\n");
    assert_eq!(greeted(Some("")), "");
}

#[test]
fn taps_see_bytes_of_the_sockets() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let server = Server::new();
    let watch = move |seen: &Observation<'_>| {
        if let Some(write) = seen.content.downcast_ref::<messages::Write>() {
            keep.lock()
                .unwrap()
                .push((write.client, write.data.clone()));
        }
    };
    server.vhost.attach(watch).unwrap();
    let (client, _stream) = server.client();
    server.write(client, b"abc").unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [(client, Bytes::from_static(b"abc"))]
    );
}

#[test]
fn a_port_in_use_is_refused_and_free_again_afterwards() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let server = Server::new();
    let refused = server.sockets().open("late", port).unwrap_err().to_string();
    assert!(
        refused.contains("`late`") && refused.contains(&format!("{port} of 127.0.0.1 is in use")),
        "{refused}"
    );
    let mine = server.address().port();
    server.sockets().open("late", mine).unwrap_err();
    // A connection that the socket closes first would block the port for minutes.
    let (client, mut stream) = server.client();
    server.sockets().disconnect(server.socket, client).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    drop(stream);
    server.sockets().close(server.socket).unwrap();
    server.sockets().open("again", mine).unwrap();
}

#[test]
fn only_this_machine_gets_in() {
    let server = Server::new();
    assert!(server.address().ip().is_loopback());
    // All addresses of 127/8 are this machine, but the socket listens on one only.
    let elsewhere = TcpStream::connect(("127.0.0.2", server.address().port()));
    assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn numbers_split_at_every_byte() {
    let server = Server::new();
    let (client, mut stream) = server.client();
    stream.set_nodelay(true).unwrap();
    macro_rules! split {
        ($($number:ident)+) => {$(
            let number = 0x8877_6655_4433_2211_u64 as $number;
            let bytes = number.to_le_bytes();
            for split in 1..=bytes.len() {
                stream.write_all(&bytes[..split]).unwrap();
                let mut rest = Some(&bytes[split..]);
                let read = server.until(|| {
                    let read = server.sockets().read_exactly(server.socket, client).unwrap();
                    if let Some(rest) = rest.take() {
                        assert!(read.is_none() || rest.is_empty());
                        stream.write_all(rest).unwrap();
                    }
                    read
                });
                assert_eq!($number::from_le_bytes(read), number);
            }
        )+};
    }
    split!(u8 u16 u32 u64);
}

#[test]
fn several_clients_at_once() {
    let server = Server::new();
    let mut clients: Vec<_> = (1..=5).map(|_| server.client()).collect();
    for (index, (client, _)) in clients.iter().enumerate() {
        assert_eq!(client.0, index as i32 + 1);
    }
    for (client, stream) in &mut clients {
        stream.write_all(&[client.0 as u8; 3]).unwrap();
    }
    for (client, stream) in clients.iter_mut().rev() {
        assert_eq!(server.read(*client, 3), [client.0 as u8; 3]);
        server.write(*client, &[client.0 as u8]).unwrap();
        let mut answer = [0];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(i32::from(answer[0]), client.0);
    }
}

#[test]
fn a_slow_reader_gets_everything_in_order() {
    let server = Server::with_queue(8 << 20);
    let (client, mut stream) = server.client();
    // More bytes than the operating system's buffers hold.
    let data = noise(6 << 20);
    let expected = data.clone();
    let (start, started) = std::sync::mpsc::channel();
    let reader = thread::spawn(move || {
        started.recv().unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        assert!(received == expected, "{} bytes differ", received.len());
    });
    let (first, rest) = data.split_at(3 << 20);
    for piece in first.chunks(10_000) {
        server.write(client, piece).unwrap();
    }
    start.send(()).unwrap();
    for piece in rest.chunks(10_000) {
        server.write(client, piece).unwrap();
    }
    server.sockets().disconnect(server.socket, client).unwrap();
    // From here only ticks send queued bytes.
    while !reader.is_finished() {
        server.vhost.tick().unwrap();
        thread::yield_now();
    }
    reader.join().unwrap();
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let server = Server::with_queue(1000);
    let (client, mut stream) = server.client();
    let (other, _other) = server.client();
    let piece = noise(1000);
    let mut written = 0;
    let error = loop {
        match server.write(client, &piece) {
            Ok(()) => written += piece.len(),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            &error,
            Error::Socket(SocketError::Overrun {
                client: ClientId(1),
                limit: 1000,
                ..
            })
        ),
        "{error:?}"
    );
    let gone = server.write(client, &piece).unwrap_err();
    assert!(
        matches!(&gone, Error::Socket(SocketError::Gone { .. })),
        "{gone:?}"
    );
    server.write(other, &piece).unwrap();
    // The client receives the first bytes, and then the end of the connection.
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received);
    assert!(received.len() <= written);
    assert!(received.chunks(1000).all(|chunk| piece.starts_with(chunk)));
}

#[test]
fn a_client_that_goes_away_while_it_is_written_to() {
    let server = Server::new();
    let (client, stream) = server.client();
    drop(stream);
    // The other end reports the reset after the first bytes that reach it.
    let error = server.until(|| server.write(client, b"anybody there?").err());
    assert!(
        matches!(&error, Error::Socket(SocketError::Lost { .. })),
        "{error:?}"
    );
    server.sockets().disconnect(server.socket, client).unwrap();
    let (next, mut stream) = server.client();
    server.write(next, b"hello").unwrap();
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello");
}

#[test]
fn a_reset_by_the_client() {
    let server = Server::new();
    let (client, mut stream) = server.client();
    stream.write_all(b"ab").unwrap();
    assert_eq!(server.read(client, 2), b"ab");
    let socket = socket2::Socket::from(stream);
    socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(socket);
    let error = server.until(|| server.sockets().read(server.socket, client, 1).err());
    let text = error.to_string();
    assert!(
        text.contains("client 1 of socket `uart`") && text.contains("reset by peer"),
        "{text}"
    );
}

#[test]
fn the_other_direction_stays_open_when_a_client_has_sent_all() {
    let server = Server::new();
    let (client, mut stream) = server.client();
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.echo(client), 8);
    server.sockets().disconnect(server.socket, client).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "question");
}

#[test]
fn a_farewell_reaches_a_client_that_is_still_talking() {
    let server = Server::new();
    let (client, mut stream) = server.client();
    // These bytes are never read: a close at once would reset the connection, and the last message
    // would be lost.
    stream.write_all(&noise(100_000)).unwrap();
    let farewell = noise(500_000);
    server.write(client, &farewell).unwrap();
    server.sockets().disconnect(server.socket, client).unwrap();
    let reader = thread::spawn(move || {
        stream.write_all(b"still here").unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        received
    });
    while !reader.is_finished() {
        server.sockets().accept(server.socket).unwrap();
        server.vhost.tick().unwrap();
    }
    assert!(reader.join().unwrap() == farewell);
}

#[test]
fn two_hundred_clients_come_and_go() {
    let server = Server::new();
    let mut staying = Vec::new();
    for id in 1..=200 {
        let (client, mut stream) = server.client();
        assert_eq!(client, ClientId(id));
        stream.write_all(&id.to_le_bytes()).unwrap();
        match id % 4 {
            // Closed before it is read.
            0 => drop(stream),
            1 => server.sockets().disconnect(server.socket, client).unwrap(),
            2 => {
                let read = server.until(|| {
                    let read = server.sockets().read_exactly(server.socket, client);
                    read.unwrap()
                });
                assert_eq!(i32::from_le_bytes(read), id);
                server.write(client, b"done").unwrap();
                server.sockets().disconnect(server.socket, client).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert_eq!(answer, "done");
            }
            _ => staying.push((client, stream)),
        }
    }
    for (client, _stream) in staying {
        assert_eq!(server.read(client, 4), client.0.to_le_bytes());
    }
}

#[test]
fn clients_that_wait_are_taken_in_turn() {
    let server = Server::new();
    let streams: Vec<_> = (0..50_u8)
        .map(|index| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(&[index]).unwrap();
            stream
        })
        .collect();
    for index in 0..50 {
        let client = server.accepted();
        assert_eq!(server.read(client, 1), [index]);
    }
    drop(streams);
}

/// Starts a client in Python with this script. The port is `sys.argv[1]`.
fn python(script: &str, port: u16) -> Option<Child> {
    let mut python = Command::new("python3");
    python.args(["-c", script, &port.to_string()]);
    start(python, "python3")
}

/// Starts a program. Prints that the test is skipped if it is not installed.
fn start(mut command: Command, name: &str) -> Option<Child> {
    match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => Some(child),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: {name}");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

#[test]
fn a_client_in_python() {
    const SCRIPT: &str = "
import socket, struct, sys
with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as host:
    host.sendall(struct.pack('<BHIQ', 0x11, 0x2233, 0x44556677, 0x8899aabbccddeeff))
    host.sendall(b'one\\0tw')
    host.sendall(b'o\\0')
    reply = host.makefile('rb').read()
    assert reply == struct.pack('<Q', 0x0123456789abcdef) + b'three\\0', reply
";
    let server = Server::new();
    let Some(client) = python(SCRIPT, server.address().port()) else {
        return;
    };
    let id = server.accepted();
    let (sockets, socket) = (server.sockets(), server.socket);
    let byte = server.until(|| sockets.read_exactly(socket, id).unwrap());
    assert_eq!(u8::from_le_bytes(byte), 0x11);
    let half = server.until(|| sockets.read_exactly(socket, id).unwrap());
    assert_eq!(u16::from_le_bytes(half), 0x2233);
    let word = server.until(|| sockets.read_exactly(socket, id).unwrap());
    assert_eq!(u32::from_le_bytes(word), 0x4455_6677);
    let double = server.until(|| sockets.read_exactly(socket, id).unwrap());
    assert_eq!(u64::from_le_bytes(double), 0x8899_aabb_ccdd_eeff);
    for text in [&b"one"[..], b"two"] {
        assert_eq!(
            server.until(|| sockets.read_string(socket, id).unwrap()),
            text
        );
    }
    server
        .write(id, &0x0123_4567_89ab_cdef_u64.to_le_bytes())
        .unwrap();
    server.write(id, b"three\0").unwrap();
    sockets.disconnect(socket, id).unwrap();
    assert!(client.wait_with_output().unwrap().status.success());
}

#[test]
fn a_megabyte_through_python_and_back() {
    const SCRIPT: &str = "
import socket, sys, threading
data = bytes(i * 31 >> 3 & 255 for i in range(1 << 20))
with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as host:
    def send():
        host.sendall(data)
        host.shutdown(socket.SHUT_WR)
    sender = threading.Thread(target=send)
    sender.start()
    echo = host.makefile('rb').read()
    sender.join()
    assert echo == data, len(echo)
";
    let server = Server::new();
    let Some(client) = python(SCRIPT, server.address().port()) else {
        return;
    };
    let id = server.accepted();
    assert_eq!(server.echo(id), 1 << 20);
    server.sockets().disconnect(server.socket, id).unwrap();
    let mut client = client;
    let status = server.until(|| client.try_wait().unwrap());
    assert!(status.success());
}

#[test]
fn a_client_by_nc() {
    let server = Server::new();
    server.sockets().greet(server.socket, "welcome\n").unwrap();
    let mut nc = Command::new("nc");
    nc.args(["127.0.0.1", &server.address().port().to_string()]);
    nc.stdin(Stdio::piped());
    let Some(mut client) = start(nc, "nc") else {
        return;
    };
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"typed\n").unwrap();
    let id = server.accepted();
    assert_eq!(server.read(id, 6), b"typed\n");
    server.write(id, b"printed\n").unwrap();
    server.sockets().disconnect(server.socket, id).unwrap();
    drop(input);
    let output = client.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"welcome\nprinted\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The result does not depend on the packets into which the strings are split.
    #[test]
    fn strings_split_and_joined(
        texts in prop::collection::vec(prop::collection::vec(1..=u8::MAX, 0..50), 1..20),
        cuts in prop::collection::vec(1..60_usize, 1..20),
    ) {
        let server = Server::new();
        let (client, mut stream) = server.client();
        stream.set_nodelay(true).unwrap();
        let mut bytes: Vec<u8> = Vec::new();
        for text in &texts {
            bytes.extend(text);
            bytes.push(0);
        }
        let mut rest = &bytes[..];
        let mut cuts = cuts.iter().cycle();
        for text in &texts {
            let read = server.until(|| {
                let read = server.sockets().read_string(server.socket, client).unwrap();
                if read.is_none() && !rest.is_empty() {
                    let (piece, more) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                    stream.write_all(piece).unwrap();
                    rest = more;
                }
                read
            });
            prop_assert_eq!(&read, text);
        }
    }
}
