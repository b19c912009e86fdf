//! Calls of a capability: which skill is run, and that the way to it opens no door.

use serde_json::{Value, json};
use skillhall_core::denial::Code;
use skillhall_core::ledger::EventKind;
use skillhall_tests::command::{Run, hall};
use skillhall_tests::files::put;
use skillhall_tests::skills::{redact, redact_as, redact_toml};
use skillhall_tests::world::{World, good_call, install, records_from, run};

const CAPABILITY: &str = "cap.text.redact";
const INPUT: &str = "{\"text\": \"ada@example.org\"}";

/// A hall with the real skill under these names, each as the skill.toml says.
fn desk(skills: &[(&str, &str)]) -> World {
    let world = World::bare();
    let open = world.open();
    for (name, provides) in skills {
        let toml = redact_toml().replace("name = \"redact\"", &format!("name = \"{name}\""));
        let toml = toml.replace("provides = [\"cap.text.redact\"]", &format!("provides = {provides}"));
        install(&open, &redact_as(&toml).expect("the skill is built"));
    }
    drop(open);
    enroll(&world);
    world
}

fn enroll(world: &World) {
    hall(&world.home(), &["setup", "--enroll", "--json"]).object();
}

/// One rule for each of these capabilities, with these candidates.
fn rules(world: &World, capabilities: &[&str], candidates: &[&str]) {
    let ranked: Vec<Value> =
        candidates.iter().map(|species| json!({ "worker_species_id": species, "score_hint": 1.0 })).collect();
    let rule = |capability: &&str| {
        json!({ "rule_id": capability, "match": { "capability_id": capability }, "decision": {
            "candidate_workers_ranked": ranked, "required_controls_suggested": [],
            "escalation": { "policy_gate": false }, "preconditions": {} } })
    };
    let rules = json!({ "rules": capabilities.iter().map(rule).collect::<Vec<_>>() });
    put(&world.home().join("rules.json"), rules.to_string().as_bytes());
    enroll(world);
}

fn ask(world: &World, capability: &str) -> Run {
    hall(&world.home(), &["run", "--capability", capability, "--input", INPUT, "--json"])
}

fn refused(run: Run) -> Value {
    let run = run.ends(3);
    let error: Value = serde_json::from_str(&run.stderr).expect("one object on stderr");
    error["error"].clone()
}

#[test]
fn the_one_skill_that_provides_it_is_run_and_the_record_says_what_was_asked() {
    let world = desk(&[("redact", "[\"cap.text.redact\"]"), ("other", "[\"cap.text.other\"]")]);
    let receipt = ask(&world, CAPABILITY).object();
    assert_eq!((&receipt["skill"], &receipt["requested"]), (&json!("org.skillhall/redact@1.0.0"), &json!(CAPABILITY)));
    assert_eq!(receipt["resolved"]["skill"], "org.skillhall/redact@1.0.0");
    let records = records_from(&world.open(), 0);
    let decision = records.iter().rfind(|record| record.event.kind == EventKind::SkillExecute).expect("it is recorded");
    assert_eq!(decision.event.data.get("requested"), Some(&json!(CAPABILITY)), "{decision:?}");
    // By name it is the same call.
    let named = hall(&world.home(), &["run", "org.skillhall/redact", "--input", INPUT, "--json"]).object();
    assert_eq!((&named["output"], &named["matched_rule"]), (&receipt["output"], &receipt["matched_rule"]));
}

#[test]
fn what_nobody_provides_is_denied_and_recorded() {
    let world = desk(&[("redact", "[\"cap.text.redact\"]")]);
    let error = refused(ask(&world, "cap.money.pay"));
    assert_eq!(error["code"], "DENY_NO_AVAILABLE_WORKER", "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("hall search cap.money.pay")), "{error}");
    let records = records_from(&world.open(), 0);
    let denial = records.last().expect("it is recorded");
    assert_eq!((denial.event.kind, denial.event.code), (EventKind::SkillDeny, Some(Code::NoAvailableWorker)));
    assert!(denial.event.data["message"].as_str().is_some_and(|message| message.contains("cap.money.pay")));
    // A capability is asked for in place of a skill, and has to be one.
    for wrong in [&["run", "org.skillhall/redact", "--capability", CAPABILITY][..], &["run", "--capability", "redact"], &["run"]]
    {
        assert_eq!(hall(&world.home(), wrong).code, 2, "{wrong:?}");
    }
}

/// Whoever installs one more skill does not take over calls that went to another.
#[test]
fn of_several_only_the_one_that_a_rule_ranks_first_is_run() {
    let world = desk(&[("redact", "[\"cap.text.redact\"]"), ("another", "[\"cap.text.redact\"]")]);
    let error = refused(ask(&world, CAPABILITY));
    assert_eq!(error["code"], "DENY_NO_AVAILABLE_WORKER", "{error}");
    assert_eq!(error["details"]["skills"], json!(["org.skillhall/another@1.0.0", "org.skillhall/redact@1.0.0"]), "{error}");
    rules(&world, &[CAPABILITY], &["wrk.org.skillhall.redact", "wrk.org.skillhall.another"]);
    assert_eq!(ask(&world, CAPABILITY).object()["skill"], "org.skillhall/redact@1.0.0");
    rules(&world, &[CAPABILITY], &["wrk.org.skillhall.another", "wrk.*"]);
    assert_eq!(ask(&world, CAPABILITY).object()["skill"], "org.skillhall/another@1.0.0");
    // One that would be refused is passed over, and told when nobody is left.
    hall(&world.home(), &["revoke", "org.skillhall/another", "--reason", "a test", "--json"]).object();
    assert_eq!(ask(&world, CAPABILITY).object()["skill"], "org.skillhall/redact@1.0.0");
    hall(&world.home(), &["revoke", "org.skillhall/redact", "--reason", "a test", "--json"]).object();
    let error = refused(ask(&world, CAPABILITY));
    let codes: Vec<&Value> = error["details"]["passed_over"].as_array().expect("a list").iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["DENY_SKILL_REVOKED"; 2], "{error}");
}

/// Neither the caller, by what it asks for, nor the author, by what it names first, chooses which rule counts.
#[test]
fn a_skill_is_judged_under_everything_that_it_provides() {
    let world = desk(&[("redact", "[\"cap.text.redact\", \"cap.money.pay\"]")]);
    let all = ["cap.text.redact", "cap.money.pay"];
    rules(&world, &all, &["wrk.*"]);
    for capability in all {
        assert_eq!(ask(&world, capability).object()["matched_rule"], capability);
    }
    for ruled in all {
        rules(&world, &[ruled], &["wrk.*"]);
        for asked in all {
            assert_eq!(refused(ask(&world, asked))["code"], "DENY_NO_MATCHING_RULE", "{asked} with a rule for {ruled}");
        }
        let named = hall(&world.home(), &["run", "org.skillhall/redact", "--input", INPUT, "--json"]);
        assert_eq!(refused(named)["code"], "DENY_NO_MATCHING_RULE", "by name, with a rule for {ruled}");
    }
}

#[test]
fn a_call_under_a_capability_that_the_skill_does_not_provide_is_denied() {
    let world = World::ready();
    let hall = world.open();
    let call = good_call().capability("cap.money.pay".parse().expect("a capability"));
    let refused = run(&hall, call).expect_err("it is denied").to_string();
    assert!(refused.contains(Code::NoAvailableWorker.as_str()), "{refused}");
    let call = good_call().capability(CAPABILITY.parse().expect("a capability"));
    assert!(run(&hall, call).expect("it runs").output().is_some());
    assert!(redact().manifest().provides.iter().any(|provided| provided.as_str() == CAPABILITY));
}

#[test]
fn a_missing_control_says_who_asks_for_it_and_who_provides_it() {
    let world = World::bare();
    let toml = redact_toml().replace("policy_tier = 0", "policy_tier = 3");
    install(&world.open(), &redact_as(&toml).expect("the skill is built"));
    enroll(&world);
    let error = refused(hall(&world.home(), &["run", "org.skillhall/redact", "--input", INPUT, "--json"]));
    assert_eq!(error["code"], "DENY_MISSING_REQUIRED_CONTROLS", "{error}");
    let required_by = error["details"]["required_by"].as_object().expect("an object");
    let missing = error["details"]["missing"].as_array().expect("a list");
    assert!(!missing.is_empty() && missing.len() == required_by.len(), "{error}");
    assert_eq!(required_by["ctrl.obs.metrics-core"], "policy tier 3", "{error}");
    let hint = error["hint"].as_str().expect("a hint");
    assert!(hint.contains("operates this host") && hint.contains("[policy] controls in hall.toml"), "{hint}");
}
