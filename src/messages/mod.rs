//! The system's vocabulary: every message that a party may be sent, with its reply beside it.
//!
//! One file a receiver, and one for what is told to nobody but taps. A message is plain data: what it means to obey it is the
//! receiver's business.

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

/// Name of a channel or method, shared by the messages that have it.
pub type Name = Arc<str>;

/// One channel, by its position among those that are served, in the order of the mailbox configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId(pub u32);
