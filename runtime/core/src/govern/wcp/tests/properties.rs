//! What holds for every input.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::vectors::stamp;
use crate::denial::Code;
use crate::govern::wcp::scenario::{run, run_line};
use crate::govern::wcp::{DataLabel, Env, QosClass, Request, RouteDecision, RuleSet, TenantRisk, Word};

/// Allowed exactly without a code; denied exactly with a code of the table, and then nothing is selected.
fn check(decision: &RouteDecision) -> Result<(), TestCaseError> {
    let shown = serde_json::to_value(decision).unwrap();
    let told = decision.telemetry();
    let events: Vec<&str> = told.iter().filter_map(|event| event["event_id"].as_str()).collect();
    for event in &told {
        prop_assert!(!event.values().filter_map(Value::as_str).any(|text| text.contains(char::is_control)));
    }
    // Whichever order this build's objects keep.
    let parts = ["telemetry_envelopes", "recommended_profiles_effective", "escalation_effective"].map(|part| &shown[part]);
    for value in parts[..2].iter().copied().chain([&parts[2]["human_required_if"]]) {
        prop_assert!(is_sorted(value), "{}", value);
    }
    let details = decision.deny_reason().map(|reason| reason.details.clone()).unwrap_or_default();
    let denial = decision.denial().map(|denial| denial.details).unwrap_or_default();
    prop_assert!(is_sorted(&json!(details)) && is_sorted(&json!(denial)));
    if let Some(reason) = decision.deny_reason() {
        prop_assert_eq!(&shown["denied"], &json!(true));
        prop_assert!(CODES.contains(&reason.code.as_str()));
        prop_assert!(Code::parse(shown["deny_reason_if_denied"]["code"].as_str().unwrap()) == Some(reason.code));
        prop_assert!(!reason.message.is_empty());
        prop_assert_eq!(decision.selected_worker(), None);
        prop_assert_eq!(decision.artifact_hash(), None);
        prop_assert_eq!(decision.approval_used(), None);
        prop_assert_eq!(events, ["evt.os.task.denied"]);
    } else {
        prop_assert_eq!(&shown["denied"], &json!(false));
        prop_assert!(shown["deny_reason_if_denied"].is_null());
        prop_assert!(decision.denial().is_none());
        prop_assert!(decision.selected_worker().is_some());
        prop_assert!(decision.artifact_hash().is_some_and(|hash| hash.len() == 64));
        prop_assert!(events.ends_with(&["evt.os.task.routed", "evt.os.worker.selected", "evt.os.policy.gated"]));
    }
    Ok(())
}

fn is_sorted(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_sorted),
        Value::Object(members) => members.keys().is_sorted() && members.values().all(is_sorted),
        _ => true,
    }
}

/// Any JSON value, sometimes odd.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        select(vec!["dev", "prod", "absent", "raise", "ALLOW", "cap.a.b", "wrk.t.one", "ctrl.z"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((member_name(), inner), 0..4).prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn member_name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "input",
            "rules",
            "match",
            "decision",
            "rule_id",
            "env",
            "in",
            "any",
            "gate",
            "escalation",
            "writes",
            "egress"
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ]
}

/// A condition of a rule; with `open`, how often it is left out.
fn condition(values: &'static [&'static str], open: u32) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        open => Just(None),
        1 => Just(Some(json!({ "any": true }))),
        2 => select(values).prop_map(|value| Some(json!(value))),
        2 => vec(select(values), 1..4).prop_map(|values| Some(json!({ "in": values }))),
    ]
}

const CAPABILITIES: &[&str] = &["cap.a", "cap.b"];
const ENVS: &[&str] = &["dev", "stage", "prod", "edge"];
const LABELS: &[&str] = &["PUBLIC", "INTERNAL", "RESTRICTED"];
const RISKS: &[&str] = &["low", "medium", "high"];
const CLASSES: &[&str] = &["P0", "P1", "P2", "P3"];

fn matching(open: u32) -> impl Strategy<Value = Value> {
    let fields = (
        condition(CAPABILITIES, open),
        condition(ENVS, open),
        condition(LABELS, open),
        condition(RISKS, open),
        condition(CLASSES, open),
    );
    fields.prop_map(|(capability, env, label, risk, class)| {
        let members =
            [("capability_id", capability), ("env", env), ("data_label", label), ("tenant_risk", risk), ("qos_class", class)];
        Value::from(members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>())
    })
}

fn rule_list(open: u32) -> impl Strategy<Value = Value> {
    let one = || {
        (
            matching(open),
            any::<[bool; 4]>(),
            vec(select(vec!["ctrl.z", "ctrl.blast_radius_scoring", "ctrl.privilege-envelopes-required"]), 0..2),
        )
    };
    prop_oneof![3 => vec(one(), 1..2), 1 => vec(one(), 0..5)].prop_map(|rules| {
        let rules = rules.into_iter().enumerate().map(|(index, (matching, [gate, person, attested, two], controls))| {
            json!({
                "rule_id": format!("r{index}"),
                "match": matching,
                "decision": {
                    "candidate_workers_ranked": [{ "worker_species_id": if two { "wrk.t.two" } else { "wrk.t.one" } }, {}],
                    "required_controls_suggested": controls,
                    "escalation": { "policy_gate": gate, "human_required_default": person && two },
                    "preconditions": { "deny_if_no_attestation_in_prod": attested },
                },
            })
        });
        rules.collect()
    })
}

/// What a caller sends to the worker, with the flags that the score looks at.
fn payload() -> impl Strategy<Value = Value> {
    (any::<[bool; 2]>(), prop_oneof![9 => Just(json!("x")), 1 => any_json()])
        .prop_map(|([egress, writes], data)| json!({ "egress": egress, "writes": writes, "data": data }))
}

/// The first value most of the time, else one of the others.
fn mostly<T: Clone + std::fmt::Debug + 'static>(usual: T, others: Vec<T>) -> impl Strategy<Value = T> {
    prop_oneof![12 => Just(usual), 2 => select(others)]
}

/// A scenario that is mostly well-formed, so that every step is reached.
fn scenario() -> impl Strategy<Value = Value> {
    let hash =
        || select(vec![json!("absent"), json!("raise"), json!(null), json!("ab".repeat(32)), json!("cd".repeat(32)), json!("x")]);
    let input = (
        select(CAPABILITIES),
        select(ENVS),
        select(LABELS),
        select(RISKS),
        select(CLASSES),
        mostly("t1", vec!["t\u{7}2", "", " "]),
        mostly("c1", vec!["", "\u{0}c\n"]),
        prop_oneof![6 => Just(json!(null)), 1 => (-5_i64..110).prop_map(Value::from)],
        any::<bool>(),
    );
    let controls = ["ctrl.z", "ctrl.blast-radius-scoring", "ctrl.privilege_envelopes_required"];
    let answers = (
        prop_oneof![
            1 => Just(json!(null)),
            1 => Just(json!("raise")),
            12 => (mostly("ALLOW", vec!["DENY", "REQUIRE_HUMAN", "allow"]), mostly("v1", vec![""]), ".{0,6}")
                .prop_map(|(decision, version, reason)| json!([decision, version, reason])),
        ],
        hash(),
        hash(),
        mostly(json!({}), vec![json!("absent"), json!("raise"), json!(null)]),
        mostly(json!([true, "ok"]), vec![json!("absent"), json!("raise"), json!([false, "no"]), json!("default")]),
        mostly(controls.to_vec(), vec![vec!["ctrl.z"], vec![]]),
        mostly(vec!["wrk.t.one", "wrk.t.two"], vec![vec!["wrk.t.one"], vec![]]),
        any::<[bool; 4]>(),
        select(vec![
            json!(null),
            json!({ "id": "a1", "policy_version": "v1" }),
            json!({ "id": "a1", "policy_version": "policy.v0" }),
        ]),
    );
    (input, rule_list(24), answers, payload()).prop_map(|(input, rules, answers, payload)| {
        let (capability, env, label, risk, class, tenant, correlation, score, dry_run) = input;
        let (gate, registered, current, envelope, policy, controls, workers, [signatory, attest, waive, privilege], approval) =
            answers;
        let mut input = json!({
            "capability_id": capability, "env": env, "data_label": label, "tenant_risk": risk, "qos_class": class,
            "tenant_id": tenant, "correlation_id": correlation, "blast_score": score, "dry_run": dry_run,
        });
        input["request"] = payload;
        json!({
            "input": input, "rules": rules, "gate": gate, "registered_hash": registered, "current_hash": current,
            "envelope": envelope, "envelope_policy": policy, "controls_present": controls, "workers_available": workers,
            "approval": approval,
            "hall_config": {
                "require_signatory": signatory && attest, "allowed_tenants": ["t1"], "require_worker_attestation": attest,
                "enforce_correlation_id": !waive, "enforce_required_controls": !waive, "enforce_privilege_envelopes": privilege,
            },
        })
    })
}

/// Puts some value in the place of a member of a scenario.
fn damaged() -> impl Strategy<Value = Value> {
    let places = vec![
        "input",
        "rules",
        "gate",
        "hall_config",
        "controls_present",
        "workers_available",
        "approval",
        "envelope_policy",
        "workers",
    ];
    (
        scenario(),
        select(places),
        any_json(),
        any::<bool>(),
        select(vec!["env", "tenant_id", "request", "blast_score", "dry_run", "x"]),
    )
        .prop_map(|(mut scenario, place, value, inside, field)| {
            if inside {
                scenario["input"][field] = value;
            } else {
                scenario[place] = value;
            }
            scenario
        })
}

fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for capability in ["cap.a", "cap.b", "cap.other"] {
        for env in Env::ALL {
            for label in DataLabel::ALL {
                for risk in TenantRisk::ALL {
                    for class in QosClass::ALL {
                        let tenant = "t1".to_owned();
                        requests.push(Request::new(capability.to_owned(), *env, *label, *risk, *class, tenant.clone(), tenant));
                    }
                }
            }
        }
    }
    requests
}

#[test]
fn the_scenarios_reach_every_code_of_the_decision() {
    let mut runner = TestRunner::deterministic();
    let (mut allowed, mut codes) = (0, BTreeSet::new());
    for _ in 0..2000 {
        let decision = run(&scenario().new_tree(&mut runner).unwrap().current(), stamp());
        match decision.deny_reason() {
            None => allowed += 1,
            Some(reason) => drop(codes.insert(reason.code.as_str())),
        }
    }
    assert!(allowed > 100, "{allowed}");
    let missing: Vec<&str> = CODES.iter().copied().filter(|code| !codes.contains(code)).collect();
    assert!(missing.is_empty() && codes.len() == CODES.len(), "not reached: {missing:?}, reached: {codes:?}");
}

/// Every code that the decision can give.
pub(super) const CODES: [&str; 21] = [
    "DENY_UNKNOWN_TENANT",
    "DENY_MISSING_TENANT_ID",
    "DENY_INVALID_INPUT",
    "DENY_SHADOW_RULES_DETECTED",
    "DENY_NO_MATCHING_RULE",
    "DENY_MISSING_CORRELATION_ID",
    "DENY_MISSING_REQUIRED_CONTROLS",
    "DENY_REQUIRES_HUMAN",
    "DENY_POLICY_GATE_UNCONFIGURED",
    "DENY_INTERNAL_ERROR",
    "DENY_POLICY_GATE",
    "DENY_REQUIRES_HUMAN_APPROVAL",
    "DENY_POLICY_GATE_INVALID_RESPONSE",
    "DENY_NO_AVAILABLE_WORKER",
    "DENY_ATTESTATION_UNCONFIGURED",
    "DENY_WORKER_ATTESTATION_MISSING",
    "DENY_WORKER_ATTESTATION_INVALID_HASH",
    "DENY_WORKER_HASH_UNAVAILABLE",
    "DENY_WORKER_TAMPERED",
    "DENY_PRIVILEGE_ENVELOPE_UNCONFIGURED",
    "DENY_PRIVILEGE_ENVELOPE_VIOLATED",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn a_decision_is_denied_with_a_code_of_the_table_or_allowed_without_one(scenario in scenario()) {
        check(&run(&scenario, stamp()))?;
    }

    #[test]
    fn the_same_holds_for_a_damaged_scenario(scenario in damaged()) {
        check(&run(&scenario, stamp()))?;
        check(&run_line(scenario.to_string().as_bytes(), stamp()))?;
    }

    #[test]
    fn and_for_any_value_and_any_bytes(value in any_json(), bytes in vec(any::<u8>(), 0..200)) {
        check(&run(&value, stamp()))?;
        check(&run_line(&bytes, stamp()))?;
        let _ = RuleSet::parse(&bytes);
        let _ = RuleSet::parse(value.to_string().as_bytes());
    }

    #[test]
    fn it_decides_alike_each_time(scenario in scenario()) {
        prop_assert_eq!(run(&scenario, stamp()), run(&scenario, stamp()));
    }

    #[test]
    fn taking_something_away_never_lets_a_call_through(
        scenario in scenario(),
        taken in select(vec!["controls_present", "workers_available", "registered_hash", "current_hash", "envelope", "envelope_policy", "approval", "rules"]),
    ) {
        let mut less = scenario.clone();
        less.as_object_mut().unwrap().remove(taken);
        prop_assert!(run(&scenario, stamp()).deny_reason().is_none() || run(&less, stamp()).deny_reason().is_some());
    }

    #[test]
    fn a_higher_tier_or_score_never_lets_a_call_through(scenario in scenario(), tier in 0_u8..=8, score in 0_u8..=100) {
        let mut more = scenario.clone();
        more["policy_tier"] = json!(tier);
        if scenario["input"]["blast_score"].is_null() {
            more["input"]["blast_score"] = json!(score);
        }
        prop_assert!(run(&scenario, stamp()).deny_reason().is_none() || run(&more, stamp()).deny_reason().is_some());
    }

    #[test]
    fn a_rule_is_shadowed_exactly_if_no_request_reaches_it(rules in rule_list(3)) {
        let set = RuleSet::parse(json!({ "rules": rules }).to_string().as_bytes()).unwrap();
        let requests = requests();
        let reached: BTreeSet<&str> =
            requests.iter().filter_map(|request| Some(set.first_match(request)?.id.as_str())).collect();
        for rule in set.rules() {
            let shadowed = set.shadowed().iter().any(|shadowed| shadowed.rule_id == rule.id);
            prop_assert_eq!(shadowed, !reached.contains(rule.id.as_str()), "{}", &rule.id);
        }
    }
}
