//! Messages to the servers of front ends. All protocols of firmware share them, apart from the
//! status of a channel.

use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;

use bytes::Bytes;
use mailbox_rs::Errno;
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use super::ChannelId;
use super::channel_words::StatusWords;
use super::checkpoint::{RestoreError, SaveError, SavedChannel};
use crate::bus::{
    Attributes, Endpoint, Envelope, Message, MessageVisitor, Payload, Redaction, Ticket, Topic,
    TopicField,
};
use crate::mem::{AccessError, Segments};

/// Protocol of firmware, as a type without values.
pub trait Protocol: 'static {
    /// Name of the server's endpoint.
    const ENDPOINT: Endpoint;
    /// Status of one channel.
    type Status: ChannelState;
}

/// Status of one channel. `Display` writes one line about the pending step and the side that it
/// depends on, and indented lines for the rest.
pub trait ChannelState:
    Debug + Display + Clone + Send + Sync + Serialize + DeserializeOwned + 'static
{
    /// True unless the channel has exited or failed.
    fn is_open(&self) -> bool;

    /// Adds the words of the channel in memory, if its protocol has them.
    fn show_words(&mut self, _words: Option<StatusWords>) {}
}

impl<T: ChannelState> Attributes for Vec<T> {}

/// Asks for the state of each channel of the protocol, in the order of the configuration. The reply
/// does not contain the channels' words in memory; the requester reads those itself.
pub struct Status<P>(PhantomData<fn() -> P>);

impl<P> Status<P> {
    /// The message.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P> Default for Status<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Clone for Status<P> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<P> PartialEq for Status<P> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<P> Eq for Status<P> {}

impl<P> Debug for Status<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Status")
    }
}

/// Unit structure: the message has no fields.
impl<P> Serialize for Status<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit_struct("Status")
    }
}

impl<'de, P> Deserialize<'de> for Status<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Status")]
        struct Unit;
        Unit::deserialize(deserializer).map(|Unit| Self::new())
    }
}

/// Event: words that a front end polls have changed. It wakes the channel's task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordsRang {
    /// Channel of the words.
    pub channel: ChannelId,
    /// Location of the words.
    pub segments: Segments,
    /// Bytes of the segments, one after the other; `None` if they could not be read.
    pub words: Option<Bytes>,
    /// Error of the read.
    pub read_error: Option<AccessError>,
}

/// Adds bytes to the standard input of a channel whose source is the testbench. The reply has the
/// number of bytes taken, fewer than given if the input has no room for more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdinWrite {
    /// Channel of the input.
    pub channel: ChannelId,
    /// Bytes to add.
    pub data: Bytes,
}

/// Ends the standard input of a channel. A read behind the last byte gets the end of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdinClose {
    /// Channel of the input.
    pub channel: ChannelId,
}

/// Reports that text of a channel could not be written. The console sends one for each failed
/// attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFailed {
    /// Source of the text.
    pub channel: ChannelId,
    /// True for text of standard error.
    pub is_error: bool,
    /// Error of the write.
    pub errno: Errno,
}

impl Attributes for OutputFailed {
    fn topic(&self) -> Option<Topic<'_>> {
        TopicField::topic(&self.channel)
    }
}

impl Message for OutputFailed {
    type Reply = ();
    const NAME: &'static str = "OutputFailed";
}

/// Executes an operation that firmware asks for by a trap, which the testbench has observed. The
/// reply has the result. It is `None` while the operation waits for input: then nothing was done,
/// and the operation is sent again in a later tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operate {
    /// Channel of the firmware.
    pub channel: ChannelId,
    /// Number of the hart.
    pub hart: u32,
    /// Number of the operation.
    pub operation: u64,
    /// Argument of the operation.
    pub argument: u64,
}

/// Error of an [`Operate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum OperateError {
    /// There is no such channel.
    #[error("there is no such channel")]
    NoChannel,
    /// The channel has another protocol.
    #[error("it has no semihosting; configure `abi: semihosting`")]
    OtherProtocol,
    /// Firmware has exited.
    #[error("its firmware has exited")]
    Exited,
}

impl Attributes for Operate {
    fn topic(&self) -> Option<Topic<'_>> {
        TopicField::topic(&self.channel)
    }
}

impl Message for Operate {
    type Reply = Result<Option<u64>, OperateError>;
    const NAME: &'static str = "Operate";
}

/// Error of a write to a channel's standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum StdinError {
    /// The testbench is not the source.
    #[error(
        "its standard input does not come from the testbench; configure `stdio: {{stdin: testbench}}`"
    )]
    NotTestbench,
    /// The input has ended.
    #[error("its standard input was closed")]
    Closed,
    /// There is no such channel.
    #[error("there is no such channel")]
    NoChannel,
}

impl<P> Attributes for Status<P> {}

impl<P: Protocol> Message for Status<P> {
    type Reply = Vec<P::Status>;
    const NAME: &'static str = "Status";
}

impl Attributes for StdinWrite {
    fn topic(&self) -> Option<Topic<'_>> {
        TopicField::topic(&self.channel)
    }

    fn redact(&mut self, with: Redaction<'_>) -> bool {
        Payload::redact(&mut self.data, with);
        true
    }
}

impl Message for StdinWrite {
    type Reply = Result<u64, StdinError>;
    const NAME: &'static str = "StdinWrite";
}

impl Attributes for StdinClose {
    fn topic(&self) -> Option<Topic<'_>> {
        TopicField::topic(&self.channel)
    }
}

impl Message for StdinClose {
    type Reply = Result<(), StdinError>;
    const NAME: &'static str = "StdinClose";
}

/// Asks for the state of each channel of the protocol, for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save;

impl Attributes for Save {}

impl Message for Save {
    type Reply = Result<Vec<SavedChannel>, SaveError>;
    const NAME: &'static str = "Save";
}

/// Replaces the state of each channel of the protocol by that of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// State of the channels of the protocol.
    pub channels: Vec<SavedChannel>,
}

impl Attributes for Restore {
    fn redact(&mut self, with: Redaction<'_>) -> bool {
        Payload::redact(&mut self.channels, with);
        true
    }
}

impl Message for Restore {
    type Reply = Result<(), RestoreError>;
    const NAME: &'static str = "Restore";
}

/// All messages to the server of a protocol.
pub(crate) enum Inbox<P: Protocol> {
    Status(Envelope<Status<P>>),
    StdinWrite(Envelope<StdinWrite>),
    StdinClose(Envelope<StdinClose>),
    Operate(Envelope<Operate>),
    OutputFailed(Envelope<OutputFailed>),
    Save(Envelope<Save>),
    Restore(Envelope<Restore>),
}

impl<P: Protocol> Debug for Inbox<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(envelope) => envelope.fmt(f),
            Self::StdinWrite(envelope) => envelope.fmt(f),
            Self::StdinClose(envelope) => envelope.fmt(f),
            Self::Operate(envelope) => envelope.fmt(f),
            Self::OutputFailed(envelope) => envelope.fmt(f),
            Self::Save(envelope) => envelope.fmt(f),
            Self::Restore(envelope) => envelope.fmt(f),
        }
    }
}

impl<P: Protocol> From<Envelope<Status<P>>> for Inbox<P> {
    fn from(envelope: Envelope<Status<P>>) -> Self {
        Self::Status(envelope)
    }
}

impl<P: Protocol> From<Envelope<StdinWrite>> for Inbox<P> {
    fn from(envelope: Envelope<StdinWrite>) -> Self {
        Self::StdinWrite(envelope)
    }
}

impl<P: Protocol> From<Envelope<StdinClose>> for Inbox<P> {
    fn from(envelope: Envelope<StdinClose>) -> Self {
        Self::StdinClose(envelope)
    }
}

impl<P: Protocol> From<Envelope<Operate>> for Inbox<P> {
    fn from(envelope: Envelope<Operate>) -> Self {
        Self::Operate(envelope)
    }
}

impl<P: Protocol> From<Envelope<OutputFailed>> for Inbox<P> {
    fn from(envelope: Envelope<OutputFailed>) -> Self {
        Self::OutputFailed(envelope)
    }
}

impl<P: Protocol> From<Envelope<Save>> for Inbox<P> {
    fn from(envelope: Envelope<Save>) -> Self {
        Self::Save(envelope)
    }
}

impl<P: Protocol> From<Envelope<Restore>> for Inbox<P> {
    fn from(envelope: Envelope<Restore>) -> Self {
        Self::Restore(envelope)
    }
}

impl<P: Protocol> actix::Message for Inbox<P> {
    type Result = ();
}

impl<P: Protocol> crate::bus::Inbox for Inbox<P> {
    const ENDPOINT: Endpoint = P::ENDPOINT;

    fn ticket(&self) -> Ticket {
        match self {
            Self::Status(envelope) => envelope.reply.ticket(),
            Self::StdinWrite(envelope) => envelope.reply.ticket(),
            Self::StdinClose(envelope) => envelope.reply.ticket(),
            Self::Operate(envelope) => envelope.reply.ticket(),
            Self::OutputFailed(envelope) => envelope.reply.ticket(),
            Self::Save(envelope) => envelope.reply.ticket(),
            Self::Restore(envelope) => envelope.reply.ticket(),
        }
    }

    fn send_recorded_reply<'de, D: Deserializer<'de>>(self, reply: D) -> Result<(), D::Error> {
        match self {
            Self::Status(envelope) => envelope.reply.send(Deserialize::deserialize(reply)?),
            Self::StdinWrite(envelope) => envelope.reply.send(Deserialize::deserialize(reply)?),
            Self::StdinClose(envelope) => envelope.reply.send(Deserialize::deserialize(reply)?),
            Self::Operate(envelope) => envelope.reply.send(Deserialize::deserialize(reply)?),
            Self::OutputFailed(envelope) => envelope.reply.send(Deserialize::deserialize(reply)?),
            Self::Save(envelope) => envelope.reply.send(Deserialize::deserialize(reply)?),
            Self::Restore(envelope) => envelope.reply.send(Deserialize::deserialize(reply)?),
        }
        Ok(())
    }

    fn by_name<V: MessageVisitor<Self>>(name: &str, visitor: V) -> Option<V::Output> {
        match name {
            Status::<P>::NAME => Some(visitor.visit::<Status<P>>()),
            StdinWrite::NAME => Some(visitor.visit::<StdinWrite>()),
            StdinClose::NAME => Some(visitor.visit::<StdinClose>()),
            Operate::NAME => Some(visitor.visit::<Operate>()),
            OutputFailed::NAME => Some(visitor.visit::<OutputFailed>()),
            Save::NAME => Some(visitor.visit::<Save>()),
            Restore::NAME => Some(visitor.visit::<Restore>()),
            _ => None,
        }
    }
}
