//! Names that must not be empty: of memories, channels, HDL arrays and files.

/// A name that is empty, or blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is empty; give a name, or leave the key out")]
pub struct NoName {
    /// The key.
    pub key: &'static str,
}

/// Passes on the name of `key`, after its variables were expanded.
pub(super) fn named<T: AsRef<str>>(key: &'static str, name: T) -> Result<T, NoName> {
    match name.as_ref().trim() {
        "" => Err(NoName { key }),
        _ => Ok(name),
    }
}
