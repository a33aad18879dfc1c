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
    /// YAML allows it, but `serde_yaml` 0.9 then takes the next new anchor for this one.
    #[error("the anchor `&{name}` is defined twice, the second time in line {line}; rename one")]
    AnchorTwice {
        /// The anchor's name.
        name: String,
        /// The line of its second definition, from 1.
        line: usize,
    },
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
