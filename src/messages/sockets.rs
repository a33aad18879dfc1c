//! What the socket manager is sent.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bus::inbox;
use crate::guest::os_error_text;

/// A listening socket, by number. Numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SocketId(pub u64);

/// A client of a socket, by number: from 1, in the order in which they were accepted. Numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(pub i32);

/// Listens on a port of 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// What it is called in greetings and reports.
    pub name: String,
    /// Which port; 0 lets the system choose.
    pub port: u16,
}

/// Tells the port that a socket listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortOf {
    /// Which socket.
    pub socket: SocketId,
}

/// Says what later clients are sent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greet {
    /// Which socket.
    pub socket: SocketId,
    /// The text, in which `{name}`, `{id}` and `{addr}` are filled in. Nothing is sent where it is empty.
    pub text: String,
}

/// Takes a client that waits, if one does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// Which socket.
    pub socket: SocketId,
}

/// Sends bytes to a client, all of them: what the system does not take now is queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Which socket.
    pub socket: SocketId,
    /// Which client.
    pub client: ClientId,
    /// What.
    pub data: Bytes,
}

/// Takes bytes that a client has sent. What is not there yet is answered with `None`, and nothing is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Which socket.
    pub socket: SocketId,
    /// Which client.
    pub client: ClientId,
    /// How much.
    pub want: Want,
}

/// The most bytes of a client that are kept, and so the most that one [`Read`] gives. What a client sends beyond them
/// waits in the system, and then at the client.
pub const READ_MAX: usize = 64 * 1024;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Want {
    /// So many bytes together.
    Exactly(u8),
    /// What is there, but not more bytes than so many.
    UpTo(usize),
    /// Everything up to a NUL, which is taken too but not given.
    Text,
}

/// Ends the connection of a client. What is queued for it still goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// Which socket.
    pub socket: SocketId,
    /// Which client.
    pub client: ClientId,
}

/// Stops listening, and disconnects all clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// Which socket.
    pub socket: SocketId,
}

/// Closes every socket, and every connection as it is: what is queued for one and not taken now is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseAll;

/// Lets go of every socket and every connection, which belong to the process that this one was forked off from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandon;

/// Sends what is queued, as far as the system takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flush;

/// An error of the operating system's, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{}", os_error_text(*.0))]
pub struct OsError(pub i32);

/// Why a socket can't do it.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum SocketError {
    /// Another program, or another socket, listens there.
    #[error(
        "socket `{name}`: port {port} of 127.0.0.1 is in use; take another, or 0 for one that is free"
    )]
    InUse {
        /// Name of the socket.
        name: String,
        /// The port.
        port: u16,
    },
    /// The system lets nobody listen there.
    #[error("socket `{name}` can't listen on port {port} of 127.0.0.1: {cause}")]
    Listen {
        /// Name of the socket.
        name: String,
        /// The port.
        port: u16,
        /// Why not.
        cause: OsError,
    },
    /// There is no such socket.
    #[error("socket {} is not open: it was closed, or there never was one", .0.0)]
    NotOpen(SocketId),
    /// A client can't be taken.
    #[error("socket `{name}` can't accept a client: {cause}")]
    Accept {
        /// Name of the socket.
        name: String,
        /// Why not.
        cause: OsError,
    },
    /// All numbers for clients are used up.
    #[error(
        "socket `{name}` has had as many clients as there are numbers; close it and open another"
    )]
    NoMoreIds {
        /// Name of the socket.
        name: String,
    },
    /// There is no such client.
    #[error("socket `{name}` has no client {}: it was disconnected, or there never was one", client.0)]
    NoClient {
        /// Name of the socket.
        name: String,
        /// The client.
        client: ClientId,
    },
    /// The client has sent all that it ever will, and what is left of it is not what was asked for.
    #[error("client {} of socket `{name}` sends no more: end of stream", client.0)]
    Ended {
        /// Name of the socket.
        name: String,
        /// The client.
        client: ClientId,
    },
    /// The connection broke. It is told once; later calls meet [`Gone`](Self::Gone).
    #[error("client {} of socket `{name}` is lost, and {unsent} bytes for it with it: {cause}", client.0)]
    Lost {
        /// Name of the socket.
        name: String,
        /// The client.
        client: ClientId,
        /// Bytes that were queued for it.
        unsent: usize,
        /// Why.
        cause: OsError,
    },
    /// The client did not take what was sent to it, and is dropped for that. Later calls meet [`Gone`](Self::Gone).
    #[error(
        "client {} of socket `{name}` is dropped: it does not read, and more than {limit} bytes would wait for it",
        client.0
    )]
    Overrun {
        /// Name of the socket.
        name: String,
        /// The client.
        client: ClientId,
        /// The most bytes that are queued for a client.
        limit: usize,
    },
    /// The connection of a disconnected client was closed before all was sent.
    #[error(
        "client {} of socket `{name}` had not taken the last {unsent} bytes when its connection was closed",
        client.0
    )]
    Unsent {
        /// Name of the socket.
        name: String,
        /// The client.
        client: ClientId,
        /// Bytes that were queued for it.
        unsent: usize,
    },
    /// The client was lost or dropped before.
    #[error("client {} of socket `{name}` was lost before: disconnect it", client.0)]
    Gone {
        /// Name of the socket.
        name: String,
        /// The client.
        client: ClientId,
    },
    /// As much as is kept of a client's bytes has no NUL in it.
    #[error(
        "client {} of socket `{name}` has sent {READ_MAX} bytes without a NUL, and a string can't be longer; they can be read as bytes",
        client.0
    )]
    NoNul {
        /// Name of the socket.
        name: String,
        /// The client.
        client: ClientId,
    },
    /// The process was forked.
    #[error(
        "this process was forked: {sockets} listening sockets and {clients} clients stay with its parent; here nobody connects to \
         them any more, and the clients have left"
    )]
    Forked {
        /// Listening sockets.
        sockets: usize,
        /// Clients.
        clients: usize,
    },
}

inbox! {
    /// All that the socket manager is sent.
    "sockets" {
        Open -> Result<SocketId, SocketError>,
        PortOf -> Result<u16, SocketError>,
        Greet -> Result<(), SocketError>,
        Accept -> Result<Option<ClientId>, SocketError>,
        Write -> Result<(), SocketError>,
        Read -> Result<Option<Bytes>, SocketError>,
        Disconnect -> Result<(), SocketError>,
        Close -> Result<(), SocketError>,
        CloseAll -> (),
        Abandon -> (),
        Flush -> (),
    }
}
