//! A skill that asks JSON in the language of jq. What it offers stands in `wit/json-query.wit`.

mod fault;
mod filter;
mod write;

use bindings::exports::skillhall::json_query::api::{Answer, Guest, QueryError};
use fault::fault;
use jaq_json::{Val, read};

skillhall_sdk::skill! { world: "skill", by: JsonQuery }

/// How many results there are where the caller does not say.
const RESULTS: u32 = 1000;

/// The most bytes of all results together.
const MAX_BYTES: usize = 3 << 20;

/// The most brackets of the document that can be open at once.
const MAX_DEPTH: u32 = 120;

struct JsonQuery;

impl Guest for JsonQuery {
    fn query(json: String, filter: String, limit: Option<u32>) -> Result<Answer, QueryError> {
        let document = document(&json)?;
        let mut answer = Answer { results: Vec::new(), complete: true };
        let mut bytes = 0;
        let limit = usize::try_from(limit.unwrap_or(RESULTS)).unwrap_or(usize::MAX);
        filter::run(&filter, document, |value| {
            if answer.results.len() == limit {
                answer.complete = false;
                return Ok(false);
            }
            let text = write::json(&value, MAX_BYTES - bytes)?;
            bytes += text.len();
            answer.results.push(text);
            Ok(true)
        })?;
        Ok(answer)
    }
}

/// The document as a value. What reads it takes more than JSON, so it is held to JSON before.
fn document(json: &str) -> Result<Val, QueryError> {
    let strict: Result<serde::de::IgnoredAny, _> = serde_json::from_str(json);
    if let Err(error) = strict {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        return Err(QueryError::NotJson(fault::at(error.line(), error.column(), message)));
    }
    if let Some(rest) = too_deep(json) {
        return Err(QueryError::NotJson(fault(json, rest, &format!("nests deeper than {MAX_DEPTH}"))));
    }
    read::parse_single(json.as_bytes()).map_err(|error| QueryError::NotJson(fault(json, json, &error.to_string())))
}

/// What begins with the first bracket that is too deep, if there is one. What reads values goes as deep as they nest.
fn too_deep(json: &str) -> Option<&str> {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return json.get(at..);
        }
    }
    None
}

#[cfg(test)]
mod tests;
