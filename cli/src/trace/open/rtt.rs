//! Bytes of RTT that a method has not accepted. Other targets accept bytes at once.

use vhost::messages::events::Transferred;
use vhost::messages::rpc::{Call, Target};
use vhost::messages::rtt::Direction;

use super::lists::Lists;
use super::{OpenRequest, ProtocolRequest};
use crate::trace::DecodedEntry;

/// Maximum number of a channel's unfinished transfers. The host has one in service, and drops some
/// of buffers that it can't access.
const MAX_OPEN_REQUESTS: usize = 65;

/// Bytes of an up buffer, for a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenTransfer {
    /// Number of the buffer, and number of bytes.
    args: [u64; 2],
    target: Target,
}

impl OpenTransfer {
    pub(super) const KIND: &'static str = "rtt up";

    pub(super) fn text(&self) -> String {
        let (kind, target) = (Self::KIND, &self.target);
        let [number, bytes] = self.args;
        format!("{kind} {number}, {bytes} bytes, for {target}")
    }

    #[cfg(feature = "parquet")]
    pub(super) fn args(&self) -> &[u64] {
        &self.args
    }
}

/// Processes a message.
pub(super) fn follow(decoded: &DecodedEntry, lists: &mut Lists) {
    let Some(channel) = &decoded.channel else {
        return;
    };
    if let Some(moved) = decoded.is::<Transferred>() {
        if moved.direction == Direction::Up {
            remove(u64::from(moved.buffer.number), channel, lists);
        }
    } else if let Some(Call { target, args, .. }) = decoded.is()
        && &*decoded.entry.kind.from == "rtt"
        && let &[number, _, bytes] = &args[..]
    {
        // The transfer is polled again, or this is its next piece.
        let before = remove(number, channel, lists);
        let transfer = OpenTransfer {
            args: [number, bytes],
            target: target.clone(),
        };
        let request = OpenRequest {
            seen: before.map_or(decoded.entry.tick, |before| before.seen),
            request: ProtocolRequest::Rtt(transfer),
        };
        lists.add(channel, request, MAX_OPEN_REQUESTS);
    }
}

/// Removes the transfer of a buffer.
fn remove(number: u64, channel: &str, lists: &mut Lists) -> Option<OpenRequest> {
    let open = lists.get_mut(channel)?;
    let position = open.iter().position(
        |it| matches!(&it.request, ProtocolRequest::Rtt(OpenTransfer { args: [of, _], .. }) if *of == number),
    );
    open.remove(position?)
}
