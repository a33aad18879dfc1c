//! All sockets and their clients.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::Bytes;

use super::client::{Client, Fault};
use super::network::{Listener, Network};
use super::traced_network::{ResultLog, Traced};
use crate::messages::checkpoint::{SavedSocket, SavedSockets};
use crate::messages::sockets::{ClientId, OsError, READ_MAX, ReadMode, SocketError, SocketId};

/// Default greeting of new clients.
const GREETING: &str = "[{name}-{id}] Connected to {addr}!\n";

/// Maximum number of connections that are closing at the same time. If there are more, the oldest
/// is closed at once.
pub(super) const LEAVING_MAX: usize = 64;

/// Maximum number of sockets that a checkpoint opens again.
const RESTORED_MAX: usize = 256;

/// All sockets and their clients. Network operations depend only on the calls of the hub, and have
/// the same order in a replay.
///
/// The hub is not part of a system: sockets that were opened before a system starts stay open in
/// it.
pub(crate) struct Hub {
    network: Traced<dyn Network>,
    results: ResultLog,
    limit: usize,
    opened: u64,
    sockets: BTreeMap<SocketId, Socket>,
    clients: BTreeMap<Key, Client>,
    /// Clients with queued bytes.
    behind: BTreeSet<Key>,
    /// Disconnected clients with bytes still to be sent.
    leaving: VecDeque<Leaving>,
    /// Errors that are not the result of a call.
    notes: Vec<SocketError>,
    /// Buffer for received bytes, of [`READ_MAX`] bytes.
    room: Box<[u8]>,
}

type Key = (SocketId, ClientId);

struct Socket {
    name: String,
    greeting: String,
    port: u16,
    /// Listening socket; `None` in a forked child of the process that opened it, which accepts no
    /// clients.
    listener: Option<Box<dyn Listener>>,
    accepted: i32,
    /// Error of `accept` that was reported last.
    refused: Option<OsError>,
}

/// Disconnected client, which only reports still name.
struct Leaving {
    name: String,
    id: ClientId,
    client: Client,
}

impl Hub {
    /// Creates a hub without sockets. At most `limit` bytes are queued for one client.
    pub(crate) fn new(network: impl Network + 'static, limit: usize) -> Self {
        let results = ResultLog::default();
        Self {
            network: Traced::new(Box::new(network), &results),
            results,
            limit,
            opened: 0,
            sockets: BTreeMap::new(),
            clients: BTreeMap::new(),
            behind: BTreeSet::new(),
            leaving: VecDeque::new(),
            notes: Vec::new(),
            room: vec![0; READ_MAX].into(),
        }
    }

    pub(super) fn open(&mut self, name: String, port: u16) -> Result<SocketId, SocketError> {
        let listener = match self.network.listen(port) {
            Ok(listener) => listener,
            Err(cause) if cause.0 == libc::EADDRINUSE => {
                return Err(SocketError::InUse { name, port });
            }
            Err(cause) => return Err(SocketError::Listen { name, port, cause }),
        };
        // Saturating, because the number in a recording may be the maximum.
        self.opened = self.opened.saturating_add(1);
        let id = SocketId(self.opened);
        let socket = Socket {
            name,
            greeting: GREETING.to_owned(),
            port: listener.port(),
            listener: Some(listener),
            accepted: 0,
            refused: None,
        };
        self.sockets.insert(id, socket);
        Ok(id)
    }

    pub(super) fn port(&self, socket: SocketId) -> Result<u16, SocketError> {
        Ok(self.socket(socket)?.port)
    }

    pub(super) fn greet(&mut self, socket: SocketId, text: String) -> Result<(), SocketError> {
        let found = self.sockets.get_mut(&socket);
        found.ok_or(SocketError::NotOpen(socket))?.greeting = text;
        Ok(())
    }

    /// Accepts a client, if one waits. An error, such as a limit of open files, is returned once.
    /// While it persists, the result is `None`.
    pub(super) fn accept(&mut self, id: SocketId) -> Result<Option<ClientId>, SocketError> {
        let found = self.sockets.get_mut(&id);
        let socket = found.ok_or(SocketError::NotOpen(id))?;
        let name = || socket.name.clone();
        let Some(number) = socket.accepted.checked_add(1) else {
            return Err(SocketError::NoMoreIds { name: name() });
        };
        let Some(listener) = &mut socket.listener else {
            return Ok(None);
        };
        let accepted = listener.accept();
        let before = std::mem::replace(&mut socket.refused, accepted.as_ref().err().copied());
        let accepted = match accepted {
            Err(cause) if before == Some(cause) => None,
            accepted => accepted.map_err(|cause| SocketError::Accept {
                name: name(),
                cause,
            })?,
        };
        let Some(connection) = accepted else {
            return Ok(None);
        };
        socket.accepted = number;
        let key = (id, ClientId(number));
        let mut client = Client::new(connection);
        client.send_unasked(socket.greeting(number).as_bytes(), self.limit);
        if client.queued() > 0 {
            self.behind.insert(key);
        }
        self.clients.insert(key, client);
        Ok(Some(key.1))
    }

    pub(super) fn write(
        &mut self,
        socket: SocketId,
        client: ClientId,
        data: &[u8],
    ) -> Result<(), SocketError> {
        let limit = self.limit;
        self.with((socket, client), |client, _| client.send(data, limit))
    }

    pub(super) fn read(
        &mut self,
        socket: SocketId,
        client: ClientId,
        want: ReadMode,
    ) -> Result<Option<Bytes>, SocketError> {
        self.with((socket, client), |client, room| client.take(want, room))
    }

    pub(super) fn disconnect(
        &mut self,
        socket: SocketId,
        client: ClientId,
    ) -> Result<(), SocketError> {
        let name = self.socket(socket)?.name.clone();
        match self.forget((socket, client)) {
            Some(found) => {
                self.dismiss(name, client, found);
                Ok(())
            }
            None => Err(SocketError::NoClient { name, client }),
        }
    }

    pub(super) fn close(&mut self, id: SocketId) -> Result<(), SocketError> {
        let socket = self.sockets.remove(&id);
        let Socket { name, .. } = socket.ok_or(SocketError::NotOpen(id))?;
        let clients = self.clients.keys().filter(|(socket, _)| *socket == id);
        for key in clients.copied().collect::<Vec<_>>() {
            if let Some(client) = self.forget(key) {
                self.dismiss(name.clone(), key.1, client);
            }
        }
        Ok(())
    }

    /// Closes all sockets and connections.
    pub(super) fn close_all(&mut self) {
        let open: Vec<SocketId> = self.sockets.keys().copied().collect();
        for socket in open {
            // Can't fail: the socket is open.
            let _ = self.close(socket);
        }
        while let Some(leaving) = self.leaving.pop_front() {
            self.cut_off(&leaving);
        }
    }

    /// Releases everything without network operations, because it belongs to the parent of this
    /// forked process. Sockets stay open, but no client can connect. Clients appear to have left.
    pub(super) fn abandon(&mut self) {
        let sockets = self.sockets.values_mut();
        let sockets = sockets.filter_map(|socket| socket.listener.take()).count();
        let clients = self.clients.values_mut();
        let clients = clients.filter_map(Client::abandon).count();
        self.behind.clear();
        self.leaving.clear();
        self.notes.push(SocketError::Forked { sockets, clients });
    }

    /// Open sockets, and the number of clients.
    pub(super) fn saved(&self) -> SavedSockets {
        let sockets = self.sockets.iter().map(|(id, socket)| SavedSocket {
            id: id.0,
            name: socket.name.clone(),
            port: socket.port,
            greeting: socket.greeting.clone(),
            accepted: socket.accepted,
        });
        SavedSockets {
            opened: self.opened,
            sockets: sockets.collect(),
            clients: self.clients.len() as u64,
        }
    }

    /// Opens sockets that are not open, with their numbers and ports. Open sockets stay, with their
    /// clients.
    pub(super) fn restore(&mut self, saved: SavedSockets) -> Vec<SocketError> {
        let mut errors = Vec::new();
        self.opened = self.opened.max(saved.opened);
        for SavedSocket {
            id,
            name,
            port,
            greeting,
            accepted,
        } in saved.sockets.into_iter().take(RESTORED_MAX)
        {
            self.opened = self.opened.max(id);
            let id = SocketId(id);
            if let Some(open) = self.sockets.get_mut(&id) {
                if open.name != name {
                    // The socket was opened in another order; its owner keeps it.
                    let cause = OsError(libc::EEXIST);
                    errors.push(SocketError::Listen { name, port, cause });
                    continue;
                }
                open.greeting = greeting;
                open.accepted = open.accepted.max(accepted);
                continue;
            }
            let listener = match self.network.listen(port) {
                Ok(listener) => listener,
                Err(cause) if cause.0 == libc::EADDRINUSE => {
                    errors.push(SocketError::InUse { name, port });
                    continue;
                }
                Err(cause) => {
                    errors.push(SocketError::Listen { name, port, cause });
                    continue;
                }
            };
            let socket = Socket {
                name,
                greeting,
                port: listener.port(),
                listener: Some(listener),
                accepted: accepted.max(0),
                refused: None,
            };
            self.sockets.insert(id, socket);
        }
        errors
    }

    /// Sends queued bytes that the network accepts, and releases connections that have finished
    /// closing.
    pub(super) fn pump(&mut self) {
        let Self {
            sockets,
            clients,
            behind,
            leaving,
            notes,
            room,
            ..
        } = self;
        behind.retain(|key| {
            let Some(client) = clients.get_mut(key) else {
                return false;
            };
            if let Err(fault) = client.flush() {
                let name = sockets.get(&key.0).map(|socket| socket.name.as_str());
                notes.push(fault.of(name.unwrap_or_default(), key.1));
            }
            client.queued() > 0
        });
        leaving.retain_mut(|leaving| leaving.goes_on(room, notes));
    }

    /// Results of the network since they were last taken, if recording is enabled.
    pub(super) fn results(&self) -> &ResultLog {
        &self.results
    }

    /// Continues the numbering after `opened` sockets that another hub has opened.
    pub(crate) fn after(mut self, opened: u64) -> Self {
        self.opened = opened;
        self
    }

    /// Number of sockets opened so far.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// Maximum number of queued bytes for one client.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// True if no socket and no connection is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.sockets.is_empty() && self.leaving.is_empty()
    }

    /// True if this process has a listening socket or a connection, which a child would have to
    /// release.
    pub(crate) fn has_any(&self) -> bool {
        let mut sockets = self.sockets.values();
        sockets.any(|socket| socket.listener.is_some())
            || self.clients.values().any(Client::is_connected)
            || !self.leaving.is_empty()
    }

    /// True if bytes are queued.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.behind.is_empty()
            || self
                .leaving
                .iter()
                .any(|leaving| leaving.client.queued() > 0)
    }

    /// Takes the errors that are not the result of a call, since they were last taken.
    pub(super) fn take_notes(&mut self) -> Vec<SocketError> {
        std::mem::take(&mut self.notes)
    }

    fn socket(&self, id: SocketId) -> Result<&Socket, SocketError> {
        self.sockets.get(&id).ok_or(SocketError::NotOpen(id))
    }

    /// Calls `act` with a client and the receive buffer.
    fn with<T>(
        &mut self,
        key: Key,
        act: impl FnOnce(&mut Client, &mut [u8]) -> Result<T, Fault>,
    ) -> Result<T, SocketError> {
        let found = self.sockets.get(&key.0);
        let Socket { name, .. } = found.ok_or(SocketError::NotOpen(key.0))?;
        let Some(client) = self.clients.get_mut(&key) else {
            let name = name.clone();
            return Err(SocketError::NoClient {
                name,
                client: key.1,
            });
        };
        let result = act(client, &mut self.room);
        if client.queued() > 0 {
            self.behind.insert(key);
        } else {
            self.behind.remove(&key);
        }
        result.map_err(|fault| fault.of(name, key.1))
    }

    fn forget(&mut self, key: Key) -> Option<Client> {
        self.behind.remove(&key);
        self.clients.remove(&key)
    }

    /// Starts closing the connection of a client.
    fn dismiss(&mut self, name: String, id: ClientId, client: Client) {
        let mut leaving = Leaving { name, id, client };
        if !leaving.goes_on(&mut self.room, &mut self.notes) {
            return;
        }
        self.leaving.push_back(leaving);
        if self.leaving.len() > LEAVING_MAX
            && let Some(longest) = self.leaving.pop_front()
        {
            self.cut_off(&longest);
        }
    }

    /// Reports the bytes that are lost because a connection is closed now.
    fn cut_off(&mut self, leaving: &Leaving) {
        let unsent = leaving.client.queued();
        if unsent > 0 {
            self.notes.push(SocketError::Unsent {
                name: leaving.name.clone(),
                client: leaving.id,
                unsent,
            });
        }
    }
}

impl Socket {
    /// Greeting for a client.
    fn greeting(&self, id: i32) -> String {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port);
        let text = self.greeting.replace("{addr}", &address.to_string());
        // The name is replaced last, because it may contain braces.
        text.replace("{id}", &id.to_string())
            .replace("{name}", &self.name)
    }
}

impl Leaving {
    /// Continues closing the connection. Returns false when that is done.
    fn goes_on(&mut self, room: &mut [u8], notes: &mut Vec<SocketError>) -> bool {
        match self.client.leave(room) {
            Ok(over) => !over,
            Err(fault) => {
                if matches!(fault, Fault::Lost { unsent: 1.., .. }) {
                    notes.push(fault.of(&self.name, self.id));
                }
                false
            }
        }
    }
}

impl Fault {
    /// Adds the client to a fault.
    fn of(self, name: &str, client: ClientId) -> SocketError {
        let name = name.to_owned();
        match self {
            Self::Ended => SocketError::Ended { name, client },
            Self::Lost { unsent, cause } => SocketError::Lost {
                name,
                client,
                unsent,
                cause,
            },
            Self::Overrun { limit } => SocketError::Overrun {
                name,
                client,
                limit,
            },
            Self::Gone => SocketError::Gone { name, client },
            Self::NoNul => SocketError::NoNul { name, client },
        }
    }
}
