//! Texts with variables that can't be expanded.

/// A text with variables that can't be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {}", .problem.in_text(.text))]
pub struct ExpandError {
    /// Key of the text.
    pub key: &'static str,
    /// The text as written.
    pub text: String,
    /// The part that can't be expanded.
    pub problem: ExpandProblem,
}

/// A part of a text that can't be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpandProblem {
    /// An environment variable that is unset or not UTF-8.
    Unset(String),
    /// `${` that is not followed by a name and `}`.
    Unterminated,
    /// `~user` at the beginning.
    OtherHome,
}

impl ExpandProblem {
    pub(super) fn in_text(&self, text: &str) -> String {
        match self {
            Self::Unset(variable) => format!(
                "the environment variable `{variable}` of `{text}` is not set (or not text); set it, or write `$$` for a plain `$`"
            ),
            Self::Unterminated => format!(
                "`{text}` has `${{` without a name and `}}` behind it; write `${{NAME}}`, or `$$` for a plain `$`"
            ),
            Self::OtherHome => format!(
                "`{text}` begins with another user's home directory, which is not expanded; write the directory's path, or `./~` for a \
                 name that begins with `~`"
            ),
        }
    }
}
