//! The JSON-Schema-Test-Suite's required cases for draft 2020-12, read where they are.
#![expect(clippy::disallowed_methods, reason = "test data of others is read from the folder that the environment names")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::package::schema::validate::build;
use crate::package::schema::{SchemaError, Validator};

/// The cases that fail, under their reasons. `BLESS=1` writes the list anew.
const EXPECTED: &str = include_str!("suite_expected.txt");

#[test]
fn required_cases_hold_but_for_the_listed_ones() {
    let root = std::env::var_os("SKILLHALL_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")), PathBuf::from)
        .join("security/json-schema-2020-12/draft2020-12");
    if !root.is_dir() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no vectors at {}", root.display());
        println!("skipped: no vectors at {}", root.display());
        return;
    }

    let mut total = 0;
    let mut failures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    for path in files {
        let file = path.file_stem().unwrap().to_str().unwrap();
        let groups: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for group in &groups {
            let validator = Validator::compile(&group["schema"]);
            let beneath = build(&group["schema"]);
            for test in group["tests"].as_array().unwrap() {
                total += 1;
                let reason = match (&validator, &beneath) {
                    (Ok(validator), _) if validator.validate(&test["data"]).is_ok() == test["valid"] => continue,
                    (Ok(_), _) if file == "format" => "formats are asserted, and the suite takes them for annotations".to_owned(),
                    (Ok(_), _) => "it has another verdict".to_owned(),
                    (Err(refusal), Ok(engine)) if engine.is_valid(&test["data"]) == test["valid"] => {
                        format!("refused: {}", why(refusal))
                    }
                    (Err(refusal), Ok(_)) => format!("refused: {}; the engine beneath has another verdict", why(refusal)),
                    (Err(refusal), Err(_)) => format!("refused: {}; the engine beneath cannot build it", why(refusal)),
                };
                let (group, name) = (group["description"].as_str().unwrap(), test["description"].as_str().unwrap());
                failures.entry(reason).or_default().push(format!("{file} | {group} | {name}"));
            }
        }
    }
    let found: String = failures.iter().map(|(reason, cases)| format!("# {reason}\n{}\n\n", cases.join("\n"))).collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/package/schema/tests/suite_expected.txt"), &found).unwrap();
    } else {
        assert_eq!(found, EXPECTED);
    }
    assert_eq!(total, 1299);
}

fn why(refusal: &SchemaError) -> String {
    match refusal {
        SchemaError::Refused { message, .. } => message.split("; known are").next().unwrap().to_owned(),
        other => other.to_string(),
    }
}
