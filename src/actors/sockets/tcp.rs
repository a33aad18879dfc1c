//! TCP of the operating system, on the loopback interface.

use std::io::{self, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};

use super::network::{Connection, Listener, Network};
use crate::guest::{Own, above_standard, own_socket};
use crate::messages::sockets::OsError;

/// Maximum number of clients that wait to be accepted. The operating system may have a lower limit.
const BACKLOG: i32 = 1024;

/// Network of the operating system.
#[derive(Debug)]
pub(crate) struct Tcp;

impl Network for Tcp {
    fn listen(&mut self, port: u16) -> Result<Box<dyn Listener>, OsError> {
        Ok(Box::new(listen(port).map_err(os_error)?))
    }
}

fn listen(port: u16) -> io::Result<Loopback> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    let socket = above_standard(socket)?;
    // Allows reuse of a port that still has connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)?;
    let address = socket.local_addr()?.as_socket_ipv4();
    let port = address.ok_or(io::ErrorKind::AddrNotAvailable)?.port();
    Ok(Loopback {
        socket: Owned::from(socket),
        port,
    })
}

/// Socket that is not shared with child processes.
struct Owned {
    /// Dropped before the socket.
    _own: Own,
    socket: Socket,
}

impl From<Socket> for Owned {
    fn from(socket: Socket) -> Self {
        let _own = own_socket(&socket);
        Self { _own, socket }
    }
}

struct Loopback {
    socket: Owned,
    port: u16,
}

impl Listener for Loopback {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&mut self) -> Result<Option<Box<dyn Connection>>, OsError> {
        let accepted = match self.socket.socket.accept() {
            Ok((socket, _)) => prepared(socket).map(Some),
            // The client has connected and left again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(None),
            Err(error) => Err(error),
        };
        match not_now(accepted)? {
            Some(Some(socket)) => Ok(Some(Box::new(socket))),
            Some(None) | None => Ok(None),
        }
    }
}

fn prepared(socket: Socket) -> io::Result<Owned> {
    let socket = above_standard(socket)?;
    socket.set_nonblocking(true)?;
    // Disables the delay of single characters, such as echoed ones.
    socket.set_tcp_nodelay(true)?;
    Ok(Owned::from(socket))
}

impl Connection for Owned {
    fn send(&mut self, data: &[u8]) -> Result<Option<usize>, OsError> {
        // A client that has left is an error, and does not end the simulator by a signal.
        not_now(self.socket.send_with_flags(data, libc::MSG_NOSIGNAL))
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, OsError> {
        not_now(self.socket.read(room))
    }

    fn finish(&mut self) {
        // Fails only if the client has left, so that no end has to be sent.
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}

/// Converts the error of an operation that would block to `None`.
fn not_now<T>(result: io::Result<T>) -> Result<Option<T>, OsError> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
            _ => Err(os_error(error)),
        },
    }
}

fn os_error(error: io::Error) -> OsError {
    OsError(error.raw_os_error().unwrap_or(libc::EIO))
}
