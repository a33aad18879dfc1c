//! Texts that are rejected before parsing, because the YAML parser misreads them or takes hours.
//! The check considers characters without a grammar. No reasonable configuration contains a
//! rejected text, not even in quotes.

use std::collections::HashSet;

/// Maximum nesting of brackets, and maximum number of declared tags. The parser's time is quadratic
/// in both.
const MAX_DEPTH: usize = 100;

/// Text that must not reach the parser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A text longer than any configuration.
    #[error("{len} bytes of text are more than the {max} that a configuration may have")]
    TooLong {
        /// Length of the text in bytes.
        len: usize,
        /// Maximum length in bytes.
        max: usize,
    },
    /// Nesting deeper than in any configuration.
    #[error(
        "more than {MAX_DEPTH} brackets are open at once; a configuration nests a few lists and maps"
    )]
    TooDeep,
    /// Too many tag declarations. Tags have no meaning here.
    #[error("more than {MAX_DEPTH} %TAG directives; a configuration needs none")]
    TooManyTags,
    /// A character that YAML does not allow. The file is probably not text.
    #[error("the character U+{:04X} is not allowed in YAML; is the file text, as UTF-8?", *.character as u32)]
    Control {
        /// The rejected character.
        character: char,
        /// Line of the character, from 1.
        line: usize,
    },
    /// A second document.
    #[error(
        "a second document begins here; a configuration is one document: leave out `---` and `...`"
    )]
    SecondDocument {
        /// Line, from 1, of the second document's first text or of the marker.
        line: usize,
    },
    /// An anchor defined twice. YAML allows it, but `serde_yaml` 0.9 then confuses the next new
    /// anchor with this one.
    #[error("the anchor `&{name}` is defined twice, the second time in line {line}; rename one")]
    AnchorTwice {
        /// Name of the anchor.
        name: String,
        /// Line of its second definition, from 1.
        line: usize,
    },
}

impl TextError {
    /// Line of the problem, from 1, unless the message contains it.
    pub(super) fn line(&self) -> Option<usize> {
        match self {
            Self::Control { line, .. } | Self::SecondDocument { line } => Some(*line),
            Self::TooLong { .. } | Self::TooDeep | Self::TooManyTags | Self::AnchorTwice { .. } => {
                None
            }
        }
    }
}

/// Rejects a text of more than `max` bytes, or one that the parser can't handle.
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

/// True for a control character that YAML does not allow.
fn is_refused(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\r' | '\u{85}')
}

/// Line, from 1, at which a second document begins. A marker at the start of a line is never part
/// of a scalar.
fn second_document(text: &str) -> Option<usize> {
    let is = |line: &str, marker: &str| {
        let behind = line.strip_prefix(marker);
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with([' ', '\t', '\r']))
    };
    // State of the first document.
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

/// Maximum number of brackets open at once.
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

/// Names of the anchors defined in a line.
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
