//! How is a value written as JSON?

use jaq_json::Val;

use crate::MAX_BYTES;
use crate::bindings::exports::skillhall::json_query::api::QueryError;

/// The most levels of a value that is written.
const MAX_DEPTH: usize = 200;

/// The value as a JSON text of at most so many bytes.
pub(crate) fn json(value: &Val, most: usize) -> Result<String, QueryError> {
    let mut text = String::new();
    write(value, &mut text, most, 0)?;
    Ok(text)
}

fn write(value: &Val, text: &mut String, most: usize, depth: usize) -> Result<(), QueryError> {
    if depth > MAX_DEPTH {
        return Err(QueryError::NotRepresentable(format!("the result nests deeper than {MAX_DEPTH}")));
    }
    match value {
        Val::Null => text.push_str("null"),
        Val::Bool(true) => text.push_str("true"),
        Val::Bool(false) => text.push_str("false"),
        Val::Num(number) => {
            let number = number.to_string();
            text.push_str(match number.as_str() {
                // What jq prints for them, too.
                "NaN" => "null",
                "Infinity" => "1.7976931348623157e308",
                "-Infinity" => "-1.7976931348623157e308",
                number => number,
            });
        }
        Val::TStr(bytes) => text.push_str(&skillhall_sdk::tools::quoted(&String::from_utf8_lossy(bytes))),
        Val::BStr(_) => {
            let message = "a result holds bytes that are no text: turn them into one, such as with @base64";
            return Err(QueryError::NotRepresentable(message.to_owned()));
        }
        Val::Arr(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write(item, text, most, depth + 1)?;
            }
            text.push(']');
        }
        Val::Obj(members) => {
            text.push('{');
            for (i, (key, member)) in members.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                if !matches!(key, Val::TStr(_)) {
                    let message = "a result has an object with a key that is no string: turn it into one with tostring";
                    return Err(QueryError::NotRepresentable(message.to_owned()));
                }
                write(key, text, most, depth + 1)?;
                text.push(':');
                write(member, text, most, depth + 1)?;
            }
            text.push('}');
        }
    }
    if text.len() > most {
        return Err(QueryError::TooLarge(MAX_BYTES as u64));
    }
    Ok(())
}
