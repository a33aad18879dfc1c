//! Tests of the socket manager on a simulated network.

mod leaving;
mod noting;
mod reading;
mod restoring;
mod script;
mod serving;
mod writing;

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

use self::script::{Wire, World};
use super::*;
use crate::messages::sockets::*;
use crate::testing::{ActorFixture, ForeignCall, Ram, map};

/// Maximum number of queued bytes for a client in these tests.
const LIMIT: usize = 100;

/// Socket manager with one socket without a greeting.
type Fixture = ActorFixture<Inbox, Network>;

/// Simulated network, and the sockets on it.
struct Network {
    world: Rc<RefCell<World>>,
    hub: Rc<RefCell<Hub>>,
    uart: SocketId,
}

impl ActorFixture<Inbox, Network> {
    fn new() -> Self {
        let world = Rc::new(RefCell::new(World::default()));
        let hub = Hub::new(world.clone(), LIMIT);
        let mut fixture = Self::serving(Rc::new(RefCell::new(hub)), world);
        fixture.state.uart = fixture.ask(open("uart", 5000)).unwrap();
        fixture.greet("");
        fixture
    }

    /// Starts another manager for existing sockets.
    fn serving(hub: Rc<RefCell<Hub>>, world: Rc<RefCell<World>>) -> Self {
        let state = Network {
            world,
            hub: hub.clone(),
            uart: SocketId(1),
        };
        Self::start(&Ram::new(&map(&[])), state, |peers| {
            let own = peers.own;
            let timer = peers.bus.timer(Box::new(move |_| own.post(Flush)));
            Sockets::new(peers.context, peers.foreign, hub, timer)
        })
    }

    fn greet(&self, text: &str) {
        let (socket, text) = (self.state.uart, text.to_owned());
        self.ask(Greet { socket, text }).unwrap();
    }

    /// Accepts a client. Returns it with its end of the connection.
    fn client(&self) -> (ClientId, Rc<RefCell<Wire>>) {
        let wire = self.state.world.borrow_mut().connect(5000);
        (self.accept().unwrap().unwrap(), wire)
    }

    fn accept(&self) -> Result<Option<ClientId>, SocketError> {
        self.ask(Accept {
            socket: self.state.uart,
        })
    }

    fn write(&self, client: ClientId, data: &[u8]) -> Result<(), SocketError> {
        self.ask(Write {
            socket: self.state.uart,
            client,
            data: Bytes::copy_from_slice(data),
        })
    }

    fn read(&self, client: ClientId, want: ReadMode) -> Result<Option<Bytes>, SocketError> {
        self.ask(Read {
            socket: self.state.uart,
            client,
            want,
        })
    }

    fn disconnect(&self, client: ClientId) -> Result<(), SocketError> {
        let socket = self.state.uart;
        self.ask(Disconnect { socket, client })
    }

    /// Takes the texts of the warnings since the last call.
    fn warnings(&self) -> Vec<String> {
        let calls = self.outside.calls().into_iter();
        let texts = calls.map(|call| match call {
            ForeignCall::Report(Severity::Warning, id, text) if id == "sockets" => text,
            other => panic!("{other:?}"),
        });
        texts.collect()
    }
}

fn open(name: &str, port: u16) -> Open {
    let name = name.to_owned();
    Open { name, port }
}

/// Builds the expected result of a successful read.
fn some(bytes: &[u8]) -> Result<Option<Bytes>, SocketError> {
    Ok(Some(Bytes::copy_from_slice(bytes)))
}

fn gone(client: ClientId) -> SocketError {
    let name = "uart".to_owned();
    SocketError::Gone { name, client }
}

fn ended(client: ClientId) -> SocketError {
    let name = "uart".to_owned();
    SocketError::Ended { name, client }
}

fn no_client(client: ClientId) -> SocketError {
    let name = "uart".to_owned();
    SocketError::NoClient { name, client }
}
