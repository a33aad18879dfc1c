//! Sockets of a system and their clients, in any order of calls: nothing panics, no call waits, and
//! all bytes arrive in their order.

#![no_main]

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use vhost::messages::sockets::{ClientId, SocketId};
use vhost::{Sockets, Vhost};

#[derive(Arbitrary, Debug)]
enum Act {
    Open(String),
    Greet(u8, String),
    Connect(u8),
    Accept(u8),
    /// A client sends.
    Send(u8, Vec<u8>),
    /// The system sends.
    Write(u8, Vec<u8>),
    Read(u8, u16),
    ReadNumber(u8),
    ReadString(u8),
    Receive(u8),
    Vanish(u8),
    Disconnect(u8),
    Close(u8),
    /// Calls with numbers that may be unknown.
    Stray(u64, i32),
    Tick,
}

/// Client that a socket has accepted.
struct Peer {
    socket: SocketId,
    id: ClientId,
    stream: Option<TcpStream>,
    /// Sent bytes that the system has not read.
    up: VecDeque<u8>,
    /// Sent bytes that the client has not read, its greeting first.
    down: VecDeque<u8>,
}

#[derive(Default)]
struct World {
    /// Open sockets with their ports and greetings.
    sockets: Vec<(SocketId, u16, String)>,
    /// Clients that were not accepted.
    waiting: Vec<(SocketId, TcpStream)>,
    peers: Vec<Peer>,
    opened: usize,
    connected: usize,
}

/// Maximum numbers of sockets, clients and bytes of an input.
const MAX_SOCKETS: usize = 16;
const MAX_BYTES: usize = 4096;

/// Number of polls after which a byte in transit through the loopback counts as lost.
const MAX_POLLS: u32 = 100_000;

fuzz_target!(|acts: Vec<Act>| {
    let vhost = Vhost::builder().start().expect("a system");
    let mut world = World::default();
    for act in acts.into_iter().take(100) {
        world.act(act, &vhost);
    }
    world.finish(&vhost);
});

fn of<T>(list: &[T], which: u8) -> Option<usize> {
    (!list.is_empty()).then(|| usize::from(which) % list.len())
}

impl World {
    fn act(&mut self, act: Act, vhost: &Vhost) {
        let sockets = vhost.sockets();
        match act {
            Act::Open(name) if self.opened < MAX_SOCKETS => {
                let socket = sockets.open(name, 0).expect("a free port");
                let port = sockets.port(socket).expect("an open socket");
                sockets.greet(socket, "").expect("an open socket");
                self.sockets.push((socket, port, String::new()));
                self.opened += 1;
            }
            Act::Greet(which, text) => {
                if let Some(at) = of(&self.sockets, which) {
                    // A greeting without braces is sent unchanged.
                    let text = text.replace(['{', '}'], "");
                    let (socket, _, greeting) = &mut self.sockets[at];
                    sockets
                        .greet(*socket, text.clone())
                        .expect("an open socket");
                    *greeting = text;
                }
            }
            Act::Connect(which) if self.connected < MAX_SOCKETS => {
                if let Some(at) = of(&self.sockets, which) {
                    let (socket, port, _) = self.sockets[at];
                    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a listener");
                    stream.set_nonblocking(true).expect("a stream");
                    stream.set_nodelay(true).expect("a stream");
                    self.waiting.push((socket, stream));
                    self.connected += 1;
                }
            }
            Act::Accept(which) => {
                if let Some(at) = of(&self.sockets, which) {
                    self.accept(at, sockets);
                }
            }
            Act::Send(which, bytes) => {
                if let Some(at) = of(&self.peers, which) {
                    let peer = &mut self.peers[at];
                    let room = MAX_BYTES.saturating_sub(peer.up.len());
                    let bytes = &bytes[..bytes.len().min(room)];
                    if let Some(stream) = &mut peer.stream
                        && stream.write_all(bytes).is_ok()
                    {
                        peer.up.extend(bytes);
                    }
                }
            }
            Act::Write(which, mut bytes) => {
                if let Some(at) = of(&self.peers, which) {
                    bytes.truncate(MAX_BYTES);
                    let peer = &mut self.peers[at];
                    let written = sockets.write(peer.socket, peer.id, bytes.clone());
                    if peer.stream.is_some() {
                        written.expect("a client that is there");
                        peer.down.extend(bytes);
                    }
                }
            }
            Act::Read(which, most) => self.read(which, |peer| {
                sockets.read(peer.socket, peer.id, most.into()).map(|read| {
                    let read = read.map(|bytes| bytes.to_vec());
                    assert!(read.as_ref().is_none_or(|read| read.len() <= most.into()));
                    read
                })
            }),
            Act::ReadNumber(which) => self.read(which, |peer| {
                let read = sockets.read_exactly::<4>(peer.socket, peer.id);
                read.map(|read| read.map(|bytes| bytes.to_vec()))
            }),
            Act::ReadString(which) => self.read(which, |peer| {
                let read = sockets.read_string(peer.socket, peer.id);
                read.map(|read| read.map(|bytes| [&bytes[..], &[0]].concat()))
            }),
            Act::Receive(which) => {
                if let Some(at) = of(&self.peers, which) {
                    self.peers[at].receive();
                }
            }
            Act::Vanish(which) => {
                if let Some(at) = of(&self.peers, which) {
                    self.peers[at].stream = None;
                }
            }
            Act::Disconnect(which) => {
                if let Some(at) = of(&self.peers, which) {
                    let peer = self.peers.swap_remove(at);
                    // A client that has vanished may be gone already.
                    let gone = sockets.disconnect(peer.socket, peer.id);
                    assert!(gone.is_ok() || peer.stream.is_none());
                }
            }
            Act::Close(which) => {
                if let Some(at) = of(&self.sockets, which) {
                    let (socket, ..) = self.sockets.swap_remove(at);
                    sockets.close(socket).expect("an open socket");
                    self.peers.retain(|peer| peer.socket != socket);
                    self.waiting.retain(|(of, _)| *of != socket);
                }
            }
            Act::Stray(socket, id) => {
                let (socket, id) = (SocketId(socket), ClientId(id));
                if self.sockets.iter().all(|(open, ..)| *open != socket) {
                    assert!(sockets.accept(socket).is_err());
                    assert!(sockets.write(socket, id, vec![0]).is_err());
                    assert!(sockets.read(socket, id, 1).is_err());
                    assert!(sockets.close(socket).is_err());
                }
            }
            Act::Tick => {
                vhost.tick().expect("a system without channels");
            }
            Act::Open(_) | Act::Connect(_) => {}
        }
    }

    fn accept(&mut self, at: usize, sockets: Sockets<'_>) {
        let (socket, _, greeting) = &self.sockets[at];
        let first = self.waiting.iter().position(|(of, _)| of == socket);
        let Some(first) = first else {
            assert_eq!(sockets.accept(*socket).expect("an open socket"), None);
            return;
        };
        let (_, stream) = self.waiting.remove(first);
        for _ in 0..MAX_POLLS {
            if let Some(id) = sockets.accept(*socket).expect("an open socket") {
                self.peers.push(Peer {
                    socket: *socket,
                    id,
                    stream: Some(stream),
                    up: VecDeque::new(),
                    down: greeting.bytes().collect(),
                });
                return;
            }
            std::thread::yield_now();
        }
        panic!("a connected client was not accepted");
    }

    fn read(
        &mut self,
        which: u8,
        read: impl FnOnce(&Peer) -> Result<Option<Vec<u8>>, vhost::Error>,
    ) {
        let Some(at) = of(&self.peers, which) else {
            return;
        };
        let peer = &mut self.peers[at];
        match read(peer) {
            Ok(Some(bytes)) => arrived(&bytes, &mut peer.up),
            Ok(None) => {}
            Err(error) => assert!(peer.stream.is_none(), "{error}"),
        }
    }

    /// Waits until all bytes in transit have arrived.
    fn finish(mut self, vhost: &Vhost) {
        for _ in 0..MAX_POLLS {
            let mut is_done = true;
            for at in 0..self.peers.len() {
                self.peers[at].receive();
                self.read(at as u8, |peer| {
                    let read = vhost.sockets().read(peer.socket, peer.id, 64);
                    read.map(|bytes| bytes.map(|bytes| bytes.to_vec()))
                });
                let peer = &self.peers[at];
                is_done &= peer.stream.is_none() || (peer.up.is_empty() && peer.down.is_empty());
            }
            if is_done {
                return;
            }
            std::thread::yield_now();
        }
        panic!("sent bytes did not arrive");
    }
}

impl Peer {
    fn receive(&mut self) {
        let mut bytes = [0; 256];
        while let Some(stream) = &mut self.stream {
            match stream.read(&mut bytes) {
                Ok(0) => panic!("the host has closed a connection"),
                Ok(count) => arrived(&bytes[..count], &mut self.down),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn arrived(bytes: &[u8], wanted: &mut VecDeque<u8>) {
    for byte in bytes {
        assert_eq!(Some(*byte), wanted.pop_front());
    }
}
