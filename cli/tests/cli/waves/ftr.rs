//! FTR files, read as CBOR by another crate, by LWTR4SC's description of the format.

use std::collections::{BTreeMap, HashMap};

use ciborium::Value;

use super::{export, gone_back, recorded, served};
use crate::run::{Run, SAVED};

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) stream: String,
    generator: String,
    begin: u64,
    end: u64,
    /// Attributes by time (7 at the beginning, 9 at the end) and name.
    attributes: BTreeMap<(u64, String), String>,
}

pub(super) struct Exported {
    exponent: i64,
    pub(super) transactions: Vec<Transaction>,
}

fn number(value: &Value) -> u64 {
    value.as_integer().unwrap().try_into().unwrap()
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Content of a chunk.
fn content(value: &Value) -> Value {
    let bytes = value.as_bytes().unwrap();
    let mut rest = &bytes[..];
    let content = ciborium::from_reader(&mut rest).unwrap();
    assert!(rest.is_empty());
    content
}

impl Exported {
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Transaction> {
        let result = |it: &Transaction| it.attributes[&(9, "result".to_owned())].clone();
        let all = self.transactions.iter();
        all.filter(move |it| result(it) == "not answered")
    }

    pub(super) fn parse(bytes: &[u8]) -> Self {
        assert_eq!(bytes[..4], [0xd9, 0xd9, 0xf7, 0x9f]);
        let mut rest = bytes;
        let (_, chunks) = match ciborium::from_reader(&mut rest).unwrap() {
            Value::Tag(tag, chunks) => (assert_eq!(tag, 55799), *chunks),
            other => panic!("{other:?}"),
        };
        assert!(rest.is_empty());
        let mut exponent = None;
        let mut texts: HashMap<u64, String> = HashMap::new();
        let (mut streams, mut generators) = (HashMap::new(), HashMap::new());
        let mut transactions = vec![];
        let mut seen = 0;
        for chunk in chunks.as_array().unwrap() {
            let (tag, chunk) = chunk.as_tag().unwrap();
            match tag {
                6 => {
                    let info = content(chunk);
                    let info = info.as_array().unwrap();
                    assert_eq!(info.len(), 2);
                    exponent = Some(info[0].as_integer().unwrap().try_into().unwrap());
                    assert_eq!(info[1].as_tag().unwrap().0, 1);
                }
                8 => {
                    for (key, text) in content(chunk).as_map().unwrap() {
                        let before = texts.insert(number(key), text.as_text().unwrap().into());
                        assert_eq!(before, None);
                    }
                }
                10 => {
                    for entry in content(chunk).as_array().unwrap() {
                        let (tag, entry) = entry.as_tag().unwrap();
                        let [id, name, of] = numbers(entry)[..].try_into().unwrap();
                        let name = texts[&name].clone();
                        let before = match tag {
                            16 => {
                                assert_eq!(texts[&of], "channel");
                                streams.insert(id, (name, 0))
                            }
                            17 => {
                                assert!(streams.contains_key(&of));
                                generators.insert(id, (name, of))
                            }
                            other => panic!("tag {other}"),
                        };
                        assert_eq!(before, None);
                    }
                }
                12 => {
                    let [stream, begin, end, block] = &chunk.as_array().unwrap()[..] else {
                        panic!("{chunk:?}");
                    };
                    let (stream, begin, end) = (number(stream), number(begin), number(end));
                    for transaction in content(block).as_array().unwrap() {
                        let items = transaction.as_array().unwrap();
                        let (tag, event) = items[0].as_tag().unwrap();
                        assert_eq!(tag, 6);
                        let event = numbers(event);
                        let [_, generator, from, to] = event[..].try_into().unwrap();
                        let (generator, of) = &generators[&generator];
                        assert_eq!(*of, stream);
                        assert!(begin <= from && from <= to && to <= end);
                        let attributes = items[1..].iter().map(|item| {
                            let (tag, item) = item.as_tag().unwrap();
                            let [name, kind, value] = numbers(item)[..].try_into().unwrap();
                            let value = match kind {
                                3 => value.to_string(),
                                10 => texts[&value].clone(),
                                other => panic!("type {other}"),
                            };
                            ((tag, texts[&name].clone()), value)
                        });
                        transactions.push((
                            event[0],
                            Transaction {
                                stream: streams[&stream].0.clone(),
                                generator: generator.clone(),
                                begin: from,
                                end: to,
                                attributes: attributes.collect(),
                            },
                        ));
                        seen += 1;
                    }
                }
                other => panic!("tag {other}"),
            }
        }
        transactions.sort_by_key(|(number, _)| *number);
        assert!(transactions.iter().map(|(number, _)| *number).eq(1..=seen));
        Self {
            exponent: exponent.unwrap(),
            transactions: transactions.into_iter().map(|(_, it)| it).collect(),
        }
    }
}

#[test]
fn each_request_is_a_transaction() {
    let (_folder, trace) = recorded(Run::default());
    let served = served(&trace);
    for (options, exponent, per_tick) in [
        ("--ftr", -12, 1000),
        ("--ftr --clock-period 10ns", -12, 10_000),
        ("--ftr --clock-period 1ps", -15, 1000),
    ] {
        let exported = Exported::parse(&export(&trace, options).unwrap());
        assert_eq!(exported.exponent, exponent);
        assert_eq!(exported.transactions.len(), served.len());
        for (found, served) in exported.transactions.iter().zip(&served) {
            assert_eq!(found.stream, served.channel);
            assert_eq!(found.begin / per_tick, served.taken, "{found:?}");
            assert_eq!((found.end - 1) / per_tick, served.answered, "{found:?}");
            assert!(served.text.starts_with(&found.generator), "{found:?}");
            let of = |place, name: &str| &found.attributes[&(place, name.to_owned())];
            assert!(served.text.starts_with(of(7, "request")), "{found:?}");
            assert_eq!(of(7, "taken"), &served.taken.to_string());
            assert_eq!(of(9, "answered"), &served.answered.to_string());
            let result = of(9, "result");
            assert_eq!(result == "0x7", found.generator == "CALL", "{found:?}");
        }
    }
}

#[test]
fn a_run_that_goes_back_has_streams_of_its_own_from_there_on() {
    let (_folder, trace, served) = gone_back();
    let exported = Exported::parse(&export(&trace, "--ftr").unwrap());
    // A call of each channel was in service.
    let open: Vec<&str> = exported.unanswered().map(|it| &*it.stream).collect();
    assert_eq!(open, ["core0", "core1"]);
    let is_answered =
        |it: &&Transaction| it.attributes[&(9, "result".to_owned())] != "not answered";
    let found: Vec<&Transaction> = exported.transactions.iter().filter(is_answered).collect();
    assert_eq!(found.len(), served.len());
    for (found, served) in found.into_iter().zip(&served) {
        let channel = &served.channel;
        let stream = match served.restores {
            0 => channel.clone(),
            _ => format!("{channel}, segment 2, from the checkpoint of tick {SAVED}"),
        };
        assert_eq!(found.stream, stream);
        assert_eq!(found.begin / 1000, served.taken);
        assert_eq!((found.end - 1) / 1000, served.answered);
    }
}
