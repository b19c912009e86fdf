//! WCP from outside: scenarios through the command, other implementations held against the reference, records graded.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use skillhall_tests::command::{Run, command, executable, hall, hall_fed};
use skillhall_tests::files::{put, repository, text};
use tempfile::TempDir;

/// A place without a hall: none of these verbs needs one.
fn nowhere() -> TempDir {
    tempfile::tempdir().expect("a folder is made")
}

fn vectors() -> Vec<Value> {
    let file: Value =
        serde_json::from_str(&text(&repository("fixtures/vectors/wcp/decisions.json"))).expect("the vectors are JSON");
    file["cases"].as_array().expect("cases").clone()
}

fn lines(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

fn code(decision: &Value) -> &str {
    decision["deny_reason_if_denied"]["code"].as_str().unwrap_or("ALLOW")
}

#[test]
fn decide_answers_each_scenario_in_order() {
    let (home, cases) = (nowhere(), vectors());
    let asked: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let run = hall_fed(home.path(), &["decide"], &asked);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let decided = lines(&run);
    assert_eq!(decided.len(), 43);
    for (case, decision) in cases.iter().zip(&decided) {
        assert_eq!(decision["correlation_id"], case["input"]["correlation_id"], "{}", case["id"]);
        assert_eq!(code(decision), code(&case["expected"]), "{}", case["id"]);
    }
    let file = home.path().join("scenarios.jsonl");
    put(&file, asked.as_bytes());
    let again = lines(&hall(home.path(), &["decide", file.to_str().expect("a path")]));
    assert_eq!(again.iter().map(code).collect::<Vec<_>>(), decided.iter().map(code).collect::<Vec<_>>());
}

#[test]
fn decide_names_a_bad_line_and_decides_the_others() {
    let (home, good) = (nowhere(), &vectors()[2]);
    let long = format!("{{\"id\": \"{}\"}}", "x".repeat(5 << 20));
    let asked = format!("{good}\n\nno json\n[1]\n{long}\n{{\"input\": 5}}\n{good}");
    let run = hall_fed(home.path(), &["decide"], &asked);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("3 of 6 lines are no scenario, the first is line 3"), "{}", run.stderr);
    let answers = lines(&run);
    let numbers: Vec<&Value> = answers.iter().map(|answer| &answer["line"]).collect();
    assert_eq!(numbers, [&Value::Null, &json!(3), &json!(4), &json!(5), &Value::Null, &Value::Null]);
    assert!(answers[3]["error"]["message"].as_str().is_some_and(|message| message.contains("longer than")));
    // What is an object and no scenario is a request that nobody can read: denied.
    assert_eq!(code(&answers[4]), "DENY_INVALID_INPUT");
    assert_eq!((code(&answers[0]), code(&answers[5])), ("ALLOW", "ALLOW"));
    let twice = hall_fed(home.path(), &["decide"], "{\"input\": {}, \"input\": {}}\n");
    assert_eq!((twice.code, code(&lines(&twice)[0])), (0, "DENY_INVALID_INPUT"));
}

#[test]
fn decide_takes_rules_from_a_file_for_scenarios_that_bring_none() {
    let (home, case) = (nowhere(), vectors()[2].clone());
    let rules = home.path().join("rules.json");
    put(&rules, json!({ "rules": case["rules"] }).to_string().as_bytes());
    let mut without = case.clone();
    without.as_object_mut().expect("an object").remove("rules");
    let asked = format!("{without}\n{}\n", json!({ "input": case["input"], "rules": [], "workers_available": ["wrk.t.one"] }));
    let arguments = ["decide", "--rules", rules.to_str().expect("a path")];
    let run = hall_fed(home.path(), &arguments, &asked);
    assert_eq!(lines(&run).iter().map(code).collect::<Vec<_>>(), ["ALLOW", "DENY_NO_MATCHING_RULE"], "{}", run.stderr);
    assert_eq!(code(&lines(&hall_fed(home.path(), &["decide"], &asked))[0]), "DENY_NO_MATCHING_RULE");
    put(&rules, b"{\"rules\": 5}");
    assert_eq!(hall_fed(home.path(), &arguments, &asked).code, 2);
}

#[test]
fn decide_answers_a_line_before_the_next_is_written() {
    let (home, case) = (nowhere(), &vectors()[2]);
    let mut child = command(home.path(), &["decide"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut answers = BufReader::new(child.stdout.take().expect("a pipe"));
    for _ in 0..3 {
        writeln!(stdin, "{case}").expect("it is written");
        let mut line = String::new();
        answers.read_line(&mut line).expect("it is answered");
        assert_eq!(code(&serde_json::from_str(&line).expect("JSON")), "ALLOW");
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

fn conformance(home: &Path, arguments: &[&str]) -> (i32, Value) {
    let run = hall(home, &[&["wcp", "conformance", "--json"], arguments].concat());
    let object = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no object: {run:?}"));
    (run.code, object)
}

#[test]
fn our_own_decision_conforms_here_and_as_a_program() {
    let home = nowhere();
    let (exit, own) = conformance(home.path(), &[]);
    assert_eq!((exit, &own["conforms"], &own["equal"], &own["stricter"]), (0, &json!(true), &json!(42), &json!(1)), "{own}");
    let line = format!("'{}' decide", executable().display());
    let (exit, driven) = conformance(home.path(), &["--command", &line]);
    assert_eq!((exit, &driven["equal"], &driven["stricter"]), (0, &json!(42), &json!(1)), "{driven}");
}

#[test]
fn a_program_that_decides_otherwise_does_not_conform() {
    let home = nowhere();
    let executable = executable().display().to_string();
    let cases = [
        // Everything is allowed, one answer is missing, one is too many, one is no JSON.
        (format!("'{executable}' decide | sed 's/\"denied\":true/\"denied\":false/'"), "different"),
        (format!("'{executable}' decide | sed 1d"), "unanswered"),
        (format!("'{executable}' decide; echo '{{}}'"), "surplus_lines"),
        (format!("'{executable}' decide | sed '3s/.*/nonsense/'"), "unanswered"),
    ];
    for (line, count) in cases {
        let (exit, object) = conformance(home.path(), &["--command", &line]);
        assert_eq!((exit, &object["conforms"]), (1, &json!(false)), "{line}: {object}");
        assert!(object[count].as_u64().is_some_and(|count| count > 0), "{line}: {object}");
    }
    let shown = hall(
        home.path(),
        &["wcp", "conformance", "--command", &format!("'{executable}' decide | sed 's/M02/M02/;s/NO_MATCH/NONE/'")],
    );
    assert!(shown.stdout.contains("/matched_rule_id: expected \"NO_MATCH\", found \"NONE\""), "{}", shown.stdout);
}

#[test]
fn a_program_that_hangs_floods_or_fails_is_no_answer() {
    let home = nowhere();
    for (line, says) in
        [("sleep 60", "did not answer within"), ("yes", "more than"), ("exit 7", "exit status: 7"), ("/nowhere/at/all", "127")]
    {
        let run = hall(home.path(), &["wcp", "conformance", "--command", line, "--deadline", "2"]);
        assert_eq!(run.code, 1, "{line}: {run:?}");
        assert!(run.stderr.contains(says), "{line}: {run:?}");
    }
}

#[test]
fn the_python_reference_decides_what_the_vectors_say() {
    let there = Command::new("python3").args(["-c", "import pyhall"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        println!("skipped: the Python package pyhall is not installed");
        return;
    }
    let line = format!("python3 '{}'", repository("tests/programs/wcp_reference.py").display());
    let (exit, object) = conformance(nowhere().path(), &["--command", &line]);
    assert_eq!((exit, &object["equal"]), (0, &json!(43)), "{object}");
}

#[test]
fn records_are_graded() {
    let home = nowhere();
    let full = json!({
        "worker_id": "org.acme.redact.1", "worker_species_id": "wrk.org.acme.redact", "capabilities": ["cap.text.redact"],
        "risk_tier": "low", "required_controls": ["ctrl.obs.audit-log-append-only"],
        "currently_implements": ["ctrl.pol.default_deny"], "allowed_environments": ["dev"],
        "blast_radius": { "data": 1, "network": 0, "financial": 0, "time": 1, "reversibility": "reversible" },
        "privilege_envelope": { "network_egress": "none" }, "idempotency": "full", "artifact_hash": "ab",
    });
    let levels = [("WCP-Full", ""), ("WCP-Standard", "blast_radius"), ("WCP-Basic", "required_controls"), ("none", "worker_id")];
    let files: Vec<PathBuf> = levels
        .iter()
        .map(|(level, without)| {
            let mut record = full.clone();
            record.as_object_mut().expect("an object").remove(*without);
            let path = home.path().join(format!("{level}.json"));
            put(&path, record.to_string().as_bytes());
            path
        })
        .collect();
    let names: Vec<&str> = files.iter().map(|path| path.to_str().expect("a path")).collect();
    let run = hall(home.path(), &[&["wcp", "levels", "--json"], &names[..]].concat());
    let graded: Value = serde_json::from_str(&run.stdout).expect("an object");
    let found: Vec<&str> =
        graded["records"].as_array().expect("records").iter().map(|row| row["level"].as_str().expect("a level")).collect();
    assert_eq!(found, levels.map(|(level, _)| level));
    let shown = hall(home.path(), &["wcp", "levels", names[1]]);
    assert!(shown.stdout.contains("WCP-Full needs blast_radius"), "{}", shown.stdout);
    fs::write(&files[0], "no json").expect("it is written");
    assert_eq!(hall(home.path(), &["wcp", "levels", names[0]]).code, 2);
}
