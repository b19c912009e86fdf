//! Skills in workers that call skills: the same receipts and records as in the host's own process, and the same ends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skillhall_core::failure::FailureCode;
use skillhall_core::ledger::{Decision, EventKind, Record};
use skillhall_core::package::Package;
use skillhall_tests::callers::{caller, falling, hog, spinning};
use skillhall_tests::command::command;
use skillhall_tests::skills::{redact, redact_as, redact_toml, spin};
use skillhall_tests::world::{TEXT, records_from};

use super::Desk;
use super::ends::is_there;
use super::same::{plain, same};
use crate::worker::children;

const ONE: &str = "org.skillhall/one";

fn asking(callee: &str, tool: &str, input: &Value) -> Value {
    json!({ "skill": format!("org.skillhall/{callee}"), "tool": tool, "input": input.to_string() })
}

/// A hall in which these are installed, and each is granted these others.
fn desk(packages: &[Package], grants: &[(&str, &str)]) -> Desk {
    let desk = Desk::new(packages);
    for (skill, callee) in grants {
        let (skill, callee) = (format!("org.skillhall/{skill}"), format!("org.skillhall/{callee}"));
        desk.hall(&["grant", &skill, "--tool", &callee, "--json"]).object();
    }
    desk
}

/// The records about a skill's runs.
fn about(desk: &Desk, skill: &str) -> Vec<Record> {
    let mut records = records_from(&desk.0.open(), 0);
    records.retain(|record| {
        let named = record.event.skill.as_ref().is_some_and(|id| id.to_string() == format!("org.skillhall/{skill}"));
        named && [EventKind::SkillExecute, EventKind::SkillDeny, EventKind::SkillComplete].contains(&record.event.kind)
    });
    records
}

fn is_sound(desk: &Desk) {
    crate::events::are_described(&desk.0.home());
    assert_eq!(desk.0.open().audit(None).expect("the ledger is as it was written").interrupted, []);
}

#[test]
fn calls_and_refusals_are_the_same_in_a_process_of_their_own() {
    let packages = [
        redact(),
        hog(),
        falling("fall", "1.0.0"),
        caller("two", &[("org.skillhall/redact", "1"), ("org.skillhall/fall", "1"), ("org.skillhall/one", "1")], ""),
        caller(
            "one",
            &["org.skillhall/redact", "org.skillhall/two", "org.skillhall/hog", "org.skillhall/fall"].map(|skill| (skill, "1")),
            "",
        ),
    ];
    let grants =
        [("one", "redact"), ("one", "two"), ("one", "hog"), ("one", "fall"), ("two", "redact"), ("two", "fall"), ("two", "one")];
    let desk = desk(&packages, &grants);
    let text = json!({ "text": TEXT });
    let any = json!({ "skill": "", "tool": "", "input": "" });
    let calls = [
        ("call", asking("redact", "redact", &text), "done"),
        ("call", asking("two", "call", &asking("redact", "redact", &text)), "done"),
        ("call", asking("fall", "fall", &json!({})), "FAIL_TRAP"),
        ("call", asking("nobody", "redact", &text), "undeclared"),
        ("call", asking("two", "call", &asking("one", "call", &any)), "FAIL_SKILL"),
        ("call", asking("redact", "no-such", &text), "DENY_TOOL_UNKNOWN"),
        ("call", asking("redact", "redact", &json!({ "text": 5 })), "DENY_INPUT_SCHEMA"),
        ("call", asking("hog", "grow", &json!({ "pages": 800 })), "done"),
        ("call", asking("hog", "grow", &json!({ "pages": 1100 })), "FAIL_MEMORY"),
        ("call", asking("hog", "tell", &json!({ "bytes": 40_000 })), "done"),
        ("flood", asking("fall", "fall", &json!({})), "FAIL_TRAP"),
        ("flood", asking("nobody", "fall", &json!({})), "undeclared"),
        ("flood", asking("two", "flood", &asking("fall", "fall", &json!({}))), "FAIL_HOST_CALLS"),
    ];
    let inputs: Vec<String> = calls.iter().map(|(_, input, _)| input.to_string()).collect();
    let arguments: Vec<[&str; 4]> =
        calls.iter().zip(&inputs).map(|((tool, ..), input)| ["--tool", tool, "--input", input.as_str()]).collect();
    let runs: Vec<(&str, &[&str])> = arguments.iter().map(|arguments| (ONE, &arguments[..])).collect();
    let receipts = same(&desk, &runs, || {});
    for ((_, input, outcome), receipt) in calls.iter().zip(&receipts) {
        assert_eq!(receipt["calls"][0]["outcome"], *outcome, "{input}: {receipt}");
    }
    assert_eq!(receipts[1]["resources"]["tool_calls"], json!({ "used": 2, "allowed": 16 }));
    assert_eq!(receipts[3]["refusals"][0]["reason"], "skill");
    assert_eq!(receipts[10]["failure"]["code"], "FAIL_HOST_CALLS");
    assert_eq!(
        (&receipts[10]["resources"]["tool_calls"]["used"], receipts[10]["calls"].as_array().map(Vec::len)),
        (&json!(17), Some(16))
    );

    // The called skill's own records are the same too, and say that it ran apart.
    let inner = about(&desk, "redact");
    let (here, apart) = inner.split_at(inner.len() / 2);
    for (here, apart) in here.iter().zip(apart) {
        assert_eq!((here.event.kind, &here.event.failure), (apart.event.kind, &apart.event.failure));
        assert_eq!((&here.event.caller, &here.event.adapter), (&apart.event.caller, &apart.event.adapter));
        let chain = |record: &Record| record.event.data.get("called_by").and_then(Value::as_array).map(Vec::len);
        assert_eq!(chain(here), chain(apart), "{apart:?}");
        if apart.event.decision == Some(Decision::Allow) {
            assert_eq!(apart.event.data["isolation"], "process", "{apart:?}");
        }
    }
    is_sound(&desk);
}

/// Fuel, output, memory and time of both are one, wherever which of them runs.
#[test]
fn budgets_are_one_whoever_of_them_runs_apart() {
    let limits = "[limits]\nfuel = 50000000\noutput = \"100kB\"\nmemory = \"16MiB\"";
    let packages = [
        redact(),
        hog(),
        spinning("spin", "[limits]\ntime = \"60s\"\n"),
        caller("one", &[("org.skillhall/redact", "1"), ("org.skillhall/hog", "1"), ("org.skillhall/spin", "1")], limits),
    ];
    let desk = desk(&packages, &[("one", "redact"), ("one", "hog"), ("one", "spin")]);
    let inputs = [
        asking("redact", "redact", &json!({ "text": TEXT })),
        asking("spin", "spin", &json!({})),
        asking("hog", "tell", &json!({ "bytes": 60_000 })),
        asking("hog", "grow", &json!({ "pages": 14 * 16 })),
        asking("hog", "grow", &json!({ "pages": 14 * 16 + 1 })),
    ]
    .map(|input| input.to_string());
    let arguments: Vec<[&str; 4]> = inputs.iter().map(|input| ["--tool", "call", "--input", input.as_str()]).collect();
    let runs: Vec<(&str, &[&str])> = arguments.iter().map(|arguments| (ONE, &arguments[..])).collect();
    let receipts = same(&desk, &runs, || {});
    let code = |at: usize| receipts[at]["failure"]["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!((code(0), code(1), code(2), code(3)), (String::new(), "FAIL_FUEL".into(), "FAIL_OUTPUT".into(), String::new()));
    assert_eq!(receipts[1]["calls"][0]["outcome"], "FAIL_FUEL");
    assert_eq!(receipts[1]["resources"]["fuel"]["used"], 50_000_000);
    assert_eq!(receipts[3]["resources"]["memory_peak_bytes"]["used"], 16 << 20);
    assert_eq!(receipts[4]["calls"][0]["outcome"], "FAIL_MEMORY");
    let fuel: Vec<Value> =
        about(&desk, "redact").iter().filter_map(|record| record.event.resources.get("fuel").cloned()).collect();
    assert!(fuel.len() == 2 && fuel[0] == fuel[1] && fuel[0]["used"].as_u64() > Some(1_000), "{fuel:?}");
    is_sound(&desk);
}

/// One worker at once: who waits for what it called does not keep that from running.
#[test]
fn one_worker_is_enough_for_calls_within_calls() {
    let packages = [
        redact(),
        caller("three", &[("org.skillhall/redact", "1")], ""),
        caller("two", &[("org.skillhall/three", "1")], ""),
        caller("one", &[("org.skillhall/two", "1")], ""),
    ];
    let desk = desk(&packages, &[("one", "two"), ("two", "three"), ("three", "redact")]);
    desk.isolation("own = \"process\"\nworkers = 1");
    let input = asking("two", "call", &asking("three", "call", &asking("redact", "redact", &json!({ "text": TEXT }))));
    let receipt = desk.receipt(ONE, &["--tool", "call", "--input", &input.to_string()]);
    assert!(receipt["output"].is_string(), "{receipt}");
    assert_eq!(receipt["isolation"]["mode"], "process");
    let isolated = |skill: &str| about(&desk, skill)[0].event.data["isolation"].clone();
    assert_eq!(["one", "two", "three", "redact"].map(isolated), ["process"; 4].map(Value::from));
    is_sound(&desk);
}

/// Each runs where its own tier says.
#[test]
fn a_called_skill_runs_where_it_is_said_of_it() {
    // The one skill asks for the first tier, and the other for none.
    let heavy = redact_as(&redact_toml().replace("policy_tier = 0", "policy_tier = 1")).expect("the skill is built");
    let packages = [heavy, caller("one", &[("org.skillhall/redact", "1")], "")];
    let desk = desk(&packages, &[("one", "redact")]);
    let input = asking("redact", "redact", &json!({ "text": TEXT })).to_string();
    let run = || desk.receipt(ONE, &["--tool", "call", "--input", &input]);
    desk.isolation("own = \"none\"");
    let here = run();
    desk.isolation("own = \"none\"\nfrom_tier = 1");
    let inner_apart = run();
    assert_eq!(inner_apart["isolation"], Value::Null, "{inner_apart}");
    assert_eq!(plain(here), plain(inner_apart));
    let isolated = |at: usize| about(&desk, "redact")[at].event.data.get("isolation").cloned().unwrap_or_default();
    assert_eq!((isolated(0), isolated(2)), (Value::Null, json!("process")));
    is_sound(&desk);
}

/// A hall in which `one` calls `two`, which calls what spins, each in a worker.
fn spins() -> Desk {
    let packages = [
        spinning("spin", "[limits]\ntime = \"60s\"\n"),
        caller("two", &[("org.skillhall/spin", "1")], "[limits]\ntime = \"60s\""),
        caller("one", &[("org.skillhall/two", "1")], "[limits]\ntime = \"60s\""),
    ];
    let desk = desk(&packages, &[("one", "two"), ("two", "spin")]);
    desk.isolated();
    desk
}

fn call() -> String {
    asking("two", "call", &asking("spin", "spin", &json!({}))).to_string()
}

/// The ends of the three runs: each once, the innermost first.
fn ends(desk: &Desk) -> Vec<Option<FailureCode>> {
    let ends: Vec<Record> = ["spin", "two", "one"].iter().map(|skill| about(desk, skill).pop().expect("a record")).collect();
    assert!(ends.is_sorted_by_key(|record| record.sequence), "{ends:?}");
    assert!(["spin", "two", "one"].iter().all(|skill| about(desk, skill).len() == 2));
    is_sound(desk);
    ends.iter().map(|record| record.event.failure).collect()
}

/// Starts the command, and waits until all three are in their workers and the innermost runs; gives them in that order.
#[expect(clippy::zombie_processes, reason = "whoever asked for the run waits for it")]
fn under_way(desk: &Desk) -> (std::process::Child, Vec<u32>) {
    let input = call();
    let mut run = command(&desk.0.home(), &["run", "org.skillhall/one@1.0.0", "--tool", "call", "--input", &input, "--json"]);
    let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let start = Instant::now();
    let ticks = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(11)?.parse::<u64>().ok()).unwrap_or(0)
    };
    loop {
        let mut workers = children(child.id());
        workers.sort_unstable();
        if workers.len() == 3 && ticks(workers[2]) > 10 {
            return (child, workers);
        }
        assert!(start.elapsed() < Duration::from_secs(60), "not all of them run");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, pid: u32) {
    let _ = Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status().expect("kill is there");
}

#[test]
fn a_kill_ends_all_of_them_as_killed_the_innermost_first() {
    let desk = spins();
    let (program, workers) = under_way(&desk);
    desk.hall(&["revoke", ONE, "--reason", "it never ends", "--json"]).object();
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(ends(&desk), [Some(FailureCode::Killed); 3]);
    assert!(workers.iter().all(|worker| !is_there(*worker)));
}

#[test]
fn an_interrupt_ends_all_of_them_as_cancelled_the_innermost_first() {
    let desk = spins();
    let (program, workers) = under_way(&desk);
    signal("-INT", program.id());
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(ends(&desk), [Some(FailureCode::Cancelled); 3]);
    std::thread::sleep(Duration::from_millis(100));
    assert!(workers.iter().all(|worker| !is_there(*worker)));
}

/// The guest in the middle is told, and the one at the top is told by that one.
#[test]
fn a_worker_that_is_killed_takes_along_what_it_called_and_nobody_else() {
    let desk = spins();
    let (program, workers) = under_way(&desk);
    signal("-KILL", workers[1]);
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    assert_eq!(ends(&desk), [Some(FailureCode::Cancelled), Some(FailureCode::Worker), Some(FailureCode::Skill)]);
    let receipt: Value = serde_json::from_slice(&output.stdout).expect("a receipt");
    assert_eq!(receipt["failure"]["error"]["failed"]["code"], "FAIL_WORKER", "{receipt}");
    let middle = about(&desk, "two").pop().expect("an end");
    assert_eq!(middle.event.data["calls"][0]["outcome"], "unfinished", "{middle:?}");
    assert!(workers.iter().all(|worker| !is_there(*worker)));
}

#[test]
fn dropped_killed_and_shut_down_calls_take_what_they_called_along() {
    for verb in ["dropped", "killed", "shut-down"] {
        let desk = spins();
        let told = desk.embedder(verb, &["org.skillhall/one@1.0.0", "call", &call(), "3"]).remove(0);
        assert_eq!(told["children"], 0, "{verb}: {told}");
        let expected = if verb == "shut-down" { FailureCode::Killed } else { FailureCode::Cancelled };
        assert_eq!(ends(&desk), [Some(expected); 3], "{verb}: {told}");
    }
}

/// What is called while the calling run's time runs out ends with it.
#[test]
fn the_time_of_both_is_one() {
    let packages = [
        spin(),
        spinning("brief", "[limits]\ntime = \"200ms\"\n"),
        caller("one", &[("org.skillhall/spin", "1"), ("org.skillhall/brief", "1")], "[limits]\ntime = \"2s\""),
    ];
    let desk = desk(&packages, &[("one", "spin"), ("one", "brief")]);
    desk.isolated();
    let run = |callee: &str| {
        let began = Instant::now();
        let input = asking(callee, "spin", &json!({})).to_string();
        let receipt = desk.receipt(ONE, &["--tool", "call", "--input", &input]);
        assert!(began.elapsed() < Duration::from_secs(10), "{receipt}");
        receipt
    };
    let receipt = run("brief");
    assert_eq!(receipt["failure"]["error"]["failed"]["code"], "FAIL_TIME", "{receipt}");
    let receipt = run("spin");
    let failure = &receipt["failure"];
    assert!(failure["code"] == "FAIL_TIME" || failure["error"]["failed"]["code"] == "FAIL_TIME", "{receipt}");
    is_sound(&desk);
}
