//! The strict reader and the canonical form, against other people's vectors and cases of our own.
#![expect(clippy::disallowed_methods, reason = "tests read vectors beside the repository")]

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{CanonicalError, canonical, in_order, parse, sorted, sorted_members};

/// The folder of other people's vectors; `None`, with one line, if it is not there (an error in CI).
fn vectors(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SKILLHALL_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")), PathBuf::from);
    let path = root.join("security").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "there are no vectors at {}", path.display());
    println!("skipped: no vectors at {}", path.display());
    None
}

#[test]
fn every_text_of_the_parsing_suite_is_judged_as_written_down() {
    let Some(path) = vectors("json-parsing/test_parsing") else { return };
    // What the suite leaves free, decided: accepted here is only what every reader understands alike.
    let free_and_accepted = ["i_number_double_huge_neg_exp.json", "i_number_real_underflow.json"];
    let mut seen = 0;
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let accepted = parse(&std::fs::read(entry.path()).unwrap()).is_ok();
        let expected =
            name.starts_with("y_") && !DUPLICATES.contains(&name.as_str()) || free_and_accepted.contains(&name.as_str());
        assert_eq!(accepted, expected, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 318);
}

/// The two texts that the suite accepts and this reader refuses: a key that comes twice has no one meaning.
const DUPLICATES: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

#[test]
fn what_two_readers_could_understand_differently_is_refused() {
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"[{"b":{"x":1,"x":1}}]"#,
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
        "[1, 123456789012345678901234567890]",
        r#""\ud800""#,
        "1e400",
        "{} {}",
        "\u{feff}{}",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn the_largest_safe_integers_and_digits_in_texts_are_read() {
    assert_eq!(
        parse(b"[9007199254740991,-9007199254740991]").unwrap(),
        json!([9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64])
    );
    assert_eq!(
        parse(br#"{"18446744073709551616":"\"99999999999999999999"}"#).unwrap()["18446744073709551616"],
        "\"99999999999999999999"
    );
    assert!(parse(b"1e20").is_ok());
}

#[test]
fn nesting_is_bounded() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(deep(127).as_bytes()).is_ok());
    assert!(parse(deep(128).as_bytes()).is_err());
}

#[test]
fn a_fault_names_its_place() {
    let error = parse(b"{\n  \"a\": 12345678901234567890\n}").unwrap_err();
    assert_eq!((error.line, error.column), (2, 8));
}

#[test]
fn documents_of_rfc_8785_are_equal_byte_for_byte() {
    let Some(path) = vectors("jcs-rfc8785") else { return };
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let value: Value = serde_json::from_slice(&std::fs::read(path.join(format!("input/{name}.json"))).unwrap()).unwrap();
        let expected = std::fs::read(path.join(format!("output/{name}.json"))).unwrap();
        // One document holds an integer beyond 2^53 - 1 as a float, which the refusal layer lets pass as such.
        assert_eq!(canonical(&value).unwrap(), expected, "{name}");
    }
}

#[test]
fn numbers_are_written_as_ecmascript_writes_them() {
    let Some(path) = vectors("jcs-rfc8785") else { return };
    let text = std::fs::read_to_string(path.join("es6numbers-10000.txt")).unwrap();
    let mut seen = 0;
    for line in text.lines() {
        let (bits, expected) = line.split_once(',').unwrap();
        let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        if let Some(number) = serde_json::Number::from_f64(number) {
            assert_eq!(canonical(&Value::Number(number)).unwrap(), expected.as_bytes(), "{bits}");
            seen += 1;
        }
    }
    assert!(seen > 9_900, "{seen}");
}

/// These must hold whichever order this build's objects keep: with Cedar in the program, that in which members came.
#[test]
fn texts_of_values_have_their_members_in_the_order_of_names() {
    let mixed = r#"{"b":{"d":1,"c":[{"z":1,"y":{"x":2,"w":3}}]},"a":0}"#;
    let ordered = r#"{"a":0,"b":{"c":[{"y":{"w":3,"x":2},"z":1}],"d":1}}"#;
    assert_eq!(parse(mixed.as_bytes()).unwrap().to_string(), ordered);
    let value: Value = serde_json::from_str(mixed).unwrap();
    assert_eq!(sorted(value.clone()).to_string(), ordered);
    assert_eq!(in_order(&value).to_string(), ordered);
    assert_eq!(in_order(&sorted(value.clone())).to_string(), ordered);
    assert_eq!(Value::Object(sorted_members(value.as_object().unwrap().clone())).to_string(), ordered);
    assert_eq!(canonical(&value).unwrap(), ordered.as_bytes());
    // By bytes, as everywhere but in the canonical form, which orders by UTF-16.
    let (wide, high) = ("\u{1f600}", "\u{ff5e}");
    let value = parse(format!(r#"{{"{wide}":1,"{high}":2}}"#).as_bytes()).unwrap();
    assert_eq!(value.to_string(), format!(r#"{{"{high}":2,"{wide}":1}}"#));
    assert_eq!(canonical(&value).unwrap(), format!(r#"{{"{wide}":1,"{high}":2}}"#).as_bytes());
}

#[test]
fn integers_beyond_the_safe_ones_have_no_canonical_form() {
    for value in [json!(9_007_199_254_740_992_u64), json!([-9_007_199_254_740_992_i64])] {
        assert!(matches!(canonical(&value), Err(CanonicalError::Integer(_))));
    }
}
