//! The canonical form of a JSON value (RFC 8785), so that two sides compute the same digest from the same data.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

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

/// The value with the members of every object sorted by their names, so that a text made of it is the same in every build. Any
/// crate of a program can switch on `serde_json/preserve_order`, by which objects keep the order in which their members came. So
/// whatever is compared, hashed, given to a guest or shown is sorted where it is made.
#[must_use]
pub fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

/// The value as [`sorted`] leaves it, without a copy where it already is so.
#[must_use]
pub fn in_order(value: &Value) -> Cow<'_, Value> {
    if is_in_order(value) { Cow::Borrowed(value) } else { Cow::Owned(sorted(value.clone())) }
}

fn is_in_order(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_in_order),
        Value::Object(members) => members.keys().is_sorted() && members.values().all(is_in_order),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// The members of an object as [`sorted`] leaves them.
#[must_use]
pub fn sorted_members(mut members: Map<String, Value>) -> Map<String, Value> {
    members.sort_keys();
    members.values_mut().for_each(Value::sort_all_objects);
    members
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
