//! Verification host.

pub mod mem;
