//! Verification host.

pub mod actors;
pub mod bus;
pub mod mem;
pub mod messages;
pub mod printf;
mod sim;
