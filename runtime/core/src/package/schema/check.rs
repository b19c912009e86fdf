//! What a schema may hold before any validator is built from it.
//!
//! Schemas come from strangers, and a validator follows them by recursion: so size, depth and count are bounded with references
//! followed, which refuses recursion and the references that double at every step.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{DRAFT, MAX_PATTERN_CHARS, MAX_SCHEMA_BYTES, MAX_SCHEMA_DEPTH, MAX_SCHEMA_NODES, SchemaError};

/// Nesting of JSON in a schema's text: room for a manifest around it within the 127 that the strict reader takes.
pub(super) const MAX_TEXT_DEPTH: usize = 120;

/// The formats that are asserted (JSON Schema Validation 2020-12, section 7.3): those whose check is cheap for any text.
const FORMATS: &[&str] = &[
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
];

/// Checks a schema and everything it refers to.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    if is_deeper_than(schema, MAX_TEXT_DEPTH) {
        return Err(SchemaError::TooLarge { what: "the nesting of the schema's JSON", limit: MAX_TEXT_DEPTH });
    }
    if serde_json::to_writer(Budget(MAX_SCHEMA_BYTES), schema).is_err() {
        return Err(SchemaError::TooLarge { what: "the schema's size in bytes", limit: MAX_SCHEMA_BYTES });
    }
    Walk { root: schema, nodes_left: MAX_SCHEMA_NODES }.schema(schema, "", 0)
}

/// Whether arrays and objects are nested in each other more than `limit` times. Needs no stack of its own.
pub(super) fn is_deeper_than(value: &Value, limit: usize) -> bool {
    let mut open = vec![(value, 0_usize)];
    while let Some((value, depth)) = open.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if depth >= limit => return true,
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    false
}

/// A name as one step of a JSON pointer (RFC 6901, section 3).
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

struct Walk<'a> {
    root: &'a Value,
    nodes_left: usize,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, pointer: &str, depth: usize) -> Result<(), SchemaError> {
        if depth > MAX_SCHEMA_DEPTH {
            return Err(SchemaError::TooLarge {
                what: "the nesting of schemas with references followed (recursion has no end)",
                limit: MAX_SCHEMA_DEPTH,
            });
        }
        self.nodes_left = self
            .nodes_left
            .checked_sub(1)
            .ok_or(SchemaError::TooLarge { what: "the number of schemas with references followed", limit: MAX_SCHEMA_NODES })?;
        let Value::Object(members) = schema else { return Ok(()) };
        for (keyword, value) in members {
            self.keyword(keyword, value, &format!("{pointer}/{}", escape(keyword)), depth)?;
        }
        Ok(())
    }

    fn keyword(&mut self, keyword: &str, value: &'a Value, at: &str, depth: usize) -> Result<(), SchemaError> {
        match (keyword, value) {
            ("$schema", Value::String(draft)) if draft.trim_end_matches('#') == DRAFT => Ok(()),
            ("$schema", _) => Err(refused(at, &format!("only \"{DRAFT}\" is read"))),
            ("$ref", Value::String(target)) => self.reference(target, at, depth),
            ("$ref", _) => Err(refused(at, "a reference is a string")),
            ("$dynamicRef" | "$recursiveRef", _) => Err(refused(at, "references that depend on the path taken are not followed")),
            ("$id", _) => Err(refused(at, "a schema has no address: references go by JSON pointer from its root")),
            ("pattern", Value::String(pattern)) => bound_pattern(pattern, at),
            ("format", Value::String(format)) if !FORMATS.contains(&format.as_str()) => {
                Err(refused(at, &format!("the format \"{format}\" is not checked here; known are {}", FORMATS.join(", "))))
            }
            ("patternProperties", Value::Object(schemas)) => {
                for pattern in schemas.keys() {
                    bound_pattern(pattern, at)?;
                }
                self.named(schemas, at, depth)
            }
            ("properties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies", Value::Object(schemas)) => {
                self.named(schemas, at, depth)
            }
            // Data, not schemas.
            ("enum" | "const" | "default" | "examples", _) => Ok(()),
            (_, Value::Object(_)) => self.schema(value, at, depth + 1),
            (_, Value::Array(schemas)) => {
                let mut schemas = schemas.iter().enumerate();
                schemas.try_for_each(|(index, schema)| self.schema(schema, &format!("{at}/{index}"), depth + 1))
            }
            _ => Ok(()),
        }
    }

    fn named(&mut self, schemas: &'a Map<String, Value>, at: &str, depth: usize) -> Result<(), SchemaError> {
        let mut schemas = schemas.iter();
        schemas.try_for_each(|(name, schema)| self.schema(schema, &format!("{at}/{}", escape(name)), depth + 1))
    }

    fn reference(&mut self, target: &str, at: &str, depth: usize) -> Result<(), SchemaError> {
        let Some(fragment) = target.strip_prefix('#') else {
            return Err(refused(at, "a reference leaves the schema; only those that begin with # are followed"));
        };
        if !(fragment.is_empty() || fragment.starts_with('/')) {
            return Err(refused(at, "a reference goes by JSON pointer, such as #/$defs/name"));
        }
        let decoded = percent_decoded(fragment).ok_or_else(|| refused(at, "the reference's escapes give no text"))?;
        let schema = self.root.pointer(&decoded).ok_or_else(|| refused(at, "the reference points to nothing"))?;
        self.schema(schema, &decoded, depth + 1)
    }
}

fn bound_pattern(pattern: &str, at: &str) -> Result<(), SchemaError> {
    if pattern.chars().count() > MAX_PATTERN_CHARS {
        return Err(refused(at, &format!("the regular expression is longer than {MAX_PATTERN_CHARS} characters")));
    }
    Ok(())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            let digits =
                std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Counts bytes and keeps none.
struct Budget(usize);

impl Write for Budget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("over the bound"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn refused(pointer: &str, message: &str) -> SchemaError {
    SchemaError::Refused { pointer: pointer.to_owned(), message: message.to_owned() }
}
