//! Perfetto packets, decoded by the field numbers of its `trace_packet.proto`, `track_event.proto`
//! and others.

use std::collections::HashMap;

use miniz_oxide::inflate::decompress_to_vec_zlib;
use prost::Message;

use super::{ShownRequest, export, gone_back, recorded, served};
use crate::run::{Run, SAVED};

#[derive(Clone, PartialEq, Message)]
struct Trace {
    #[prost(message, repeated, tag = "1")]
    packet: Vec<Packet>,
}

#[derive(Clone, PartialEq, Message)]
struct Packet {
    #[prost(uint64, tag = "8")]
    timestamp: u64,
    #[prost(uint32, tag = "10")]
    trusted_packet_sequence_id: u32,
    #[prost(message, optional, tag = "11")]
    track_event: Option<TrackEvent>,
    #[prost(message, optional, tag = "12")]
    interned_data: Option<InternedData>,
    #[prost(uint32, tag = "13")]
    sequence_flags: u32,
    #[prost(bytes = "vec", tag = "50")]
    compressed_packets: Vec<u8>,
    #[prost(message, optional, tag = "60")]
    track_descriptor: Option<TrackDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
struct TrackDescriptor {
    #[prost(uint64, tag = "1")]
    uuid: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint64, tag = "5")]
    parent_uuid: u64,
}

#[derive(Clone, PartialEq, Message)]
struct TrackEvent {
    #[prost(uint64, repeated, packed = "false", tag = "3")]
    category_iids: Vec<u64>,
    #[prost(message, repeated, tag = "4")]
    debug_annotations: Vec<Annotation>,
    #[prost(uint32, tag = "9")]
    kind: u32,
    #[prost(uint64, tag = "10")]
    name_iid: u64,
    #[prost(uint64, tag = "11")]
    track_uuid: u64,
    #[prost(fixed64, repeated, packed = "false", tag = "47")]
    flow_ids: Vec<u64>,
    #[prost(fixed64, repeated, packed = "false", tag = "48")]
    terminating_flow_ids: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct Annotation {
    #[prost(uint64, tag = "1")]
    name_iid: u64,
    #[prost(uint64, optional, tag = "3")]
    uint_value: Option<u64>,
    #[prost(uint64, optional, tag = "17")]
    string_value_iid: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct InternedData {
    #[prost(message, repeated, tag = "1")]
    event_categories: Vec<Interned>,
    #[prost(message, repeated, tag = "2")]
    event_names: Vec<Interned>,
    #[prost(message, repeated, tag = "3")]
    debug_annotation_names: Vec<Interned>,
    #[prost(message, repeated, tag = "29")]
    debug_annotation_string_values: Vec<Interned>,
}

#[derive(Clone, PartialEq, Message)]
struct Interned {
    #[prost(uint64, tag = "1")]
    iid: u64,
    #[prost(string, tag = "2")]
    text: String,
}

const BEGIN: u32 = 1;
const END: u32 = 2;
const INSTANT: u32 = 3;

/// Event with its texts. Times are in nanoseconds.
#[derive(Debug, Clone)]
pub(super) struct Event {
    kind: u32,
    time: u64,
    /// End of a slice.
    end: u64,
    /// Names of the group and of the track.
    track: (String, String),
    name: String,
    category: String,
    flows: Vec<u64>,
    ending_flows: Vec<u64>,
    values: HashMap<String, String>,
}

pub(super) struct Exported {
    events: Vec<Event>,
    /// Number of slices without an end.
    open: usize,
}

impl Exported {
    /// Parses the events of a file like a reader of the format.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let compressed = Trace::decode(bytes).unwrap().packet.into_iter();
        let packets = compressed.flat_map(|packet| {
            let bytes = decompress_to_vec_zlib(&packet.compressed_packets).unwrap();
            Trace::decode(&bytes[..]).unwrap().packet
        });
        let mut tracks: HashMap<u64, TrackDescriptor> = HashMap::new();
        let mut texts: [HashMap<u64, String>; 4] = Default::default();
        let mut events: Vec<Event> = vec![];
        let mut open: HashMap<u64, usize> = HashMap::new();
        for packet in packets {
            assert_eq!(packet.trusted_packet_sequence_id, 1);
            if let Some(track) = packet.track_descriptor {
                assert!(tracks.insert(track.uuid, track).is_none());
                continue;
            }
            if packet.sequence_flags & 1 == 1 {
                texts = Default::default();
            }
            let new = packet.interned_data.unwrap_or_default();
            let new = [
                new.event_categories,
                new.event_names,
                new.debug_annotation_names,
                new.debug_annotation_string_values,
            ];
            for (texts, new) in texts.iter_mut().zip(new) {
                for Interned { iid, text } in new {
                    assert!(iid > 0 && texts.insert(iid, text).is_none());
                }
            }
            let event = packet.track_event.unwrap();
            let track = &tracks[&event.track_uuid];
            if event.kind == END {
                let begun = open.remove(&event.track_uuid).unwrap();
                events[begun].end = packet.timestamp;
                continue;
            }
            assert_eq!(packet.sequence_flags & 2, 2);
            if event.kind == BEGIN {
                let nested = open.insert(event.track_uuid, events.len());
                assert_eq!(nested, None);
            }
            let [categories, names, value_names, values] = &texts;
            let values = event.debug_annotations.iter().map(|value| {
                let text = match (value.uint_value, value.string_value_iid) {
                    (Some(number), None) => number.to_string(),
                    (None, Some(iid)) => values[&iid].clone(),
                    _ => panic!("{value:?}"),
                };
                (value_names[&value.name_iid].clone(), text)
            });
            events.push(Event {
                kind: event.kind,
                time: packet.timestamp,
                end: packet.timestamp,
                track: (tracks[&track.parent_uuid].name.clone(), track.name.clone()),
                name: names[&event.name_iid].clone(),
                category: categories[&event.category_iids[0]].clone(),
                flows: event.flow_ids,
                ending_flows: event.terminating_flow_ids,
                values: values.collect(),
            });
        }
        let open = open.len();
        Self { events, open }
    }

    /// Numbers of requests, and of requests without a response.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.requests().count(), self.open)
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(|event| event.category == "request")
    }
}

fn exported(run: Run) -> (Exported, Vec<ShownRequest>) {
    let (_folder, trace) = recorded(run);
    let bytes = export(&trace, "--perfetto").unwrap();
    (Exported::parse(&bytes), served(&trace))
}

#[test]
fn every_event_is_on_a_track_and_times_do_not_go_back() {
    let (exported, _) = exported(Run::default());
    let mut ends: HashMap<&(String, String), u64> = HashMap::new();
    let mut now = 0;
    for event in &exported.events {
        match event.kind {
            BEGIN => assert_eq!(event.category, "request"),
            kind => assert_eq!(kind, INSTANT),
        }
        // Slices of a track don't overlap.
        if event.kind == BEGIN {
            let before = ends.insert(&event.track, event.end).unwrap_or_default();
            assert!(event.time >= before && event.end > event.time, "{event:?}");
        } else {
            assert!(event.time >= now, "{event:?} is before {now}");
            now = event.time;
        }
    }
    let tracks: Vec<&str> = exported.events.iter().map(|it| &*it.track.1).collect();
    for name in [
        "mailbox", "memory", "rpc", "foreign", "console", "core0", "core1",
    ] {
        assert!(tracks.contains(&name), "{name} is not in {tracks:?}");
    }
}

#[test]
fn requests_last_from_taken_to_answered() {
    let (exported, served) = exported(Run::default());
    let slices: Vec<&Event> = exported.requests().collect();
    assert_eq!((slices.len(), exported.open), (served.len(), 0));
    for (slice, served) in slices.iter().zip(&served) {
        assert_eq!(slice.track, ("channels".into(), served.channel.clone()));
        assert_eq!(slice.time / 1000, served.taken, "{slice:?}");
        assert_eq!((slice.end - 1) / 1000, served.answered, "{slice:?}");
        assert_eq!(slice.values["text"], served.text);
        assert!(served.text.starts_with(&slice.name), "{slice:?}");
    }
}

#[test]
fn arrows_lead_from_messages_to_their_replies() {
    let (exported, _) = exported(Run::default());
    let begun = exported
        .events
        .iter()
        .filter(|event| !event.flows.is_empty());
    let begun: HashMap<u64, &Event> = begun.map(|event| (event.flows[0], event)).collect();
    assert!(begun.len() > 20);
    let mut ended = 0;
    for event in exported
        .events
        .iter()
        .filter(|it| !it.ending_flows.is_empty())
    {
        let begin = begun[&event.ending_flows[0]];
        assert_eq!(begin.name, event.name);
        assert_eq!(begin.values["sequence"], event.values["sequence"]);
        assert!(begin.time < event.time, "{begin:?} {event:?}");
        ended += 1;
    }
    assert_eq!(ended, begun.len());
}

#[test]
fn a_run_that_goes_back_has_tracks_of_its_own_from_there_on() {
    let (_folder, trace, served) = gone_back();
    let exported = Exported::parse(&export(&trace, "--perfetto").unwrap());
    let back = format!("segment 2, from the checkpoint of tick {SAVED}");
    let mut ends: HashMap<&(String, String), u64> = HashMap::new();
    // A call of each channel was in service.
    let (open, slices): (Vec<&Event>, Vec<&Event>) = exported
        .requests()
        .partition(|slice| slice.values["text"].ends_with("; not answered"));
    assert_eq!((open.len(), exported.open), (2, 2));
    for open in open {
        assert_eq!((&*open.track.0, &*open.name), ("channels", "CALL"));
    }
    assert_eq!(slices.len(), served.len());
    for (slice, served) in slices.iter().zip(&served) {
        let group = match served.restores {
            0 => "channels".to_owned(),
            _ => format!("channels, {back}"),
        };
        assert_eq!(slice.track, (group, served.channel.clone()));
        assert_eq!(slice.time / 1000, served.taken, "{slice:?}");
        assert_eq!((slice.end - 1) / 1000, served.answered, "{slice:?}");
        let before = ends.insert(&slice.track, slice.end).unwrap_or_default();
        assert!(slice.time >= before);
    }
    let groups = exported.events.iter().map(|event| &*event.track.0);
    assert!(
        groups
            .clone()
            .any(|group| group == format!("actors, {back}"))
    );
    let groups: std::collections::HashSet<&str> = groups.collect();
    assert_eq!(groups.len(), 4, "{groups:?}");
}

#[test]
fn standard_output_has_the_same_bytes() {
    let (_folder, trace) = recorded(Run::default());
    for format in ["--perfetto", "--ftr"] {
        let mut command = crate::command();
        let output = command.args(["trace", "export", format]).arg(&trace);
        let output = output.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(output.stdout, export(&trace, format).unwrap(), "{format}");
    }
}
