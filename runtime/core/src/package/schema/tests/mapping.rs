//! What each WIT type takes and refuses as JSON.

use serde_json::{Value, json};

use crate::package::schema::{DRAFT, Validator, derive_input, derive_output};
use crate::package::wit::{Case, Field, Type};

/// Checks one type as a tool's result, with values it takes and values it refuses.
fn check(ty: &Type, takes: &[Value], refuses: &[Value]) {
    let schema = derive_output(Some(ty));
    let validator = Validator::compile(&schema).unwrap_or_else(|error| panic!("{ty:?}: {error}"));
    for value in takes {
        assert_eq!(validator.validate(value), Ok(()), "{ty:?} takes {value}: {schema}");
    }
    for value in refuses {
        assert!(validator.validate(value).is_err(), "{ty:?} refuses {value}: {schema}");
    }
}

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.to_owned(), ty, docs: None }
}

fn case(name: &str, ty: Option<Type>) -> Case {
    Case { name: name.to_owned(), ty, docs: None }
}

fn some(ty: Type) -> Box<Type> {
    Box::new(ty)
}

#[test]
fn booleans_and_small_integers() {
    check(&Type::Bool, &[json!(true), json!(false)], &[json!(0), json!("true"), json!(null)]);
    let bounds = [
        (Type::S8, -128_i64, 127_i64),
        (Type::S16, -32768, 32767),
        (Type::S32, -2_147_483_648, 2_147_483_647),
        (Type::U8, 0, 255),
        (Type::U16, 0, 65535),
        (Type::U32, 0, 4_294_967_295),
    ];
    for (ty, least, most) in bounds {
        check(&ty, &[json!(least), json!(most)], &[json!(least - 1), json!(most + 1), json!(0.5), json!("0"), json!(null)]);
    }
}

#[test]
fn wide_integers_are_exact_numbers_or_decimal_text() {
    let most = 9_007_199_254_740_991_i64;
    check(
        &Type::S64,
        &[json!(-most), json!(most), json!("0"), json!("-9223372036854775808"), json!("9223372036854775807")],
        &[
            json!(most + 1),
            json!(-most - 1),
            json!("01"),
            json!("+1"),
            json!("1.0"),
            json!(""),
            json!(" 1"),
            json!("1\n"),
            json!(0.5),
        ],
    );
    check(
        &Type::U64,
        &[json!(0), json!(most), json!("18446744073709551615"), json!("0")],
        &[json!(-1), json!(most + 1), json!("-1"), json!("00"), json!("1e3"), json!("٣"), json!("184467440737095516150")],
    );
}

#[test]
fn floats_name_what_json_has_no_number_for() {
    let named = [json!("NaN"), json!("Infinity"), json!("-Infinity"), json!("-0")];
    let other = [json!("nan"), json!("inf"), json!("1.5"), json!(null), json!(true)];
    for ty in [Type::F32, Type::F64] {
        check(&ty, &named, &other);
        check(&ty, &[json!(0), json!(-1.5), json!(3.402_823_466_385_288_6e38)], &[]);
    }
    check(&Type::F32, &[json!(3.402_823_567_797_336_4e38)], &[json!(3.402_823_567_797_336_6e38), json!(-1e39)]);
    check(&Type::F64, &[json!(1e308)], &[]);
}

#[test]
fn text_characters_and_bytes() {
    check(&Type::String, &[json!(""), json!("\u{0}\u{10ffff}")], &[json!(1), json!(null)]);
    check(&Type::Char, &[json!("a"), json!("𝄞"), json!("\n")], &[json!(""), json!("ab"), json!("e\u{301}"), json!(97)]);
    check(
        &Type::Bytes,
        &[json!(""), json!("AA=="), json!("AAA="), json!("AAAA"), json!("+/+/")],
        &[json!("A"), json!("AA"), json!("AA=A"), json!("AB=="), json!("AAB="), json!("-_-_"), json!("AAAA\n"), json!([0])],
    );
}

#[test]
fn lists_maps_and_tuples() {
    check(&Type::List(some(Type::U8)), &[json!([]), json!([1, 2])], &[json!([256]), json!({}), json!(null)]);
    check(&Type::FixedList(some(Type::U8), 2), &[json!([1, 2])], &[json!([1]), json!([1, 2, 3]), json!("AAA=")]);
    check(
        &Type::Tuple(vec![Type::U8, Type::String]),
        &[json!([1, "a"])],
        &[json!([1]), json!([1, "a", 2]), json!(["a", 1]), json!({})],
    );
    check(&Type::Map(some(Type::String), some(Type::U8)), &[json!({}), json!({"a": 1})], &[json!({"a": "1"}), json!([["a", 1]])]);
    check(
        &Type::Map(some(Type::U8), some(Type::Bool)),
        &[json!([]), json!([[1, true]])],
        &[json!({}), json!([[1]]), json!([[true, 1]])],
    );
}

#[test]
fn records_are_exact() {
    let record = Type::Record(vec![field("a-b", Type::U8), field("c", Type::Option(some(Type::String)))]);
    check(
        &record,
        &[json!({"a-b": 1}), json!({"a-b": 1, "c": null}), json!({"a-b": 1, "c": "x"})],
        &[json!({}), json!({"c": "x"}), json!({"a-b": 1, "d": 1}), json!({"a-b": 1, "c": 1}), json!({"a_b": 1}), json!([1])],
    );
    check(&Type::Record(vec![]), &[json!({})], &[json!({"a": 1}), json!(null)]);
}

#[test]
fn variants_enums_and_flags() {
    let variant =
        Type::Variant(vec![case("none", None), case("one", Some(Type::U8)), case("maybe", Some(Type::Option(some(Type::Bool))))]);
    check(
        &variant,
        &[json!("none"), json!({"one": 1}), json!({"maybe": null})],
        &[
            json!("one"),
            json!({"none": null}),
            json!({"one": "1"}),
            json!({"one": 1, "maybe": null}),
            json!({}),
            json!({"maybe": 1}),
        ],
    );
    check(&Type::Variant(vec![case("a", None)]), &[json!("a")], &[json!("b"), json!({"a": null})]);
    check(&Type::Enum(vec!["red".into(), "dark-blue".into()]), &[json!("red"), json!("dark-blue")], &[json!("Red"), json!(0)]);
    check(
        &Type::Flags(vec!["r".into(), "w".into()]),
        &[json!([]), json!(["w"]), json!(["w", "r"])],
        &[json!(["r", "r"]), json!(["x"]), json!("r"), json!({"r": true})],
    );
}

#[test]
fn options_and_results_nest_without_ambiguity() {
    check(&Type::Option(some(Type::U8)), &[json!(null), json!(1)], &[json!("1"), json!({"some": 1})]);
    let nested = Type::Option(some(Type::Option(some(Type::U8))));
    check(
        &nested,
        &[json!(null), json!({"some": null}), json!({"some": 1})],
        &[json!(1), json!({}), json!({"some": {"some": 1}})],
    );
    let thrice = Type::Option(some(nested));
    check(&thrice, &[json!(null), json!({"some": null}), json!({"some": {"some": null}})], &[json!({"some": 1})]);

    let result = Type::List(some(Type::Result { ok: Some(some(Type::U8)), err: None }));
    check(
        &result,
        &[json!([{"ok": 1}, {"error": null}])],
        &[json!([{"ok": 1, "error": null}]), json!([{"ok": null}]), json!([{"error": 1}]), json!([1]), json!([{}])],
    );
}

#[test]
fn a_top_level_result_gives_its_value_alone() {
    check(
        &Type::Result { ok: Some(some(Type::U8)), err: Some(some(Type::String)) },
        &[json!(1)],
        &[json!({"ok": 1}), json!("x"), json!(null)],
    );
    check(&Type::Result { ok: None, err: None }, &[json!(null)], &[json!({"ok": null}), json!(1)]);
    assert_eq!(derive_output(None), json!({ "$schema": DRAFT, "type": "null" }));
}

#[test]
fn input_is_an_object_of_the_parameters() {
    let schema = derive_input(&[("text".to_owned(), Type::String), ("limit".to_owned(), Type::Option(some(Type::U32)))]);
    assert_eq!(
        schema,
        json!({
            "$schema": DRAFT,
            "type": "object",
            "properties": {
                "text": { "type": "string" },
                "limit": { "anyOf": [{ "type": "null" }, { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 }] }
            },
            "required": ["text"],
            "additionalProperties": false
        })
    );
    let none = Validator::compile(&derive_input(&[])).unwrap();
    assert_eq!(none.validate(&json!({})), Ok(()));
    assert!(none.validate(&json!({"a": 1})).is_err() && none.validate(&json!(null)).is_err());
}

#[test]
fn comments_of_fields_and_cases_become_descriptions() {
    let docs = Some("How many.".to_owned());
    let record = Type::Record(vec![Field { name: "description".into(), ty: Type::U8, docs: docs.clone() }]);
    assert_eq!(derive_output(Some(&record))["properties"]["description"]["description"], "How many.");
    let variant = Type::Variant(vec![Case { name: "n".into(), ty: Some(Type::U8), docs }]);
    assert_eq!(derive_output(Some(&variant))["anyOf"][0]["properties"]["n"]["description"], "How many.");
}

#[test]
fn the_deepest_types_still_give_schemas_that_compile() {
    let nest = |levels: usize, wrap: fn(Type) -> Type| (0..levels).fold(Type::U8, |inner, _| wrap(inner));
    let record = nest(31, |inner| Type::Record(vec![field("a", inner)]));
    let list = nest(31, |inner| Type::List(Box::new(inner)));
    // These take four levels of JSON for each level of type, so the bound of the schema's text comes first.
    let variant = |levels| nest(levels, |inner| Type::Variant(vec![case("a", Some(inner))]));
    for ty in [record, list, variant(29)] {
        Validator::compile(&derive_output(Some(&ty))).unwrap();
    }
    assert!(Validator::compile(&derive_output(Some(&variant(31)))).is_err());
}
