use serde_json::{Value, json};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Type, Val};
use wasmtime::{Config, Engine};

use super::*;

const BOUNDS: ValueBounds = ValueBounds { depth: 64, elements: 1_000_000 };

/// The types of the parameters of a function; `types` are definitions before it.
fn parameters(types: &str, parameters: &str) -> Vec<(String, Type)> {
    let wat = format!(r#"(component (import "i" (instance {types} (export "f" (func {parameters})))))"#);
    let mut config = Config::new();
    config.wasm_component_model_map(true).wasm_component_model_fixed_length_lists(true);
    let engine = Engine::new(&config).unwrap();
    let component = Component::from_binary(&engine, &wat::parse_str(&wat).unwrap()).unwrap();
    let ty = component.component_type();
    let Some(ComponentItem::ComponentInstance(instance)) = ty.get_import(&engine, "i").map(|import| import.ty) else {
        panic!("no instance")
    };
    let Some(ComponentItem::ComponentFunc(function)) = instance.get_export(&engine, "f").map(|export| export.ty) else {
        panic!("no function")
    };
    function.params().map(|(name, ty)| (name.to_owned(), ty)).collect()
}

/// One type, written with `$t` for a named definition (records and their like must be named to be imported).
fn ty(definition: &str) -> Type {
    let named = ["(record", "(variant", "(enum", "(flags"].iter().any(|start| definition.starts_with(start));
    let types = if named {
        format!(r#"(type $d {definition}) (export "t" (type $t (eq $d)))"#)
    } else {
        format!("(type $t {definition})")
    };
    parameters(&types, r#"(param "v" $t)"#).remove(0).1
}

fn round(ty: &Type, value: &Value) -> Value {
    let val = lower(value, ty, BOUNDS).unwrap_or_else(|error| panic!("{value}: {error}"));
    lift(&val, ty, BOUNDS).unwrap()
}

/// Each value comes back as itself.
fn same(definition: &str, values: &[Value]) {
    let ty = ty(definition);
    for value in values {
        assert_eq!(&round(&ty, value), value, "{definition}");
    }
}

fn refused(definition: &str, values: &[Value]) {
    let ty = ty(definition);
    for value in values {
        assert!(lower(value, &ty, BOUNDS).is_err(), "{definition} took {value}");
    }
}

#[test]
fn integers_keep_to_their_range() {
    for (name, low, high) in [
        ("s8", -128_i64, 127_i64),
        ("u8", 0, 255),
        ("s16", -32_768, 32_767),
        ("u16", 0, 65_535),
        ("s32", -2_147_483_648, 2_147_483_647),
        ("u32", 0, 4_294_967_295),
    ] {
        same(name, &[json!(low), json!(high), json!(0)]);
        refused(name, &[json!(low - 1), json!(high + 1), json!(0.5), json!("1"), json!(true), json!(null), json!(1e300)]);
        assert_eq!(round(&ty(name), &json!(5.0)), json!(5));
    }
}

#[test]
fn long_integers_are_exact_either_as_numbers_or_as_text() {
    let safe = 9_007_199_254_740_991_i64;
    same("s64", &[json!(safe), json!(-safe), json!("9007199254740992"), json!("-9223372036854775808")]);
    same("u64", &[json!(0), json!(safe), json!("18446744073709551615")]);
    assert_eq!(round(&ty("u64"), &json!("7")), json!(7));
    assert_eq!(round(&ty("s64"), &json!("-0")), json!(0));
    let bad = ["", "-", "+1", "01", "1.0", "0x1", " 1", "1e3", "18446744073709551616", "99999999999999999999999999999"];
    refused("u64", &bad.map(|text| json!(text)));
    refused("u64", &[json!(-1), json!("-1"), json!(safe + 1), json!(1.5), json!(1e17)]);
    refused("s64", &[json!("9223372036854775808"), json!(safe + 1)]);
}

#[test]
fn floats_are_exact_and_name_what_json_cannot() {
    let special = ["NaN", "Infinity", "-Infinity", "-0"].map(|text| json!(text));
    for name in ["f32", "f64"] {
        same(name, &special);
        same(name, &[json!(0.5), json!(-1.5), json!(0.1)]);
        refused(name, &[json!("1"), json!("nan"), json!("inf"), json!(null)]);
    }
    same("f64", &[json!(1e300), json!(5e-324), json!(0.30000000000000004)]);
    refused("f32", &[json!(1e39), json!(-1e39)]);
    same("f32", &[json!(16_777_216.0), json!(3.4028235e38), json!(1e-45)]);
    assert_eq!(round(&ty("f32"), &json!(0.10000000149011612)), json!(0.1));
    assert_eq!(round(&ty("f64"), &json!(-0.0)), json!("-0"));
}

#[test]
fn text_and_bytes() {
    same("string", &[json!(""), json!("a\u{0}b 🎉")]);
    same("char", &[json!("x"), json!("🎉"), json!("\u{0}")]);
    refused("char", &[json!(""), json!("ab"), json!("e\u{301}"), json!(7)]);
    same("bool", &[json!(true), json!(false)]);
    refused("bool", &[json!(0), json!("true")]);
    same("(list u8)", &[json!(""), json!("AA=="), json!("/+8=")]);
    refused("(list u8)", &[json!("AA"), json!("A"), json!("AB=="), json!("_-8="), json!("AA==\n"), json!([1])]);
}

#[test]
fn lists_tuples_and_maps() {
    same("(list u16)", &[json!([]), json!([1, 2, 3])]);
    same("(list string)", &[json!([]), json!(["a"])]);
    same("(list u16 3)", &[json!([1, 2, 3])]);
    refused("(list u16 3)", &[json!([1, 2]), json!([1, 2, 3, 4])]);
    same("(tuple u8 string)", &[json!([1, "a"])]);
    refused("(tuple u8 string)", &[json!([1]), json!([1, "a", 2]), json!({"0": 1, "1": "a"})]);
    same("(map string u8)", &[json!({}), json!({"a": 1, "b": 2})]);
    same("(map u8 string)", &[json!([]), json!([[1, "a"], [2, "b"]])]);
    refused("(map u8 string)", &[json!({"1": "a"}), json!([[1]]), json!([[1, "a", 2]])]);
}

#[test]
fn records_have_their_fields_and_no_others() {
    let record = r#"(record (field "first-name" string) (field "age" (option u8)))"#;
    same(record, &[json!({"first-name": "a", "age": 3}), json!({"first-name": "a", "age": null})]);
    assert_eq!(round(&ty(record), &json!({"first-name": "a"})), json!({"first-name": "a", "age": null}));
    refused(record, &[json!({}), json!({"age": 1}), json!({"first-name": "a", "extra": 1}), json!([]), json!(null)]);
}

#[test]
fn variants_enums_and_flags() {
    let variant = r#"(variant (case "none") (case "some-text" string))"#;
    same(variant, &[json!("none"), json!({"some-text": "x"})]);
    refused(
        variant,
        &[json!("some-text"), json!({"none": null}), json!("other"), json!({}), json!({"some-text": "x", "none": 1})],
    );
    same(r#"(enum "red" "green")"#, &[json!("red"), json!("green")]);
    refused(r#"(enum "red" "green")"#, &[json!("blue"), json!(0), json!({"red": null})]);
    let flags = r#"(flags "read" "write" "run")"#;
    same(flags, &[json!([]), json!(["read", "run"])]);
    assert_eq!(round(&ty(flags), &json!(["run", "read"])), json!(["read", "run"]));
    refused(flags, &[json!(["fly"]), json!(["read", "read"]), json!("read")]);
}

#[test]
fn options_and_results() {
    same("(option u8)", &[json!(null), json!(0)]);
    same("(option (option u8))", &[json!(null), json!({"some": null}), json!({"some": 1})]);
    refused("(option (option u8))", &[json!(1), json!({"some": 1, "other": 2}), json!({"none": 1})]);
    same(
        "(option (option (option u8)))",
        &[json!({"some": {"some": 1}}), json!({"some": {"some": null}}), json!({"some": null})],
    );
    same("(result u8 (error string))", &[json!({"ok": 1}), json!({"error": "x"})]);
    same("(result)", &[json!({"ok": null}), json!({"error": null})]);
    same("(result (error string))", &[json!({"ok": null}), json!({"error": "x"})]);
    refused(
        "(result u8 (error string))",
        &[json!(1), json!({"ok": "x"}), json!({"ok": 1, "error": "x"}), json!({}), json!({"err": "x"})],
    );
    refused("(result)", &[json!({"ok": 1}), json!("ok")]);
}

#[test]
fn parameters_are_an_object_of_their_names() {
    let parameters = parameters("", r#"(param "text" string) (param "limit" (option u8))"#);
    let lower =
        |input: Value| lower_parameters(&input, parameters.iter().map(|(name, ty)| (name.as_str(), ty.clone())), BOUNDS).0;
    assert_eq!(lower(json!({"text": "a"})).unwrap().len(), 2);
    assert_eq!(lower(json!({"text": "a", "limit": null})).unwrap().len(), 2);
    let message = |input| lower(input).unwrap_err().to_string();
    assert_eq!(message(json!({})), "the parameter 'text' is missing");
    assert_eq!(message(json!({"text": "a", "max": 1})), "there is no parameter 'max'");
    assert_eq!(message(json!({"text": "a", "limit": 256})), "at /limit: an integer within the range of its type is wanted");
    assert!(message(json!(["a"])).starts_with("an object with one member for each parameter"));
}

#[test]
fn faults_are_shown_by_a_json_pointer() {
    let ty = ty("(list (map string u8))");
    let error = lower(&json!([{}, {"a/b~c": 1, "d": "x"}]), &ty, BOUNDS).unwrap_err();
    assert_eq!(error.pointer, "/1/d");
    let error = lower(&json!([{}, {"a/b~c": "x"}]), &ty, BOUNDS).unwrap_err();
    assert_eq!(error.pointer, "/1/a~1b~0c");
}

#[test]
fn bounds_hold_both_ways() {
    let ty = ty("(list (list u16))");
    let bounds = |depth, elements| ValueBounds { depth, elements };
    let value = json!([[1, 2], [3]]);
    let val = lower(&value, &ty, bounds(2, 6)).unwrap();
    assert_eq!(lift(&val, &ty, bounds(2, 6)).unwrap(), value);
    for bounds in [bounds(1, 6), bounds(2, 5)] {
        assert!(lower(&value, &ty, bounds).is_err());
        assert!(lift(&val, &ty, bounds).is_err());
    }
    let bytes = self::ty("(list u8)");
    let many = json!("A".repeat(4_000));
    let val = lower(&many, &bytes, bounds(1, 1)).unwrap();
    assert_eq!(lift(&val, &bytes, bounds(1, 1)).unwrap(), many);
}

#[test]
fn a_handle_is_no_data() {
    let parameters = parameters(r#"(export "r" (type $r (sub resource)))"#, r#"(param "v" (own $r))"#);
    assert!(lower(&json!(1), &parameters[0].1, BOUNDS).is_err());
}

/// Whichever order this build's objects keep: a guest that gives the same entries another way round gives the same text.
#[test]
fn members_come_out_in_the_order_of_their_names() {
    let ty = ty("(map string (map string u8))");
    let inner = |names: [&str; 2]| Val::Map(names.map(|name| (Val::String(name.to_owned()), Val::U8(1))).into());
    let val = Val::Map(vec![(Val::String("z".to_owned()), inner(["d", "c"])), (Val::String("a".to_owned()), inner(["y", "x"]))]);
    let text = r#"{"a":{"x":1,"y":1},"z":{"c":1,"d":1}}"#;
    assert_eq!(lift(&val, &ty, BOUNDS).unwrap().to_string(), text);
    let (lifted, _) = lift_result(Some((&val, &ty)), BOUNDS);
    assert_eq!(lifted.unwrap().unwrap().to_string(), text);
}
