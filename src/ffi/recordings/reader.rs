//! Rows of a recording, in order.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::ser::Formatter;

use super::value::{Row, Type, Value};
use crate::attach::{ChannelAttribution, channels};
use crate::bus::Body;
use crate::config;
use crate::mem::MemoryMap;
use crate::messages::events::RestoreBegun;
use crate::messages::files::path_of;
use crate::messages::rpc::{Call, Cancel, Target};
use crate::messages::{ChannelDescriptor, ServedRequest, printed_bytes, served_request};
use crate::trace::{Content, Entry, Header, Source, Trace, TraceError, decode};

/// Table of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Messages,
    Requests,
}

/// Maximum size of a message whose content is given as JSON, in recorded bytes.
const LARGEST: usize = 1 << 20;

/// Number of bytes of texts and words after which no further row is read. The rows of one call are
/// in memory at the same time, and the offsets of their columns have 31 bits.
const MAX_BYTES: usize = 16 << 20;

/// Maximum number of channels whose requests are matched with methods and paths.
const MAX_CHANNELS: usize = 1024;

impl Table {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "messages" => Some(Self::Messages),
            "requests" => Some(Self::Requests),
            _ => None,
        }
    }

    /// Names and types of the columns.
    pub(super) fn columns(self) -> &'static [(&'static str, Type)] {
        match self {
            Self::Messages => &[
                ("frame", Type::Number),
                ("sequence", Type::Number),
                ("root", Type::Number),
                ("tick", Type::Number),
                ("event", Type::Text),
                ("sender", Type::Text),
                ("receiver", Type::Text),
                ("message", Type::Text),
                ("awaited", Type::Flag),
                ("channel", Type::Text),
                ("body", Type::Text),
            ],
            Self::Requests => &[
                ("number", Type::Number),
                ("channel", Type::Text),
                ("kind", Type::Text),
                ("method", Type::Text),
                ("path", Type::Text),
                ("args", Type::Words),
                ("taken", Type::Number),
                ("answered", Type::Number),
                ("result", Type::Number),
                ("errno", Type::Number),
                ("bytes", Type::Number),
                ("text", Type::Text),
            ],
        }
    }
}

/// Properties of a request that is not served yet, from the messages that it has caused.
#[derive(Debug, Default)]
struct UnservedRequest {
    method: Option<String>,
    path: Option<String>,
    /// Bytes printed since the previous request.
    printed: u64,
}

impl UnservedRequest {
    /// Drops method and path: a reset has dropped the request. Printed bytes count for the next
    /// one, as in `vhost trace stat`.
    fn drop_request(&mut self) {
        (self.method, self.path) = (None, None);
    }
}

/// Reader of a recording's rows.
pub(super) struct Reader {
    trace: Trace,
    attribution: ChannelAttribution,
    /// Open request of each channel.
    asked: HashMap<Arc<str>, UnservedRequest>,
    requests: u64,
    /// Number of undecodable messages and replies.
    undecoded: u64,
}

impl Reader {
    pub(super) fn open(file: &Path) -> Result<Self, TraceError> {
        let trace = Trace::open(file)?;
        let served = served(trace.header()).unwrap_or_default();
        Ok(Self {
            attribution: ChannelAttribution::new(served),
            asked: HashMap::new(),
            requests: 0,
            undecoded: 0,
            trace,
        })
    }

    pub(super) fn header(&self) -> &Header {
        self.trace.header()
    }

    /// True if the file ends within a block. Known at the end.
    pub(super) fn is_truncated(&self) -> bool {
        self.trace.is_truncated()
    }

    /// Number of undecodable messages and replies so far. They have no rows.
    pub(super) fn undecoded(&self) -> u64 {
        self.undecoded
    }

    /// Reads up to `most` rows, or rows of up to [`MAX_BYTES`] and one more; none at the end. A
    /// damaged recording fails after its last row.
    pub(super) fn read(&mut self, table: Table, most: usize) -> (Vec<Row>, Option<TraceError>) {
        let mut rows = Vec::new();
        let mut bytes = 0;
        while rows.len() < most && bytes < MAX_BYTES {
            match self.trace.next() {
                None => break,
                Some(Err(error)) => return (rows, Some(error)),
                Some(Ok(entry)) => {
                    if let Some(row) = self.row(table, &entry) {
                        bytes += row.iter().map(Value::size).sum::<usize>();
                        rows.push(row);
                    }
                }
            }
        }
        (rows, None)
    }

    fn row(&mut self, table: Table, entry: &Entry) -> Option<Row> {
        let decoded = decode(entry);
        self.undecoded += u64::from(decoded.is_err());
        let decoded = decoded.ok().flatten();
        let body = decoded.as_deref();
        let channel = self.attribution.channel_of(entry.passing(body));
        match table {
            Table::Messages => Some(message(entry, channel.as_deref(), body)),
            Table::Requests => {
                if !matches!(entry.content, Content::Message { .. }) {
                    return None;
                }
                let body = body?;
                if body.is::<RestoreBegun>() {
                    self.asked
                        .values_mut()
                        .for_each(UnservedRequest::drop_request);
                }
                let channel = channel?;
                match served_request(body) {
                    Some(served) => Some(self.request(served, channel, entry.tick)),
                    None => {
                        self.asks(body, channel);
                        None
                    }
                }
            }
        }
    }

    /// Stores method or path of a request until it is served.
    fn asks(&mut self, body: &dyn Body, channel: Arc<str>) {
        if body.is::<Cancel>() {
            if let Some(asked) = self.asked.get_mut(&channel) {
                asked.drop_request();
            }
            return;
        }
        let is_known = self.asked.contains_key(&channel);
        if !is_known && self.asked.len() >= MAX_CHANNELS {
            return;
        }
        if let Some(Call { target, .. }) = body.downcast_ref() {
            let method = match target {
                Target::Method(name) => Some(name.to_string()),
                Target::Command(_) => None,
            };
            self.asked.entry(channel).or_default().method = method;
            return;
        }
        if let Some((_, bytes)) = printed_bytes(body) {
            let printed = &mut self.asked.entry(channel).or_default().printed;
            *printed = printed.saturating_add(bytes);
            return;
        }
        if let Some(path) = path_of(body) {
            let path = String::from_utf8_lossy(path).into_owned();
            self.asked.entry(channel).or_default().path = Some(path);
        }
    }

    fn request(&mut self, served: &dyn ServedRequest, channel: Arc<str>, tick: u64) -> Row {
        let UnservedRequest {
            method,
            path,
            printed,
        } = self.asked.remove(&channel).unwrap_or_default();
        let number = self.requests;
        self.requests += 1;
        let error = served.error();
        let value = served.value().filter(|_| error.is_none());
        vec![
            Value::Number(number),
            Value::Text(channel.to_string()),
            Value::Text(served.kind().to_owned()),
            text(method),
            text(path),
            Value::Words(served.args().to_vec()),
            Value::Number(served.since().min(tick)),
            Value::Number(tick),
            value.map_or(Value::Null, Value::Number),
            error.map_or(Value::Null, |errno| {
                Value::Number(errno.0.unsigned_abs().into())
            }),
            Value::Number(served.bytes(printed)),
            Value::Text(format!(
                "{}{}",
                served.request_text(),
                served.outcome_text()
            )),
        ]
    }
}

fn message(entry: &Entry, channel: Option<&str>, body: Option<&dyn Body>) -> Row {
    let (event, awaited, len) = match &entry.content {
        Content::Message { body, awaited } => ("message", Some(*awaited), body.len()),
        Content::Reply { body } => ("reply", None, body.len()),
        Content::Dropped => ("dropped", None, 0),
    };
    let kind = &entry.kind;
    let [from, to, name] = [&kind.from, &kind.to, &kind.name].map(|it| Value::Text(it.clone()));
    let json = body.filter(|_| len <= LARGEST).and_then(json);
    vec![
        Value::Number(entry.frame),
        Value::Number(entry.sequence),
        Value::Number(entry.root),
        Value::Number(entry.tick),
        Value::Text(event.to_owned()),
        from,
        to,
        name,
        awaited.map_or(Value::Null, Value::Flag),
        text(channel.map(str::to_owned)),
        text(json),
    ]
}

fn text(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::Text)
}

/// Content of a message as JSON, with bytes as hexadecimal text.
fn json(body: &dyn Body) -> Option<String> {
    let body: &dyn erased_serde::Serialize = body;
    let mut bytes = Vec::new();
    let mut json = serde_json::Serializer::with_formatter(&mut bytes, HexBytes);
    serde::Serialize::serialize(body, &mut json).ok()?;
    String::from_utf8(bytes).ok()
}

/// JSON formatter that writes bytes as hexadecimal text.
struct HexBytes;

impl Formatter for HexBytes {
    fn write_byte_array<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        bytes: &[u8],
    ) -> io::Result<()> {
        to.write_all(b"\"")?;
        for byte in bytes {
            write!(to, "{byte:02x}")?;
        }
        to.write_all(b"\"")
    }
}

/// Served channels of a recording, if its configurations can be read.
fn served(header: &Header) -> Option<Arc<[ChannelDescriptor]>> {
    let parse = |source: &Source| {
        config::parse_memory_map(&source.text, Path::new(&source.file), header).ok()
    };
    let map: MemoryMap = header.memories.as_ref().and_then(parse).unwrap_or_default();
    let Source { file, text } = header.mailboxes.as_ref()?;
    let configured = config::parse_mailboxes(text, Path::new(file), &map, header).ok()?;
    Some(channels(&map, &configured))
}
