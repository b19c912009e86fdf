//! Anthropic: tools of the Messages API ("Define tools"). Their schema may have every keyword of JSON Schema, draft 2020-12. What an
//! author has joined to a type by `allOf` stands at the type itself, since models and the vendor's own libraries, which make a schema
//! strict on request, read it there. `strict` is not set: it bounds how many tools and optional members one request has, and
//! that is for whoever puts a request together.

use serde_json::{Value, json};

use super::dialect::{Dialect, say};
use super::{Adapter, Facts, Fault, envelope};
use crate::package::schema::Validator;

const KNOWN: [&str; 3] = ["name", "description", "input_schema"];
const KEYWORDS: [&str; 13] = [
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "contentEncoding",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "uniqueItems",
];
const PLAIN: Dialect = Dialect { keywords: &KEYWORDS, formats: None, tuples: true, all_required: false };
/// Characters of a member's name at the top of the input.
const MAX_KEY: usize = 64;

pub(super) fn make(facts: &Facts<'_>) -> Result<Vec<u8>, Fault> {
    let tools = facts
        .tools
        .iter()
        .map(|(name, tool)| json!({ "name": facts.name(name), "description": tool.description, "input_schema": say(&tool.input, &PLAIN) }));
    envelope::seal(Adapter::Anthropic, facts, tools)
}

pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    envelope::open(Adapter::Anthropic, bytes, |tool| {
        envelope::members(tool, "", &KNOWN, &KNOWN)?;
        envelope::name(tool, 64, b"_-", |_| true)?;
        envelope::text(tool, "description")?;
        let schema = tool.get("input_schema").unwrap_or(&Value::Null);
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(Fault::new("/input_schema", "its type is \"object\""));
        }
        if let Some(keyword) = ["anyOf", "oneOf", "allOf"].iter().find(|keyword| schema.get(**keyword).is_some()) {
            return Err(Fault::new("/input_schema", format!("there is no {keyword} at its top")));
        }
        let is_key = |key: &String| {
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        };
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        if let Some((key, _)) = properties.into_iter().find(|(key, _)| !is_key(key)) {
            return Err(Fault::new(
                "/input_schema/properties",
                format!("the name '{}' of a parameter is 1 to {MAX_KEY} of A-Z, a-z, 0-9, '_', '.', '-'", key.escape_default()),
            ));
        }
        match Validator::compile(schema) {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::new("/input_schema", format!("it is a schema that compiles: {error}"))),
        }
    })
}
