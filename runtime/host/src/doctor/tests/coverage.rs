//! That nothing is left without a guest: limits, rows of the documentation, the doctor's choice.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use skillhall_core::failure::FailureCode;

use super::super::choice::{BuiltIn, GOOD, HOSTILE};
use super::super::guest::Expect;
use super::text::{self, repository};

/// Rows of the table of limits that no guest exceeds by itself, since they take another's part, and the tests that do.
const BY_TEST: [(&str, &str, &str); 6] = [
    ("bytes of requests and responses", "runtime/host/src/engine/tests/http.rs", "a_body_without_end"),
    ("time of one request", "runtime/host/src/engine/tests/http.rs", "a_server_that_does_not_answer_costs_one_request_its_time"),
    ("operations on stores", "runtime/host/src/engine/tests/keyvalue.rs", "a_flood_ends_at_the_limits"),
    ("time, memory, code of compiling", "tests/suite/worker/bombs.rs", "every_bomb_ends_at_a_limit_and_leaves_nothing"),
    ("depth of calls of skills by skills", "tests/suite/tools/refusals.rs", "calls_nest_as_deep_as_the_host_says"),
    ("one set of headers in the making", "runtime/host/src/engine/tests/http.rs", "a_flood_of_headers"),
];

/// The first cells of the table of limits.
fn rows() -> BTreeSet<String> {
    let page = fs::read_to_string(repository("docs/sandbox.md")).unwrap();
    let section = page.split("\n## Limits\n").nth(1).expect("a section of limits");
    let table = section.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| "));
    let cells = table.filter_map(|line| line.split(" | ").next());
    cells.filter(|cell| *cell != "limit").map(str::to_owned).collect()
}

#[test]
fn there_are_guests_of_every_kind() {
    let names = text::names();
    let hostile = names.iter().filter(|name| !name.starts_with("good-")).count();
    println!("{hostile} hostile guests");
    assert!(hostile >= 60, "only {hostile}");
    for kind in [
        "advisory", "calls", "compile", "exit", "feature", "files", "fuel", "handles", "http", "link", "memory", "output",
        "powers", "stack", "time", "tools", "trap", "values",
    ] {
        assert!(names.iter().any(|name| name.starts_with(&format!("{kind}-"))), "no guest of the kind {kind}");
    }
}

#[test]
fn every_limit_has_a_guest() {
    let guests: Vec<_> = text::names().iter().map(|name| text::read(name).unwrap()).collect();
    let expects =
        |code: FailureCode| guests.iter().any(|guest| matches!(guest.plan.expect, Expect::Failure(found) if found == code));
    for code in FailureCode::ALL.iter().filter(|code| code.is_limit()) {
        assert!(expects(*code), "no guest ends with {code}");
    }
    let rows = rows();
    assert!(rows.len() >= 17 && rows.contains("time"), "{rows:?}");
    let exceeded: BTreeSet<String> = guests.iter().filter_map(|guest| guest.limit().map(str::to_owned)).collect();
    let unknown: Vec<_> = exceeded.difference(&rows).collect();
    assert!(unknown.is_empty(), "docs/sandbox.md has no such rows: {unknown:?}");
    for row in &rows {
        let by_test = BY_TEST.iter().find(|(known, ..)| known == row);
        let holds = by_test
            .is_some_and(|(_, file, test)| fs::read_to_string(repository(file)).unwrap().contains(&format!("fn {test}()")));
        assert!(exceeded.contains(row) || holds, "no guest exceeds the limit '{row}'");
    }
}

#[test]
fn the_doctors_choice_is_what_is_marked() {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let built_in: Vec<&BuiltIn> = HOSTILE.iter().chain([&GOOD]).collect();
    let mut bytes = 0;
    let mut kept = BTreeSet::new();
    for name in text::names() {
        let guest = text::read(&name).unwrap();
        if !guest.plan.doctor {
            assert!(built_in.iter().all(|(known, ..)| *known != name), "{name} is built in, and not marked for the doctor");
            continue;
        }
        // Guests that share a body share its component.
        let file = guest.plan.body.as_deref().and_then(|body| Path::new(body).file_stem()?.to_str()).unwrap_or(&name).to_owned();
        let path = repository("fixtures/doctor").join(format!("{file}.wasm"));
        if kept.insert(file) {
            bytes += guest.component.len();
        }
        if bless {
            fs::write(&path, &*guest.component).unwrap();
        }
        let found = fs::read(&path).unwrap_or_default();
        assert!(found == *guest.component, "{} is not what its text gives (BLESS=1 writes it)", path.display());
        let Some((_, source, component)) = built_in.iter().find(|(known, ..)| *known == name) else {
            panic!("{name} is marked for the doctor, and not in choice.rs");
        };
        assert!(bless || **component == *guest.component, "{name}: build again");
        bytes += source.len();
    }
    println!("{} guests are built in, with {bytes} bytes", built_in.len());
    assert!(bytes < 200 << 10, "{bytes} bytes");
    assert!(HOSTILE.is_sorted_by_key(|(name, ..)| name), "by name");
    let found = fs::read_dir(repository("fixtures/doctor")).unwrap().count();
    assert_eq!(found, kept.len(), "fixtures/doctor holds the components of the choice and nothing else");
}
