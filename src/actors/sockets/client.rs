//! Client of a socket, with its receive buffer and its send queue.

use bytes::{Buf, Bytes, BytesMut};

use super::network::Connection;
use crate::messages::sockets::{OsError, READ_MAX, ReadMode};

/// Client, and its connection while that is usable.
///
/// The two directions end independently: received bytes can be read after sending has failed.
pub(super) struct Client {
    connection: Option<Box<dyn Connection>>,
    /// True while the client accepts bytes.
    takes: bool,
    /// Fault that ended sending; `None` after its report.
    untold: Option<Fault>,
    /// True after the end of the client's stream.
    ended: bool,
    /// Receive buffer, at most [`READ_MAX`] bytes. Further bytes stay in the buffers of the
    /// operating system, so that TCP throttles the client.
    arrived: BytesMut,
    /// Number of buffered bytes that were searched for a NUL without finding one.
    searched: usize,
    queued: BytesMut,
}

/// Fault of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// End of the client's stream.
    Ended,
    /// Broken connection, with the number of unsent bytes.
    Lost { unsent: usize, cause: OsError },
    /// Send queue that would exceed `limit` bytes. The connection is closed.
    Overrun { limit: usize },
    /// Client that was lost or dropped earlier.
    Gone,
    /// Full receive buffer without a NUL.
    NoNul,
}

impl Client {
    pub(super) fn new(connection: Box<dyn Connection>) -> Self {
        Self {
            connection: Some(connection),
            takes: true,
            untold: None,
            ended: false,
            arrived: BytesMut::new(),
            searched: 0,
            queued: BytesMut::new(),
        }
    }

    /// Releases the connection, as if the client had left. Received bytes can still be read.
    /// Returns the connection, if there was one, for the caller to drop.
    pub(super) fn abandon(&mut self) -> Option<Box<dyn Connection>> {
        self.close_outlet();
        self.untold = None;
        self.ended = true;
        self.connection.take()
    }

    /// True while the client has a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Number of bytes in the send queue.
    pub(super) fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Sends all of `data`. At most `limit` bytes are queued. If there are more, the connection is
    /// closed.
    pub(super) fn send(&mut self, data: &[u8], limit: usize) -> Result<(), Fault> {
        self.flush()?;
        let mut rest = data;
        if self.queued.is_empty() {
            match self.outlet()?.send(data) {
                Ok(sent) => rest = &data[sent.unwrap_or(0)..],
                Err(cause) => return Err(self.lose(data.len(), cause)),
            }
        }
        if self.queued.len() + rest.len() > limit {
            self.connection = None;
            self.close_outlet();
            return Err(Fault::Overrun { limit });
        }
        self.queued.extend_from_slice(rest);
        Ok(())
    }

    /// As [`send`](Self::send), for bytes that no caller has requested, such as the greeting. A
    /// later operation returns the fault.
    pub(super) fn send_unasked(&mut self, data: &[u8], limit: usize) {
        if !data.is_empty() {
            self.untold = self.send(data, limit).err();
        }
    }

    /// Sends queued bytes that the operating system accepts.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        if !self.queued.is_empty()
            && let Some(connection) = &mut self.connection
        {
            match connection.send(&self.queued) {
                Ok(sent) => self.queued.advance(sent.unwrap_or(0)),
                Err(cause) => return Err(self.lose(0, cause)),
            }
        }
        Ok(())
    }

    /// Takes received bytes; `None` if there are fewer than `want`.
    pub(super) fn take(&mut self, want: ReadMode, room: &mut [u8]) -> Result<Option<Bytes>, Fault> {
        if let Some(bytes) = self.find(want) {
            return Ok(Some(bytes));
        }
        self.receive(room)?;
        match self.find(want) {
            Some(bytes) => Ok(Some(bytes)),
            None if want == ReadMode::Text && self.arrived.len() == READ_MAX => Err(Fault::NoNul),
            None if self.ended => Err(Fault::Ended),
            None => Ok(None),
        }
    }

    /// Continues closing the connection: sends the queue, then ends the outgoing stream, then waits
    /// for the end of the client's stream. Closing earlier may lose the last bytes. Returns true
    /// when done.
    pub(super) fn leave(&mut self, room: &mut [u8]) -> Result<bool, Fault> {
        self.flush()?;
        if !self.queued.is_empty() {
            return Ok(false);
        }
        if self.takes
            && let Some(connection) = &mut self.connection
        {
            connection.finish();
            self.takes = false;
        }
        self.arrived.clear();
        self.receive(room)?;
        Ok(self.ended)
    }

    /// Returns the connection if the client accepts bytes, else the fault.
    fn outlet(&mut self) -> Result<&mut Box<dyn Connection>, Fault> {
        match &mut self.connection {
            Some(connection) if self.takes => Ok(connection),
            _ => Err(self.untold.take().unwrap_or(Fault::Gone)),
        }
    }

    fn close_outlet(&mut self) {
        self.takes = false;
        self.queued = BytesMut::new();
    }

    /// Ends sending. The queue and `more` further bytes are lost.
    fn lose(&mut self, more: usize, cause: OsError) -> Fault {
        let unsent = self.queued.len() + more;
        self.close_outlet();
        Fault::Lost { unsent, cause }
    }

    /// Receives bytes until the buffer is full or no more are available. `room` has [`READ_MAX`]
    /// bytes.
    fn receive(&mut self, room: &mut [u8]) -> Result<(), Fault> {
        while !self.ended && self.arrived.len() < READ_MAX {
            let Some(connection) = &mut self.connection else {
                return Err(self.untold.take().unwrap_or(Fault::Gone));
            };
            let room = &mut room[..READ_MAX - self.arrived.len()];
            match connection.receive(room) {
                Ok(Some(0)) => self.ended = true,
                Ok(Some(count)) => {
                    self.arrived.extend_from_slice(&room[..count]);
                    if count < room.len() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(cause) => {
                    self.connection = None;
                    return Err(self.lose(0, cause));
                }
            }
        }
        Ok(())
    }

    /// Takes `want` from the receive buffer, if it has arrived.
    fn find(&mut self, want: ReadMode) -> Option<Bytes> {
        let arrived = self.arrived.len();
        match want {
            ReadMode::Exactly(count) => {
                let count = usize::from(count);
                (count <= arrived).then(|| self.split(count))
            }
            ReadMode::UpTo(most) => {
                (arrived > 0 || most == 0).then(|| self.split(most.min(arrived)))
            }
            ReadMode::Text => {
                let new = &self.arrived[self.searched..];
                let Some(more) = new.iter().position(|byte| *byte == 0) else {
                    self.searched = arrived;
                    return None;
                };
                let text = self.split(self.searched + more);
                self.arrived.advance(1);
                Some(text)
            }
        }
    }

    fn split(&mut self, count: usize) -> Bytes {
        self.searched = 0;
        self.arrived.split_to(count).freeze()
    }
}
