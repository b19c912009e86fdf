//! What an author may add to a derived schema. It is joined by `allOf`, so it can only take away.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SchemaError;
use super::check::escape;
use super::validate::Validator;

/// Every keyword that a narrowing may use, at its top and in the schemas it holds.
pub const NARROWING_KEYWORDS: &[&str] = &[
    // numbers
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    // strings
    "minLength",
    "maxLength",
    "pattern",
    "format",
    // arrays
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "prefixItems",
    // objects
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    // anything
    "enum",
    "const",
    // for readers
    "title",
    "description",
    "examples",
    "default",
];

/// Joins an author's narrowing to a derived schema: the result accepts what both accept.
///
/// # Errors
/// If the narrowing is no object, uses a keyword that is not among the allowed ones, or the result does not compile.
pub fn narrow(derived: Value, narrowing: &Value) -> Result<Value, SchemaError> {
    let joined = join(derived, narrowing, "")?;
    Validator::compile(&joined)?;
    Ok(joined)
}

/// Joins narrowings of single parameters to a derived input schema, each where its parameter is described.
///
/// # Errors
/// As [`narrow`], and if a parameter of that name is not there.
pub fn narrow_input(mut derived: Value, narrowings: &BTreeMap<String, Value>) -> Result<Value, SchemaError> {
    for (name, narrowing) in narrowings {
        let properties = derived.get_mut("properties").and_then(Value::as_object_mut);
        let known: Vec<String> = properties.as_ref().map(|properties| properties.keys().cloned().collect()).unwrap_or_default();
        let Some(parameter) = properties.and_then(|properties| properties.get_mut(name)) else {
            return Err(SchemaError::UnknownParameter { name: name.clone(), nearest: nearest(name, &known) });
        };
        *parameter = join(parameter.take(), narrowing, &format!("/properties/{}", escape(name)))?;
    }
    Validator::compile(&derived)?;
    Ok(derived)
}

/// Whether a schema is a derived one, descriptions aside, with nothing but narrowings joined to it where [`narrow`] and
/// [`narrow_input`] join them. So a schema in a manifest can be held against what the component gives.
#[must_use]
pub fn is_narrowing_of(schema: &Value, derived: &Value) -> bool {
    let (Some(schema), Some(derived)) = (schema.as_object(), derived.as_object()) else { return schema == derived };
    let (Some(mut schema), Some(mut derived)) = (without_narrowing(schema), without_narrowing(derived)) else { return false };
    for members in [&mut schema, &mut derived] {
        for parameter in members.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
            if let Some(object) = parameter.as_object() {
                let Some(bare) = without_narrowing(object) else { return false };
                *parameter = Value::Object(bare);
            }
        }
    }
    undescribed(&Value::Object(schema)) == undescribed(&Value::Object(derived))
}

fn join(derived: Value, narrowing: &Value, pointer: &str) -> Result<Value, SchemaError> {
    allowed(narrowing, pointer)?;
    let Value::Object(mut members) = derived else {
        return Err(refused(pointer, "there is no derived schema to narrow"));
    };
    match members.entry("allOf").or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(joined) => joined.push(narrowing.clone()),
        _ => return Err(refused(pointer, "the derived schema has an allOf that is no list")),
    }
    Ok(Value::Object(members))
}

/// A narrowing is made of allowed keywords all the way down. Called on what comes out of TOML or strict JSON, whose nesting is bounded.
fn allowed(narrowing: &Value, pointer: &str) -> Result<(), SchemaError> {
    let Some(members) = narrowing.as_object() else {
        return Err(refused(pointer, "a narrowing is a table of JSON Schema keywords"));
    };
    for (keyword, value) in members {
        let at = format!("{pointer}/{}", escape(keyword));
        if !NARROWING_KEYWORDS.contains(&keyword.as_str()) {
            let known: Vec<String> = NARROWING_KEYWORDS.iter().map(|&keyword| keyword.to_owned()).collect();
            let hint = nearest(keyword, &known).map(|keyword| format!("; did you mean `{keyword}`?")).unwrap_or_default();
            return Err(refused(&at, &format!("`{keyword}` cannot narrow{hint}")));
        }
        match (keyword.as_str(), value) {
            ("items", schema) => allowed(schema, &at)?,
            ("prefixItems", Value::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    allowed(schema, &format!("{at}/{index}"))?;
                }
            }
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    allowed(schema, &format!("{at}/{}", escape(name)))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The schema without the narrowings joined to it; `None` if its `allOf` holds anything else.
fn without_narrowing(schema: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut bare = schema.clone();
    match bare.remove("allOf") {
        None => Some(bare),
        Some(Value::Array(joined)) if joined.iter().all(|narrowing| allowed(narrowing, "").is_ok()) => Some(bare),
        Some(_) => None,
    }
}

/// A derived schema without its descriptions (those of fields come from WIT source, which a component no longer has).
fn undescribed(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let kept = members.iter().filter(|(keyword, value)| *keyword != "description" || !value.is_string());
            kept.map(|(keyword, value)| match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    (keyword.clone(), properties.iter().map(|(name, schema)| (name.clone(), undescribed(schema))).collect())
                }
                _ => (keyword.clone(), undescribed(value)),
            })
            .collect()
        }
        Value::Array(items) => items.iter().map(undescribed).collect(),
        other => other.clone(),
    }
}

fn nearest(name: &str, known: &[String]) -> Option<String> {
    let score = |candidate: &String| strsim::jaro_winkler(name, candidate);
    known.iter().filter(|candidate| score(candidate) > 0.75).max_by(|one, other| score(one).total_cmp(&score(other))).cloned()
}

fn refused(pointer: &str, message: &str) -> SchemaError {
    SchemaError::Refused { pointer: pointer.to_owned(), message: message.to_owned() }
}
