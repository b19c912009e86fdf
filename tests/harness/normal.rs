//! What a command printed, with everything that differs from run to run named instead of shown.

use std::path::Path;

use serde_json::{Map, Value};

/// Members that hold what differs, and what stands in their place.
const VARYING: [(&str, &str); 6] = [
    ("body", "BODY"),
    ("envelope", "ENVELOPE"),
    ("checkpoint", "CHECKPOINT"),
    ("public", "PUBLIC"),
    ("signature", "SIGNATURE"),
    ("sig", "SIGNATURE"),
];

/// Words before which eight random digits stand, as in `hall-1a2b3c4d`.
const NAMED: [&str; 6] = ["hall", "hmac", "ed25519", "certifier", "ledger", "approver"];

/// A text with the desk's folder, digests, ids, times and durations named.
#[must_use]
pub fn text(text: &str, desk: &Path) -> String {
    let text = text.replace(&desk.display().to_string(), "DESK");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let at_word = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
        if let Some((name, length)) = recognised(rest, &out, at_word) {
            out.push_str(name);
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// A JSON value, likewise.
#[must_use]
pub fn json(value: &Value, desk: &Path) -> Value {
    match value {
        Value::String(string) => Value::String(text(string, desk)),
        Value::Array(items) => items.iter().map(|item| json(item, desk)).collect(),
        Value::Object(members) => {
            let mut out = Map::new();
            for (key, member) in members {
                let varying = VARYING.iter().find(|(varying, _)| varying == key).filter(|_| member.is_string());
                let member = match (key.as_str(), varying) {
                    (_, Some((_, name))) => Value::from(*name),
                    ("microseconds" | "milliseconds" | "ready_milliseconds" | "duration_us", _) => Value::from(0),
                    ("wall_us", _) => no_time(member),
                    _ => json(member, desk),
                };
                out.insert(text(key, desk), member);
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// What was used of a time, which no two runs have in common; what was allowed stays.
fn no_time(used: &Value) -> Value {
    let mut used = used.clone();
    if let Some(member) = used.get_mut("used") {
        *member = Value::from(0);
    }
    used
}

/// What begins here and how long it is in bytes, if it is one of the things that are named.
fn recognised(rest: &str, before: &str, at_word: bool) -> Option<(&'static str, usize)> {
    if before.ends_with("DESK/tmp/") {
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(rest.len());
        return Some(("TEMPORARY", length)).filter(|_| length > 0);
    }
    if rest.starts_with('-') && NAMED.iter().any(|word| before.ends_with(word)) {
        return Some(("-ID", 9)).filter(|_| is_hex(rest, 1, 8) && ends(rest, 9));
    }
    if !at_word {
        return None;
    }
    // Where a record begins depends on how long the times before it are written.
    if before.ends_with(".jsonl, byte ") {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        return Some(("PLACE", digits)).filter(|_| digits > 0 && !rest.starts_with('0'));
    }
    let shapes: [(&str, &[usize]); 4] = [("UUID", &[8, 4, 4, 4, 12]), ("SHA256", &[64]), ("HASH", &[12]), ("HASH", &[16])];
    for (name, groups) in shapes {
        if let Some(length) = hex_groups(rest, groups)
            && !rest[..length].bytes().all(|byte| byte == b'0')
        {
            return Some((name, length));
        }
    }
    if let Some(length) = time(rest) {
        return Some(("TIME", length));
    }
    duration(rest).map(|length| ("DURATION", length))
}

fn hex_groups(rest: &str, groups: &[usize]) -> Option<usize> {
    let mut at = 0;
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            if rest.as_bytes().get(at) != Some(&b'-') {
                return None;
            }
            at += 1;
        }
        if !is_hex(rest, at, *group) {
            return None;
        }
        at += group;
    }
    ends(rest, at).then_some(at)
}

fn is_hex(rest: &str, from: usize, length: usize) -> bool {
    let digits = rest.as_bytes().get(from..from + length);
    digits.is_some_and(|digits| digits.iter().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit)))
}

/// Whether a word is over here.
fn ends(rest: &str, at: usize) -> bool {
    !rest.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// `2026-11-23T02:57:54Z`, with or without a fraction.
fn time(rest: &str) -> Option<usize> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let bytes = rest.as_bytes();
    let fits = bytes.len() > SHAPE.len()
        && SHAPE.iter().zip(bytes).all(|(shape, byte)| if *shape == b'0' { byte.is_ascii_digit() } else { shape == byte });
    let end = SHAPE.len() + bytes.get(SHAPE.len()..)?.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    (fits && bytes.get(end) == Some(&b'Z')).then_some(end + 1)
}

/// A measured time: `12 µs`, `1.2 ms`, `1.20 s`. Limits are whole numbers of milliseconds or seconds and stay.
fn duration(rest: &str) -> Option<usize> {
    let number = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (digits, unit) = rest.split_at(number);
    if digits.is_empty() || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let units: &[&str] = if digits.contains('.') { &[" ms", " s"] } else { &[" µs"] };
    let unit = units.iter().find(|known| unit.starts_with(**known) && ends(unit, known.len()))?;
    Some(number + unit.len())
}
