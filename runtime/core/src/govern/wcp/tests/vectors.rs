//! The decisions of WCP's Python reference and the cross-SDK conformance vectors.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::govern::wcp::scenario::{run, run_line};
use crate::govern::wcp::{Stamp, WorkerRecord};

/// The repository's own vectors.
const DECISIONS: &str = include_str!("../../../../../../fixtures/vectors/wcp/decisions.json");

pub(super) fn stamp() -> Stamp {
    Stamp { decision_id: "4b8c4f0e-6f0c-4c0e-9d57-2f4f4f3f2b1a".to_owned(), at: Timestamp::from_millis(1_767_323_045_000) }
}

pub(super) fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_str(DECISIONS).unwrap();
    let mut cases = file["cases"].as_array().unwrap().clone();
    for case in &mut cases {
        case["task_id"] = json!("task_vec");
    }
    cases
}

pub(super) fn case(id: &str) -> Value {
    cases().into_iter().find(|case| case["id"] == id).unwrap()
}

pub(super) fn decided(scenario: &Value) -> Value {
    serde_json::to_value(run(scenario, stamp())).unwrap()
}

/// Ids, times and message texts are each implementation's own.
fn mask(decision: &mut Value) {
    decision["decision_id"] = json!("<uuid4>");
    decision["timestamp"] = json!("<ts>");
    if decision["deny_reason_if_denied"].is_object() {
        assert!(!decision["deny_reason_if_denied"]["message"].as_str().unwrap().is_empty());
        decision["deny_reason_if_denied"]["message"] = json!("<text>");
    }
    for event in decision["telemetry_envelopes"].as_array_mut().unwrap() {
        if event.get("timestamp").is_some() {
            event["timestamp"] = json!("<ts>");
        }
        if event.get("deny_message").is_some() {
            event["deny_message"] = json!("<text>");
        }
    }
}

/// The only vector whose decision differs: it holds an integer that two JSON readers would not read alike.
const DIFFERENT: [&str; 1] = ["J01"];

#[test]
fn every_decision_of_the_reference_is_ours() {
    let cases = cases();
    assert_eq!(cases.len(), 43);
    for case in cases.iter().filter(|case| !DIFFERENT.contains(&case["id"].as_str().unwrap())) {
        let (mut ours, mut expected) = (decided(case), case["expected"].clone());
        mask(&mut ours);
        mask(&mut expected);
        assert_eq!(ours, expected, "{} {}", case["id"], case["what"]);
    }
}

#[test]
fn an_integer_beyond_two_to_the_53_is_refused_and_without_it_the_artifact_hash_is_the_references() {
    let mut case = case("J01");
    let line = case.to_string().replace("1.2345678901234568e+29", "123456789012345678901234567890");
    assert!(line.contains("123456789012345678901234567890"));
    let refused = run_line(line.as_bytes(), stamp());
    let reason = refused.deny_reason().unwrap();
    assert_eq!(reason.code.as_str(), "DENY_INVALID_INPUT");
    assert!(reason.message.contains("2^53"), "{}", reason.message);

    case["input"]["request"]["b"][5] = json!(9_007_199_254_740_991_u64);
    let allowed = decided(&case);
    // SHA-256 of Python's json.dumps(.., sort_keys=True) of this input.
    assert_eq!(allowed["artifact_hash"], "ba7377ced8f07fbdf95b093282566cd85c0bfcb32ca769ae4b4cc236180a6b07");

    case["input"]["request"]["b"][5] = json!(9_007_199_254_740_992_u64);
    assert_eq!(decided(&case)["deny_reason_if_denied"]["code"], "DENY_INVALID_INPUT");
}

#[test]
fn ids_and_time_are_those_that_were_given() {
    let decision = decided(&case("M05"));
    assert_eq!(decision["decision_id"], "4b8c4f0e-6f0c-4c0e-9d57-2f4f4f3f2b1a");
    assert_eq!(decision["timestamp"], "2026-01-02T03:04:05Z");
}

#[test]
fn conformance_vectors_hold() {
    let Some(file) = shared("wcp/wcp_conformance_vectors.json") else { return };
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 13);
    for vector in vectors.iter().filter(|vector| vector["id"] != "CV-013") {
        let scenario = conformance_scenario(vector);
        let decision = decided(&scenario);
        assert_eq!(decision["denied"], vector["expect"]["denied"], "{}: {decision}", vector["id"]);
        let code = decision["deny_reason_if_denied"].get("code").cloned().unwrap_or_default();
        assert_eq!(code, vector["expect"]["deny_code"], "{}", vector["id"]);
        if vector["id"] == "CV-012" {
            for event in decision["telemetry_envelopes"].as_array().unwrap() {
                let id = event.get("capability_id").and_then(Value::as_str).unwrap_or_default();
                assert!(!id.contains(char::is_control));
            }
        }
    }
}

/// The vectors describe their surroundings in words; this is the data for them.
fn conformance_scenario(vector: &Value) -> Value {
    let mut scenario = json!({ "input": vector["input"], "controls_present": [], "workers_available": ["wrk.test.worker"] });
    let setup = &vector["setup"];
    if setup["control_present"] == true {
        scenario["controls_present"] = json!([setup["required_control"]]);
    }
    if setup["no_workers"] == true {
        scenario["workers_available"] = json!([]);
    }
    if let Some(rule) = vector.get("rule") {
        scenario["rule"] = rule.clone();
        return scenario;
    }
    // CV-009 and CV-010 have a worker's record in place of a rule.
    let species = &setup["worker_species_id"];
    scenario["workers_available"] = json!([]);
    scenario["workers"] = json!([{
        "worker_species_id": species,
        "capabilities": [setup["worker_capability"]],
        "allowed_environments": setup["worker_allowed_envs"],
    }]);
    scenario["rule"] = json!({
        "rule_id": "all",
        "match": {},
        "decision": { "candidate_workers_ranked": [{ "worker_species_id": species }] },
    });
    scenario
}

/// CV-013: enrol with a hash, run, change one byte, run again.
#[test]
fn a_worker_that_was_changed_after_it_was_attested_is_tampered() {
    let mut source = b"def run(): return 'hello'".to_vec();
    let registered = crate::digest::Digest::of(&source).to_string();
    let mut scenario = case("A02");
    scenario["registered_hash"] = json!(registered);
    scenario["current_hash"] = json!(crate::digest::Digest::of(&source).to_string());
    let before = decided(&scenario);
    assert_eq!((&before["denied"], &before["worker_attestation_valid"]), (&json!(false), &json!(true)));

    source[4] ^= 1;
    scenario["current_hash"] = json!(crate::digest::Digest::of(&source).to_string());
    let after = decided(&scenario);
    assert_eq!(after["deny_reason_if_denied"]["code"], "DENY_WORKER_TAMPERED");
    assert_eq!((&after["worker_attestation_checked"], &after["worker_attestation_valid"]), (&json!(true), &json!(false)));
    assert!(!after.to_string().contains(&registered), "the hash is not told");
}

#[test]
fn other_peoples_records_and_rules_are_read() {
    let Some(folder) = shared_folder("wcp/records") else { return };
    let mut read = 0;
    for entry in folder.entries().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let bytes = crate::store::read(&folder, &name, 1 << 20).unwrap();
        if name.contains("rules") {
            let rules = crate::govern::wcp::RuleSet::parse(&bytes).unwrap();
            assert_eq!(rules.rules().len(), 2);
            assert!(rules.shadowed().is_empty());
        } else {
            let record: WorkerRecord = crate::json::parse_as(&bytes).unwrap();
            let facts = record.facts();
            assert!(facts.allowed_environments.is_some_and(|envs| !envs.is_empty()), "{name}");
            assert!(facts.capabilities.is_some_and(|capabilities| capabilities.len() == 1), "{name}");
        }
        read += 1;
    }
    assert_eq!(read, 7);
}

#[test]
fn the_tier_table_says_what_the_catalogue_says() {
    use crate::govern::wcp::TierControls;
    let Some(catalogue) = shared("wcp/taxonomy-catalog.json") else { return };
    let (table, elsewhere) = (TierControls::default(), ["ctrl.dlq.", "ctrl.idempotency.", "ctrl.cost.", "ctrl.deploy."]);
    let mut seen = 0;
    for entity in catalogue["entities"].as_array().unwrap().iter().filter(|entity| entity["type"] == "control") {
        let id = entity["id"].as_str().unwrap();
        if elsewhere.iter().any(|family| id.starts_with(family)) {
            continue;
        }
        for (risk, tiers) in [("low", [1, 2]), ("medium", [3, 4]), ("high", [5, 6]), ("critical", [7, 8])] {
            let required = entity["required_for_risk_tiers"].as_array().unwrap().contains(&json!(risk));
            for tier in tiers {
                assert_eq!(table.required(tier).contains(&id.parse().unwrap()), required, "{id} at tier {tier}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, table.required(8).len());
    assert!(table.required(0).is_empty());
    assert_eq!(table.required(255), table.required(8));
}

fn shared_folder(path: &str) -> Option<cap_std::fs::Dir> {
    let fallback = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    #[expect(clippy::disallowed_methods, reason = "where other people's vectors are is said by the environment")]
    let root = std::env::var("SKILLHALL_VECTORS").unwrap_or_else(|_| fallback.to_owned());
    let place = format!("{root}/{path}");
    #[expect(clippy::disallowed_methods, reason = "a test opens its own folder")]
    let folder = cap_std::fs::Dir::open_ambient_dir(&place, cap_std::ambient_authority());
    #[expect(clippy::disallowed_methods, reason = "CI says so in the environment")]
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    if folder.is_err() {
        assert!(!ci, "no vectors at {place}");
        println!("skipped: no vectors at {place}");
    }
    folder.ok()
}

fn shared(path: &str) -> Option<Value> {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let bytes = crate::store::read(&shared_folder(folder)?, name, 1 << 24).unwrap();
    Some(serde_json::from_slice(&bytes).unwrap())
}
