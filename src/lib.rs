//! Verification host.

pub mod config;
pub mod mem;
