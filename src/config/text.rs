//! Texts that are kept from the YAML parser: those that it reads wrongly, or for hours. A look at the characters, without a
//! grammar: what it refuses stands in no reasonable configuration, not even in quotes.

use std::collections::HashSet;

/// How deep brackets nest, and how many tags a text declares, at most. The parser's time grows with the square of either.
const MAX_DEPTH: usize = 100;

/// A text that is not for the parser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Longer than any configuration.
    #[error("{len} bytes of text are more than the {max} that a configuration may have")]
    TooLong {
        /// Bytes of the text.
        len: usize,
        /// Bytes that it may have.
        max: usize,
    },
    /// Nested deeper than any configuration.
    #[error(
        "more than {MAX_DEPTH} brackets are open at once; a configuration nests a few lists and maps"
    )]
    TooDeep,
    /// Tags have no meaning here.
    #[error("more than {MAX_DEPTH} %TAG directives; a configuration needs none")]
    TooManyTags,
    /// A character that YAML does not allow: the file is hardly text.
    #[error("the character U+{:04X} is not allowed in YAML; is the file text, as UTF-8?", *.character as u32)]
    Control {
        /// The character.
        character: char,
        /// Its line, from 1.
        line: usize,
    },
    /// More than one document.
    #[error(
        "a second document begins here; a configuration is one document: leave out `---` and `...`"
    )]
    SecondDocument {
        /// The line of its first text, or of the marker, from 1.
        line: usize,
    },
    /// YAML allows it, but `serde_yaml` 0.9 then takes the next new anchor for this one.
    #[error("the anchor `&{name}` is defined twice, the second time in line {line}; rename one")]
    AnchorTwice {
        /// The anchor's name.
        name: String,
        /// The line of its second definition, from 1.
        line: usize,
    },
}

impl TextError {
    /// Line of what is wrong, from 1, where the message does not have it.
    pub(super) fn line(&self) -> Option<usize> {
        match self {
            Self::Control { line, .. } | Self::SecondDocument { line } => Some(*line),
            Self::TooLong { .. } | Self::TooDeep | Self::TooManyTags | Self::AnchorTwice { .. } => {
                None
            }
        }
    }
}

/// Refuses a text of more than `max` bytes, and what the parser cannot cope with.
pub(super) fn check(text: &str, max: usize) -> Result<(), TextError> {
    if text.len() > max {
        return Err(TextError::TooLong {
            len: text.len(),
            max,
        });
    }
    if depth(text) > MAX_DEPTH {
        return Err(TextError::TooDeep);
    }
    if text.matches("%TAG").count() > MAX_DEPTH {
        return Err(TextError::TooManyTags);
    }
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(character) = line.chars().find(|character| is_refused(*character)) {
            return Err(TextError::Control {
                character,
                line: number,
            });
        }
    }
    if let Some(line) = second_document(text) {
        return Err(TextError::SecondDocument { line });
    }
    let mut names = HashSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = anchors(line).find(|name| !names.insert(*name)) {
            return Err(TextError::AnchorTwice {
                name: name.to_owned(),
                line: number,
            });
        }
    }
    Ok(())
}

/// True for a control character that YAML has no place for.
fn is_refused(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\r' | '\u{85}')
}

/// Line in which a second document begins, from 1. At the start of a line, markers are none of a text.
fn second_document(text: &str) -> Option<usize> {
    let is = |line: &str, marker: &str| {
        let behind = line.strip_prefix(marker);
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with([' ', '\t', '\r']))
    };
    // A document has begun; it has ended.
    let (mut begun, mut ended) = (false, false);
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        if is(line, "...") {
            ended = begun;
        } else if is(line, "---") {
            if begun {
                return Some(number);
            }
            begun = true;
        } else if !line.trim().is_empty() && !line.trim_start().starts_with(['#', '%']) {
            if ended {
                return Some(number);
            }
            begun = true;
        }
    }
    None
}

/// How many brackets are open at once.
fn depth(text: &str) -> usize {
    let mut open: usize = 0;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// The names of anchors that a line defines.
fn anchors(line: &str) -> impl Iterator<Item = &str> {
    let begins_comment = |(at, _): &(usize, &str)| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(char::is_whitespace)
    };
    let comment = line.match_indices('#').find(begins_comment);
    let code = comment.map_or(line, |(at, _)| &line[..at]);
    let separator = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '{' | '}' | ',');
    code.split(separator)
        .filter_map(|word| word.strip_prefix('&'))
        .filter(|name| !name.is_empty())
}
