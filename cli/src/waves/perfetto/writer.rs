//! Writer of tracks and events.

use std::io::{self, Write};

use miniz_oxide::deflate::compress_to_vec_zlib;
use prost::Message;

use super::interned::Texts;
use super::packets::{
    CHRONOLOGICAL, DebugAnnotation, EventType, NEEDS_STATE, STATE_CLEARED, Trace, TracePacket,
    TrackDescriptor, TrackEvent,
};
use crate::output::Sanitized;

/// Number of the only sequence of packets.
const SEQUENCE: u32 = 1;

/// Size of packets in bytes that are compressed together.
const BLOCK: usize = 1 << 19;

/// Compression level; higher ones take more time than they save size.
const LEVEL: u8 = 4;

/// Described track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrackId(u64);

/// Arrow between two events.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flow {
    None,
    /// Start of the arrow with this number.
    From(u64),
    /// End of the arrow with this number.
    To(u64),
}

/// Property of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Number(u64),
    Text(&'a str),
}

/// Event on a track.
pub(super) struct Event<'a> {
    pub(super) kind: EventType,
    /// Time in nanoseconds.
    pub(super) time: u64,
    pub(super) track: TrackId,
    pub(super) name: &'a str,
    pub(super) category: &'static str,
    pub(super) flow: Flow,
    pub(super) values: &'a [(&'static str, Value<'a>)],
}

impl<'a> Event<'a> {
    /// Creates an event without arrows and properties.
    pub(super) fn at(
        kind: EventType,
        time: u64,
        track: TrackId,
        name: &'a str,
        category: &'static str,
    ) -> Self {
        Self {
            kind,
            time,
            track,
            name,
            category,
            flow: Flow::None,
            values: &[],
        }
    }
}

/// Writer of packets.
pub(super) struct Writer<W> {
    to: W,
    tracks: u64,
    texts: Texts,
    /// Unwritten packets.
    packets: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W) -> Self {
        Self {
            to,
            tracks: 0,
            texts: Texts::default(),
            packets: Vec::new(),
        }
    }

    /// Describes a track.
    pub(super) fn track(&mut self, parent: Option<TrackId>, name: &str) -> io::Result<TrackId> {
        self.tracks += 1;
        let track = TrackId(self.tracks);
        self.packet(TracePacket {
            track_descriptor: Some(TrackDescriptor {
                uuid: Some(track.0),
                name: Some(Sanitized(name).to_string()),
                parent_uuid: parent.map(|parent| parent.0),
                child_ordering: parent.is_none().then_some(CHRONOLOGICAL),
            }),
            ..TracePacket::default()
        })?;
        Ok(track)
    }

    pub(super) fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        let cleared = if self.texts.is_fresh() {
            STATE_CLEARED
        } else {
            0
        };
        let (mut flow_ids, mut terminating_flow_ids) = (Vec::new(), Vec::new());
        match event.flow {
            Flow::None => (),
            Flow::From(number) => flow_ids.push(number),
            Flow::To(number) => terminating_flow_ids.push(number),
        }
        let values = event.values.iter().map(|(name, value)| {
            let name_iid = Some(self.texts.value_name(name));
            let mut annotation = DebugAnnotation {
                name_iid,
                ..DebugAnnotation::default()
            };
            match value {
                Value::Number(number) => annotation.uint_value = Some(*number),
                Value::Text(text) => annotation.string_value_iid = Some(self.texts.value(text)),
            }
            annotation
        });
        let debug_annotations = values.collect();
        let track_event = TrackEvent {
            category_iids: vec![self.texts.category(event.category)],
            debug_annotations,
            r#type: Some(event.kind.into()),
            name_iid: Some(self.texts.name(event.name)),
            track_uuid: Some(event.track.0),
            flow_ids,
            terminating_flow_ids,
        };
        let interned_data = self.texts.take_new();
        self.packet(TracePacket {
            timestamp: Some(event.time),
            track_event: Some(track_event),
            interned_data,
            sequence_flags: Some(cleared | NEEDS_STATE),
            ..TracePacket::default()
        })
    }

    /// Ends the last slice of a track.
    pub(super) fn end_slice(&mut self, time: u64, track: TrackId) -> io::Result<()> {
        self.packet(TracePacket {
            timestamp: Some(time),
            track_event: Some(TrackEvent {
                r#type: Some(EventType::SliceEnd.into()),
                track_uuid: Some(track.0),
                ..TrackEvent::default()
            }),
            ..TracePacket::default()
        })
    }

    fn packet(&mut self, packet: TracePacket) -> io::Result<()> {
        let packet = TracePacket {
            trusted_packet_sequence_id: Some(SEQUENCE),
            ..packet
        };
        let trace = Trace {
            packet: vec![packet],
        };
        trace.encode(&mut self.packets)?;
        if self.packets.len() >= BLOCK {
            self.write_packets()?;
        }
        Ok(())
    }

    /// Writes all packets.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.write_packets()?;
        self.to.flush()
    }

    fn write_packets(&mut self) -> io::Result<()> {
        if self.packets.is_empty() {
            return Ok(());
        }
        let compressed = compress_to_vec_zlib(&self.packets, LEVEL);
        self.packets.clear();
        let trace = Trace {
            packet: vec![TracePacket {
                compressed_packets: Some(compressed),
                ..TracePacket::default()
            }],
        };
        self.to.write_all(&trace.encode_to_vec())
    }
}
