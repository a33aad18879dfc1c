//! FST files, read by `fst-reader`.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

use fst_reader::{FstFilter, FstHierarchyEntry, FstReader, FstSignalValue};

use super::{ShownRequest, export, gone_back, recorded, served};
use crate::run::{Run, SAVED};
use crate::{command, end};

/// Signals of a channel at one time.
type Values = HashMap<String, String>;

pub(super) struct Exported {
    exponent: i8,
    end: u64,
    /// Values of each channel, by the time from which they hold.
    channels: BTreeMap<String, BTreeMap<u64, Values>>,
}

/// Request as shown by the signals.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WaveRequest {
    channel: String,
    number: u64,
    kind: String,
    request: String,
    result: String,
    begin: u64,
    end: u64,
}

impl Exported {
    pub(super) fn parse(bytes: Vec<u8>) -> Self {
        let mut reader = FstReader::open(Cursor::new(bytes)).unwrap();
        let header = reader.get_header();
        let (mut path, mut names) = (vec![], vec![]);
        reader
            .read_hierarchy(|entry| match entry {
                FstHierarchyEntry::Scope { name, .. } => path.push(name),
                FstHierarchyEntry::UpScope => assert!(path.pop().is_some()),
                FstHierarchyEntry::Var { name, handle, .. } => {
                    assert_eq!(handle.get_index(), names.len());
                    assert_eq!((path.len(), &*path[0]), (2, "vhost"));
                    names.push((path[1].clone(), name));
                }
                _ => (),
            })
            .unwrap();
        assert!(path.is_empty());
        let mut channels: BTreeMap<String, BTreeMap<u64, Values>> = BTreeMap::new();
        let all = FstFilter::all();
        let read = reader.read_signals(&all, |time, signal, value| {
            let FstSignalValue::String(value) = value else {
                panic!("a real number");
            };
            let (channel, name) = &names[signal.get_index()];
            let times = channels.entry(channel.clone()).or_default();
            if !times.contains_key(&time) {
                let last = times.values().next_back().cloned().unwrap_or_default();
                times.insert(time, last);
            }
            let value = std::str::from_utf8(value).unwrap().to_owned();
            times.get_mut(&time).unwrap().insert(name.clone(), value);
            Ok::<(), ()>(())
        });
        read.unwrap();
        Self {
            exponent: header.timescale_exponent,
            end: header.end_time,
            channels,
        }
    }

    /// Requests without an end.
    pub(super) fn open(&self) -> impl Iterator<Item = String> {
        let last = self
            .channels
            .values()
            .filter_map(|times| times.values().next_back());
        let busy = last.filter(|values| values["busy"] == "1");
        busy.map(|values| values["request"].clone())
    }

    /// Requests that begin and end.
    pub(super) fn requests(&self) -> Vec<WaveRequest> {
        let mut all = vec![];
        for (channel, times) in &self.channels {
            let mut open: Option<WaveRequest> = None;
            for (time, values) in times {
                assert_eq!(values.len(), 5, "{values:?}");
                let (is_busy, text) = (values["busy"] == "1", |name| values[name].clone());
                assert_eq!(is_busy, !values["kind"].is_empty());
                assert_eq!(is_busy, !values["request"].is_empty());
                if let Some(mut shown) = open.take() {
                    shown.end = *time;
                    shown.result = text("result");
                    all.push(shown);
                }
                if is_busy {
                    open = Some(WaveRequest {
                        channel: channel.clone(),
                        number: u64::from_str_radix(&values["number"], 2).unwrap(),
                        kind: text("kind"),
                        request: text("request"),
                        result: String::new(),
                        begin: *time,
                        end: 0,
                    });
                }
            }
        }
        all
    }
}

fn compare(exported: &Exported, served: &[ShownRequest], per_tick: u64) {
    let shown = exported.requests();
    let mut counts: HashMap<&str, u64> = HashMap::new();
    assert_eq!(shown.len(), served.len());
    for served in served {
        let number = counts.entry(&served.channel).or_default();
        let of = |it: &&WaveRequest| it.channel == served.channel && it.number == *number;
        let shown = shown.iter().find(of).unwrap();
        assert_eq!(shown.begin / per_tick, served.taken, "{shown:?}");
        assert_eq!((shown.end - 1) / per_tick, served.answered, "{shown:?}");
        assert!(served.text.starts_with(&shown.request), "{shown:?}");
        assert!(shown.request.starts_with(&shown.kind), "{shown:?}");
        let result = match shown.kind.as_str() {
            "CALL" => "; gives 0x7",
            _ => "; ",
        };
        assert!(served.text.contains(result), "{served:?}");
        *number += 1;
    }
}

#[test]
fn signals_show_each_request() {
    let (_folder, trace) = recorded(Run::default());
    let served = served(&trace);
    let last = served.iter().map(|it| it.answered).max().unwrap();
    // Without a configured period, a tick is a nanosecond.
    for (options, exponent, per_tick) in [
        ("--fst", -12, 1000),
        ("--fst --clock-period 10ns", -12, 10_000),
        ("--fst --clock-period 1s", -12, 1_000_000_000_000),
        ("--fst --clock-period 4ps", -15, 4000),
    ] {
        let exported = Exported::parse(export(&trace, options).unwrap());
        assert_eq!(exported.exponent, exponent);
        assert!(exported.end >= (last + 1) * per_tick && exported.end < (last + 5) * per_tick);
        compare(&exported, &served, per_tick);
        let calls = exported
            .requests()
            .into_iter()
            .filter(|it| it.kind == "CALL");
        assert!(calls.map(|it| it.result).eq(["0x7", "0x7"]));
    }
}

#[test]
fn a_segment_has_a_file_of_its_own() {
    let (_folder, trace, served) = gone_back();
    let output = trace.with_extension("fst");
    let mut export_first = command();
    export_first.args(["trace", "export", "--fst"]).arg(&trace);
    let ended = end(export_first.arg("-o").arg(&output));
    assert!(ended.stderr.contains("has 2 segments"), "{ended:?}");
    assert_eq!(ended.status, Some(0));
    let first = std::fs::read(&output).unwrap();
    assert_eq!(first, export(&trace, "--fst --segment 1").unwrap());
    for (segment, bytes) in [
        (0, first),
        (1, export(&trace, "--fst --segment 2").unwrap()),
    ] {
        let own = served.iter().filter(|it| it.restores == segment).cloned();
        let own: Vec<ShownRequest> = own.collect();
        let exported = Exported::parse(bytes);
        compare(&exported, &own, 1000);
        // A call of each channel was in service.
        let open: Vec<String> = exported.open().collect();
        assert_eq!(open.len(), if segment == 0 { 2 } else { 0 }, "{open:?}");
        assert!(open.iter().all(|request| request.starts_with("CALL ")));
        assert!(segment == 0 || own.iter().all(|it| it.answered >= SAVED));
    }
}
