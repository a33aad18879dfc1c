//! Methods in Python, with a real interpreter and a whole system. A process has one interpreter, so
//! each test has a process and Python modules of its own.

#![cfg(feature = "python")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(
    unsafe_code,
    reason = "plays the testbench, which the library finds by a C symbol, and calls the C ABI"
)]
#![allow(clippy::print_stdout, reason = "a test says what it lacks, and skips")]

mod backdoor;
mod calls;
mod fixture;
mod modules;
mod pages;
mod polled;
mod starting;
mod subprocess;
mod systems;
mod threads;
