//! Actors and state that a front end uses.

use std::cell::Cell;
use std::rc::Rc;

use super::FrameDecoders;
use crate::actors::console::ConsoleClient;
use crate::actors::memory::MemoryClient;
use crate::actors::rpc::RpcClient;
use crate::bus::{ActorContext, Port};
use crate::mem::Store;
use crate::messages::{files as file, foreign, sockets};

/// Actors and state that a front end uses.
#[derive(Clone)]
pub(crate) struct Peers {
    /// All accesses to memory.
    pub memory: MemoryClient,
    /// Method calls and custom commands.
    pub rpc: RpcClient,
    /// File operations.
    pub files: Port<file::Inbox>,
    /// Printed text.
    pub console: ConsoleClient,
    /// TCP sockets.
    pub sockets: Port<sockets::Inbox>,
    /// Exits and reports.
    pub foreign: Port<foreign::Inbox>,
    /// Decoders of defmt's frames.
    pub frames: Rc<dyn FrameDecoders>,
    /// Memories that the doorbells read without messages.
    pub store: Rc<dyn Store>,
    /// True while the testbench observes served requests.
    pub served: Rc<Cell<bool>>,
}

impl Peers {
    /// The same peers, with messages from another actor.
    pub(in crate::actors) fn with_sender(self, context: &ActorContext) -> Self {
        let from = context.endpoint();
        Self {
            memory: self.memory.with_sender(from),
            rpc: self.rpc.with_sender(context.clone()),
            files: self.files.with_sender(from),
            console: self.console.with_sender(from),
            sockets: self.sockets.with_sender(from),
            foreign: self.foreign.with_sender(from),
            ..self
        }
    }
}
