//! The actors: state and decisions. None of them calls foreign code, and none is `unsafe`.

pub(crate) mod console;
pub(crate) mod files;
pub(crate) mod mailbox;
pub(crate) mod memory;
pub(crate) mod rpc;
pub(crate) mod sockets;
