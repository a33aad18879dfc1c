//! The firmware's side of the mailbox, for firmware in Rust. (Firmware in C includes `mailbox.h` of this crate.)
//!
//! [`Client`] has a method for every service and waits for responses. Below it, [`Channel`] makes the single steps of the
//! protocol, none of which waits. It reaches the channel through [`Words`]: [`Native`] is a channel in the program's own
//! memory, usually placed by a [`Region`]. What a CPU has to do around accesses, [`Hooks`] says.

mod channel;
mod client;
mod cprint;
mod hooks;
mod native;
mod words;

pub use channel::Channel;
pub use client::Client;
pub use cprint::PrintfArg;
pub use hooks::{Hooks, NoHooks};
pub use native::{Native, Region};
pub use words::Words;
