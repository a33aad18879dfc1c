//! The actors: state and decisions. None of them calls foreign code, and none is `unsafe`.

pub mod console;
pub mod files;
pub mod mailbox;
pub mod memory;
pub mod rpc;
