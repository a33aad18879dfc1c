//! Channels: their protocols, places and services, for the configuration, the messages and the
//! actors.

mod flush;
mod interface;
mod rtt;
mod services;
mod severity;

pub use flush::Flush;
pub use interface::{HtifPlace, Interface, MailboxPlace, SemihostingPlace, Signature};
pub use rtt::{RTT_HEADER, RttMode, RttPlace, UpTarget};
pub use services::{ChannelServices, Clock, Faults, InputSource, OutputTarget, SeverityRule};
pub use severity::Severity;
