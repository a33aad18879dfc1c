//! Text of memory accesses, with the names of memories and spaces.

use std::fmt::{self, Display, Formatter};

use vhost::bus::Body;
use vhost::mem::{MemoryMap, Op, Segments, SpaceId, Span};
use vhost::messages::foreign;
use vhost::messages::memory::{Access, AccessSegments, MappedLength, Resolve};

use crate::output::{Sanitized, debug_text};

/// Maximum number of characters shown of written bytes.
const FEW: usize = 40;

/// Display of a message that concerns memory.
pub(super) struct AccessDisplay<'a> {
    kind: AccessKind<'a>,
    map: &'a MemoryMap,
}

enum AccessKind<'a> {
    /// Access to a space.
    Spans(&'a Op<Span>, SpaceId),
    /// Access to segments of memories.
    Places(&'a Op<Segments>),
    Resolve(Span, SpaceId),
    Extent(Span, SpaceId),
}

impl<'a> AccessDisplay<'a> {
    /// `None` for other messages.
    pub(super) fn of(body: &'a dyn Body, map: &'a MemoryMap) -> Option<Self> {
        let kind = if let Some(ask) = body.downcast_ref::<Access>() {
            AccessKind::Spans(&ask.op, ask.space)
        } else if let Some(ask) = body.downcast_ref::<AccessSegments>() {
            AccessKind::Places(&ask.op)
        } else if let Some(ask) = body.downcast_ref::<foreign::Access>() {
            AccessKind::Places(&ask.op)
        } else if let Some(ask) = body.downcast_ref::<Resolve>() {
            AccessKind::Resolve(ask.span, ask.space)
        } else if let Some(ask) = body.downcast_ref::<MappedLength>() {
            AccessKind::Extent(ask.span, ask.space)
        } else {
            return None;
        };
        Some(Self { kind, map })
    }

    fn space(&self, id: SpaceId) -> &'a str {
        self.map.space(id).map_or("?", |space| space.name.as_str())
    }
}

impl Display for AccessDisplay<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let span = |span: &Span, space, f: &mut Formatter<'_>| {
            let (name, Span { address, len }) = (Sanitized(self.space(space)), span);
            write!(f, "{name}:{address:#x} ({len} bytes)")
        };
        match self.kind {
            AccessKind::Spans(op, space) => write_op(op, &|place, f| span(place, space, f), f),
            AccessKind::Places(op) => write_op(op, &|place, f| self.place(place, f), f),
            AccessKind::Resolve(place, space) => {
                write!(f, "where is ")?;
                span(&place, space, f)
            }
            AccessKind::Extent(place, space) => {
                write!(f, "how much is there of ")?;
                span(&place, space, f)
            }
        }
    }
}

impl AccessDisplay<'_> {
    fn place(&self, place: &Segments, f: &mut Formatter<'_>) -> fmt::Result {
        if place.is_empty() {
            return write!(f, "nothing");
        }
        for (at, segment) in place.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let memory = self.map.memory(segment.memory);
            let name = Sanitized(memory.map_or("?", |memory| memory.name.as_str()));
            write!(
                f,
                "{comma}{name}+{:#x} ({} bytes)",
                segment.offset, segment.len
            )?;
        }
        Ok(())
    }
}

/// Writes one operation. Batches do not nest.
fn write_op<P>(
    op: &Op<P>,
    place: &dyn Fn(&P, &mut Formatter<'_>) -> fmt::Result,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    match op {
        Op::Read(at) => {
            write!(f, "read ")?;
            place(at, f)
        }
        Op::Peek(at) => {
            write!(f, "look at ")?;
            place(at, f)
        }
        Op::Write(at, data) => {
            write!(f, "write ")?;
            place(at, f)?;
            write!(f, " {}", debug_text(data, FEW))
        }
        Op::Word(at, word) => {
            write!(f, "set ")?;
            place(at, f)?;
            write!(f, " to {word:#x}")
        }
        Op::Fill(at, byte) => {
            write!(f, "fill ")?;
            place(at, f)?;
            write!(f, " with {byte:#x}")
        }
        Op::Copy { to, from } => {
            write!(f, "copy ")?;
            place(from, f)?;
            write!(f, " to ")?;
            place(to, f)
        }
        Op::Compare(one, other) => {
            write!(f, "compare ")?;
            place(one, f)?;
            write!(f, " with ")?;
            place(other, f)
        }
        Op::Text(at) => {
            write!(f, "text in ")?;
            place(at, f)
        }
        Op::Batch(ops) => {
            for (at, op) in ops.iter().enumerate() {
                write!(f, "{}", if at == 0 { "" } else { "; " })?;
                write_op(op, place, f)?;
            }
            Ok(())
        }
    }
}
