//! Texts of observations and recorded entries, for a divergence.

use std::fmt;

use crate::bus::{Content, Observation};
use crate::trace::{ContentRef, EntryRef, Kind, decode_borrowed};

/// Single-line text of an observation.
pub(super) fn describe(seen: &Observation<'_>) -> String {
    let ticket = &seen.ticket;
    let (from, to, name) = (ticket.from, ticket.to(), ticket.name());
    let tick = seen.tick;
    match seen.content {
        Content::Message(body) => format!("tick {tick}: {from} to {to}: {}", short(body)),
        Content::Reply(body) => {
            format!("tick {tick}: {to} to {from}: {name} gives {}", short(body))
        }
        Content::Dropped => format!("tick {tick}: {to} to {from}: {name} has no reply"),
    }
}

/// Single-line text of a recorded entry.
pub(super) fn describe_entry(entry: EntryRef<'_>) -> String {
    let Kind { from, to, name } = &**entry.kind;
    let tick = entry.tick;
    let body = match decode_borrowed(entry) {
        Ok(Some(body)) => short(&*body),
        Ok(None) => String::new(),
        Err(damage) => damage.to_string(),
    };
    match entry.content {
        ContentRef::Message { .. } => format!("tick {tick}: {from} to {to}: {body}"),
        ContentRef::Reply { .. } => format!("tick {tick}: {to} to {from}: {name} gives {body}"),
        ContentRef::Dropped => format!("tick {tick}: {to} to {from}: {name} has no reply"),
    }
}

/// Message or reply, shortened.
fn short(body: &(impl fmt::Debug + ?Sized)) -> String {
    const MAX_CHARACTERS: usize = 300;
    let text = format!("{body:?}");
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
