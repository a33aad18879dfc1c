//! Problems of keys, and lists of known names.

use super::ExpandProblem;

/// Key that is missing, unknown or of another type. The message is serde's.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// Problem of a value below a key.
    #[error("`{key}`: {source}")]
    At {
        /// The key, dotted if nested.
        key: String,
        /// The problem, as reported by serde.
        source: serde_yaml::Error,
    },
    /// A likely misspelling of a known key.
    #[error("`{key}`: unknown key; did you mean `{meant}`?")]
    NearMiss {
        /// The key, dotted if nested.
        key: String,
        /// Known key that resembles it.
        meant: &'static str,
    },
    /// Misspelling of a key that is present as well.
    #[error("`{key}`: unknown key, and `{meant}` is given, too; leave one of them out")]
    Twice {
        /// The key, dotted if nested.
        key: String,
        /// The known key that it is a spelling of.
        meant: &'static str,
    },
    /// Trailing digits of a number that contains a comma.
    #[error("`{key}`: unknown key; a number has no comma: write 1024 or 1_024, and not 1,024")]
    Digits {
        /// The key, dotted if nested.
        key: String,
    },
    /// Key and value without a blank between them.
    #[error("`{key}`: unknown key; write a space after the colon of `{meant}:`")]
    NoBlank {
        /// The word, dotted if nested.
        key: String,
        /// Known key with which the word begins.
        meant: &'static str,
    },
    /// A value with variables that can't be expanded.
    #[error("`{key}`: {}", .problem.in_text(.text))]
    Expand {
        /// The key, dotted if nested.
        key: String,
        /// The value as written.
        text: String,
        /// The part that can't be expanded.
        problem: ExpandProblem,
    },
    /// A problem of the map as a whole. The message names the key.
    #[error(transparent)]
    Map(serde_yaml::Error),
}

/// Formats a list, such as "spaces: `a`, `b`" or "spaces: none".
pub(super) fn known(what: &str, names: &[String]) -> String {
    if names.is_empty() {
        format!("{what}: none")
    } else {
        format!("{what}: `{}`", names.join("`, `"))
    }
}
