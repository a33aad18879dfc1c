//! Text line and JSON object for one entry of a recording.

use std::fmt::{self, Display};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use vhost::messages::ServedRequest;
use vhost::trace::Content;

use super::access::AccessDisplay;
use super::entry_reader::DecodedEntry;
use crate::output::{DIM, NAME, Sanitized, debug_text, truncated};

/// Maximum number of characters of a message in a line.
pub(crate) const MAX_CHARACTERS: usize = 200;

/// One line of aligned columns.
pub(super) struct Line<'a> {
    pub(super) decoded: &'a DecodedEntry,
    /// Maximum number of characters of the message.
    pub(super) max_chars: usize,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decoded, max_chars } = *self;
        let entry = &decoded.entry;
        let channel = decoded.channel.as_deref().unwrap_or("-");
        let (from, to) = ends(decoded);
        write!(
            f,
            "{:>8} {DIM}{:>7}{DIM:#} {NAME}{:<10}{NAME:#} {from:>8} → {to:<8} {}",
            entry.tick,
            entry.sequence,
            Sanitized(channel).to_string(),
            text(decoded, max_chars)
        )
    }
}

/// Header of these columns.
pub(super) const HEAD: &str = "    tick     seq channel        from   to       message, or reply";

/// Sender and receiver of an entry. A reply goes in the opposite direction of its message.
fn ends(decoded: &DecodedEntry) -> (String, String) {
    let kind = &decoded.entry.kind;
    let (from, to) = (
        Sanitized(&kind.from).to_string(),
        Sanitized(&kind.to).to_string(),
    );
    match decoded.entry.content {
        Content::Message { .. } => (from, to),
        Content::Reply { .. } | Content::Dropped => (to, from),
    }
}

/// Text of the message or reply.
pub(crate) fn text(decoded: &DecodedEntry, max_chars: usize) -> String {
    let name = Sanitized(&decoded.entry.kind.name);
    if let Some(served) = decoded.served() {
        return format!("{name} {}", served_text(served));
    }
    let body = match &decoded.body {
        Ok(Some(body)) => match AccessDisplay::of(&**body, &decoded.map) {
            Some(access) => return truncated(format_args!("{name}: {access}"), max_chars),
            None => debug_text(&**body, max_chars),
        },
        Ok(None) => return format!("{name}: no reply"),
        Err(damage) => return format!("{name}: {}", Sanitized(&damage.to_string())),
    };
    match decoded.entry.content {
        Content::Message { .. } => body,
        _ => format!("{name}: {body}"),
    }
}

/// Text of a request and its outcome.
pub(crate) fn served_text(served: &dyn ServedRequest) -> String {
    format!("{}{}", served.request_text(), served.outcome_text())
}

/// JSON object of an entry. `docs/trace.md` documents the keys.
#[derive(Serialize)]
struct Object<'a> {
    frame: u64,
    sequence: u64,
    root: u64,
    tick: u64,
    event: &'static str,
    from: &'a str,
    to: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    awaited: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a dyn erased_serde::Serialize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Writes an entry as one line of JSON.
pub(super) fn write_json(decoded: &DecodedEntry, mut to: impl Write) -> io::Result<()> {
    let entry = &decoded.entry;
    let (event, awaited) = match entry.content {
        Content::Message { awaited, .. } => ("message", Some(awaited)),
        Content::Reply { .. } => ("reply", None),
        Content::Dropped => ("dropped", None),
    };
    let body = decoded.body.as_ref();
    let object = Object {
        frame: entry.frame,
        sequence: entry.sequence,
        root: entry.root,
        tick: entry.tick,
        event,
        from: &entry.kind.from,
        to: &entry.kind.to,
        message: &entry.kind.name,
        awaited,
        channel: decoded.channel.as_deref(),
        body: body.ok().and_then(|body| {
            let body: &dyn erased_serde::Serialize = body.as_deref()?;
            Some(body)
        }),
        request: decoded.served().map(served_text),
        error: body.err().map(ToString::to_string),
    };
    let mut json = serde_json::Serializer::with_formatter(&mut to, HexBytes);
    object.serialize(&mut json)?;
    writeln!(to)
}

/// JSON formatter for one line, with bytes as a string of hex digits. A list of numbers is five
/// times as long.
struct HexBytes;

impl Formatter for HexBytes {
    fn write_byte_array<W: ?Sized + Write>(&mut self, to: &mut W, bytes: &[u8]) -> io::Result<()> {
        to.write_all(b"\"")?;
        for byte in bytes {
            write!(to, "{byte:02x}")?;
        }
        to.write_all(b"\"")
    }
}
