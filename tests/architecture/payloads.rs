//! Payload of messages: bytes and text of firmware, files and clients, which a recording may omit.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Source, sources, words};

/// Fields with bytes or text that are not payload: every recording has them (`docs/trace.md`).
const NO_PAYLOAD: &[(&str, &[&str])] = &[
    (
        "names and paths",
        &[
            "ActOnPath.path",
            "BufferName.name",
            "DirectoryEntry.name",
            "FileOpened.path",
            "Open.name",
            "Open.path",
            "OpenSpecial.path",
            "Opener",
            "ExpandPath.path",
            "PathAction.to",
            "PathStatus.path",
            "PosixOpen.path",
            "SavedFile.path",
            "SavedFileKind.entries",
            "SavedRequests.channel",
            "SavedRequests.kind",
            "SavedSocket.name",
            "SavedStatistics.printed",
        ],
    ),
    (
        "greetings of sockets",
        &["Greet.text", "SavedSocket.greeting"],
    ),
    (
        "texts of the host's reports",
        &["FileRefused.reason", "Report.id", "Report.text"],
    ),
    ("words of channels", &["WordsRang.words"]),
];

/// State at the beginning of a part. Parts are cut out of recordings with payloads only.
const OF_PARTS: &str = "Resumed";

#[test]
fn messages_declare_their_bytes_and_texts_as_payload() {
    let sources = sources("src/messages");
    let types = Types::new(&sources);
    let of_frame = types.data("FrameDecoded", "rtt.rs", &mut BTreeSet::new());
    assert!(of_frame.contains("DefmtFrame.text"), "{of_frame:?}");
    let mut used = BTreeSet::new();
    let mut undeclared = vec![];
    for source in &sources {
        let messages = without_payload(source);
        for message in messages.iter().filter(|name| *name != OF_PARTS) {
            for field in types.data(message, &source.place, &mut BTreeSet::new()) {
                if NO_PAYLOAD
                    .iter()
                    .any(|(_, fields)| fields.contains(&&*field))
                {
                    used.insert(field);
                } else {
                    undeclared.push(format!("src/messages/{}: {message}: {field}", source.place));
                }
            }
        }
    }
    assert!(
        undeclared.is_empty(),
        "no payload of their message, and not in NO_PAYLOAD:\n{}",
        undeclared.join("\n")
    );
    let listed = NO_PAYLOAD.iter().flat_map(|(_, fields)| *fields);
    let unused: Vec<_> = listed.filter(|field| !used.contains(**field)).collect();
    assert!(unused.is_empty(), "in no message: {unused:?}");
}

/// Messages without a payload: those in the lists, and those that implement their attributes
/// themselves.
fn without_payload(source: &Source) -> Vec<String> {
    let lines = source.code.lines();
    let listed = lines.filter(|line| line.contains("-> ") && line.contains("payload: none }"));
    let listed = listed.filter_map(|line| words(line).next());
    let blocks = source.code.split("Attributes for ").skip(1);
    let plain = blocks.filter(|block| {
        let end = block.find("\n}").unwrap_or(block.len());
        let end = block.find("{}").map_or(end, |empty| empty.min(end));
        !block[..end].contains("fn redact")
    });
    let plain = plain.filter_map(|block| words(block).next());
    listed.chain(plain).map(String::from).collect()
}

/// Types of messages and of their fields, by name: place, and fields with their types.
struct Types<'a>(BTreeMap<&'a str, Vec<(&'a str, Vec<Field<'a>>)>>);

/// Name of a field, empty in a tuple, and its type.
type Field<'a> = (&'a str, &'a str);

impl<'a> Types<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let mut types: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for source in sources {
            for keyword in ["pub struct ", "pub enum "] {
                for item in source.code.split(keyword).skip(1) {
                    let Some(name) = words(item).next() else {
                        continue;
                    };
                    let of_file = types.entry(name).or_default();
                    of_file.push((&*source.place, fields(definition(item))));
                }
            }
        }
        Self(types)
    }

    /// Fields with bytes or text that a type contains, directly or in other types.
    fn data(&self, name: &str, place: &str, seen: &mut BTreeSet<String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if !seen.insert(name.to_owned()) {
            return found;
        }
        let known = self.0.get(name).map_or(&[][..], Vec::as_slice);
        // Two files may have messages of the same name.
        let own = known.iter().find(|(file, _)| *file == place);
        let Some((file, fields)) = own.or(known.first()) else {
            return found;
        };
        for (field, of_type) in fields {
            let mut has_data = false;
            for part in words(of_type) {
                has_data |= ["Bytes", "String"].contains(&part);
                found.extend(self.data(part, file, seen));
            }
            if has_data && field.is_empty() {
                found.insert(name.to_owned());
            } else if has_data {
                found.insert(format!("{name}.{field}"));
            }
        }
        found
    }
}

/// Text of a type from its name to its end.
fn definition(item: &str) -> &str {
    let mut depth = 0_usize;
    for (at, character) in item.char_indices() {
        match character {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            ';' if depth == 0 => return &item[..at],
            _ => {}
        }
        if depth == 0 && matches!(character, '}' | ')') {
            return &item[..at];
        }
    }
    item
}

/// Fields of a definition: those on lines with a colon, otherwise the parts of tuples.
fn fields(definition: &str) -> Vec<Field<'_>> {
    let (_, body) = definition.split_once(['{', '(']).unwrap_or_default();
    let lines = body.lines().filter(|line| !line.trim().starts_with('#'));
    let field = |line| {
        let line: &str = line;
        match line.split_once(": ") {
            Some((name, of_type)) => (words(name).last().unwrap_or_default(), of_type),
            None => ("", line),
        }
    };
    lines.map(field).collect()
}
