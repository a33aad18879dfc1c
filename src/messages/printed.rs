//! Text of firmware in messages.

use bytes::Bytes;

use super::ChannelId;
use super::console::{Print, PrintError, PrintMarked, PutRaw};
use super::files::WriteSome;
use crate::bus::Body;

/// Text for the console in a message, and its channel. The text is for lines, or for unchanged
/// output.
pub(crate) fn printed_text(message: &dyn Body) -> Option<(ChannelId, &Bytes)> {
    if let Some(Print { channel, text }) = message.downcast_ref() {
        return Some((*channel, text));
    }
    if let Some(PrintError { channel, text }) = message.downcast_ref() {
        return Some((*channel, text));
    }
    if let Some(PrintMarked { channel, text, .. }) = message.downcast_ref() {
        return Some((*channel, text));
    }
    if let Some(PutRaw { channel, data, .. }) = message.downcast_ref() {
        return Some((*channel, data));
    }
    None
}

/// Channel of the text that a message prints, and its number of bytes. Text goes to the console as
/// lines or unchanged, or to a file in place of a standard stream. `None` for a message that prints
/// nothing for a request.
pub fn printed_bytes(message: &dyn Body) -> Option<(ChannelId, u64)> {
    let to_file = || {
        let write: &WriteSome = message.downcast_ref()?;
        Some((write.channel, &write.data))
    };
    let (channel, text) = printed_text(message).or_else(to_file)?;
    Some((channel, text.len() as u64))
}
