//! What the socket manager sees of TCP. Nothing else reaches a network.

use crate::messages::sockets::OsError;

/// A network. What it answers is no function of the messages before: a replay answers itself. Nothing here waits.
pub(crate) trait Network {
    /// Listens on a port of 127.0.0.1; on one that is free where it is 0.
    fn listen(&mut self, port: u16) -> Result<Box<dyn Listener>, OsError>;
}

/// A listening socket.
pub(crate) trait Listener {
    /// The port in use.
    fn port(&self) -> u16;

    /// Takes a connection, if one waits.
    fn accept(&mut self) -> Result<Option<Box<dyn Connection>>, OsError>;
}

/// A connection. It is closed when it is dropped.
pub(crate) trait Connection {
    /// Sends from the start of `data` and gives the number of bytes; `None` where none is taken now.
    fn send(&mut self, data: &[u8]) -> Result<Option<usize>, OsError>;

    /// Receives into the start of `room`, which is not empty, and gives the number of bytes: 0 at the end of the stream,
    /// `None` where nothing is there now.
    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, OsError>;

    /// Tells the other end that nothing more will be sent.
    fn finish(&mut self);
}
