//! The actors: state and decisions. Free of foreign calls and of `unsafe`.

pub(crate) mod console;
pub(crate) mod files;
pub(crate) mod htif;
pub(crate) mod mailbox;
pub(crate) mod memory;
pub(crate) mod rpc;
pub(crate) mod rtt;
pub(crate) mod semihosting;
pub(crate) mod service;
pub(crate) mod sockets;
