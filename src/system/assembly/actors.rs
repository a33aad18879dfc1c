//! Start of single actors, for a system and for a replay of one actor.

use std::cell::RefCell;
use std::rc::Rc;

use crate::actors::rpc::{Dispatch, Rpc};
use crate::actors::sockets::{Hub, Sockets};
use crate::bus::{Bus, BusError, Inbox as _, Port};
use crate::messages::sockets::Flush;
use crate::messages::{foreign, rpc, sockets};

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
