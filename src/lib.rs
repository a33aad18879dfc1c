//! Verification host.

pub mod bus;
pub mod mem;
pub mod messages;
