//! `SECURITY.md` says which test shows what: each that it names is there, as a test, a guest or a folder of cases.

use std::fs;

use crate::tree::{File, files, root};

/// What stands in the last cell of a row, between backticks. Other cells name types and functions.
fn named(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let last = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_test_that_security_names_is_there() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let named = named(&page);
    assert!(named.len() > 100, "{}", named.len());
    let sources: Vec<String> = ["runtime", "tests", "sdk"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(File::is_rust)
        .map(|file| file.text())
        .collect();
    let is_test = |name: &str| sources.iter().any(|source| source.contains(&format!("fn {name}(")));
    let is_guest = |name: &str| root().join(format!("tests/guests/{name}.wat")).is_file();
    let missing: Vec<&str> = named.into_iter().filter(|name| !is_test(name) && !is_guest(name)).collect();
    assert!(missing.is_empty(), "there is no test of these names: {missing:?}");
}

#[test]
fn only_the_last_cell_names_tests() {
    assert_eq!(named("| a | `b` | `c`, `d` |\n`e`\n| f | |\n"), ["c", "d"]);
}
