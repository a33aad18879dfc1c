//! Network whose remote end is the test.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use super::super::network::{Connection, Listener, Network};
use crate::messages::sockets::OsError;

/// State of a network: listening ports and waiting clients.
#[derive(Default)]
pub(super) struct World {
    waiting: HashMap<u16, VecDeque<Rc<RefCell<Wire>>>>,
    /// Error of `accept`.
    pub(super) accept_fails: Option<OsError>,
}

/// Connection, from its client's side.
pub(super) struct Wire {
    /// Bytes that the client has sent and the host has not received.
    pub(super) sent: VecDeque<u8>,
    /// True if the client has ended its stream.
    pub(super) ended: bool,
    /// True if the connection is broken. The host sees this after it has received the rest.
    pub(super) reset: bool,
    /// Bytes that the client has received.
    pub(super) received: Vec<u8>,
    /// Number of further bytes that the network accepts for the client.
    pub(super) window: usize,
    /// True if the host has ended its stream.
    pub(super) finished: bool,
    /// True if the host has closed the connection.
    pub(super) closed: bool,
}

const ECONNRESET: OsError = OsError(104);

impl World {
    /// Connects a client.
    pub(super) fn connect(&mut self, port: u16) -> Rc<RefCell<Wire>> {
        let wire = Rc::new(RefCell::new(Wire {
            sent: VecDeque::new(),
            ended: false,
            reset: false,
            received: Vec::new(),
            window: usize::MAX,
            finished: false,
            closed: false,
        }));
        let waiting = self.waiting.get_mut(&port).expect("somebody listens");
        waiting.push_back(wire.clone());
        wire
    }

    /// True if a socket listens on the port.
    pub(super) fn listens(&self, port: u16) -> bool {
        self.waiting.contains_key(&port)
    }
}

impl Network for Rc<RefCell<World>> {
    fn listen(&mut self, port: u16) -> Result<Box<dyn Listener>, OsError> {
        let mut world = self.borrow_mut();
        let free = (40000..).find(|port| !world.listens(*port)).unwrap();
        let port = if port == 0 { free } else { port };
        if port < 1024 {
            return Err(OsError(libc::EACCES));
        }
        if world.listens(port) {
            return Err(OsError(libc::EADDRINUSE));
        }
        world.waiting.insert(port, VecDeque::new());
        let world = self.clone();
        Ok(Box::new(Listening { world, port }))
    }
}

struct Listening {
    world: Rc<RefCell<World>>,
    port: u16,
}

impl Listener for Listening {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&mut self) -> Result<Option<Box<dyn Connection>>, OsError> {
        let mut world = self.world.borrow_mut();
        if let Some(error) = world.accept_fails {
            return Err(error);
        }
        let wire = world.waiting.get_mut(&self.port).unwrap().pop_front();
        Ok(wire.map(|wire| Box::new(End(wire)) as Box<dyn Connection>))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.world.borrow_mut().waiting.remove(&self.port);
    }
}

/// Host's end of a connection.
struct End(Rc<RefCell<Wire>>);

impl Connection for End {
    fn send(&mut self, data: &[u8]) -> Result<Option<usize>, OsError> {
        let mut wire = self.0.borrow_mut();
        assert!(!wire.finished, "nothing is sent after the end");
        if wire.reset {
            return Err(ECONNRESET);
        }
        let taken = data.len().min(wire.window);
        wire.window -= taken;
        wire.received.extend(&data[..taken]);
        Ok((taken > 0 || data.is_empty()).then_some(taken))
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, OsError> {
        assert!(!room.is_empty());
        let mut wire = self.0.borrow_mut();
        let count = room.len().min(wire.sent.len());
        for (to, byte) in room.iter_mut().zip(wire.sent.drain(..count)) {
            *to = byte;
        }
        match count {
            0 if wire.reset => Err(ECONNRESET),
            0 if !wire.ended => Ok(None),
            count => Ok(Some(count)),
        }
    }

    fn finish(&mut self) {
        self.0.borrow_mut().finished = true;
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.borrow_mut().closed = true;
    }
}
