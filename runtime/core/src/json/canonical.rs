//! The canonical form of a JSON value (RFC 8785), so that two sides compute the same digest from the same data.

use serde::Serialize;
use serde_json::Value;

/// A value has no canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// An integer beyond 2^53 - 1: other readers would see another number (RFC 7493, section 2.2).
    #[error("the integer {0} is beyond 2^53 - 1; write it as a string")]
    Integer(String),
    /// The value cannot be written as JSON at all.
    #[error("no JSON value: {0}")]
    Unserializable(String),
}

/// The largest integer that every JSON reader sees exactly: 2^53 - 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The RFC 8785 bytes of a value.
///
/// # Errors
/// If the value holds an integer beyond 2^53 - 1 or cannot be written as JSON.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(value).map_err(|error| CanonicalError::Unserializable(error.to_string()))?;
    refuse(&value)?;
    serde_json_canonicalizer::to_vec(&value).map_err(|error| CanonicalError::Unserializable(error.to_string()))
}

fn refuse(value: &Value) -> Result<(), CanonicalError> {
    match value {
        Value::Number(number) => {
            let unsafe_integer = number.as_u64().is_some_and(|n| n > MAX_SAFE_INTEGER)
                || number.as_i64().is_some_and(|n| n.unsigned_abs() > MAX_SAFE_INTEGER);
            if unsafe_integer { Err(CanonicalError::Integer(number.to_string())) } else { Ok(()) }
        }
        Value::Array(items) => items.iter().try_for_each(refuse),
        Value::Object(members) => members.values().try_for_each(refuse),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}
