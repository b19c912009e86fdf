//! Gemini: function declarations with `parametersJsonSchema` and `responseJsonSchema`, in the part of JSON Schema that the API
//! documents for them (reference of `FunctionDeclaration`, and of `responseJsonSchema` in `GenerationConfig`).

use serde_json::{Map, Value, json};

use super::dialect::{Dialect, say};
use super::{Adapter, Facts, Fault, envelope};

const KNOWN: [&str; 4] = ["name", "description", "parametersJsonSchema", "responseJsonSchema"];
const KEYWORDS: [&str; 5] = ["format", "minimum", "maximum", "minItems", "maxItems"];
const STRUCTURE: [&str; 10] =
    ["type", "title", "description", "enum", "anyOf", "items", "prefixItems", "properties", "required", "additionalProperties"];
const TYPES: [&str; 7] = ["string", "number", "boolean", "integer", "object", "array", "null"];

const SUBSET: Dialect = Dialect { keywords: &KEYWORDS, formats: None, tuples: true, all_required: false };

pub(super) fn make(facts: &Facts<'_>) -> Result<Vec<u8>, Fault> {
    let tools = facts.tools.iter().map(|(name, tool)| {
        let mut declaration = json!({
            "name": facts.name(name),
            "description": tool.description,
            "responseJsonSchema": say(&tool.output, &SUBSET),
        });
        // A function without parameters has no schema of them.
        let has_parameters =
            tool.input.get("properties").and_then(Value::as_object).is_none_or(|properties| !properties.is_empty());
        if let (true, Some(members)) = (has_parameters, declaration.as_object_mut()) {
            members.insert("parametersJsonSchema".to_owned(), say(&tool.input, &SUBSET));
        }
        declaration
    });
    envelope::seal(Adapter::Gemini, facts, tools)
}

pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    envelope::open(Adapter::Gemini, bytes, |tool| {
        envelope::members(tool, "", &["name", "description"], &KNOWN)?;
        envelope::name(tool, 128, b"_-.:", |first| first.is_ascii_alphabetic() || first == b'_')?;
        envelope::text(tool, "description")?;
        if let Some(parameters) = tool.get("parametersJsonSchema") {
            if parameters.get("type").and_then(Value::as_str) != Some("object") {
                return Err(Fault::new("/parametersJsonSchema", "its type is \"object\""));
            }
            schema(parameters, "/parametersJsonSchema")?;
        }
        tool.get("responseJsonSchema").map_or(Ok(()), |response| schema(response, "/responseJsonSchema"))
    })
}

fn schema(value: &Value, at: &str) -> Result<(), Fault> {
    let members = envelope::object(value, at)?;
    if let Some(keyword) =
        members.keys().find(|keyword| !STRUCTURE.contains(&keyword.as_str()) && !KEYWORDS.contains(&keyword.as_str()))
    {
        return Err(Fault::new(at, format!("the API knows no keyword {}", keyword.escape_default())));
    }
    match (members.get("type"), members.get("anyOf")) {
        (Some(Value::String(ty)), None) if TYPES.contains(&ty.as_str()) => {}
        (None, Some(Value::Array(forms))) if !forms.is_empty() => {}
        _ => return Err(Fault::new(at, "a schema has one type, or an anyOf")),
    }
    let values = members.get("enum").map(|values| values.as_array().filter(|values| !values.is_empty()));
    if values
        .is_some_and(|values| !values.is_some_and(|values| values.iter().all(|value| value.is_string() || value.is_number())))
    {
        return Err(Fault::new(at, "an enum lists texts or numbers"));
    }
    required(members, at)?;
    for keyword in ["items", "additionalProperties"] {
        match members.get(keyword) {
            None | Some(Value::Bool(_)) => {}
            Some(inner) => schema(inner, &format!("{at}/{keyword}"))?,
        }
    }
    for keyword in ["anyOf", "prefixItems"] {
        for (index, inner) in members.get(keyword).and_then(Value::as_array).into_iter().flatten().enumerate() {
            schema(inner, &format!("{at}/{keyword}/{index}"))?;
        }
    }
    let properties = members.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().try_for_each(|(name, inner)| schema(inner, &format!("{at}/properties/{name}")))
}

/// What is required is described.
fn required(members: &Map<String, Value>, at: &str) -> Result<(), Fault> {
    let Some(required) = members.get("required") else { return Ok(()) };
    let described = |name: &Value| {
        let properties = members.get("properties").and_then(Value::as_object);
        name.as_str().is_some_and(|name| properties.is_some_and(|properties| properties.contains_key(name)))
    };
    match required.as_array().is_some_and(|names| names.iter().all(described)) {
        true => Ok(()),
        false => Err(Fault::new(at, "what is required stands under properties")),
    }
}
