//! Front end of semihosting: operations that firmware asks for by a trap. Either the testbench
//! observes the trap, or a jump to code that posts the operation replaces it.
//!
//! - `channel`: operations of one channel, their results, and its exit.
//! - `operations`: the operations; `outcome`: their outcomes.
//! - `handles`: open files and streams, by firmware's handles.

mod channel;
mod handles;
mod operations;
mod outcome;
#[cfg(test)]
mod tests;

pub(crate) use channel::Channel as SemihostingChannel;
