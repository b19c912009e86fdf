//! The same calls in both modes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use skillhall_tests::files::{put, repository, text};
use skillhall_tests::skills::{self, assemble, component, count, csv_stats, redact, source_of};
use skillhall_tests::world::World;

use super::Desk;
use crate::secrets;

/// A receipt without what is another in every call.
pub(super) fn plain(mut receipt: Value) -> Value {
    let members = receipt.as_object_mut().expect("a receipt");
    for varying in ["decision_id", "correlation_id", "gates", "record", "closed", "ended_at", "certification", "isolation"] {
        members.remove(varying);
    }
    if let Some(wall) = receipt.pointer_mut("/resources/wall_us/used") {
        *wall = Value::Null;
    }
    for call in receipt["calls"].as_array_mut().into_iter().flatten() {
        (call["decision_id"], call["wall_us"]) = (call["decision_id"].is_string().into(), (call["wall_us"] != 0).into());
    }
    receipt
}

/// Runs the same calls in both modes: the same receipts, but that one says where it ran. What a run keeps, `reset` takes away.
pub(super) fn same(desk: &Desk, calls: &[(&str, &[&str])], reset: impl Fn()) -> Vec<Value> {
    let run = || calls.iter().map(|(skill, more)| desk.receipt(skill, more)).collect::<Vec<_>>();
    desk.isolation("own = \"none\"");
    reset();
    let here = run();
    desk.isolated();
    reset();
    let apart = run();
    for ((here, apart), (skill, _)) in here.iter().zip(&apart).zip(calls) {
        assert_eq!(here["isolation"], Value::Null, "{skill}");
        assert_eq!(apart["isolation"]["mode"], "process", "{skill}: {apart}");
        assert!(apart["resources"]["wall_us"]["used"].as_u64().is_some_and(|used| used > 0), "{apart}");
        assert_eq!(plain(here.clone()), plain(apart.clone()), "{skill}");
    }
    apart
}

const SEVERAL: &str = r#"(component $C
    (import "wasi:logging/logging@0.1.0-draft" (instance $log
        (type $l (enum "trace" "debug" "info" "warn" "error" "critical"))
        (export "level" (type $level (eq $l)))
        (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
    (core module $libc (memory (export "memory") 1)
        (data (i32.const 64) "a\1b[2J")
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $libc (instantiate $libc))
    (core func $say (canon lower (func $log "log") (memory $libc "memory") (realloc (func $libc "realloc"))))
    (core module $m
        (import "libc" "memory" (memory 1))
        (import "log" "log" (func $log (param i32 i32 i32 i32 i32)))
        (func (export "fail") (result i32)
            (i32.store8 (i32.const 16) (i32.const 1))
            (i32.store (i32.const 20) (i32.const 64))
            (i32.store (i32.const 24) (i32.const 1))
            (i32.const 16))
        (func (export "say") (call $log (i32.const 3) (i32.const 64) (i32.const 1) (i32.const 64) (i32.const 5)))
        (func (export "talk") (loop $again
            (call $log (i32.const 2) (i32.const 64) (i32.const 1) (i32.const 0) (i32.const 60000)) (br $again)))
        (func (export "grow") (loop $again (drop (memory.grow (i32.const 16))) (br $again)))
        (func (export "trap") (call $deep))
        (func $deep (unreachable))
        (func (export "float") (result f64) (f64.const 0.1000000000000000055511151231257827)))
    (core instance $i (instantiate $m
        (with "libc" (instance $libc))
        (with "log" (instance (export "log" (func $say))))))
    (func (export "fail") (result (result (error string))) (canon lift (core func $i "fail") (memory $libc "memory")))
    (func (export "say") (canon lift (core func $i "say")))
    (func (export "talk") (canon lift (core func $i "talk")))
    (func (export "grow") (canon lift (core func $i "grow")))
    (func (export "trap") (canon lift (core func $i "trap")))
    (func (export "float") (result f64) (canon lift (core func $i "float"))))"#;

#[test]
fn results_and_failures_are_the_same_in_a_process_of_their_own() {
    let several =
        assemble(&source_of("several", "[limits]\nmemory = \"4MiB\"\n"), component(SEVERAL), None).expect("it is built");
    let spin = assemble(&source_of("spin", "[limits]\ntime = \"200ms\"\n"), component(skills::SPIN), None).expect("it is built");
    let fuel = assemble(&source_of("burn", "[limits]\nfuel = 100000\n"), component(skills::SPIN), None).expect("it is built");
    let trap = assemble(&source_of("fall", ""), component(skills::TRAP), None).expect("it is built");
    let desk = Desk::new(&[redact(), several, spin, fuel, trap]);
    let tool = |name: &'static str| ["--tool", name];
    let tools = ["fail", "say", "talk", "grow", "trap", "float"].map(tool);
    let mut calls: Vec<(&str, &[&str])> = tools.iter().map(|tool| ("org.skillhall/several", &tool[..])).collect();
    let text = ["--input", "{\"text\": \"Write to ada@example.org, +48 600 100 200.\"}"];
    calls.extend([
        ("org.skillhall/redact", &text[..]),
        ("org.skillhall/spin", &[]),
        ("org.skillhall/burn", &[]),
        ("org.skillhall/fall", &[]),
    ]);
    let receipts = same(&desk, &calls, || {});
    let codes: Vec<&str> = receipts.iter().map(|receipt| receipt["failure"]["code"].as_str().unwrap_or("")).collect();
    let expected = ["FAIL_SKILL", "", "FAIL_OUTPUT", "FAIL_MEMORY", "FAIL_TRAP", "", "", "FAIL_TIME", "FAIL_FUEL", "FAIL_TRAP"];
    assert_eq!(codes, expected, "{receipts:?}");
    assert_eq!(receipts[0]["failure"]["error"], "a");
    assert_eq!(receipts[1]["log"][0]["message"], "a\\u{1b}[2J");
    assert_eq!(receipts[5]["output"], json!(0.1));
    assert!(receipts[9]["failure"]["backtrace"].as_array().is_some_and(|frames| !frames.is_empty()), "{}", receipts[9]);
    // Each end stands in the ledger, once, and each isolated decision says so.
    desk.hall(&["audit", "verify", "--json"]).object();
    let listed = desk.hall(&["audit", "list", "--event", "skill.execute", "--limit", "1000", "--json"]).object();
    let records = listed["records"].as_array().expect("records");
    let apart = records
        .iter()
        .filter(|record| record["event"]["data"]["isolation"] == "process" || record["data"]["isolation"] == "process");
    assert_eq!(apart.count(), calls.len(), "{}", records[records.len() - 1]);
}

#[test]
fn a_folder_is_read_in_a_process_of_its_own() {
    let desk = Desk::new(&[csv_stats()]);
    put(&desk.path("data/2026/planets.csv"), text(&repository("fixtures/csv/planets.csv")).as_bytes());
    put(&desk.path("secret.csv"), b"name\nx\n");
    std::os::unix::fs::symlink(desk.path("secret.csv"), desk.path("data/out.csv")).expect("a link");
    let grant = format!("/in={}", desk.path("data").display());
    desk.hall(&["grant", "org.skillhall/csv-stats", "--files", &grant, "--json"]).object();
    let inputs = ["2026/planets.csv", "none.csv", "out.csv"].map(|path| json!({ "path": path }).to_string());
    let arguments: Vec<[&str; 2]> = inputs.iter().map(|input| ["--input", input.as_str()]).collect();
    let calls: Vec<(&str, &[&str])> = arguments.iter().map(|input| ("org.skillhall/csv-stats", &input[..])).collect();
    // Where there is no Landlock, nothing but the engine would keep it there, and it is said that this will do.
    let landlock = desk.embedder("confinement", &["guest"])[0]["found"]["Ok"]["landlock"].as_u64().unwrap_or(0);
    if landlock == 0 {
        desk.isolated();
        let error = desk.hall(&["run", "org.skillhall/csv-stats", "--input", &inputs[0], "--json"]).error(3);
        assert_eq!(error["code"], "DENY_ISOLATION_UNAVAILABLE");
        return;
    }
    let receipts = same(&desk, &calls, || {});
    assert!(receipts[0]["output"].is_object(), "{}", receipts[0]);
    assert_eq!(receipts[0]["isolation"]["landlock"], landlock);
    assert!(receipts[1..].iter().all(|receipt| receipt["output"].is_null()), "{receipts:?}");
}

#[test]
fn stores_answer_across_the_line() {
    let desk = Desk::new(&[count()]);
    desk.hall(&["grant", "org.skillhall/count", "--keyvalue", "visits:10K", "--json"]).object();
    let key: &[&str] = &["--tool", "count", "--input", "{\"key\": \"ada\"}"];
    let calls = [
        ("org.skillhall/count", key),
        ("org.skillhall/count", key),
        ("org.skillhall/count", &["--tool", "other", "--input", "{}"]),
        ("org.skillhall/count", &["--tool", "fill", "--input", "{\"bytes\": 10240}"]),
        ("org.skillhall/count", &["--tool", "fill", "--input", "{\"bytes\": 1024}"]),
    ];
    let receipts = same(&desk, &calls, || {
        let _ = std::fs::remove_file(desk.0.home().join("keyvalue.db"));
    });
    assert_eq!((&receipts[0]["output"], &receipts[1]["output"]), (&json!(1), &json!(2)));
    assert_eq!(receipts[1]["resources"]["keyvalue_entries"], json!({ "used": 1, "allowed": 1000 }));
    assert_eq!(
        (&receipts[2]["refusals"][0]["reason"], &receipts[3]["refusals"][0]["reason"]),
        (&json!("store"), &json!("quota"))
    );
}

/// The secret is put in by the parent, after it decided; the process that runs the skill never has it.
#[test]
fn requests_go_out_from_the_parent_with_the_secret() {
    let server = secrets::Server::page();
    let desk = secrets::Desk::fetching(&server.origin());
    desk.grant(&server.origin()).object();
    let url = format!("{}/a", server.origin());
    let elsewhere = secrets::Server::page();
    let other = format!("{}/b", elsewhere.origin());
    let mut told = Vec::new();
    for mode in ["none", "process"] {
        let home = desk.home();
        let kept = text(&home.join("hall.toml"));
        let kept = kept
            .replace("\n[isolation]\nown = \"none\"\n", "")
            .replace("\n[grants", &format!("\n[isolation]\nown = \"{mode}\"\n\n[grants"));
        put(&home.join("hall.toml"), kept.as_bytes());
        desk.hall(&["setup", "--enroll", "--json"]).object();
        let receipts = [&url, &other].map(|url| {
            let run = desk.run(url, &["--json"]);
            desk.is_clean(&run);
            serde_json::from_str::<Value>(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
        });
        told.push(receipts);
    }
    for (here, apart) in told[0].iter().zip(&told[1]) {
        assert_eq!(apart["isolation"]["mode"], "process", "{apart}");
        assert_eq!(plain(here.clone()), plain(apart.clone()));
    }
    assert_eq!(told[1][0]["output"]["title"], "Hello", "{}", told[1][0]);
    assert_eq!(told[1][1]["refusals"][0]["reason"], "origin");
    let heads = server.heads();
    assert!(heads.len() == 2 && heads[0] == heads[1], "{heads:?}");
    assert!(heads[1].to_lowercase().contains("authorization: bearer canary"), "{heads:?}");
    assert!(elsewhere.heads().is_empty());
}

/// The built-in hostile guests end with the very same codes.
#[test]
fn hostile_guests_end_the_same_in_a_process_of_their_own() {
    let desk = Desk(World::bare());
    let found = |mode: &str| {
        let told = desk.embedder("guests", &[mode]);
        told.into_iter().map(|finding| (finding["guest"].to_string(), finding)).collect::<BTreeMap<_, _>>()
    };
    let (here, apart) = (found("here"), found("apart"));
    assert!(apart.len() >= 40 && here.len() == apart.len(), "{}", apart.len());
    for (guest, finding) in &apart {
        assert_eq!(finding["came"], here[guest]["came"], "{finding}");
        assert_eq!(finding["held"], true, "{finding}");
    }
}
