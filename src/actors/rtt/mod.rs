//! Front end of RTT: takes bytes out of firmware's up buffers, and puts bytes into its down buffers.
//!
//! - `control_block`: layout of the control block, and the check of its words.
//! - `channel`: one task per channel: search of the control block, transfers, down buffers.
//! - `frames`: frames of defmt, decoded to reports.
//! - `search`: search of a control block in a range.
//! - `targets`: targets of up buffers: console, file, socket, method.
//! - `status_tracker`: present step and transferred bytes of a channel, for the status.

mod channel;
mod control_block;
mod frames;
mod search;
mod status_tracker;
mod targets;
#[cfg(test)]
mod tests;

pub(crate) use channel::Channel as RttChannel;
