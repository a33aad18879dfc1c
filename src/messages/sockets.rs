//! Messages to the socket manager.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::checkpoint::SavedSockets;
use crate::bus::{Attributes, inbox};
use crate::guest::os_error_text;

/// Number of a listening socket. Numbers are not reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SocketId(pub u64);

/// Number of a socket's client, from 1 in the order of acceptance. Numbers are not reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(pub i32);

/// Listens on a port of 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Name of the socket in greetings and reports.
    pub name: String,
    /// Port number; 0 selects a free port.
    pub port: u16,
}

/// Returns the port on which a socket listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalPort {
    /// Listening socket.
    pub socket: SocketId,
}

/// Sets the greeting, the first text that is sent to each later client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greet {
    /// Listening socket.
    pub socket: SocketId,
    /// Template, with the placeholders `{name}`, `{id}` and `{addr}`. An empty text sends nothing.
    pub text: String,
}

/// Accepts a waiting client. `None` if there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// Listening socket.
    pub socket: SocketId,
}

/// Sends all of `data` to a client. Bytes that the operating system does not accept now are queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Listening socket.
    pub socket: SocketId,
    /// Receiver of the bytes.
    pub client: ClientId,
    /// Bytes to send.
    pub data: Bytes,
}

/// Takes bytes that a client has sent. `None`, with nothing taken, if not enough bytes have
/// arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Listening socket.
    pub socket: SocketId,
    /// Sender of the bytes.
    pub client: ClientId,
    /// Amount to read.
    pub want: ReadMode,
}

/// Maximum number of bytes that are buffered for a client, and maximum length of a [`Read`].
/// Further bytes stay in the buffers of the operating system and of the client.
pub const READ_MAX: usize = 64 * 1024;

/// Amount to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadMode {
    /// Exactly this number of bytes.
    Exactly(u8),
    /// Available bytes, at most this number.
    UpTo(usize),
    /// Bytes up to a NUL. The NUL is taken, but is not part of the result.
    Text,
}

/// Ends the connection of a client. Queued bytes are still sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// Listening socket.
    pub socket: SocketId,
    /// Client to disconnect.
    pub client: ClientId,
}

/// Stops listening, and disconnects all clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// Socket to close.
    pub socket: SocketId,
}

/// Closes all sockets and connections immediately. Queued bytes that can't be sent at once are
/// lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseAll;

/// Releases all sockets and connections in a forked child, without effect on the parent process,
/// which owns them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandon;

/// Sends queued bytes that the operating system accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flush;

/// Asks for the listening sockets, for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save;

/// Opens the listening sockets of a checkpoint that are not open. The reply has the errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Sockets of the checkpoint.
    pub sockets: SavedSockets,
}

/// Error number of the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{}", os_error_text(*.0))]
pub struct OsError(pub i32);

/// Error of a socket operation.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum SocketError {
    /// Port that another program or socket listens on.
    #[error(
        "socket `{name}`: port {port} of 127.0.0.1 is in use; give another, or 0 for any free one"
    )]
    InUse {
        /// Name of the socket.
        name: String,
        /// Port number.
        port: u16,
    },
    /// Failure to listen on a port, for another reason.
    #[error("socket `{name}` can't listen on port {port} of 127.0.0.1: {cause}")]
    Listen {
        /// Name of the socket.
        name: String,
        /// Port number.
        port: u16,
        /// Error of the operating system.
        cause: OsError,
    },
    /// Unknown or closed socket.
    #[error("socket {} is not open: it was closed or never opened", .0.0)]
    NotOpen(SocketId),
    /// Client that can't be accepted.
    #[error("socket `{name}` can't accept a client: {cause}")]
    Accept {
        /// Name of the socket.
        name: String,
        /// Error of the operating system.
        cause: OsError,
    },
    /// Exhausted client numbers.
    #[error("socket `{name}` has used all client numbers; close it and open another")]
    NoMoreIds {
        /// Name of the socket.
        name: String,
    },
    /// Unknown or disconnected client.
    #[error("socket `{name}` has no client {}: it was disconnected or never connected", client.0)]
    NoClient {
        /// Name of the socket.
        name: String,
        /// Client number.
        client: ClientId,
    },
    /// End of the client's stream, with fewer bytes left than requested.
    #[error("client {} of socket `{name}` sends no more: end of stream", client.0)]
    Ended {
        /// Name of the socket.
        name: String,
        /// Client number.
        client: ClientId,
    },
    /// Broken connection. It is reported once; later operations fail with [`Gone`](Self::Gone).
    #[error("client {} of socket `{name}` is lost, with {unsent} bytes not sent: {cause}", client.0)]
    Lost {
        /// Name of the socket.
        name: String,
        /// Client number.
        client: ClientId,
        /// Number of bytes that were queued and are lost.
        unsent: usize,
        /// Error of the operating system.
        cause: OsError,
    },
    /// Client that was dropped because it does not read its bytes. Later operations fail with
    /// [`Gone`](Self::Gone).
    #[error(
        "client {} of socket `{name}` is dropped: it does not read, and more than {limit} bytes \
         would be queued for it",
        client.0
    )]
    Overrun {
        /// Name of the socket.
        name: String,
        /// Client number.
        client: ClientId,
        /// Maximum number of queued bytes for a client.
        limit: usize,
    },
    /// Connection of a disconnected client that was closed before all bytes were sent.
    #[error(
        "client {} of socket `{name}` had not taken the last {unsent} bytes when its connection was closed",
        client.0
    )]
    Unsent {
        /// Name of the socket.
        name: String,
        /// Client number.
        client: ClientId,
        /// Number of bytes that were queued and are lost.
        unsent: usize,
    },
    /// Client that was lost or dropped earlier.
    #[error("client {} of socket `{name}` was lost before: disconnect it", client.0)]
    Gone {
        /// Name of the socket.
        name: String,
        /// Client number.
        client: ClientId,
    },
    /// Full buffer without a NUL.
    #[error(
        "client {} of socket `{name}` has sent {READ_MAX} bytes without a NUL, and a string can't be longer; they can be read as bytes",
        client.0
    )]
    NoNul {
        /// Name of the socket.
        name: String,
        /// Client number.
        client: ClientId,
    },
    /// Sockets that were released because the process was forked.
    #[error(
        "this process was forked: {sockets} listening sockets and {clients} clients stay with its \
         parent; no client can connect to these sockets here, and the clients are disconnected"
    )]
    Forked {
        /// Number of listening sockets.
        sockets: usize,
        /// Number of clients.
        clients: usize,
    },
}

impl Attributes for SocketId {}
impl Attributes for ClientId {}
impl Attributes for Vec<SocketError> {}

inbox! {
    /// All messages to the socket manager.
    "sockets" {
        Open -> Result<SocketId, SocketError> { channel: none, payload: none },
        LocalPort -> Result<u16, SocketError> { channel: none, payload: none },
        Greet -> Result<(), SocketError> { channel: none, payload: none },
        Accept -> Result<Option<ClientId>, SocketError> { channel: none, payload: none },
        Write -> Result<(), SocketError> { channel: none, payload: data },
        Read -> Result<Option<Bytes>, SocketError> { channel: none, payload: none },
        Disconnect -> Result<(), SocketError> { channel: none, payload: none },
        Close -> Result<(), SocketError> { channel: none, payload: none },
        CloseAll -> () { channel: none, payload: none },
        Abandon -> () { channel: none, payload: none },
        Flush -> () { channel: none, payload: none },
        Save -> SavedSockets { channel: none, payload: none },
        Restore -> Vec<SocketError> { channel: none, payload: none },
    }
}
