//! What an author may narrow, and how.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::package::schema::{
    NARROWING_KEYWORDS, SchemaError, Validator, derive_input, derive_output, is_narrowing_of, narrow, narrow_input,
};
use crate::package::wit::{Field, Type};

fn input() -> Value {
    derive_input(&[("text".to_owned(), Type::String), ("limit".to_owned(), Type::Option(Box::new(Type::U8)))])
}

fn narrowings(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn a_narrowing_takes_away_and_never_adds() {
    let schema =
        narrow_input(input(), &narrowings(&[("text", json!({"maxLength": 3})), ("limit", json!({"maximum": 9}))])).unwrap();
    let validator = Validator::compile(&schema).unwrap();
    assert_eq!(validator.validate(&json!({"text": "abc", "limit": 9})), Ok(()));
    assert_eq!(validator.validate(&json!({"text": "abc", "limit": null})), Ok(()));
    let violation = validator.validate(&json!({"text": "abcd"})).unwrap_err();
    assert_eq!((violation.pointer.as_str(), violation.rule.as_str()), ("/text", "maxLength"));
    assert_eq!(validator.validate(&json!({"text": "abc", "limit": 10})).unwrap_err().pointer, "/limit");

    let wider = narrow(derive_output(Some(&Type::U8)), &json!({"minimum": -5, "maximum": 1000})).unwrap();
    let validator = Validator::compile(&wider).unwrap();
    assert!(validator.validate(&json!(-1)).is_err() && validator.validate(&json!(256)).is_err());
    assert_eq!(validator.validate(&json!(255)), Ok(()));
}

#[test]
fn the_root_stays_an_object_as_platforms_want_it() {
    let schema = narrow_input(input(), &narrowings(&[("text", json!({"pattern": "^a"}))])).unwrap();
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["properties"]["text"], json!({ "type": "string", "allOf": [{ "pattern": "^a" }] }));
}

#[test]
fn only_the_listed_keywords_narrow() {
    for keyword in [
        "$ref",
        "$defs",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "type",
        "additionalProperties",
        "patternProperties",
        "maxLenght",
    ] {
        assert!(!NARROWING_KEYWORDS.contains(&keyword));
        for narrowing in [
            json!({keyword: {}}),
            json!({"items": {keyword: {}}}),
            json!({"properties": {"a": {"prefixItems": [{keyword: {}}]}}}),
        ] {
            let refusal = narrow(derive_output(Some(&Type::String)), &narrowing).unwrap_err();
            assert!(matches!(&refusal, SchemaError::Refused { pointer, .. } if pointer.ends_with(&keyword)), "{refusal}");
        }
    }
    let refusal = narrow(derive_output(Some(&Type::String)), &json!({"maxLenght": 1})).unwrap_err().to_string();
    assert!(refusal.contains("did you mean `maxLength`?"), "{refusal}");
    assert!(narrow(derive_output(Some(&Type::String)), &json!(true)).is_err());
}

#[test]
fn a_narrowing_that_is_no_schema_fails() {
    for narrowing in [
        json!({"maxLength": "3"}),
        json!({"pattern": "("}),
        json!({"pattern": "(?=a)"}),
        json!({"format": "postcode"}),
        json!({"required": 1}),
    ] {
        assert!(narrow(derive_output(Some(&Type::String)), &narrowing).is_err(), "{narrowing}");
    }
}

#[test]
fn an_unknown_parameter_is_told_with_the_nearest() {
    let refusal = narrow_input(input(), &narrowings(&[("txt", json!({"maxLength": 3}))])).unwrap_err();
    assert_eq!(refusal, SchemaError::UnknownParameter { name: "txt".into(), nearest: Some("text".into()) });
    assert_eq!(refusal.to_string(), "there is no parameter \"txt\"; did you mean \"text\"?");
}

#[test]
fn a_format_is_asserted() {
    let validator = Validator::compile(&narrow(derive_output(Some(&Type::String)), &json!({"format": "date"})).unwrap()).unwrap();
    assert_eq!(validator.validate(&json!("2026-11-22")), Ok(()));
    assert_eq!(validator.validate(&json!("22.11.2026")).unwrap_err().rule, "format");
}

#[test]
fn a_manifest_s_schema_is_held_against_the_derived_one() {
    let described = Type::Record(vec![Field { name: "description".into(), ty: Type::U8, docs: Some("It.".into()) }]);
    let bare = Type::Record(vec![Field { name: "description".into(), ty: Type::U8, docs: None }]);
    let (described, bare) = (derive_output(Some(&described)), derive_output(Some(&bare)));
    assert!(is_narrowing_of(&described, &bare) && is_narrowing_of(&bare, &bare));
    assert!(is_narrowing_of(&narrow(described.clone(), &json!({"minProperties": 1})).unwrap(), &bare));
    assert!(is_narrowing_of(&narrow_input(input(), &narrowings(&[("text", json!({"maxLength": 3}))])).unwrap(), &input()));

    let mut without = bare.clone();
    without["properties"].as_object_mut().unwrap().remove("description");
    let mut wider = bare.clone();
    wider["properties"]["description"]["maximum"] = json!(1000);
    let mut open = bare.clone();
    open["additionalProperties"] = json!(true);
    let mut other = bare.clone();
    other["allOf"] = json!([{"anyOf": [true]}]);
    for schema in [without, wider, open, other, json!(true), json!(null), derive_output(None)] {
        assert!(!is_narrowing_of(&schema, &bare), "{schema}");
    }
}

proptest! {
    /// Whatever the narrowing: what the joined schema takes, the derived one takes.
    #[test]
    fn no_narrowing_widens(minimum in -300_i64..300, maximum in -300_i64..300, value in -300_i64..300) {
        let derived = derive_output(Some(&Type::U8));
        let joined = narrow(derived.clone(), &json!({"minimum": minimum, "maximum": maximum})).unwrap();
        let (derived, joined) = (Validator::compile(&derived).unwrap(), Validator::compile(&joined).unwrap());
        let value = json!(value);
        prop_assert!(joined.validate(&value).is_err() || derived.validate(&value).is_ok());
    }
}
