//! Verification host.

pub mod bus;
pub mod mem;
