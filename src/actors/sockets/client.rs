//! One client: what has arrived of it, and what is queued for it.

use bytes::{Buf, Bytes, BytesMut};

use super::network::Connection;
use crate::messages::sockets::{OsError, READ_MAX, Want};

/// A client, and the connection to it for as long as that is of use.
///
/// The two directions end one by one: what has arrived can be read though nothing can be sent any more.
pub(super) struct Client {
    connection: Option<Box<dyn Connection>>,
    /// It takes what is sent.
    takes: bool,
    /// Why it doesn't, where nobody could be told so far.
    untold: Option<Fault>,
    /// It sends no more.
    ended: bool,
    /// [`READ_MAX`] bytes at most: what comes beyond them is left to the system, whose buffers hold the client back.
    arrived: BytesMut,
    /// How many of them are known to have no NUL among them.
    searched: usize,
    queued: BytesMut,
}

/// What can be wrong with a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It sends no more.
    Ended,
    /// The connection broke, with so many bytes unsent.
    Lost { unsent: usize, cause: OsError },
    /// More than `limit` bytes would be queued: the connection is closed.
    Overrun { limit: usize },
    /// It was lost, or dropped, before.
    Gone,
    /// As much has arrived as is kept, without a NUL.
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

    /// Lets go of the connection, as if the client had left; what has arrived can still be read. Gives what is to be dropped, if there was
    /// a connection.
    pub(super) fn abandon(&mut self) -> Option<Box<dyn Connection>> {
        self.close_outlet();
        self.untold = None;
        self.ended = true;
        self.connection.take()
    }

    /// True while there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Bytes that wait to be sent.
    pub(super) fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Sends all of `data`. At most `limit` bytes are queued; where they would be more, the connection is closed.
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

    /// As [`send`](Self::send), for what nobody has asked for: whoever sends next is told of a fault.
    pub(super) fn send_unasked(&mut self, data: &[u8], limit: usize) {
        if !data.is_empty() {
            self.untold = self.send(data, limit).err();
        }
    }

    /// Sends what is queued, as far as the system takes it.
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

    /// Gives bytes that have arrived; `None` where they aren't as many as are wanted.
    pub(super) fn take(&mut self, want: Want, room: &mut [u8]) -> Result<Option<Bytes>, Fault> {
        if let Some(bytes) = self.find(want) {
            return Ok(Some(bytes));
        }
        self.receive(room)?;
        match self.find(want) {
            Some(bytes) => Ok(Some(bytes)),
            None if want == Want::Text && self.arrived.len() == READ_MAX => Err(Fault::NoNul),
            None if self.ended => Err(Fault::Ended),
            None => Ok(None),
        }
    }

    /// Goes on with taking leave: sends what is queued, then tells the other end that this was all, then waits for it to
    /// say the same, since to close a connection earlier can take its last bytes back. True once it is over.
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

    /// The connection, where it takes what is sent.
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

    /// Nothing can be sent any more: neither what is queued, nor `more` bytes.
    fn lose(&mut self, more: usize, cause: OsError) -> Fault {
        let unsent = self.queued.len() + more;
        self.close_outlet();
        Fault::Lost { unsent, cause }
    }

    /// Receives what has come, as far as it is kept. `room` has [`READ_MAX`] bytes.
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

    /// Takes what is wanted out of what has arrived.
    fn find(&mut self, want: Want) -> Option<Bytes> {
        let arrived = self.arrived.len();
        match want {
            Want::Exactly(count) => {
                let count = usize::from(count);
                (count <= arrived).then(|| self.split(count))
            }
            Want::UpTo(most) => (arrived > 0 || most == 0).then(|| self.split(most.min(arrived))),
            Want::Text => {
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
