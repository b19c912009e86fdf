//! Whatever types a skill has: each adapter that is made passes its own check, is made again in the same bytes, and refuses nothing
//! that the tool's schema takes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Adapter, Facts, manifest, tool};
use crate::package::adapters::dialect;
use crate::package::manifest::Tool;
use crate::package::schema::{self, Validator};
use crate::package::wit::{Case, Field, Type};

const NAMES: [&str; 4] = ["a", "b-c", "d2", "e-f-g"];

/// Types nested at most 6 deep, so that no platform's bound is in the way. Maps with names of their own are what strict mode cannot say.
fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        Just(Type::S8),
        Just(Type::U32),
        Just(Type::S64),
        Just(Type::U64),
        Just(Type::F32),
        Just(Type::F64),
        Just(Type::Char),
        Just(Type::String),
        Just(Type::Bytes),
        (1..4_usize).prop_map(|count| Type::Enum(names(count))),
        (1..4_usize).prop_map(|count| Type::Flags(names(count))),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Type::List),
            (boxed.clone(), 1..4_u32).prop_map(|(item, length)| Type::FixedList(item, length)),
            boxed.clone().prop_map(Type::Option),
            boxed.clone().prop_map(|value| Type::Map(Box::new(Type::U8), value)),
            (prop::option::of(boxed.clone()), prop::option::of(boxed)).prop_map(|(ok, err)| Type::Result { ok, err }),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Type::Tuple),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|types| {
                Type::Record(
                    types
                        .into_iter()
                        .zip(NAMES)
                        .map(|(ty, name)| Field { name: name.into(), ty, docs: Some("Why.".into()) })
                        .collect(),
                )
            }),
            prop::collection::vec(prop::option::of(inner), 1..4).prop_map(|types| {
                Type::Variant(types.into_iter().zip(NAMES).map(|(ty, name)| Case { name: name.into(), ty, docs: None }).collect())
            }),
        ]
    })
}

fn names(count: usize) -> Vec<String> {
    NAMES.iter().take(count).map(|name| (*name).to_owned()).collect()
}

/// A value that a type's schema takes.
fn value(ty: &Type) -> Value {
    match ty {
        Type::Bool => json!(true),
        Type::S8 | Type::S16 | Type::S32 | Type::U8 | Type::U16 | Type::U32 => json!(7),
        Type::S64 => json!("-9223372036854775808"),
        Type::U64 => json!(9),
        Type::F32 => json!(1.5),
        Type::F64 => json!("NaN"),
        Type::Char => json!("c"),
        Type::String => json!("text"),
        Type::Bytes => json!("AAA="),
        Type::List(item) => json!([value(item)]),
        Type::FixedList(item, length) => (0..*length).map(|_| value(item)).collect(),
        Type::Map(key, inner) if **key == Type::String => json!({ "k": value(inner) }),
        Type::Map(key, inner) => json!([[value(key), value(inner)]]),
        Type::Record(fields) => fields.iter().map(|field| (field.name.clone(), value(&field.ty))).collect(),
        Type::Tuple(types) => types.iter().map(value).collect(),
        Type::Variant(cases) => match cases.last() {
            Some(Case { name, ty: Some(ty), .. }) => json!({ name: value(ty) }),
            Some(Case { name, .. }) => json!(name),
            None => json!(null),
        },
        Type::Enum(names) => json!(names.last()),
        Type::Option(inner) if matches!(**inner, Type::Option(_)) => json!({ "some": value(inner) }),
        Type::Option(inner) => value(inner),
        Type::Result { ok: Some(ok), .. } => json!({ "ok": value(ok) }),
        Type::Result { .. } => json!({ "ok": null }),
        Type::Flags(names) => json!(names),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_passes_its_check(parameter in ty(), result in prop::option::of(ty())) {
        let tool = tool(&parameter, result.as_ref());
        // Deep nesting of what takes several levels of JSON is refused at build for its schema.
        prop_assume!(Validator::compile(&tool.input).is_ok() && Validator::compile(&tool.output).is_ok());
        let input = json!({ "p": value(&parameter) });
        prop_assert!(Validator::compile(&tool.input).unwrap().validate(&input).is_ok());
        let manifest = manifest("t", Tool { effects: vec![], ..tool });
        let facts = Facts::of(&manifest);
        for adapter in Adapter::ALL {
            let bytes = match adapter.make(&facts) {
                // A tuple becomes a list of any of its types, and strict mode cannot tell some of them apart.
                Err(error) if adapter == Adapter::Openai && error.rule.contains("share their first member") => {
                    prop_assert!(format!("{parameter:?}").contains("Tuple"), "{}", error);
                    continue;
                }
                made => made.map_err(|error| TestCaseError::fail(format!("{error}: {parameter:?}")))?,
            };
            adapter.check(&bytes).unwrap();
            prop_assert_eq!(&bytes, &adapter.make(&facts).unwrap());
            let Ok(file) = serde_json::from_slice::<Value>(&bytes) else { continue };
            for member in ["inputSchema", "parameters", "input_schema", "parametersJsonSchema"] {
                if let Some(schema) = file["tools"][0].get(member) {
                    let schema = Validator::compile(schema).unwrap_or_else(|error| panic!("{adapter}: {error}"));
                    prop_assert!(schema.validate(&input).is_ok(), "{} refuses {}", adapter, input);
                }
            }
        }
    }

    #[test]
    fn no_schema_of_a_stranger_is_too_much(text in "\\PC{0,40}", number in any::<i32>()) {
        let dialect = dialect::Dialect { keywords: &["minimum"], formats: None, tuples: false, all_required: true };
        for schema in [json!(true), json!(number), json!({ text.clone(): number }), json!({ "anyOf": { "x": text } }), json!({ "prefixItems": [] })] {
            prop_assert!(dialect::say(&schema, &dialect).is_object());
        }
    }
}

#[test]
fn the_values_here_are_those_of_the_types() {
    let all = Type::Record(vec![
        Field { name: "m".into(), ty: Type::Map(Box::new(Type::String), Box::new(Type::U8)), docs: None },
        Field { name: "o".into(), ty: Type::Option(Box::new(Type::Option(Box::new(Type::Bool)))), docs: None },
    ]);
    let output = schema::derive_output(Some(&all));
    assert!(Validator::compile(&output).unwrap().validate(&value(&all)).is_ok());
}
