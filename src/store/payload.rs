//! JSON payloads that are sure to read back.
//!
//! JSON has no NaN: serde_json writes `null` for it, which a plain `f64` refuses on reading. So
//! each payload is read back before it is stored: a bad value is refused where it was made, not
//! in a later run.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;

/// Writes a value as JSON.
pub(super) fn encode<T: Serialize + DeserializeOwned>(
    what: &'static str,
    value: &T,
) -> Result<String, StoreError> {
    let text =
        serde_json::to_string(value).map_err(|source| StoreError::Payload { what, source })?;
    decode::<T>(what, &text)?;
    Ok(text)
}

/// Reads a value from JSON.
pub(super) fn decode<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Payload { what, source })
}
