//! Verification host.
