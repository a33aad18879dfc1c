//! Start of single actors and their clients, for a system and for a replay of one actor.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::actors::console::{Console, ConsoleClient, ElidedPrints, Lines, Text};
use crate::actors::files::{Disk, Files, SpecialNames};
use crate::actors::memory::{ElidedAccesses, Memory, MemoryClient, Resolver};
use crate::actors::rpc::{Dispatch, ElidedPolls, ForeignPoll, Rpc, RpcClient};
use crate::actors::sockets::{Hub, Sockets};
use crate::attach::{AtExit, end_at_exit};
use crate::bus::{Bus, BusError, Endpoint, Inbox as _, Port};
use crate::messages::sockets::Flush;
use crate::messages::{console, files, foreign, memory, rpc, sockets};

/// Starts the memory actor on a bus. `elided`: accesses without messages.
pub(super) fn start_memory(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
    resolver: Rc<Resolver>,
    elided: Option<Rc<ElidedAccesses>>,
) -> Result<(Port<memory::Inbox>, MemoryClient), BusError> {
    let context = bus.context(memory::Inbox::ENDPOINT);
    let port = bus.start(|_| Memory::new(context, resolver.clone(), foreign))?;
    let client = MemoryClient::new(&port, foreign, resolver, elided);
    Ok((port, client))
}

/// Starts the actor of firmware's files on a bus.
pub(super) fn start_files(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
    disk: Option<Box<dyn Disk>>,
    special: SpecialNames,
) -> Result<Port<files::Inbox>, BusError> {
    let context = bus.context(files::Inbox::ENDPOINT);
    bus.start(|_| Files::new(context, foreign, disk, special))
}

/// Starts the console on a bus. `elides`: true if text is printed without messages.
pub(super) fn start_console(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
    text: Text,
    elides: bool,
) -> Result<(Port<console::Inbox>, ConsoleClient, Rc<Lines>), BusError> {
    let context = bus.context(console::Inbox::ENDPOINT);
    let text = Arc::new(Mutex::new(text));
    end_at_exit(&text);
    let lines = Lines::new(context.clone(), text, foreign);
    let port = bus.start(|_| Console::new(context, lines.clone()))?;
    let elided = elides.then(|| ElidedPrints {
        elision: bus.elision().clone(),
        lines: lines.clone(),
    });
    let client = ConsoleClient::new(&port, elided.map(Rc::new));
    Ok((port, client, lines))
}

/// Starts the RPC dispatcher on a bus.
pub(in crate::system) fn start_rpc(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
) -> Result<(Port<rpc::Inbox>, Rc<Dispatch>), BusError> {
    let context = bus.context(rpc::Inbox::ENDPOINT);
    let dispatch = Dispatch::on(bus);
    let shared = dispatch.clone();
    let port = bus.start(|own| {
        shared.serve(own);
        Rpc::new(context, foreign, shared)
    })?;
    Ok((port, dispatch))
}

/// Starts the RPC dispatcher on a bus, with its client. `poll`: polls without messages.
pub(super) fn start_rpc_with_client(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
    poll: Option<Box<ForeignPoll>>,
) -> Result<(Port<rpc::Inbox>, RpcClient), BusError> {
    let (port, dispatch) = start_rpc(bus, foreign)?;
    let elided = poll.map(|poll| {
        Rc::new(ElidedPolls {
            elision: bus.elision().clone(),
            dispatch,
            poll,
            foreign: foreign.clone(),
        })
    });
    let client = RpcClient::new(bus.context(Endpoint::EXTERNAL), &port, elided);
    Ok((port, client))
}

/// Starts the socket manager on a bus.
pub(in crate::system) fn start_sockets(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
    hub: Rc<RefCell<Hub>>,
) -> Result<Port<sockets::Inbox>, BusError> {
    let context = bus.context(sockets::Inbox::ENDPOINT);
    let port = bus.start(|own: Port<sockets::Inbox>| {
        let timer = bus.timer(Box::new(move |_| own.post(Flush)));
        Sockets::new(context, foreign, hub, timer)
    })?;
    Ok(port)
}

/// Prints firmware's incomplete lines, since `exit` drops no system.
impl AtExit for Text {
    fn end(&mut self) -> io::Result<()> {
        Text::end(self);
        Ok(())
    }

    fn name(&self) -> String {
        "firmware's text".to_owned()
    }
}
