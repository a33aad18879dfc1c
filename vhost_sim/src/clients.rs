//! Clients of a socket, which connect, split, delay and leave. Every byte must arrive in order.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use vhost::Vhost;
use vhost::messages::sockets::{ClientId, SocketId};

use crate::coverage::Coverage;
use crate::scenario::Client;

/// Number of polls after which bytes on the loopback interface count as lost.
const MAX_POLLS: u32 = 2000;

/// Socket of the host, and its clients.
pub struct Clients {
    socket: SocketId,
    port: u16,
    clients: Vec<Peer>,
    sent: u8,
}

struct Peer {
    stream: Option<TcpStream>,
    id: ClientId,
    /// Bytes in transit to the host.
    up: VecDeque<u8>,
    /// Bytes in transit to the client.
    down: VecDeque<u8>,
    connected: bool,
    /// True after bytes for a client that had vanished. Its system answers with a reset, and bytes
    /// in transit to the host may be lost.
    may_be_reset: bool,
}

fn text(error: impl std::fmt::Display) -> String {
    format!("socket: {error}")
}

impl Clients {
    /// Opens the socket.
    ///
    /// # Errors
    /// Fails if the host refuses.
    pub fn open(vhost: &Vhost) -> Result<Self, String> {
        let socket = vhost.sockets().open("uart", 0).map_err(text)?;
        vhost
            .sockets()
            .greet(socket, "{name}-{id}\n")
            .map_err(text)?;
        let port = vhost.sockets().port(socket).map_err(text)?;
        Ok(Self {
            socket,
            port,
            clients: Vec::new(),
            sent: 0,
        })
    }

    /// Executes an action.
    ///
    /// # Errors
    /// Fails on a violation.
    pub fn execute(
        &mut self,
        action: &Client,
        vhost: &Vhost,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        match action {
            Client::Connect => {
                coverage.hit("client connects");
                self.connect(vhost)
            }
            Client::Send {
                client,
                bytes,
                piece,
            } => {
                let data = self.data(*bytes);
                let Some(peer) = self.peer(*client) else {
                    return Ok(());
                };
                let Some(stream) = &mut peer.stream else {
                    return Ok(());
                };
                for piece in data.chunks((*piece).max(1) as usize) {
                    if peer.connected && stream.write_all(piece).is_ok() {
                        peer.up.extend(piece);
                    }
                }
                Ok(())
            }
            Client::Answer { client, bytes } => {
                let (data, socket) = (self.data(*bytes), self.socket);
                let Some(peer) = self.peer(*client) else {
                    return Ok(());
                };
                let written = vhost.sockets().write(socket, peer.id, data.clone());
                peer.may_be_reset |= peer.stream.is_none();
                match (written, peer.stream.is_some() && peer.connected) {
                    (Ok(()), true) => peer.down.extend(data),
                    (Err(error), true) => return Err(text(error)),
                    _ => {}
                }
                Ok(())
            }
            Client::Vanish(client) => {
                let Some(peer) = self.peer(*client) else {
                    return Ok(());
                };
                if peer.stream.take().is_some() {
                    coverage.hit("client vanishes");
                }
                Ok(())
            }
            Client::Disconnect(client) => {
                let socket = self.socket;
                let Some(peer) = self.peer(*client) else {
                    return Ok(());
                };
                if peer.connected {
                    coverage.hit("client disconnected");
                    peer.connected = false;
                    peer.up.clear();
                    vhost.sockets().disconnect(socket, peer.id).map_err(text)?;
                }
                Ok(())
            }
        }
    }

    fn peer(&mut self, client: u32) -> Option<&mut Peer> {
        self.clients.get_mut(client as usize)
    }

    fn data(&mut self, bytes: u32) -> Vec<u8> {
        let byte = |_| {
            self.sent = self.sent.wrapping_mul(5).wrapping_add(17);
            self.sent
        };
        (0..bytes).map(byte).collect()
    }

    fn connect(&mut self, vhost: &Vhost) -> Result<(), String> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(text)?;
        stream.set_nonblocking(true).map_err(text)?;
        // Small pieces must not wait for more data.
        stream.set_nodelay(true).map_err(text)?;
        for _ in 0..MAX_POLLS {
            let Some(id) = vhost.sockets().accept(self.socket).map_err(text)? else {
                std::thread::yield_now();
                continue;
            };
            let greeting = format!("uart-{}\n", self.clients.len() + 1);
            self.clients.push(Peer {
                stream: Some(stream),
                id,
                up: VecDeque::new(),
                down: greeting.into_bytes().into(),
                connected: true,
                may_be_reset: false,
            });
            return Ok(());
        }
        Err("a connected client was not accepted".to_owned())
    }

    /// Moves arrived bytes on both sides.
    ///
    /// # Errors
    /// Fails on a byte that differs.
    pub fn move_bytes(&mut self, vhost: &Vhost) -> Result<(), String> {
        for peer in &mut self.clients {
            while peer.connected {
                match vhost.sockets().read(self.socket, peer.id, 64) {
                    Ok(Some(bytes)) => arrived(&bytes, &mut peer.up)?,
                    Ok(None) => break,
                    Err(_) if peer.stream.is_none() => {
                        peer.connected = false;
                        if !peer.up.is_empty() && peer.down.is_empty() && !peer.may_be_reset {
                            return Err(format!(
                                "{} bytes of a client that vanished are lost",
                                peer.up.len()
                            ));
                        }
                    }
                    Err(error) => return Err(text(error)),
                }
            }
            let mut bytes = [0; 256];
            while let Some(stream) = &mut peer.stream {
                match stream.read(&mut bytes) {
                    Ok(0) if !peer.connected => peer.stream = None,
                    Ok(0) => return Err("the host has closed a connection".to_owned()),
                    Ok(count) => arrived(&bytes[..count], &mut peer.down)?,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) if !peer.connected => peer.stream = None,
                    Err(error) => return Err(text(error)),
                }
            }
        }
        Ok(())
    }

    /// Ends the clients. Bytes in transit must arrive.
    ///
    /// # Errors
    /// Fails if bytes do not arrive.
    pub fn close(mut self, vhost: &Vhost) -> Result<(), String> {
        for _ in 0..MAX_POLLS {
            self.move_bytes(vhost)?;
            let waits = |peer: &Peer| {
                peer.stream.is_some() && !(peer.up.is_empty() && peer.down.is_empty())
            };
            if !self.clients.iter().any(waits) {
                for peer in &self.clients {
                    if let Some(stream) = &peer.stream {
                        // The connection may be closed already.
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                }
                return vhost.sockets().close(self.socket).map_err(text);
            }
            std::thread::yield_now();
        }
        let left = self
            .clients
            .iter()
            .map(|peer| peer.up.len() + peer.down.len());
        Err(format!("{} sent bytes did not arrive", left.sum::<usize>()))
    }
}

fn arrived(bytes: &[u8], expected: &mut VecDeque<u8>) -> Result<(), String> {
    for byte in bytes {
        let next = expected.pop_front();
        if next != Some(*byte) {
            return Err(format!(
                "socket: byte {byte:#x} arrived, sent was {next:x?}"
            ));
        }
    }
    Ok(())
}
