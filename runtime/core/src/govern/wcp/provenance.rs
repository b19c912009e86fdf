//! The artifact hash: SHA-256 of the request in the reference's serialisation, so that both sides name one request by
//! one hash (WCP 5.7). That form is Python's `json.dumps(.., sort_keys=True)`: keys by code point, `", "` and `": "`
//! between, everything outside printable ASCII escaped, floats in Python's shortest notation.

use serde_json::{Map, Value};

use super::request::Request;
use crate::digest::Digest;
use crate::json::canonical::MAX_SAFE_INTEGER;

/// The deepest nesting of a request's objects.
const MAX_DEPTH: usize = 64;

/// Why a request's payload has no hash that others would compute alike.
pub(super) fn fault(request: &Request) -> Option<&'static str> {
    let objects = [Some(&request.request), request.blast_radius.as_ref(), request.privilege_context.as_ref()];
    objects.into_iter().flatten().flat_map(Map::values).find_map(|value| value_fault(value, 1))
}

fn value_fault(value: &Value, depth: usize) -> Option<&'static str> {
    if depth > MAX_DEPTH {
        return Some("the request nests deeper than 64 levels");
    }
    match value {
        Value::Number(number) => {
            let beyond = number.as_u64().is_some_and(|n| n > MAX_SAFE_INTEGER)
                || number.as_i64().is_some_and(|n| n.unsigned_abs() > MAX_SAFE_INTEGER);
            beyond.then_some("the request holds an integer beyond 2^53 - 1")
        }
        Value::Array(items) => items.iter().find_map(|item| value_fault(item, depth + 1)),
        Value::Object(members) => members.values().find_map(|member| value_fault(member, depth + 1)),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// The hash of a request in which [`fault`] finds nothing.
pub(super) fn artifact_hash(request: &Request) -> Digest {
    let mut out = String::with_capacity(512);
    // The order of the names is that of their code points.
    let object = |out: &mut String, name: &str, members: Option<&Map<String, Value>>| {
        begin(out, name);
        match members {
            Some(members) => write_object(members, out),
            None => out.push_str("null"),
        }
    };
    let text = |out: &mut String, name: &str, text: &str| {
        begin(out, name);
        write_string(text, out);
    };
    object(&mut out, "blast_radius", request.blast_radius.as_ref());
    begin(&mut out, "blast_score");
    out.push_str(&request.blast_score.map_or_else(|| "null".to_owned(), |score| score.to_string()));
    text(&mut out, "capability_id", &request.capability_id);
    text(&mut out, "correlation_id", &request.correlation_id);
    text(&mut out, "data_label", request.data_label.as_str());
    begin(&mut out, "dry_run");
    out.push_str(if request.dry_run { "true" } else { "false" });
    text(&mut out, "env", request.env.as_str());
    object(&mut out, "privilege_context", request.privilege_context.as_ref());
    text(&mut out, "qos_class", request.qos_class.as_str());
    object(&mut out, "request", Some(&request.request));
    if let Some(credential) = &request.tenant_credential {
        text(&mut out, "tenant_credential", credential.reveal());
    } else {
        begin(&mut out, "tenant_credential");
        out.push_str("null");
    }
    text(&mut out, "tenant_id", &request.tenant_id);
    text(&mut out, "tenant_risk", request.tenant_risk.as_str());
    out.push('}');
    Digest::of(out.as_bytes())
}

/// The beginning of the next member, whose name needs no escapes.
fn begin(out: &mut String, name: &str) {
    out.push_str(if out.is_empty() { "{\"" } else { ", \"" });
    out.push_str(name);
    out.push_str("\": ");
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&python_float(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out),
    }
}

fn write_object(members: &Map<String, Value>, out: &mut String) {
    let mut entries: Vec<(&String, &Value)> = members.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_string(key, out);
        out.push_str(": ");
        write(value, out);
    }
    out.push('}');
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// Python's `repr` of a finite float: the shortest digits that read back as the same number, written plainly for
/// exponents from -4 to 15 and otherwise with an exponent of at least two digits.
fn python_float(float: f64) -> String {
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = float.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::python_float;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let cases = [
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (1e22, "1e+22"),
            (9_007_199_254_740_992.0, "9007199254740992.0"),
            (0.000_123_45, "0.00012345"),
            (f64::MAX, "1.7976931348623157e+308"),
            (-1e-7, "-1e-07"),
            (12_345_678_901_234_568.0, "1.2345678901234568e+16"),
        ];
        for (float, text) in cases {
            assert_eq!(python_float(float), text);
        }
    }
}
