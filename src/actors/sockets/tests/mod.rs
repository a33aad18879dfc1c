//! Tests of the socket manager on a simulated network.

mod leaving;
mod noting;
mod reading;
mod script;
mod serving;
mod writing;

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

use self::script::{Wire, World};
use super::*;
use crate::bus::{Bus, Envelope, Inbox as _, Message};
use crate::foreign::Callbacks;
use crate::foreign::scripted::{MockForeign, Ram, Told, map};
use crate::messages::sockets::*;

/// Maximum number of queued bytes for a client in these tests.
const LIMIT: usize = 100;

/// Socket manager with one socket without a greeting.
struct Bench {
    bus: Bus,
    outside: Rc<MockForeign>,
    manager: Port<Inbox>,
    world: Rc<RefCell<World>>,
    hub: Rc<RefCell<Hub>>,
    uart: SocketId,
}

impl Bench {
    fn new() -> Self {
        let world = Rc::new(RefCell::new(World::default()));
        let hub = Hub::new(world.clone(), LIMIT);
        let mut bench = Self::serving(Rc::new(RefCell::new(hub)), world);
        bench.uart = bench.ask(open("uart", 5000)).unwrap();
        bench.greet("");
        bench
    }

    /// Starts another manager for existing sockets.
    fn serving(hub: Rc<RefCell<Hub>>, world: Rc<RefCell<World>>) -> Self {
        let (bus, outside, foreign) = MockForeign::bus(&Ram::new(&map(&[])), Callbacks::default());
        let context = bus.context(Inbox::ENDPOINT);
        let manager = bus.start(|own: Port<Inbox>| {
            let timer = bus.timer(Box::new(move |_| own.post(Flush)));
            Sockets::new(context, &foreign, hub.clone(), timer)
        });
        Self {
            bus,
            outside,
            manager: manager.unwrap(),
            world,
            hub,
            uart: SocketId(1),
        }
    }

    fn ask<M: Message>(&self, message: M) -> M::Reply
    where
        Inbox: From<Envelope<M>>,
    {
        let reply = self.bus.ask(&self.manager, message).unwrap();
        self.bus.run_until_idle().unwrap();
        reply
    }

    fn greet(&self, text: &str) {
        let (socket, text) = (self.uart, text.to_owned());
        self.ask(Greet { socket, text }).unwrap();
    }

    /// Accepts a client. Returns it with its end of the connection.
    fn client(&self) -> (ClientId, Rc<RefCell<Wire>>) {
        let wire = self.world.borrow_mut().connect(5000);
        (self.accept().unwrap().unwrap(), wire)
    }

    fn accept(&self) -> Result<Option<ClientId>, SocketError> {
        self.ask(Accept { socket: self.uart })
    }

    fn write(&self, client: ClientId, data: &[u8]) -> Result<(), SocketError> {
        self.ask(Write {
            socket: self.uart,
            client,
            data: Bytes::copy_from_slice(data),
        })
    }

    fn read(&self, client: ClientId, want: ReadMode) -> Result<Option<Bytes>, SocketError> {
        self.ask(Read {
            socket: self.uart,
            client,
            want,
        })
    }

    fn disconnect(&self, client: ClientId) -> Result<(), SocketError> {
        let socket = self.uart;
        self.ask(Disconnect { socket, client })
    }

    /// Runs a tick. False if there was nothing to do.
    fn tick(&self) -> bool {
        self.bus.tick().unwrap()
    }

    /// Takes the texts of the warnings since the last call.
    fn warnings(&self) -> Vec<String> {
        let told = self.outside.told().into_iter();
        let texts = told.map(|told| match told {
            Told::Report(Severity::Warning, id, text) if id == "sockets" => text,
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
