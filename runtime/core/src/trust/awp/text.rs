//! JSON text as Python's `json.dumps` writes it with its defaults: ASCII only.

use std::fmt::Write as _;

/// `{"a":"b","c":null}`.
pub(super) fn compact(fields: &[(&str, &Option<String>)]) -> String {
    let members: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{}", quoted(name), scalar(value))).collect();
    format!("{{{}}}", members.join(","))
}

/// One member a line, indented by two, with a line feed at the end of the text.
pub(super) fn pretty(fields: &[(&str, &Option<String>)]) -> String {
    let members: Vec<String> = fields.iter().map(|(name, value)| format!("  {}: {}", quoted(name), scalar(value))).collect();
    format!("{{\n{}\n}}\n", members.join(",\n"))
}

fn scalar(value: &Option<String>) -> String {
    value.as_deref().map_or_else(|| "null".to_owned(), quoted)
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
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
            _ => escape(&mut out, character),
        }
    }
    out.push('"');
    out
}

/// Characters beyond the basic plane become a surrogate pair.
fn escape(out: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing into a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}
