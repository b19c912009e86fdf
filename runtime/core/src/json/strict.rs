//! The one reader for every JSON text that is signed, hashed or checked.
//!
//! It refuses what two readers could understand differently: a key that comes twice (after unescaping), an integer
//! beyond 2^53 - 1, a number that is no finite double, a lone surrogate, nesting beyond 127, bytes after the value.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::canonical::MAX_SAFE_INTEGER;

/// A text is no JSON that everybody reads alike.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// The line, from 1; 0 if the fault has no place.
    pub line: usize,
    /// The column in bytes, from 1; 0 if the fault has no place.
    pub column: usize,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let message = match text.split(" at line ").next().unwrap_or(&text) {
            // What `serde_json` says of the first half of a pair that no second half follows.
            "unexpected end of hex escape" | "lone leading surrogate in hex escape" => "a lone surrogate in a \\u escape",
            message => message,
        };
        Self { message: message.to_owned(), line, column }
    }
}

/// Reads one JSON value, whose objects have their members sorted by name.
///
/// # Errors
/// If the bytes are no UTF-8, no JSON, or JSON that two readers could understand differently.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    refuse_huge_integers(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// `serde_json` turns an integer that fits no 64 bits into a float without a word, so integers are judged by their text.
fn refuse_huge_integers(bytes: &[u8]) -> Result<(), JsonError> {
    let (mut line, mut line_start, mut at) = (1, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let text = number_at(bytes, at);
                if is_huge_integer(text) {
                    let shown = String::from_utf8_lossy(text.get(..40).unwrap_or(text)).into_owned();
                    let message = format!("the integer {shown} is beyond 2^53 - 1; write it as a string");
                    return Err(JsonError { message, line, column: at - line_start + 1 });
                }
                at += text.len();
            }
            b'\n' => {
                line += 1;
                at += 1;
                line_start = at;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at + 1,
            Some(_) => at += 1,
        }
    }
}

fn number_at(bytes: &[u8], start: usize) -> &[u8] {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
    rest.get(..length).unwrap_or_default()
}

fn is_huge_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok()).is_none_or(|n| n > MAX_SAFE_INTEGER)
}

/// Reads one JSON value strictly and then as a type.
///
/// # Errors
/// As [`parse`], and if the value is not of the type (then without a place).
pub fn parse_as<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    serde_json::from_value(parse(bytes)?).map_err(JsonError::from)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_SAFE_INTEGER {
            return Err(E::custom(format_args!("the integer {value} is beyond 2^53 - 1; write it as a string")));
        }
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_SAFE_INTEGER {
            return Err(E::custom(format_args!("the integer {value} is beyond 2^53 - 1; write it as a string")));
        }
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if members.contains_key(&key) {
                let shown: String = key.chars().take(80).flat_map(char::escape_default).collect();
                return Err(serde::de::Error::custom(format_args!("the key \"{shown}\" comes twice")));
            }
            let value = access.next_value_seed(Self)?;
            members.insert(key, value);
        }
        members.sort_keys();
        Ok(Value::Object(members))
    }
}
