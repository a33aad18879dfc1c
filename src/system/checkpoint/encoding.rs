//! Encoding of the parts of a checkpoint.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::CheckpointError;
use crate::trace::{deserialize, encode};

/// Serialized value.
pub(super) fn serialized<T: Serialize>(value: &T) -> Result<Vec<u8>, CheckpointError> {
    let mut bytes = Vec::new();
    let encoded = encode(value, &mut bytes);
    encoded.map_err(|text| CheckpointError::Unserializable(text.into()))?;
    Ok(bytes)
}

/// Deserialized part.
pub(super) fn deserialized<T: DeserializeOwned>(
    part: &str,
    bytes: &[u8],
) -> Result<T, CheckpointError> {
    deserialize(bytes).map_err(|damage| CheckpointError::Content {
        part: part.to_owned(),
        cause: damage.to_string(),
    })
}
