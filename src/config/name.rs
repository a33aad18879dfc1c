//! Names of memories, channels, HDL arrays and files. They must not be empty.

/// An empty or blank name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is empty; give a name, or leave the key out")]
pub struct NoName {
    /// Key of the name.
    pub key: &'static str,
}

/// Returns the expanded name of `key` unless it is empty.
pub(super) fn named<T: AsRef<str>>(key: &'static str, name: T) -> Result<T, NoName> {
    match name.as_ref().trim() {
        "" => Err(NoName { key }),
        _ => Ok(name),
    }
}
