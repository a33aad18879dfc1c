//! All messages between actors, each with the type of its reply.
//!
//! Each receiver has one file, and so have the events. A message is plain data; the receiver's
//! module implements its handler. The list at the end of each file states for each message its
//! reply, the channel that it concerns, and its payload. The servers of all front ends share the
//! messages of `front_end`. `checkpoint` has the state of all actors, `actors` their names.

mod actors;
mod awaited;
mod channel;
mod channel_words;
pub mod checkpoint;
pub mod console;
pub mod events;
pub mod files;
pub mod foreign;
pub mod front_end;
pub mod htif;
pub mod mailbox;
pub mod memory;
mod name;
mod printed;
mod report_text;
pub mod rpc;
pub mod rtt;
mod rtt_buffer;
pub mod semihosting;
mod served;
pub mod sockets;

pub(crate) use actors::by_name;
pub use actors::{ActorName, NoSuchActor};
pub use awaited::{AwaitedOperation, PendingCall};
pub use channel::{ChannelDescriptor, ChannelId};
pub use channel_words::StatusWords;
pub use name::Name;
pub use printed::printed_bytes;
pub(crate) use printed::printed_text;
pub(crate) use report_text::{escaped_name, escaped_text};
pub use served::{HTIF_ACTION, NO_SLOT, RTT_ACTION, SEMIHOSTING_ACTION, ServedRequest};

use crate::bus::{Body, Endpoint};
pub use crate::channel::{
    ChannelServices, Clock, Faults, Flush, HtifPlace, InputSource, Interface, MailboxPlace,
    OutputTarget, RTT_HEADER, RttMode, RttPlace, SemihostingPlace, SeverityRule, Signature,
    UpTarget,
};

/// Defines everything that depends on the list of front ends: messages, protocol, and event of a
/// served request of each.
macro_rules! front_ends {
    ($($module:ident: $protocol:ident, $served:ident;)+) => {
        /// Endpoints of all front ends.
        pub const FRONT_ENDS: &[Endpoint] =
            &[$(<$module::$protocol as front_end::Protocol>::ENDPOINT),+];

        /// Served request in a message; `None` unless the message is such an event.
        pub fn served_request(body: &dyn Body) -> Option<&dyn ServedRequest> {
            None$(.or_else(|| {
                let served = body.downcast_ref::<$module::$served>();
                served.map(|served| served as &dyn ServedRequest)
            }))+
        }
    };
}

front_ends! {
    mailbox: Mailbox, Served;
    htif: Htif, CommandServed;
    rtt: Rtt, Transferred;
    semihosting: Semihosting, OperationServed;
}
