//! Sockets of callers outside of the bus.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;

use crate::actors::sockets::{Hub, Tcp};
use crate::backend::Backends;
use crate::bus::{Bus, Envelope, Message, Port};
use crate::foreign::{Callbacks, Paths, Python, RealForeign, dispatch};
use crate::messages::sockets::{
    Abandon, Accept, ClientId, Close, CloseAll, Disconnect, Flush, Greet, Inbox, LocalPort, Open,
    Read, ReadMode, SocketError, SocketId, Write,
};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::assembly::start_sockets;
use crate::system::running::Vhost;

/// Default maximum of bytes queued per client: 1 MiB.
pub(crate) const QUEUE_LIMIT: usize = 1024 * 1024;

/// TCP servers on 127.0.0.1, for debuggers, terminals and scripts. All methods are non-blocking:
/// poll about once per clock cycle.
///
/// Queued data is sent in these calls and on every [`tick`](Vhost::tick).
///
/// ```
/// use std::io::{Read, Write};
/// use vhost::Vhost;
///
/// let vhost = Vhost::builder().start()?;
/// let sockets = vhost.sockets();
/// let uart = sockets.open("uart", 0)?;
/// sockets.greet(uart, "")?;
///
/// let mut terminal = std::net::TcpStream::connect(("127.0.0.1", sockets.port(uart)?))?;
/// terminal.write_all(b"a")?;
///
/// let client = loop {
///     if let Some(client) = sockets.accept(uart)? {
///         break client;
///     }
/// };
/// let typed = loop {
///     if let Some(bytes) = sockets.read_exactly::<1>(uart, client)? {
///         break bytes;
///     }
/// };
/// sockets.write(uart, client, typed.to_vec())?;
///
/// let mut echo = [0];
/// terminal.read_exact(&mut echo)?;
/// assert_eq!(echo, *b"a");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Sockets<'a> {
    bus: &'a Bus,
    port: &'a Port<Inbox>,
}

/// Errors of all methods: [`Error::Socket`] with its reason, and [`Error::Bus`] from inside a tap.
#[allow(clippy::missing_errors_doc, reason = "documented on the impl")]
impl Sockets<'_> {
    /// Listens on a port of 127.0.0.1; 0 selects a free one. `name` is for greetings and reports.
    pub fn open(self, name: impl Into<String>, port: u16) -> Result<SocketId, Error> {
        let name = name.into();
        self.ask(Open { name, port })
    }

    /// Port number of a socket.
    pub fn port(self, socket: SocketId) -> Result<u16, Error> {
        self.ask(LocalPort { socket })
    }

    /// Sets the greeting of later clients, with `{name}` and `{id}` of socket and client and
    /// `{addr}` of the listener filled in. Default: `[{name}-{id}] Connected to {addr}!` and an end
    /// of line.
    pub fn greet(self, socket: SocketId, text: impl Into<String>) -> Result<(), Error> {
        let text = text.into();
        self.ask(Greet { socket, text })
    }

    /// Accepts a waiting client, if there is one.
    pub fn accept(self, socket: SocketId) -> Result<Option<ClientId>, Error> {
        self.ask(Accept { socket })
    }

    /// Sends all of `data`; the system queues the rest. A client that would exceed
    /// [`Builder::socket_queue`](crate::Builder::socket_queue) is dropped.
    pub fn write(
        self,
        socket: SocketId,
        client: ClientId,
        data: impl Into<Bytes>,
    ) -> Result<(), Error> {
        let data = data.into();
        self.ask(Write {
            socket,
            client,
            data,
        })
    }

    /// Reads up to `most` bytes that have arrived; `None` if there are none.
    pub fn read(
        self,
        socket: SocketId,
        client: ClientId,
        most: usize,
    ) -> Result<Option<Bytes>, Error> {
        self.take(socket, client, ReadMode::UpTo(most))
    }

    /// Reads `N` bytes, at most 255; `None` until all of them have arrived. Until then no byte is
    /// consumed.
    pub fn read_exactly<const N: usize>(
        self,
        socket: SocketId,
        client: ClientId,
    ) -> Result<Option<[u8; N]>, Error> {
        let count = const {
            assert!(N <= u8::MAX as usize, "N exceeds 255: use `read`");
            N as u8
        };
        let taken = self.take(socket, client, ReadMode::Exactly(count))?;
        Ok(taken.and_then(|bytes| bytes.as_ref().try_into().ok()))
    }

    /// Reads a string and its NUL, and returns it without the NUL; `None` until a NUL has arrived.
    pub fn read_string(self, socket: SocketId, client: ClientId) -> Result<Option<Bytes>, Error> {
        self.take(socket, client, ReadMode::Text)
    }

    /// Closes a connection. Queued data is still sent.
    pub fn disconnect(self, socket: SocketId, client: ClientId) -> Result<(), Error> {
        self.ask(Disconnect { socket, client })
    }

    /// Stops listening, and disconnects all clients of the socket.
    pub fn close(self, socket: SocketId) -> Result<(), Error> {
        self.ask(Close { socket })
    }

    /// Closes all sockets and connections, and reports data that could not be sent.
    pub(crate) fn close_all(self) -> Result<(), Error> {
        self.run(CloseAll)
    }

    /// Drops all sockets and connections that the parent of this process has opened, and reports
    /// them if there are any.
    pub(crate) fn abandon(self) -> Result<(), Error> {
        self.run(Abandon)
    }

    fn take(
        self,
        socket: SocketId,
        client: ClientId,
        want: ReadMode,
    ) -> Result<Option<Bytes>, Error> {
        self.ask(Read {
            socket,
            client,
            want,
        })
    }

    fn ask<M, T>(self, message: M) -> Result<T, Error>
    where
        M: Message<Reply = Result<T, SocketError>>,
        Inbox: From<Envelope<M>>,
    {
        Ok(self.run(message)??)
    }

    fn run<M: Message>(self, message: M) -> Result<M::Reply, Error>
    where
        Inbox: From<Envelope<M>>,
    {
        let _library = CodeGuard::library();
        let reply = self.bus.ask(self.port, message)?;
        // Delivers a report on another client. Inside of a foreign call it is deferred, like other
        // posts.
        if !self.bus.in_foreign_call() {
            self.bus.run_until_idle()?;
        }
        Ok(reply)
    }
}

impl Vhost {
    /// Sockets of the system.
    pub fn sockets(&self) -> Sockets<'_> {
        Sockets {
            bus: &self.0.bus,
            port: &self.0.ports.sockets,
        }
    }
}

/// Sockets that outlive systems. A system serves the hub during its lifetime; otherwise this
/// service does.
pub(crate) struct SocketService {
    bus: Bus,
    port: Port<Inbox>,
    hub: Rc<RefCell<Hub>>,
}

impl SocketService {
    /// Creates a service without sockets.
    pub(crate) fn new() -> Result<Self, Error> {
        let bus = Bus::new();
        // Empty map, since the backends are used for reports only.
        let memories = Rc::new(Backends::new(Rc::default())?);
        let callbacks: Rc<Callbacks> = Rc::default();
        let python = Python::new(HashMap::new(), callbacks.clone());
        // Without firmware, no paths are opened.
        let paths = Paths::new(Box::new(|_| None), None);
        let live = RealForeign::new(Rc::default(), memories, callbacks, python, paths);
        let foreign = bus.foreign(Rc::new(move |call| dispatch(&live, call)));
        let hub = Rc::new(RefCell::new(Hub::new(Tcp, QUEUE_LIMIT)));
        let port = start_sockets(&bus, &foreign, hub.clone())?;
        Ok(Self { bus, port, hub })
    }

    /// Sockets served without a system.
    pub(crate) fn sockets(&self) -> Sockets<'_> {
        Sockets {
            bus: &self.bus,
            port: &self.port,
        }
    }

    /// True if this process has a listening socket or a connection.
    pub(crate) fn has_any(&self) -> bool {
        self.hub.borrow().has_any()
    }

    /// Sockets to be served by a system.
    pub(crate) fn hub(&self) -> Rc<RefCell<Hub>> {
        self.hub.clone()
    }

    /// Sends queued data, like a tick of a system.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        if self.hub.borrow().has_unsent() {
            self.sockets().run(Flush)?;
        }
        Ok(())
    }
}
