//! Channel of a message.

use super::foreign::{self, Exit, HostCall, Line, MethodCall, PyCancel, Register};
use super::mailbox::{Rang, Served};
use super::{ChannelId, console, files, rpc};
use crate::bus::Body;

/// Reference to a channel, as a message contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelRef<'a> {
    /// Position among the served channels.
    Id(ChannelId),
    /// Name of a channel.
    Name(&'a str),
}

/// Returns the channel that a message refers to; `None` for messages without one, such as memory accesses and replies.
pub fn channel_of(body: &dyn Body) -> Option<ChannelRef<'_>> {
    let any = body.as_any();
    macro_rules! first {
        ($($type:ty: $body:ident => $channel:expr;)+) => {
            $(if let Some($body) = any.downcast_ref::<$type>() {
                return $channel;
            })+
        };
    }
    first! {
        Rang: bell => Some(ChannelRef::Id(bell.channel));
        Served: request => Some(ChannelRef::Id(request.channel));
        console::Print: print => Some(ChannelRef::Id(print.channel));
        console::Finish: finish => finish.channel.map(ChannelRef::Id);
        files::Open: file => Some(ChannelRef::Id(file.channel));
        files::Close: file => Some(ChannelRef::Id(file.channel));
        files::Read: file => Some(ChannelRef::Id(file.channel));
        files::Write: file => Some(ChannelRef::Id(file.channel));
        files::Seek: file => Some(ChannelRef::Id(file.channel));
        files::CloseAll: file => Some(ChannelRef::Id(file.channel));
        Exit: exit => Some(ChannelRef::Name(&exit.channel));
        Line: line => Some(ChannelRef::Name(&line.channel));
        foreign::Served: request => Some(ChannelRef::Name(&request.channel));
        rpc::Call: call => Some(ChannelRef::Name(&call.channel));
        rpc::Cancel: cancel => Some(ChannelRef::Name(&cancel.channel));
        HostCall: call => Some(ChannelRef::Name(&call.channel));
        MethodCall: call => Some(ChannelRef::Name(&call.channel));
        PyCancel: cancel => Some(ChannelRef::Name(&cancel.channel));
        Register: register => Some(ChannelRef::Name(&register.channel));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_its_channel_by_number_or_by_name() {
        let finish = console::Finish {
            channel: Some(ChannelId(3)),
        };
        assert_eq!(channel_of(&finish), Some(ChannelRef::Id(ChannelId(3))));
        let cancel = rpc::Cancel {
            channel: "core0".into(),
        };
        assert_eq!(channel_of(&cancel), Some(ChannelRef::Name("core0")));
        let all = console::Finish { channel: None };
        assert_eq!(channel_of(&all), None);
        assert_eq!(channel_of(&()), None);
    }
}
