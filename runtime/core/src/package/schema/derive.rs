//! The schemas that WIT types give. This is one side of the one mapping between JSON and WIT; the engine's values are the other.

use serde_json::{Map, Value, json};

use super::DRAFT;
use crate::json::canonical::{MAX_SAFE_INTEGER, sorted};
use crate::package::wit::{Case, Field, Type};

/// What base64 text looks like (RFC 4648, section 4): padded, and without stray bits in its last character (section 3.5).
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
/// The first number that is too large for an `f32`, 2^128 - 2^103: all below it round to one.
const F32_OVERFLOW: f64 = 3.402_823_567_797_336_6e38;

/// The schema of a function's input: an object with one member for each parameter, where only an `option` may be left out.
#[must_use]
pub fn derive_input(params: &[(String, Type)]) -> Value {
    let mut schema = object(params.iter().map(|(name, ty)| (name.as_str(), ty, None)));
    schema.insert("$schema".to_owned(), DRAFT.into());
    sorted(Value::Object(schema))
}

/// The schema of what a call gives: the result's type, for a `result<T, E>` that of `T` alone (an error is no output), and null if
/// there is nothing.
#[must_use]
pub fn derive_output(result: Option<&Type>) -> Value {
    let output = match result {
        Some(Type::Result { ok, .. }) => ok.as_deref(),
        other => other,
    };
    let mut schema = output.map_or_else(null, derive);
    schema.insert("$schema".to_owned(), DRAFT.into());
    sorted(Value::Object(schema))
}

fn derive(ty: &Type) -> Map<String, Value> {
    match ty {
        Type::Bool => schema(json!({ "type": "boolean" })),
        Type::S8 => integer(i8::MIN.into(), i8::MAX.into()),
        Type::S16 => integer(i16::MIN.into(), i16::MAX.into()),
        Type::S32 => integer(i32::MIN.into(), i32::MAX.into()),
        Type::U8 => integer(0, u8::MAX.into()),
        Type::U16 => integer(0, u16::MAX.into()),
        Type::U32 => integer(0, u32::MAX.into()),
        Type::S64 => wide_integer(-MAX_SAFE_INTEGER.cast_signed(), "^-?(?:0|[1-9][0-9]{0,18})$"),
        Type::U64 => wide_integer(0, "^(?:0|[1-9][0-9]{0,19})$"),
        Type::F32 => float(json!({ "type": "number", "exclusiveMinimum": -F32_OVERFLOW, "exclusiveMaximum": F32_OVERFLOW })),
        Type::F64 => float(json!({ "type": "number" })),
        Type::Char => schema(json!({ "type": "string", "minLength": 1, "maxLength": 1 })),
        Type::String => schema(json!({ "type": "string" })),
        Type::Bytes => schema(json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 })),
        Type::List(item) => schema(json!({ "type": "array", "items": derive(item) })),
        Type::FixedList(item, length) => {
            schema(json!({ "type": "array", "items": derive(item), "minItems": length, "maxItems": length }))
        }
        Type::Map(key, value) if **key == Type::String => {
            schema(json!({ "type": "object", "additionalProperties": derive(value) }))
        }
        Type::Map(key, value) => schema(json!({ "type": "array", "items": tuple(&[derive(key), derive(value)]) })),
        Type::Record(fields) => object(fields.iter().map(|Field { name, ty, docs }| (name.as_str(), ty, docs.as_deref()))),
        Type::Tuple(types) => tuple(&types.iter().map(derive).collect::<Vec<_>>()),
        Type::Variant(cases) => variant(cases),
        Type::Enum(names) => schema(json!({ "type": "string", "enum": names })),
        Type::Option(inner) if matches!(**inner, Type::Option(_)) => any_of(&[null(), one_member("some", Some(inner), None)]),
        Type::Option(inner) => any_of(&[null(), derive(inner)]),
        Type::Result { ok, err } => any_of(&[one_member("ok", ok.as_deref(), None), one_member("error", err.as_deref(), None)]),
        Type::Flags(names) => schema(
            json!({ "type": "array", "items": { "type": "string", "enum": names }, "uniqueItems": true, "maxItems": names.len() }),
        ),
    }
}

fn schema(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn null() -> Map<String, Value> {
    schema(json!({ "type": "null" }))
}

fn any_of(schemas: &[Map<String, Value>]) -> Map<String, Value> {
    schema(json!({ "anyOf": schemas }))
}

fn integer(minimum: i64, maximum: i64) -> Map<String, Value> {
    schema(json!({ "type": "integer", "minimum": minimum, "maximum": maximum }))
}

/// An integer as far as every JSON reader sees it exactly, and beyond that its decimal text.
fn wide_integer(minimum: i64, text: &str) -> Map<String, Value> {
    any_of(&[integer(minimum, MAX_SAFE_INTEGER.cast_signed()), schema(json!({ "type": "string", "pattern": text }))])
}

fn float(number: Value) -> Map<String, Value> {
    any_of(&[schema(number), schema(json!({ "type": "string", "enum": ["NaN", "Infinity", "-Infinity", "-0"] }))])
}

fn tuple(items: &[Map<String, Value>]) -> Map<String, Value> {
    schema(json!({ "type": "array", "prefixItems": items, "items": false, "minItems": items.len(), "maxItems": items.len() }))
}

/// An object with these members and no other; those that are an `option` may be left out.
fn object<'a>(members: impl Iterator<Item = (&'a str, &'a Type, Option<&'a str>)>) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, ty, docs) in members {
        properties.insert(name.to_owned(), described(derive(ty), docs));
        if !matches!(ty, Type::Option(_)) {
            required.push(name);
        }
    }
    schema(json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false }))
}

/// An object with exactly this member. Without a type its value is null.
fn one_member(name: &str, ty: Option<&Type>, docs: Option<&str>) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert(name.to_owned(), described(ty.map_or_else(null, derive), docs));
    schema(json!({ "type": "object", "properties": properties, "required": [name], "additionalProperties": false }))
}

/// Cases without a payload are strings, each case with one is an object.
fn variant(cases: &[Case]) -> Map<String, Value> {
    let bare: Vec<&str> = cases.iter().filter(|case| case.ty.is_none()).map(|case| case.name.as_str()).collect();
    let mut forms = Vec::new();
    if !bare.is_empty() {
        forms.push(schema(json!({ "type": "string", "enum": bare })));
    }
    for Case { name, ty, docs } in cases {
        if let Some(ty) = ty {
            forms.push(one_member(name, Some(ty), docs.as_deref()));
        }
    }
    any_of(&forms)
}

fn described(mut schema: Map<String, Value>, docs: Option<&str>) -> Value {
    if let Some(docs) = docs {
        schema.insert("description".to_owned(), docs.into());
    }
    Value::Object(schema)
}
