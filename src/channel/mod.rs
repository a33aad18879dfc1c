//! Channels: their protocols and places, for the configuration, the messages and the actors.

mod flush;
mod interface;
mod rtt;

pub use flush::Flush;
pub use interface::{HtifPlace, Interface, MailboxPlace, SemihostingPlace, Signature};
pub use rtt::{RTT_HEADER, RttMode, RttPlace, UpTarget};
