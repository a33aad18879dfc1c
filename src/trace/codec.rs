//! Conversion between the names in a recording and the types of messages, and between bytes and
//! messages.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::serde::BorrowedSerdeDecoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::entry::{ContentRef, Entry, EntryRef};
use super::error::FrameError;
use super::format::Kind;
use super::serializer::Serializer;
use crate::bus::{Body, Content, Envelope, Inbox, Message, MessageVisitor, Observation};
use crate::messages::by_name;

/// Layout of all recorded values: bincode's standard configuration. Deserialization allocates at
/// most `MAX_BYTES` bytes, because lengths in the data are not trusted, and memory is allocated
/// before the data is read.
fn layout<const MAX_BYTES: usize>() -> Configuration<LittleEndian, Varint, Limit<MAX_BYTES>> {
    bincode::config::standard().with_limit()
}

/// Evaluates `$do` with a layout whose limit suits the length of `$bytes`. A number of one byte may
/// need eight in memory. Limits are constants, so there are only a few of them.
macro_rules! with_layout {
    ($bytes:expr, $layout:ident => $do:expr) => {
        match $bytes.len() {
            0..=0xffff => {
                let $layout = layout::<{ 1 << 19 }>();
                $do
            }
            0x1_0000..=0xff_ffff => {
                let $layout = layout::<{ 1 << 27 }>();
                $do
            }
            _ => {
                let $layout = layout::<{ 1 << 35 }>();
                $do
            }
        }
    };
}

/// Result of a serialization, with the text of the error. Small enough for two registers.
pub(crate) type Encoded = Result<(), Box<str>>;

/// Serializes a value, and appends it to `to`.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, to: &mut Vec<u8>) -> Encoded {
    Ok(value.serialize(&mut Serializer(to))?)
}

/// Serializes a message or reply of any type.
fn encode_body(body: &dyn Body, to: &mut Vec<u8>) -> Encoded {
    let body: &dyn erased_serde::Serialize = body;
    encode(body, to)
}

/// Serializers for the messages of one name and for their replies. With static types they take a
/// fraction of the time of [`encode_body`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoding {
    pub(super) message: Encode,
    pub(super) reply: Encode,
}

/// Serializer of a message or reply.
pub(super) type Encode = fn(&dyn Body, &mut Vec<u8>) -> Encoded;

impl Encoding {
    /// Returns the serializers for this receiver and name.
    pub(crate) fn of(to: &str, name: &str) -> Self {
        let known = by_name!(to, name, OfType);
        known.unwrap_or(Self {
            message: encode_body,
            reply: encode_body,
        })
    }

    /// Serializes the content of an observation, and appends it to `to`.
    pub(crate) fn encode(self, seen: &Observation<'_>, to: &mut Vec<u8>) -> Encoded {
        match seen.content {
            Content::Message(body) => (self.message)(body, to),
            Content::Reply(body) => (self.reply)(body, to),
            Content::Dropped => Ok(()),
        }
    }
}

/// Visitor that returns the serializers of a type.
struct OfType;

impl<I> MessageVisitor<I> for OfType {
    type Output = Encoding;

    fn visit<M: Message>(self) -> Encoding
    where
        I: From<Envelope<M>>,
    {
        Encoding {
            message: encode_as::<M>,
            reply: encode_as::<M::Reply>,
        }
    }
}

fn encode_as<T: Body + Serialize>(body: &dyn Body, to: &mut Vec<u8>) -> Encoded {
    match body.downcast_ref::<T>() {
        Some(body) => encode(body, to),
        None => encode_body(body, to),
    }
}

/// Deserializes the first value in `bytes`. Also returns the rest.
pub(super) fn deserialize_first<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<(T, &'a [u8]), FrameError> {
    let decoded =
        with_layout!(bytes, layout => bincode::serde::borrow_decode_from_slice(bytes, layout));
    let (value, read) = decoded.map_err(|error| FrameError::Content(error.to_string()))?;
    Ok((value, bytes.get(read..).unwrap_or_default()))
}

/// Deserializes all of `bytes`.
pub(crate) fn deserialize<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    let (value, rest) = deserialize_first(bytes)?;
    if !rest.is_empty() {
        let left = rest.len();
        return Err(FrameError::Content(format!("{left} bytes are left over")));
    }
    Ok(value)
}

/// Sends a recorded reply to a message.
pub(crate) fn send_reply<I: Inbox>(message: I, reply: &[u8]) -> Result<(), FrameError> {
    let sent = with_layout!(reply, layout => {
        let mut decoder = BorrowedSerdeDecoder::from_slice(reply, layout, ());
        message.send_recorded_reply(decoder.as_deserializer())
    });
    sent.map_err(|error| FrameError::Content(error.to_string()))
}

/// Deserializes the message or reply of a frame to its type.
///
/// # Errors
/// Fails if the message is unknown ([`FrameError::Unknown`]) or its bytes are invalid
/// ([`FrameError::Content`]).
pub fn decode(entry: &Entry) -> Result<Option<Box<dyn Body>>, FrameError> {
    decode_borrowed(entry.borrowed())
}

/// Deserializes the message or reply of a borrowed entry, as [`decode`] does.
pub(crate) fn decode_borrowed(entry: EntryRef<'_>) -> Result<Option<Box<dyn Body>>, FrameError> {
    let (bytes, reply) = match entry.content {
        ContentRef::Message { body, .. } => (body, false),
        ContentRef::Reply { body } => (body, true),
        ContentRef::Dropped => return Ok(None),
    };
    let decode = Decode { bytes, reply };
    let Kind { to, name, .. } = &**entry.kind;
    let body = by_name!(to.as_str(), name, decode);
    let unknown = || FrameError::Unknown {
        to: to.clone(),
        name: name.clone(),
    };
    body.ok_or_else(unknown)?.map(Some)
}

/// Visitor that deserializes a type.
struct Decode<'a> {
    bytes: &'a [u8],
    reply: bool,
}

impl<I> MessageVisitor<I> for Decode<'_> {
    type Output = Result<Box<dyn Body>, FrameError>;

    fn visit<M: Message>(self) -> Self::Output
    where
        I: From<Envelope<M>>,
    {
        Ok(if self.reply {
            Box::new(deserialize::<M::Reply>(self.bytes)?)
        } else {
            Box::new(deserialize::<M>(self.bytes)?)
        })
    }
}
