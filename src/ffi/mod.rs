//! The C ABI: what a simulator or a C program calls. `include/vhost.h` declares it and says what each function does.
//!
//! - [`lifecycle`]: from `mb_init` to `mb_shutdown`.
//! - [`inquiry`]: what there is to know: errors, status, spaces.
//! - [`backdoor`]: the memories of the chip.
//! - [`rpc`]: calls of methods.
//! - [`sockets`]: TCP servers that the testbench polls.
//! - [`guard`]: passed by every function: enters the strand, catches panics, reports errors.
//! - [`process`]: the one system of the process.
//! - [`exit`]: what is left to do when a process just ends.
//! - [`arguments`], [`returned`], [`error`]: pointers in, pointers out, what can be wrong.
//!
//! Every function is one call of the system; nothing is decided here.

#![allow(
    unsafe_code,
    reason = "C calls these functions by name and hands them pointers"
)]

mod arguments;
mod backdoor;
mod error;
mod exit;
mod guard;
#[cfg(test)]
mod header;
#[cfg(test)]
mod imports;
mod inquiry;
mod lifecycle;
mod process;
mod returned;
mod rpc;
mod sockets;
