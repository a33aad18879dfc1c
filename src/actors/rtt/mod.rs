//! Front end of RTT: takes bytes out of firmware's up buffers, and puts bytes into its down
//! buffers.
//!
//! - `control_block`: layout of the control block, and the check of its words.
//! - `channel`: one task per channel, which transfers bytes while a control block is present.
//! - `locating`: wait for a control block.
//! - `block`: the control block as read, its polled words, names of buffers.
//! - `modes`: modes of up buffers, as configured.
//! - `unknown`: configured names without an up buffer.
//! - `up`, `down`: transfers of bytes.
//! - `frames`: frames of defmt, decoded to reports.
//! - `search`: search of a control block in a range.
//! - `targets`: targets of up buffers: console, file, socket, method.
//! - `status_tracker`: present step and transferred bytes of a channel, for the status.

mod block;
mod channel;
mod control_block;
mod down;
mod frames;
mod locating;
mod modes;
mod search;
mod status_tracker;
mod targets;
#[cfg(test)]
mod tests;
mod unknown;
mod up;

pub(crate) use channel::Channel as RttChannel;
