//! Front end of HTIF: takes firmware's commands out of `tohost`, serves them and puts the responses
//! into `fromhost`.
//!
//! - `channel`: one task per channel: commands in order, responses, exit.
//! - `poller`: words last read by the doorbell, and halves of commands.
//! - `status_tracker`: present step and recent commands of a channel, for the status.
//! - `system_calls`: system calls on descriptors; `paths`: those on paths; `open_files`:
//!   descriptors and their paths.
//! - `linux`: structures and numbers of Linux on RISC-V.
//! - `main_vars`: arguments of `main`; `signature`: memory written to a file at the exit.

mod channel;
mod linux;
mod main_vars;
mod open_files;
mod paths;
mod poller;
mod signature;
mod status_tracker;
mod system_calls;
#[cfg(test)]
mod tests;

pub(crate) use channel::Channel as HtifChannel;
