//! Saying a tool's schema in the part of JSON Schema that a platform knows.
//!
//! What the platform has no keyword for goes into the description, so that a model still reads it. The result accepts all that the
//! schema accepts, perhaps more: what counts is gate 8, which has the schema itself.

use serde_json::{Map, Value};

use crate::json::sorted;

/// The part of JSON Schema that a platform knows.
pub(super) struct Dialect {
    /// Keywords of numbers, strings and arrays that it knows.
    pub(super) keywords: &'static [&'static str],
    /// Formats of strings that it knows; `None` if it takes any.
    pub(super) formats: Option<&'static [&'static str]>,
    /// Whether it knows `prefixItems`.
    pub(super) tuples: bool,
    /// Whether every member has to be required.
    pub(super) all_required: bool,
}

/// A schema in a dialect.
pub(super) fn say(schema: &Value, dialect: &Dialect) -> Value {
    let Some(members) = schema.as_object() else { return Value::Object(Map::new()) };
    let mut said = Said { dialect, schema: Map::new(), texts: Vec::new(), notes: Vec::new() };
    for (keyword, value) in members {
        said.own(keyword, value, members);
    }
    for narrowing in members.get("allOf").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        for (keyword, value) in narrowing {
            said.narrowed(keyword, value);
        }
    }
    said.finish()
}

struct Said<'a> {
    dialect: &'a Dialect,
    schema: Map<String, Value>,
    /// What is described in words.
    texts: Vec<String>,
    /// What the platform has no keyword for.
    notes: Vec<String>,
}

impl Said<'_> {
    /// A keyword of the schema itself; `whole` is that schema.
    fn own(&mut self, keyword: &str, value: &Value, whole: &Map<String, Value>) {
        match (keyword, value) {
            ("$schema" | "allOf" | "required", _) => {}
            ("description", Value::String(text)) => self.texts.push(text.clone()),
            ("type" | "enum", _) | ("additionalProperties", Value::Bool(_)) => self.keep(keyword, value.clone()),
            ("anyOf", Value::Array(forms)) => {
                self.keep(keyword, forms.iter().map(|form| say(form, self.dialect)).collect());
            }
            ("properties", Value::Object(properties)) => {
                let required = match whole.get("required") {
                    Some(required) if !self.dialect.all_required => required.clone(),
                    _ => properties.keys().cloned().collect(),
                };
                self.keep("required", required);
                let said = properties.iter().map(|(name, schema)| (name.clone(), say(schema, self.dialect))).collect();
                self.keep(keyword, Value::Object(said));
            }
            // A tuple's end: how many elements there are is said by minItems and maxItems.
            ("items", Value::Bool(false)) if whole.contains_key("prefixItems") => {}
            ("items" | "additionalProperties", schema) => self.keep(keyword, say(schema, self.dialect)),
            ("prefixItems", Value::Array(items)) => self.tuple(items),
            _ if self.knows(keyword, value) => self.keep(keyword, value.clone()),
            _ => self.note(keyword, value),
        }
    }

    /// A tuple, or a list of anything that the tuple has with a word about their order.
    fn tuple(&mut self, items: &[Value]) {
        let said: Vec<Value> = items.iter().map(|item| say(item, self.dialect)).collect();
        if self.dialect.tuples {
            self.keep("prefixItems", Value::Array(said));
            return;
        }
        let mut distinct: Vec<Value> = Vec::new();
        for item in &said {
            if !distinct.contains(item) {
                distinct.push(item.clone());
            }
        }
        self.note("prefixItems", &Value::Array(said));
        let items = match <[Value; 1]>::try_from(distinct) {
            Ok([only]) => only,
            Err(distinct) if distinct.is_empty() => serde_json::json!({ "type": "null" }),
            Err(distinct) => serde_json::json!({ "anyOf": distinct }),
        };
        self.keep("items", items);
    }

    /// A keyword that the author has joined to the schema.
    fn narrowed(&mut self, keyword: &str, value: &Value) {
        if let ("description", Value::String(text)) = (keyword, value) {
            self.texts.push(text.clone());
        } else if !(self.knows(keyword, value) && attach(&mut self.schema, keyword, value)) {
            self.note(keyword, value);
        }
    }

    fn knows(&self, keyword: &str, value: &Value) -> bool {
        let format = |format: &str| self.dialect.formats.is_none_or(|formats| formats.contains(&format));
        self.dialect.keywords.contains(&keyword) && (keyword != "format" || value.as_str().is_some_and(format))
    }

    fn keep(&mut self, keyword: &str, value: Value) {
        self.schema.insert(keyword.to_owned(), value);
    }

    fn note(&mut self, keyword: &str, value: &Value) {
        self.notes.push(format!("{keyword}: {}", sorted(value.clone())));
    }

    fn finish(mut self) -> Value {
        if !self.notes.is_empty() {
            self.texts.push(format!("Must hold, too: {}", self.notes.join("; ")));
        }
        if !self.texts.is_empty() {
            self.keep("description", self.texts.join("\n\n").into());
        }
        Value::Object(self.schema)
    }
}

/// Joins a keyword to a schema that was said, so that it holds there as it did in an `allOf` beside it. Tells whether it could.
fn attach(schema: &mut Map<String, Value>, keyword: &str, value: &Value) -> bool {
    let Some(types) = types(keyword) else { return false };
    if let Some(ty) = schema.get("type").and_then(Value::as_str) {
        // A keyword about other types says nothing about this one.
        if !types.contains(&ty) {
            return true;
        }
        let stands = schema.get(keyword).cloned();
        let joined = match &stands {
            None => Some(value),
            Some(stands) => stricter(keyword, stands, value),
        };
        let Some(joined) = joined.cloned() else { return false };
        schema.insert(keyword.to_owned(), joined);
        return true;
    }
    let Some(Value::Array(forms)) = schema.get_mut("anyOf") else { return false };
    // All forms or none: a keyword in some of them only would hold for some values only.
    let mut tried = forms.clone();
    let attached = tried.iter_mut().all(|form| form.as_object_mut().is_some_and(|form| attach(form, keyword, value)));
    if attached {
        *forms = tried;
    }
    attached
}

/// The types that a keyword is about.
fn types(keyword: &str) -> Option<&'static [&'static str]> {
    Some(match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => &["integer", "number"],
        "pattern" | "format" | "minLength" | "maxLength" | "contentEncoding" => &["string"],
        "minItems" | "maxItems" | "uniqueItems" => &["array"],
        _ => return None,
    })
}

/// That one of two bounds which holds the other one, too.
fn stricter<'a>(keyword: &str, one: &'a Value, other: &'a Value) -> Option<&'a Value> {
    if one == other {
        return Some(one);
    }
    let (first, second) = (one.as_f64()?, other.as_f64()?);
    let takes_first = match keyword {
        "minimum" | "exclusiveMinimum" | "minItems" | "minLength" => first > second,
        "maximum" | "exclusiveMaximum" | "maxItems" | "maxLength" => first < second,
        _ => return None,
    };
    Some(if takes_first { one } else { other })
}
