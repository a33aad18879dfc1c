//! Interface to TCP, through which the socket manager makes all accesses to a network.

use crate::messages::sockets::OsError;

/// Network. Its results do not depend on messages alone, so a replay provides the recorded ones. No
/// function blocks.
pub(crate) trait Network {
    /// Listens on a port of 127.0.0.1. Port 0 selects a free port.
    fn listen(&mut self, port: u16) -> Result<Box<dyn Listener>, OsError>;
}

/// Listening socket.
pub(crate) trait Listener {
    /// Port number in use.
    fn port(&self) -> u16;

    /// Accepts a connection; `None` if no client waits.
    fn accept(&mut self) -> Result<Option<Box<dyn Connection>>, OsError>;
}

/// Connection. Dropping it closes it.
pub(crate) trait Connection {
    /// Sends from the start of `data`, and returns the number of bytes; `None` if none can be sent
    /// now.
    fn send(&mut self, data: &[u8]) -> Result<Option<usize>, OsError>;

    /// Receives into the start of `room`, which is not empty, and returns the number of bytes: 0 at
    /// the end of the stream, `None` if none are available now.
    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, OsError>;

    /// Ends the outgoing stream.
    fn finish(&mut self);
}
