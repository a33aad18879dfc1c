//! C ABI of a simulator or C program; `include/vhost.h` documents each function.
//!
//! - [`lifecycle`]: from `mb_init` to `mb_shutdown`.
//! - [`query`]: errors, status, spaces.
//! - [`backdoor`]: access to the memories of the chip.
//! - [`rpc`]: calls of methods. [`semihosting`]: operations whose traps the testbench observes.
//! - [`sockets`]: TCP servers that the testbench polls.
//! - [`system_tasks`]: system tasks, for simulators without DPI; [`unused_arrays`]: a warning.
//! - [`host`], [`with_host`](mod@with_host): a Rust crate that configures the system and uses it.
//! - `recordings`: recordings in Python, without a system.
//! - [`guard`]: entry of every function: enters the strand, catches panics, reports errors.
//! - [`system_state`]: state of a system; [`systems`]: further systems; [`system_handles`]: their
//!   handles.
//! - [`checkpoint`]: state of a system in a file.
//! - [`children`]: forks of the process, snapshots and runs; [`fork`]: their state; [`forked`]:
//!   steps of a child after a fork.
//! - [`refused_calls`]: calls that overlap another thread's.
//! - [`zero_time`]: loops in the testbench that take no simulated time.
//! - [`settled_tick`]: ticks without work.
//! - [`quit`]: end of the process, requested at any place.
//! - [`exit`]: flushes recordings when the process ends without `mb_shutdown`.
//! - [`arguments`], [`returned_strings`], [`error`]: pointers from C, pointers to C, errors.
//!
//! Exported functions check their arguments and forward the call. [`call`], [`systems`],
//! [`settled_tick`] and [`quit`] have the rules of the C ABI.

#![allow(
    unsafe_code,
    reason = "C calls these functions by name and hands them pointers"
)]

mod arguments;
#[cfg(feature = "c_abi_backdoor")]
mod backdoor;
mod call;
#[cfg(feature = "c_abi_lifecycle")]
mod checkpoint;
#[cfg_attr(
    not(feature = "c_abi_lifecycle"),
    allow(dead_code, reason = "called from C alone")
)]
mod children;
mod error;
mod exit;
#[cfg_attr(
    not(feature = "c_abi_lifecycle"),
    allow(dead_code, reason = "called from C alone")
)]
mod fork;
mod forked;
mod guard;
#[cfg(test)]
#[cfg(feature = "c_abi")]
mod header_check;
mod host;
#[cfg(test)]
#[cfg(feature = "c_abi")]
mod imports;
#[cfg(feature = "c_abi_lifecycle")]
mod lifecycle;
mod observe_flags;
#[cfg(feature = "c_abi_query")]
mod query;
mod quit;
#[cfg(feature = "python")]
mod recordings;
mod refused_calls;
mod returned_strings;
#[cfg(feature = "c_abi_rpc")]
mod rpc;
#[cfg(feature = "c_abi_lifecycle")]
mod semihosting;
#[cfg(feature = "c_abi_lifecycle")]
mod settled_tick;
#[cfg(feature = "c_abi_lifecycle")]
mod snapshots;
#[cfg(feature = "c_abi_sockets")]
mod sockets;
#[cfg(feature = "c_abi_lifecycle")]
mod stdin;
#[cfg(feature = "c_abi_lifecycle")]
mod system_handles;
mod system_state;
#[cfg(feature = "c_abi_lifecycle")]
mod system_tasks;
mod systems;
mod unused_arrays;
mod with_host;
mod zero_time;

pub use host::Configure;
pub use with_host::{HostError, with_host};
