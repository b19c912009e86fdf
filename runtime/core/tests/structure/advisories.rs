//! `docs/advisories.md` says which advisories about the engine concern us: each that does has a test, and no test is for none.

use std::collections::BTreeSet;
use std::fs;

use crate::tree::{files, root};

/// One row: ids, whether it concerns us, and the tests that it names.
#[derive(Debug)]
struct Row {
    ids: Vec<String>,
    concerns: bool,
    tests: Vec<String>,
}

/// The rows of the table. A row that cannot be read is an error.
fn rows(page: &str) -> Result<Vec<Row>, String> {
    let table = page.lines().filter(|line| line.starts_with("| GHSA-"));
    table.map(|line| row(line).ok_or_else(|| format!("no row of the table: {line}"))).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let [ids, broke, concerns, tests] = cells.as_slice() else { return None };
    let ids: Vec<String> = ids.split(", ").map(|id| id.split(' ').next().unwrap_or_default().to_owned()).collect();
    let is_id = |id: &String| id.strip_prefix("GHSA-").is_some_and(|group| group.len() == 4);
    let concerns = match concerns.split([':', ',']).next() {
        Some("yes") => true,
        Some("no") => false,
        _ => return None,
    };
    let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    (!broke.is_empty() && ids.iter().all(is_id)).then_some(Row { ids, concerns, tests })
}

/// What is wrong with the rows, where these tests exist.
fn faults(rows: &[Row], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        found.extend(row.ids.iter().filter(|id| !seen.insert((*id).clone())).map(|id| format!("{id} stands there twice")));
        if row.concerns && row.tests.is_empty() {
            found.push(format!("{} concerns us and has no test", row.ids.join(", ")));
        }
        found.extend(row.tests.iter().filter(|test| !exists(test)).map(|test| format!("there is no test {test}")));
    }
    found
}

/// The guests that are named by an advisory, with its id.
fn guests() -> Vec<(String, String)> {
    let all = files("tests/guests").into_iter().filter_map(|file| {
        let name = file.path.strip_prefix("tests/guests/")?.strip_suffix(".wat")?.to_owned();
        let id = name.strip_prefix("advisory-")?.get(..9)?.to_owned();
        Some((name, id))
    });
    all.collect()
}

#[test]
fn each_advisory_that_concerns_us_has_a_test() {
    let rows = rows(&fs::read_to_string(root().join("docs/advisories.md")).unwrap()).unwrap();
    assert!(rows.len() >= 50, "{}", rows.len());
    let sources: Vec<String> =
        files("runtime/host/src").iter().filter(|file| file.is_rust()).map(crate::tree::File::text).collect();
    let exists = |test: &str| {
        root().join(format!("tests/guests/{test}.wat")).is_file()
            || sources.iter().any(|source| source.contains(&format!("#[test]\nfn {test}()")))
    };
    let found = faults(&rows, exists);
    assert!(found.is_empty(), "{}", found.join("\n"));
    for (name, id) in guests() {
        assert!(rows.iter().any(|row| row.ids.contains(&id) && row.tests.contains(&name)), "{name} is in no row of {id}");
    }
}

#[test]
fn what_is_wrong_in_the_table_is_found() {
    let read = |line: &str| rows(line).map(|rows| faults(&rows, |test| test == "a-test").len());
    assert_eq!(read("| GHSA-aaaa (CVE-1), GHSA-bbbb | x | yes: so | `a-test` |"), Ok(0));
    assert_eq!(read("| GHSA-aaaa | x | no: not here | |"), Ok(0));
    assert_eq!(read("| GHSA-aaaa | x | yes | |"), Ok(1));
    assert_eq!(read("| GHSA-aaaa | x | yes | `another` |"), Ok(1));
    assert_eq!(read("| GHSA-aaaa, GHSA-aaaa | x | no | |"), Ok(1));
    assert!(read("| GHSA-aaaa | x | perhaps | |").is_err());
    assert!(read("| GHSA-aaaaa | x | no | |").is_err());
    assert!(read("| GHSA-aaaa | x | no |").is_err());
}
