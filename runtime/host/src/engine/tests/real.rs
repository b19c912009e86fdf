//! Values of every kind through a real guest's memory, and the figures of a fresh call.

use std::time::Instant;

use super::*;

/// A list goes through the guest's memory and back, whatever its elements are.
fn through(definition: &str, element: &str, values: &Value) {
    let wat = format!(
        r#"(component {ECHO}
            (type $d {definition}) (export $t "t" (type $d))
            (func (export "echo") (param "value" (list {element})) (result (list {element}))
                (canon lift (core func $i "echo") (memory $i "memory") (realloc (func $i "realloc")))))"#
    );
    let outcome = execute(order(&wat, "echo", json!({ "value": values }), limits()));
    assert_eq!(outcome.end.as_ref(), Ok(values), "{definition}");
}

#[test]
fn every_kind_of_value_goes_through_a_guest() {
    through("u8", "u16", &json!([0, 1, 65_535]));
    through("u8", "s64", &json!([-1, "-9223372036854775808", 9_007_199_254_740_991_i64]));
    through("u8", "f32", &json!(["NaN", "-0", 0.1, "-Infinity"]));
    through("u8", "f64", &json!(["NaN", "-0", 0.1, 1e300]));
    through("u8", "char", &json!(["a", "🎉"]));
    through("u8", "bool", &json!([true, false]));
    through("u8", "string", &json!(["", "zażółć", "\u{0}"]));
    through("u8", "(list u8)", &json!(["", "AAEC"]));
    through("u8", "(tuple u8 string bool)", &json!([[1, "a", true]]));
    through("u8", "(option (option u32))", &json!([null, {"some": null}, {"some": 7}]));
    through("u8", "(result u8 (error string))", &json!([{"ok": 1}, {"error": "no"}]));
    through("(enum \"a\" \"b\")", "$t", &json!(["b", "a"]));
    through("(flags \"a\" \"b\" \"c\")", "$t", &json!([["a", "c"], [], ["b"]]));
    through("(variant (case \"x\") (case \"y\" (list string)))", "$t", &json!(["x", {"y": ["1", "2"]}]));
    through(
        "(record (field \"a-b\" (option string)) (field \"c\" (list (tuple u8 u8))))",
        "$t",
        &json!([{"a-b": null, "c": []}, {"a-b": "x", "c": [[1, 2]]}]),
    );
}

#[test]
fn a_fresh_call_costs_little() {
    let prepared = order(&alone(r#"(func (export "run"))"#), "run", json!({}), limits());
    let turns = 500;
    let start = Instant::now();
    block_on(async {
        for _ in 0..turns {
            assert!(run(prepared.clone(), &KillHandle::new()).await.end.is_ok());
        }
    });
    let each = start.elapsed() / turns;
    // About 30 us on a quiet machine; the bound only notices when something became much slower.
    println!("a fresh call: {each:?}");
    assert!(each.as_millis() < 5, "{each:?}");
}

/// The example skill, as it was built by a real toolchain.
#[test]
fn the_example_skill_runs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/skills/redact/component.wasm");
    let Ok(component) = std::fs::read(path) else {
        assert!(std::env::var_os("CI").is_none(), "no component at {path}");
        println!("skipped: no component at {path}");
        return;
    };
    let prepared = try_prepare(&component.into(), true).unwrap();
    let order = Order {
        prepared,
        export: "skillhall:redact/api@1.0.0#redact".to_owned(),
        input: json!({"text": "write to ann@example.org", "options": {"mask": "#"}}),
        limits: Limits { fuel: Some(100_000_000), ..limits() },
        links: SandboxLinks::default(),
        given: Given::default(),
        broker: Arc::new(DenyAll),
        reserved: Arc::new(Reserved::nothing()),
        assets: None,
        replay: None,
    };
    let outcome = execute(order);
    let value = outcome.end.unwrap();
    assert_eq!(value["counts"]["emails"], json!(1), "{value}");
    assert!(!value["text"].as_str().unwrap().contains("ann"), "{value}");
}
