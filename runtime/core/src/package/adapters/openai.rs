//! `OpenAI`: function tools of the Responses API with `strict: true` (guides "Function calling" and "Structured model outputs",
//! supported schemas).

use serde_json::{Map, Value, json};

use super::dialect::{Dialect, say};
use super::{Adapter, Facts, Fault, envelope};

const KNOWN: [&str; 5] = ["type", "name", "description", "parameters", "strict"];
const FORMATS: [&str; 9] = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
const KEYWORDS: [&str; 9] =
    ["pattern", "format", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "minItems", "maxItems"];
const STRUCTURE: [&str; 8] = ["type", "description", "enum", "anyOf", "properties", "required", "additionalProperties", "items"];
const TYPES: [&str; 7] = ["string", "number", "boolean", "integer", "object", "array", "null"];

/// Characters of a function's description: what the API takes, though only its refusals say so.
const MAX_DESCRIPTION: usize = 1024;
/// Levels of objects in each other, the outermost counted.
const MAX_LEVELS: usize = 10;
const MAX_PROPERTIES: usize = 5000;
const MAX_ENUM_VALUES: usize = 1000;
/// Characters of all names and enum values together.
const MAX_CHARACTERS: usize = 120_000;
/// Characters of the values of one enum with more than [`LONG_ENUM`] of them.
const MAX_ENUM_CHARACTERS: usize = 15_000;
const LONG_ENUM: usize = 250;

const STRICT: Dialect = Dialect { keywords: &KEYWORDS, formats: Some(&FORMATS), tuples: false, all_required: true };

pub(super) fn make(facts: &Facts<'_>) -> Result<Vec<u8>, Fault> {
    let tools = facts.tools.iter().map(|(name, tool)| {
        json!({
            "type": "function",
            "name": facts.name(name),
            "description": tool.description,
            "parameters": say(&tool.input, &STRICT),
            "strict": true,
        })
    });
    envelope::seal(Adapter::Openai, facts, tools)
}

pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    envelope::open(Adapter::Openai, bytes, |tool| {
        envelope::members(tool, "", &KNOWN, &KNOWN)?;
        envelope::name(tool, 64, b"_-", |_| true)?;
        envelope::description(tool, MAX_DESCRIPTION)?;
        if tool.get("type").and_then(Value::as_str) != Some("function") {
            return Err(Fault::new("/type", "it is \"function\""));
        }
        if tool.get("strict") != Some(&Value::Bool(true)) {
            return Err(Fault::new("/strict", "it is true"));
        }
        let parameters = tool.get("parameters").unwrap_or(&Value::Null);
        if parameters.get("type").and_then(Value::as_str) != Some("object") || parameters.get("anyOf").is_some() {
            return Err(Fault::new("/parameters", "the outermost schema is an object and no anyOf"));
        }
        Count::default().schema(parameters, "/parameters", 0)
    })
}

/// What the schemas of one tool have used up of the platform's limits.
#[derive(Default)]
struct Count {
    properties: usize,
    enum_values: usize,
    characters: usize,
}

impl Count {
    fn schema(&mut self, schema: &Value, at: &str, levels: usize) -> Result<(), Fault> {
        let schema = envelope::object(schema, at)?;
        if let Some(keyword) =
            schema.keys().find(|keyword| !STRUCTURE.contains(&keyword.as_str()) && !KEYWORDS.contains(&keyword.as_str()))
        {
            return Err(Fault::new(at, format!("strict mode knows no keyword {}", keyword.escape_default())));
        }
        if let Some(format) =
            schema.get("format").filter(|format| !format.as_str().is_some_and(|format| FORMATS.contains(&format)))
        {
            return Err(Fault::new(at, format!("strict mode knows no format {format}")));
        }
        match (schema.get("type"), schema.get("anyOf")) {
            (None, Some(Value::Array(forms))) if !forms.is_empty() => self.forms(forms, at, levels)?,
            (Some(Value::String(ty)), None) if TYPES.contains(&ty.as_str()) => {}
            _ => {
                return Err(Fault::new(
                    at,
                    "a schema has one type of string, number, boolean, integer, object, array and null, or an anyOf",
                ));
            }
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.object(schema, at, levels + 1)?,
            Some("array") => {
                let items = schema.get("items").ok_or_else(|| Fault::new(at, "a list says what its items are"))?;
                self.schema(items, &format!("{at}/items"), levels)?;
            }
            _ => {}
        }
        schema.get("enum").map_or(Ok(()), |values| self.values(values, at))
    }

    fn object(&mut self, schema: &Map<String, Value>, at: &str, levels: usize) -> Result<(), Fault> {
        if levels > MAX_LEVELS {
            return Err(Fault::new(at, format!("objects are nested at most {MAX_LEVELS} levels deep")));
        }
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(Fault::new(
                at,
                "additionalProperties is false, so a map with names of its own cannot be said (a list of pairs can)",
            ));
        }
        let properties = envelope::object(schema.get("properties").unwrap_or(&Value::Null), &format!("{at}/properties"))?;
        let required: Option<Vec<&str>> =
            schema.get("required").and_then(Value::as_array).map(|names| names.iter().filter_map(Value::as_str).collect());
        let all = required.is_some_and(|required| {
            required.len() == properties.len() && properties.keys().all(|name| required.contains(&name.as_str()))
        });
        if !all {
            return Err(Fault::new(at, "every member is required, and nothing else is"));
        }
        self.properties += properties.len();
        if self.properties > MAX_PROPERTIES {
            return Err(Fault::new(at, format!("a tool has at most {MAX_PROPERTIES} members, all levels together")));
        }
        for (name, schema) in properties {
            self.spend(name, at)?;
            self.schema(schema, &format!("{at}/properties/{name}"), levels)?;
        }
        Ok(())
    }

    fn forms(&mut self, forms: &[Value], at: &str, levels: usize) -> Result<(), Fault> {
        let mut firsts: Vec<&str> = Vec::new();
        for (index, form) in forms.iter().enumerate() {
            self.schema(form, &format!("{at}/anyOf/{index}"), levels)?;
            // The decoder tells objects apart by the first member that it writes.
            if let Some(first) = form.get("properties").and_then(Value::as_object).and_then(|properties| properties.keys().next())
            {
                if firsts.contains(&first.as_str()) {
                    return Err(Fault::new(at, "objects of one anyOf do not share their first member"));
                }
                firsts.push(first);
            }
        }
        Ok(())
    }

    fn values(&mut self, values: &Value, at: &str) -> Result<(), Fault> {
        let values = values
            .as_array()
            .filter(|values| !values.is_empty())
            .ok_or_else(|| Fault::new(at, "an enum lists at least one value"))?;
        self.enum_values += values.len();
        if self.enum_values > MAX_ENUM_VALUES {
            return Err(Fault::new(at, format!("a tool has at most {MAX_ENUM_VALUES} enum values, all together")));
        }
        let characters: usize = values.iter().filter_map(Value::as_str).map(|value| value.chars().count()).sum();
        if values.len() > LONG_ENUM && characters > MAX_ENUM_CHARACTERS {
            return Err(Fault::new(
                at,
                format!("an enum of more than {LONG_ENUM} values has at most {MAX_ENUM_CHARACTERS} characters"),
            ));
        }
        values.iter().filter_map(Value::as_str).try_for_each(|value| self.spend(value, at))
    }

    fn spend(&mut self, text: &str, at: &str) -> Result<(), Fault> {
        self.characters += text.chars().count();
        match self.characters > MAX_CHARACTERS {
            true => Err(Fault::new(at, format!("names and enum values have at most {MAX_CHARACTERS} characters, all together"))),
            false => Ok(()),
        }
    }
}
