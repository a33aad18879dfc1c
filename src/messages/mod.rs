//! All messages between actors, each with the type of its reply.
//!
//! There is one file for each receiver, and one for events. A message is plain data; its receiver implements it.

pub mod announced;
mod channel;
pub mod console;
pub mod files;
pub mod foreign;
pub mod mailbox;
pub mod memory;
pub mod rpc;
pub mod sockets;

pub use channel::{ChannelRef, channel_of};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Name of a channel or method, shared by the messages that contain it.
pub type Name = Arc<str>;

/// Number of a channel: its position among the served channels, in the order of the mailbox configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId(pub u32);
