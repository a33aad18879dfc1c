//! Attributes of messages and replies that taps use: topic and payload.

use bytes::Bytes;

/// Topic of a message: its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic<'a> {
    /// Number of a channel.
    Id(u32),
    /// Name of a channel.
    Name(&'a str),
}

/// Replacement of payload bytes.
pub type Redaction<'a> = &'a dyn Fn(&Bytes) -> Bytes;

/// Attributes of a message or reply. The list of an endpoint's messages states their attributes.
pub trait Attributes {
    /// Channel of a message; `None` for a message without a single channel, and for a reply.
    fn topic(&self) -> Option<Topic<'_>> {
        None
    }

    /// Replaces the payload. Returns false if there is none.
    fn redact(&mut self, _with: Redaction<'_>) -> bool {
        false
    }
}

/// Field that contains the topic of its message.
pub(crate) trait TopicField {
    /// Topic of the message.
    fn topic(&self) -> Option<Topic<'_>>;
}

/// Data with a payload: bytes from firmware, files or clients.
pub(crate) trait Payload {
    /// Replaces the payload.
    fn redact(&mut self, with: Redaction<'_>);
}

impl Payload for Bytes {
    fn redact(&mut self, with: Redaction<'_>) {
        *self = with(self);
    }
}

/// The replacement of a text is written in hexadecimal.
impl Payload for String {
    fn redact(&mut self, with: Redaction<'_>) {
        let replaced = with(&Bytes::copy_from_slice(self.as_bytes()));
        if replaced != self.as_bytes() {
            *self = replaced.iter().map(|byte| format!("{byte:02x}")).collect();
        }
    }
}

impl<T: Payload> Payload for Option<T> {
    fn redact(&mut self, with: Redaction<'_>) {
        if let Some(payload) = self {
            payload.redact(with);
        }
    }
}

impl<T: Payload, E> Payload for Result<T, E> {
    fn redact(&mut self, with: Redaction<'_>) {
        if let Ok(payload) = self {
            payload.redact(with);
        }
    }
}

impl Attributes for Bytes {
    fn redact(&mut self, with: Redaction<'_>) -> bool {
        Payload::redact(self, with);
        true
    }
}

impl<T: Attributes> Attributes for Option<T> {
    fn redact(&mut self, with: Redaction<'_>) -> bool {
        self.as_mut().is_some_and(|value| value.redact(with))
    }
}

impl<T: Attributes, E> Attributes for Result<T, E> {
    fn redact(&mut self, with: Redaction<'_>) -> bool {
        self.as_mut().is_ok_and(|value| value.redact(with))
    }
}

impl Attributes for String {}
impl Attributes for u16 {}
impl Attributes for u64 {}
impl Attributes for () {}
