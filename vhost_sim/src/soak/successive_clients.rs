//! Clients of a system's sockets, one after the other: each sends, gets a response, and leaves.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use vhost::Vhost;
use vhost::messages::sockets::SocketId;

/// Number of clients of a socket, after which another one is opened, because a port has few
/// addresses for its clients.
const CLIENTS_OF_A_SOCKET: u64 = 1000;

/// Number of polls after which bytes on the loopback interface count as lost.
const MAX_POLLS: u32 = 1_000_000;

/// Clients, one after the other.
#[derive(Default)]
pub(super) struct SuccessiveClients {
    socket: Option<(SocketId, u16)>,
    pub(super) served: u64,
}

fn text(error: impl std::fmt::Display) -> String {
    format!("socket: {error}")
}

/// Polls until there is a result.
fn wait<T>(event: &str, mut poll: impl FnMut() -> Result<Option<T>, String>) -> Result<T, String> {
    for _ in 0..MAX_POLLS {
        if let Some(found) = poll()? {
            return Ok(found);
        }
        std::thread::yield_now();
    }
    Err(format!("socket: {event} did not arrive"))
}

impl SuccessiveClients {
    /// Serves one client, from its connection to its end.
    pub(super) fn serve_one(&mut self, vhost: &Vhost) -> Result<(), String> {
        let sockets = vhost.sockets();
        let (socket, port) = self.socket(vhost)?;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(text)?;
        stream.set_nonblocking(true).map_err(text)?;
        let id = wait("a client", || sockets.accept(socket).map_err(text))?;
        let sent = self.served.to_le_bytes();
        stream.write_all(&sent).map_err(text)?;
        let read = wait("a number", || {
            sockets.read_exactly::<8>(socket, id).map_err(text)
        })?;
        sockets.write(socket, id, read.to_vec()).map_err(text)?;
        let mut response = Vec::new();
        wait("an answer", || {
            let mut bytes = [0; 8];
            match stream.read(&mut bytes) {
                Ok(0) => Err("socket: the host has closed a connection".to_owned()),
                Ok(count) => {
                    response.extend_from_slice(&bytes[..count]);
                    Ok((response.len() >= sent.len()).then_some(()))
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(text(error)),
            }
        })?;
        if response != sent {
            return Err(format!("socket: {response:x?} arrived, sent was {sent:x?}"));
        }
        // Every second client leaves first.
        if self.served.is_multiple_of(2) {
            drop(stream);
            wait("the end of a client", || {
                Ok(sockets.read(socket, id, 1).is_err().then_some(()))
            })?;
        } else {
            sockets.disconnect(socket, id).map_err(text)?;
        }
        self.served += 1;
        if self.served.is_multiple_of(CLIENTS_OF_A_SOCKET) {
            self.close(vhost)?;
        }
        Ok(())
    }

    fn socket(&mut self, vhost: &Vhost) -> Result<(SocketId, u16), String> {
        if let Some(open) = self.socket {
            return Ok(open);
        }
        let socket = vhost.sockets().open("uart", 0).map_err(text)?;
        vhost.sockets().greet(socket, "").map_err(text)?;
        let port = vhost.sockets().port(socket).map_err(text)?;
        Ok(*self.socket.insert((socket, port)))
    }

    /// Closes the socket.
    pub(super) fn close(&mut self, vhost: &Vhost) -> Result<(), String> {
        match self.socket.take() {
            Some((socket, _)) => vhost.sockets().close(socket).map_err(text),
            None => Ok(()),
        }
    }
}
