//! Schemas and values of someone who means harm.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::package::schema::{MAX_SCHEMA_BYTES, MAX_VALUE_DEPTH, MAX_VALUE_ELEMENTS, SchemaError, Validator, derive_output};
use crate::package::wit::{Case, Type};

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Bool(true), |inner, _| Value::Object([("not".to_owned(), inner)].into_iter().collect()))
}

/// Values this deep must be taken apart by hand: dropping them recurses.
fn drop_deep(mut value: Value) {
    while let Some(inner) = value.get_mut("not").map(Value::take) {
        value = inner;
    }
}

#[test]
fn references_that_leave_the_schema_are_refused() {
    for target in
        ["https://example.com/s.json", "file:///etc/passwd", "other.json", "/a", "", "//h/s", "urn:uuid:1", " #", "\u{0}#"]
    {
        let refusal = Validator::compile(&json!({ "$ref": target })).unwrap_err();
        assert!(matches!(&refusal, SchemaError::Refused { pointer, .. } if pointer == "/$ref"), "{target}: {refusal}");
    }
    for schema in [
        json!({ "$dynamicRef": "#a" }),
        json!({ "$id": "https://example.com/", "$ref": "#/$defs/a", "$defs": { "a": true } }),
        json!({ "$schema": "https://example.com/meta" }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#" }),
        json!({ "properties": { "a": { "items": { "$ref": "https://example.com/" } } } }),
        json!({ "x-unknown": { "$ref": "https://example.com/" } }),
        json!({ "$ref": "#/x-unknown", "x-unknown": { "$ref": "https://example.com/" } }),
        json!({ "$ref": "#/const", "const": { "$ref": "https://example.com/" } }),
        json!({ "$ref": "#/nothing" }),
        json!({ "$ref": 1 }),
    ] {
        assert!(Validator::compile(&schema).is_err(), "{schema}");
    }
    let inside = json!({ "$defs": { "a/b": { "type": "null" } }, "items": { "$ref": "#/$defs/a~1b" } });
    assert!(Validator::compile(&inside).unwrap().validate(&json!([1])).is_err());
}

#[test]
fn data_in_a_schema_is_no_schema() {
    let validator = Validator::compile(&json!({ "enum": [{ "$ref": "https://example.com/" }] })).unwrap();
    assert_eq!(validator.validate(&json!({ "$ref": "https://example.com/" })), Ok(()));
    let named = json!({ "properties": { "$ref": { "type": "string" }, "enum": { "type": "null" } } });
    assert!(Validator::compile(&named).unwrap().validate(&json!({ "enum": 1 })).is_err());
}

#[test]
fn recursion_and_doubling_references_are_refused() {
    assert!(Validator::compile(&json!({ "$ref": "#" })).is_err());
    assert!(Validator::compile(&json!({ "properties": { "a": { "$ref": "#" } } })).is_err());
    assert!(
        Validator::compile(
            &json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } })
        )
        .is_err()
    );

    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/l{}", level + 1) });
        definitions.insert(format!("l{level}"), json!({ "allOf": [next, next] }));
    }
    definitions.insert("l40".to_owned(), json!({ "type": "null" }));
    let start = Instant::now();
    let refusal = Validator::compile(&json!({ "$ref": "#/$defs/l0", "$defs": definitions })).unwrap_err();
    assert!(matches!(refusal, SchemaError::TooLarge { .. }), "{refusal}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn deep_and_large_schemas_are_refused() {
    for levels in [70, 100_000] {
        let deep = nested(levels);
        assert!(matches!(Validator::compile(&deep), Err(SchemaError::TooLarge { .. })));
        drop_deep(deep);
    }
    Validator::compile(&nested(60)).unwrap();
    assert!(matches!(Validator::compile(&json!({ "title": "a".repeat(MAX_SCHEMA_BYTES) })), Err(SchemaError::TooLarge { .. })));
    assert!(matches!(Validator::compile(&json!({ "allOf": vec![json!({}); 20_000] })), Err(SchemaError::TooLarge { .. })));
}

#[test]
fn patterns_are_bounded_and_linear() {
    let compile = |pattern: &str| Validator::compile(&json!({ "type": "string", "pattern": pattern }));
    for pattern in ["(?=a)b", "(?<!a)b", r"(a)\1", "a{1000}{1000}{1000}", "(", &"a".repeat(257)] {
        assert!(compile(pattern).is_err(), "{pattern}");
        assert!(Validator::compile(&json!({ "patternProperties": { pattern: true } })).is_err(), "{pattern}");
    }
    assert!(compile(".{0,1000}.{0,1000}.{0,1000}x").is_err(), "too large for its bound");

    let evil = compile("^(a|a)*(a+)+(.*)*b$").unwrap();
    let start = Instant::now();
    assert!(evil.validate(&json!("a".repeat(50_000))).is_err());
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
}

#[test]
fn values_are_bounded_before_they_are_checked() {
    let anything = Validator::compile(&json!({})).unwrap();
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(anything.validate(&deep(MAX_VALUE_DEPTH)), Ok(()));
    assert_eq!(anything.validate(&deep(MAX_VALUE_DEPTH + 1)).unwrap_err().rule, "depth");
    assert_eq!(anything.validate(&Value::Array(vec![Value::Null; MAX_VALUE_ELEMENTS])), Ok(()));
    assert_eq!(anything.validate(&Value::Array(vec![Value::Null; MAX_VALUE_ELEMENTS + 1])).unwrap_err().rule, "elements");
}

#[test]
fn a_violation_says_where_and_what_and_quotes_no_value() {
    let validator = Validator::compile(&json!({
        "type": "object",
        "properties": { "token": { "type": "string", "maxLength": 4 }, "a/b": { "items": { "type": "integer" } } },
        "required": ["token"]
    }))
    .unwrap();
    let violation = validator.validate(&json!({ "token": "hunter2-secret" })).unwrap_err();
    assert_eq!((violation.pointer.as_str(), violation.rule.as_str()), ("/token", "maxLength"));
    assert!(!violation.to_string().contains("hunter2"), "{violation}");
    assert_eq!(validator.validate(&json!({ "token": "a", "a/b": [1, "x"] })).unwrap_err().pointer, "/a~1b/1");
    let missing = validator.validate(&json!({})).unwrap_err();
    assert_eq!((missing.pointer.as_str(), missing.rule.as_str()), ("", "required"));
    assert!(missing.message.contains("token"), "{missing}");
}

#[test]
fn the_form_that_was_meant_is_the_one_that_is_told() {
    let variant = Type::Variant(vec![
        Case { name: "none".into(), ty: None, docs: None },
        Case { name: "port".into(), ty: Some(Type::U16), docs: None },
        Case { name: "name".into(), ty: Some(Type::String), docs: None },
    ]);
    let validator = Validator::compile(&derive_output(Some(&Type::Option(Box::new(variant))))).unwrap();
    let violation = validator.validate(&json!({ "port": 70_000 })).unwrap_err();
    assert_eq!((violation.pointer.as_str(), violation.rule.as_str()), ("/port", "maximum"));
    let violation = validator.validate(&json!("nowhere")).unwrap_err();
    assert_eq!(violation.rule, "enum", "{violation}");
}

#[test]
fn a_message_stays_short() {
    let validator = Validator::compile(&json!({ "additionalProperties": false })).unwrap();
    let violation = validator.validate(&json!({ "x".repeat(100_000): 1 })).unwrap_err();
    assert!(violation.message.chars().count() <= 410, "{}", violation.message.len());
}

#[test]
fn telling_a_violation_costs_no_more_than_the_value() {
    let ty = (0..12).fold(Type::U8, |inner, _| Type::Option(Box::new(Type::List(Box::new(inner)))));
    let validator = Validator::compile(&derive_output(Some(&ty))).unwrap();
    let wrong = |items: usize| (0..11).fold(Value::Array(vec![json!("a"); items]), |inner, _| Value::Array(vec![inner]));
    let start = Instant::now();
    assert_eq!(validator.validate(&wrong(900_000)).unwrap_err().rule, "schema");
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    assert_eq!(validator.validate(&wrong(900)).unwrap_err().pointer, "/0/0/0/0/0/0/0/0/0/0/0/0");

    let plain = Validator::compile(&derive_output(Some(&Type::List(Box::new(Type::U8))))).unwrap();
    let mut many = vec![json!(1); 900_000];
    many[800_000] = json!("a");
    assert_eq!(plain.validate(&Value::Array(many)).unwrap_err().pointer, "/800000");
}

#[test]
fn one_validator_serves_many_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Validator>();
}
