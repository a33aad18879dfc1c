//! The C ABI: what a simulator or a C program calls. `include/vhost.h` declares it and says what each function does.
//!
//! - [`lifecycle`]: from `mb_init` to `mb_shutdown`.
//! - [`query`]: errors, status, spaces.
//! - [`backdoor`]: the memories of the chip.
//! - [`rpc`]: calls of methods.
//! - [`sockets`]: TCP servers that the testbench polls.
//! - [`host`]: a Rust crate that configures the system.
//! - [`guard`]: passed by every function: enters the strand, catches panics, reports errors.
//! - [`process`]: the one system of the process.
//! - [`quit`]: the end of the process, from wherever it is asked for.
//! - [`exit`]: flushes recordings when the process ends without `mb_shutdown`.
//! - [`arguments`], [`returned`], [`error`]: pointers in, pointers out, errors.
//!
//! Every function is one call of the system; nothing is decided here.

#![allow(
    unsafe_code,
    reason = "C calls these functions by name and hands them pointers"
)]

mod arguments;
#[cfg(feature = "c_abi_backdoor")]
mod backdoor;
mod error;
mod exit;
mod guard;
#[cfg(test)]
#[cfg(feature = "c_abi")]
mod header;
mod host;
#[cfg(test)]
#[cfg(feature = "c_abi")]
mod imports;
#[cfg(feature = "c_abi_lifecycle")]
mod lifecycle;
mod process;
#[cfg(feature = "c_abi_query")]
mod query;
mod quit;
mod returned;
#[cfg(feature = "c_abi_rpc")]
mod rpc;
#[cfg(feature = "c_abi_sockets")]
mod sockets;

pub use host::{Configure, HostError, with_host};
