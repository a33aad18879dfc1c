//! All messages between actors, each with the type of its reply.
//!
//! There is one file for each receiver, and one for events. A message is plain data; its receiver implements it. The list at the end of
//! each file states, beside each message, its reply, the channel that it concerns, and its payload.

pub mod announced;
mod channel;
pub mod console;
pub mod files;
pub mod foreign;
pub mod htif;
pub mod mailbox;
pub mod memory;
pub mod rpc;
mod services;
pub mod sockets;

pub use channel::{
    ChannelDescriptor, ChannelId, HtifPlace, Interface, MailboxPlace, Name, Signature,
};
pub use services::{ChannelServices, Clock, InputSource, OutputTarget, SeverityRule};

/// Calls a visitor with the type of a message, found by the names of its receiver and of itself; `None` if there is no such message.
macro_rules! by_name {
    ($to:expr, $name:expr, $visitor:expr) => {
        $crate::messages::by_name!(
            $to, $name, $visitor;
            announced, console, files, foreign, htif, mailbox, memory, rpc, sockets
        )
    };
    ($to:expr, $name:expr, $visitor:expr; $($module:ident),+) => {
        match $to {
            $(to if to == *<$crate::messages::$module::Inbox as $crate::bus::Inbox>::ENDPOINT.0 => {
                <$crate::messages::$module::Inbox as $crate::bus::Inbox>::by_name($name, $visitor)
            })+
            _ => None,
        }
    };
}

pub(crate) use by_name;
