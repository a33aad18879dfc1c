//! Verification host.

pub mod actors;
pub mod bus;
pub mod config;
pub mod foreign;
pub mod mem;
pub mod messages;
pub mod printf;
mod sim;
mod system;

pub use system::*;
