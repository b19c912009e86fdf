//! Where this room is stricter than the reference (docs/wcp.md).

use serde_json::{Value, json};

use super::vectors::{case, decided, stamp};
use crate::govern::wcp::scenario::{run, run_line};

/// The call of M05, which one rule lets through.
fn call() -> Value {
    case("M05")
}

fn code(scenario: &Value) -> String {
    run(scenario, stamp()).deny_reason().map_or_else(|| "ALLOW".to_owned(), |reason| reason.code.as_str().to_owned())
}

fn with(path: &str, value: Value) -> Value {
    let mut scenario = call();
    *pointer(&mut scenario, path) = value;
    scenario
}

/// The place of a JSON pointer, made where it is missing.
fn pointer<'a>(scenario: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('/').skip(1).fold(scenario, |value, step| match step.parse::<usize>() {
        Ok(index) => &mut value[index],
        Err(_) => &mut value[step],
    })
}

#[test]
fn the_plain_call_is_allowed() {
    assert_eq!(code(&call()), "ALLOW");
}

#[test]
fn a_request_that_cannot_be_read_is_denied_and_not_an_exception() {
    let faults = [
        ("/input/env", json!("production")),
        ("/input/env", json!(null)),
        ("/input/data_label", json!("public")),
        ("/input/tenant_risk", json!("LOW")),
        ("/input/qos_class", json!(1)),
        ("/input/capability_id", json!("")),
        ("/input/capability_id", json!(["cap.a.b"])),
        ("/input/capability_id", json!("c".repeat(1025))),
        ("/input/blast_score", json!(true)),
        ("/input/blast_score", json!("12")),
        ("/input/blast_score", json!(12.5)),
        ("/input/blast_score", json!(-1)),
        ("/input/blast_score", json!(u64::MAX)),
        ("/input/dry_run", json!("yes")),
        ("/input/dry_run", json!(1)),
        ("/input/request", json!([])),
        ("/input/blast_scroe", json!(99)),
        ("/input", json!([])),
        ("/gates", json!(["ALLOW", "v", "r"])),
        ("/controls_present", json!(["ctrl.A"])),
        ("/hall_config", json!([true, ["t1"]])),
        ("/workers", json!([["wrk.t.one"]])),
        ("/approval", json!(["a1", "policy.v0"])),
        ("/hall_config", json!({ "require_worker_atestation": true })),
        ("/envelope_policy", json!([1, "ok"])),
        ("/policy_tier", json!(-1)),
    ];
    for (path, value) in faults {
        let shown = format!("{path} = {value}");
        assert_eq!(code(&with(path, value)), "DENY_INVALID_INPUT", "{shown}");
    }
    assert_eq!(run_line(b"{", stamp()).deny_reason().unwrap().code.as_str(), "DENY_INVALID_INPUT");
    let mut deep = json!([]);
    for _ in 0..70 {
        deep = json!([deep]);
    }
    assert_eq!(code(&with("/input/request/deep", deep)), "DENY_INVALID_INPUT");
}

#[test]
fn blank_ids_are_missing() {
    for blank in ["", " \t", "\u{1}\u{7f}", "\u{a0}\u{85}"] {
        assert_eq!(code(&with("/input/tenant_id", json!(blank))), "DENY_MISSING_TENANT_ID");
        assert_eq!(code(&with("/input/correlation_id", json!(blank))), "DENY_MISSING_CORRELATION_ID");
    }
    let mut unknown = with("/input/tenant_id", json!(""));
    unknown["hall_config"] = json!({ "require_signatory": true, "allowed_tenants": ["t1"] });
    assert_eq!(code(&unknown), "DENY_UNKNOWN_TENANT", "registration is asked first");
}

#[test]
fn a_required_credential_is_required() {
    for (verified, expected) in [
        (json!("absent"), "DENY_UNKNOWN_TENANT"),
        (json!("raise"), "DENY_UNKNOWN_TENANT"),
        (json!(false), "DENY_UNKNOWN_TENANT"),
        (json!(true), "ALLOW"),
    ] {
        let mut scenario = with("/hall_config", json!({ "require_credential": true }));
        scenario["credential_verified"] = verified;
        assert_eq!(code(&scenario), expected);
    }
}

#[test]
fn rules_that_do_not_load_match_nothing_and_the_denial_says_why() {
    let scenario = with("/rules/0/match/enviroment", json!("dev"));
    let decision = run(&scenario, stamp());
    let reason = decision.deny_reason().unwrap();
    assert_eq!((reason.code.as_str(), decision.matched_rule_id()), ("DENY_NO_MATCHING_RULE", "NO_MATCH"));
    assert!(reason.message.contains("enviroment"), "{}", reason.message);
}

#[test]
fn a_rule_that_asks_for_a_person_gets_one() {
    let escalations = [
        json!({ "human_required_default": true }),
        json!({ "msavx_step_up": true }),
        json!({ "human_required_if": [{ "data_label": "RESTRICTED" }, { "env": { "in": ["dev"] }, "data_label": "PUBLIC" }] }),
        json!({ "human_required_if": [{ "blast_score_at_least": 10 }] }),
    ];
    for escalation in escalations {
        let mut scenario = with("/rules/0/decision/escalation", escalation);
        let decision = decided(&scenario);
        assert_eq!(decision["deny_reason_if_denied"]["code"], "DENY_REQUIRES_HUMAN");
        assert_eq!(decision["escalation_effective"]["human_required_default"], true);
        scenario["approval"] = json!({ "id": "a1", "policy_version": "policy.v0" });
        let approved = run(&scenario, stamp());
        assert_eq!((approved.deny_reason(), approved.approval_used()), (None, Some("a1")));
        scenario["approval"]["policy_version"] = json!("policy.v1");
        assert_eq!(code(&scenario), "DENY_REQUIRES_HUMAN", "an approval under another policy");
    }
    let otherwise = json!({ "human_required_if": [{ "data_label": "RESTRICTED" }, { "blast_score_at_least": 11 }] });
    assert_eq!(code(&with("/rules/0/decision/escalation", otherwise)), "ALLOW");
}

#[test]
fn an_approval_satisfies_a_high_blast_radius_but_no_policy_that_says_no() {
    let mut scenario = case("B05");
    scenario["approval"] = json!({ "id": "a1", "policy_version": "policy.v0" });
    let decision = run(&scenario, stamp());
    assert_eq!((decision.deny_reason(), decision.approval_used()), (None, Some("a1")));

    scenario["rules"][0]["decision"]["escalation"] = json!({ "policy_gate": true });
    scenario["gate"] = json!(["DENY", "policy.v0", "no"]);
    let decision = run(&scenario, stamp());
    assert_eq!(decision.deny_reason().unwrap().code.as_str(), "DENY_POLICY_GATE");
    assert_eq!((decision.approval_used(), decision.awaits_approval()), (None, false));

    let mut asked = case("G-REQUIRE_HUMAN");
    assert!(run(&asked, stamp()).awaits_approval());
    asked["approval"] = json!({ "id": "a2", "policy_version": "policy.v9" });
    let decision = run(&asked, stamp());
    assert_eq!((decision.deny_reason(), decision.policy_version()), (None, "policy.v9"));
    assert_eq!(decision.telemetry().last().unwrap()["reason"], "human_approved");
}

#[test]
fn every_way_a_gate_can_answer() {
    let gated = |answer: Value| {
        let mut scenario = with("/rules/0/decision/escalation", json!({ "policy_gate": true }));
        scenario["gate"] = answer;
        code(&scenario)
    };
    assert_eq!(gated(json!(["ALLOW", "v1", "ok"])), "ALLOW");
    assert_eq!(gated(json!(["DENY", "v1", "no"])), "DENY_POLICY_GATE");
    assert_eq!(gated(json!(["REQUIRE_HUMAN", "v1", "ask"])), "DENY_REQUIRES_HUMAN_APPROVAL");
    assert_eq!(gated(json!("absent")), "DENY_POLICY_GATE_UNCONFIGURED");
    assert_eq!(gated(json!("raise")), "DENY_INTERNAL_ERROR");
    for nonsense in
        [json!(["ALLOW"]), json!(true), json!(["Allow", "v1", ""]), json!(["ALLOW ", "v1", ""]), json!(["ALLOW", "", "ok"])]
    {
        assert_eq!(gated(nonsense), "DENY_POLICY_GATE_INVALID_RESPONSE");
    }
}

#[test]
fn a_gates_texts_cannot_forge_a_line() {
    let mut scenario = with("/rules/0/decision/escalation", json!({ "policy_gate": true }));
    scenario["gate"] = json!(["ALLOW", "v1\n{\"event_id\": 1}", "ok"]);
    for event in run(&scenario, stamp()).telemetry() {
        assert!(!event.values().filter_map(Value::as_str).any(|text| text.contains(char::is_control)));
    }
}

#[test]
fn both_spellings_of_a_control_are_one_control() {
    let mut scenario = with("/rules/0/decision/required_controls_suggested", json!(["ctrl.obs.audit_log_append_only"]));
    assert_eq!(code(&scenario), "DENY_MISSING_REQUIRED_CONTROLS");
    scenario["controls_present"] = json!(["ctrl.obs.audit-log-append-only"]);
    let decision = run(&scenario, stamp());
    assert_eq!(decision.deny_reason(), None);
    assert_eq!(decision.required_controls(), ["ctrl.obs.audit_log_append_only"], "shown as the rule spells it");

    let mut scored = case("B11");
    scored["rules"][0]["decision"]["required_controls_suggested"] = json!(["ctrl.blast-radius-scoring"]);
    assert_eq!(decided(&scored)["telemetry_envelopes"][0]["event_id"], "evt.gov.blast_scored");
}

#[test]
fn a_tiers_controls_are_required_and_no_rule_or_setting_waives_them() {
    let mut scenario = case("K03");
    scenario["policy_tier"] = json!(0);
    assert_eq!(code(&scenario), "ALLOW");
    scenario["policy_tier"] = json!(1);
    let decision = decided(&scenario);
    assert_eq!(decision["deny_reason_if_denied"]["code"], "DENY_MISSING_REQUIRED_CONTROLS");
    let missing = decision["deny_reason_if_denied"]["missing"].as_array().unwrap();
    assert!(missing.contains(&json!("ctrl.os.worker-registry")) && !missing.contains(&json!("ctrl.z")), "{missing:?}");

    let present: Vec<&str> = crate::govern::wcp::controls::BUILT_IN.iter().map(|(id, _)| *id).collect();
    let mut scenario = with("/controls_present", json!(present));
    scenario["policy_tier"] = json!(2);
    assert_eq!(code(&scenario), "ALLOW", "what the runtime has by construction is enough for tier 2");
    scenario["policy_tier"] = json!(3);
    assert_eq!(code(&scenario), "DENY_MISSING_REQUIRED_CONTROLS");
}

#[test]
fn a_workers_own_record_counts() {
    let skipped = |member: &str, value: Value| {
        let mut scenario = with("/workers_available", json!([]));
        scenario["workers"] = json!([{ "worker_species_id": "wrk.t.one" }]);
        scenario["workers"][0][member] = value;
        let decision = decided(&scenario);
        let reason = decision["candidate_workers_ranked"][0]["skip_reason"].clone();
        assert_eq!(decision["denied"], !reason.is_null());
        reason
    };
    assert_eq!(skipped("allowed_environments", json!(["prod"])), "environment_not_allowed");
    assert_eq!(skipped("allowed_environments", json!([])), "environment_not_allowed");
    assert_eq!(skipped("environment", json!("stage")), "environment_not_allowed");
    assert_eq!(skipped("data_labels", json!(["RESTRICTED"])), "data_label_not_allowed");
    assert_eq!(skipped("capabilities", json!(["cap.other"])), "capability_not_served");
    assert_eq!(skipped("required_controls", json!(["ctrl.z"])), "required_controls_missing");
    assert_eq!(skipped("allowed_environments", json!(["dev", "prod"])), Value::Null);
    assert_eq!(skipped("currently_implements", json!(["ctrl.z"])), Value::Null);
}

#[test]
fn a_worker_does_not_put_a_control_in_place_by_saying_so() {
    let mut scenario = with("/rules/0/decision/required_controls_suggested", json!(["ctrl.z"]));
    scenario["workers"] = json!([{ "worker_species_id": "wrk.t.one", "currently_implements": ["ctrl.z"] }]);
    assert_eq!(code(&scenario), "DENY_MISSING_REQUIRED_CONTROLS");
}

#[test]
fn a_candidates_own_controls_count_and_are_shown() {
    let mut scenario = with("/rules/0/decision/candidate_workers_ranked/0/requires_controls_minimum", json!(["ctrl.z"]));
    let decision = decided(&scenario);
    assert_eq!(decision["deny_reason_if_denied"]["code"], "DENY_NO_AVAILABLE_WORKER");
    assert_eq!(decision["candidate_workers_ranked"][0]["requires_controls_minimum"], json!(["ctrl.z"]));
    scenario["controls_present"] = json!(["ctrl.z"]);
    assert_eq!(code(&scenario), "ALLOW");
}

#[test]
fn a_tools_effects_count_whatever_the_caller_says() {
    let mut scenario = case("B06");
    assert_eq!(run(&scenario, stamp()).blast_score(), 75);
    scenario["effects"] = json!(["read", "write"]);
    let decision = run(&scenario, stamp());
    assert_eq!((decision.blast_score(), decision.deny_reason().unwrap().code.as_str()), (90, "DENY_REQUIRES_HUMAN"));
}

#[test]
fn a_rules_attestation_precondition_counts_in_production() {
    for precondition in ["deny_if_no_attestation_in_prod", "deny_if_unsigned_artifact_in_prod"] {
        let mut scenario = with("/rules/0/decision/preconditions", json!({ precondition: true }));
        assert_eq!(code(&scenario), "ALLOW", "not in dev");
        scenario["input"]["env"] = json!("prod");
        assert_eq!(code(&scenario), "DENY_ATTESTATION_UNCONFIGURED");
        scenario["registered_hash"] = json!("ab".repeat(32));
        scenario["current_hash"] = json!("ab".repeat(32));
        assert_eq!(code(&scenario), "ALLOW");
    }
}

#[test]
fn every_way_a_hash_can_be_missing() {
    let attested = |registered: Value, current: Value| {
        let mut scenario = with("/hall_config", json!({ "require_worker_attestation": true }));
        scenario["registered_hash"] = registered;
        scenario["current_hash"] = current;
        code(&scenario)
    };
    let good = json!("ab".repeat(32));
    assert_eq!(attested(good.clone(), good.clone()), "ALLOW");
    assert_eq!(attested(json!("absent"), good.clone()), "DENY_ATTESTATION_UNCONFIGURED");
    assert_eq!(attested(good.clone(), json!("absent")), "DENY_ATTESTATION_UNCONFIGURED");
    assert_eq!(attested(json!(null), good.clone()), "DENY_WORKER_ATTESTATION_MISSING");
    assert_eq!(attested(json!("ab"), good.clone()), "DENY_WORKER_ATTESTATION_INVALID_HASH");
    assert_eq!(attested(json!("ab".repeat(32) + "\n"), good.clone()), "DENY_WORKER_ATTESTATION_INVALID_HASH");
    assert_eq!(attested(good.clone(), json!(null)), "DENY_WORKER_HASH_UNAVAILABLE");
    assert_eq!(attested(good.clone(), json!("AB".repeat(32))), "DENY_WORKER_HASH_UNAVAILABLE");
    assert_eq!(attested(good, json!("cd".repeat(32))), "DENY_WORKER_TAMPERED");
}

#[test]
fn every_way_an_envelope_can_fail() {
    let enveloped = |envelope: Value, policy: Value| {
        let mut scenario = with("/hall_config", json!({ "enforce_privilege_envelopes": true }));
        scenario["envelope"] = envelope;
        scenario["envelope_policy"] = policy;
        scenario["input"]["env"] = json!("prod");
        scenario["input"]["data_label"] = json!("RESTRICTED");
        code(&scenario)
    };
    assert_eq!(enveloped(json!({}), json!([true, "ok"])), "ALLOW");
    assert_eq!(enveloped(json!("absent"), json!([true, "ok"])), "DENY_PRIVILEGE_ENVELOPE_UNCONFIGURED");
    assert_eq!(enveloped(json!({}), json!("absent")), "DENY_PRIVILEGE_ENVELOPE_UNCONFIGURED");
    assert_eq!(enveloped(json!({}), json!("raise")), "DENY_INTERNAL_ERROR");
    assert_eq!(enveloped(json!({}), json!([false, "no"])), "DENY_PRIVILEGE_ENVELOPE_VIOLATED");
    let ours = |envelope: Value| enveloped(envelope, json!("default"));
    assert_eq!(ours(json!({ "network_egress": "none", "secrets_access": [], "filesystem_writes": [], "tools": [] })), "ALLOW");
    for beyond in [
        json!(null),
        json!([]),
        json!({ "egress": [[]] }),
        json!({ "network": "any" }),
        json!({ "network_egress": "any" }),
        json!({ "network_egress": ["a.example"] }),
        json!({ "egress": { "allowlist": ["a.example"] } }),
    ] {
        assert_eq!(ours(beyond.clone()), "DENY_PRIVILEGE_ENVELOPE_VIOLATED", "{beyond}");
    }
}

#[test]
fn a_panicking_gate_is_a_failed_one() {
    use crate::govern::wcp::{DataLabel, Env, GateContext, GateError, PolicyGate, QosClass, TenantRisk, Verdict, gate};
    struct Panics;
    impl PolicyGate for Panics {
        fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
            panic!("a bug in a gate")
        }
    }
    let context = GateContext {
        capability_id: "cap.a.b".to_owned(),
        tenant_id: "t1".to_owned(),
        env: Env::Dev,
        data_label: DataLabel::Public,
        tenant_risk: TenantRisk::Low,
        qos_class: QosClass::P2,
        policy_version: gate::DEFAULT_POLICY_VERSION,
        skill: "org.acme/redact@1.0.0".to_owned(),
        tool: "redact".to_owned(),
        effects: Vec::new(),
        capabilities: Vec::new(),
        caller: "owner".to_owned(),
        organisation: "acme".to_owned(),
        blast_score: 10,
    };
    assert!(matches!(gate::consult(&Panics, &context), Err(GateError::Failed(_))));
}

#[test]
fn a_credential_is_shown_nowhere() {
    let mut scenario = call();
    scenario["input"]["tenant_credential"] = json!("s3cret-credential");
    let request = crate::govern::wcp::Request::read(&scenario["input"]);
    let decision = run(&scenario, stamp());
    let shown = format!("{request:?} {decision:?} {}", serde_json::to_string(&decision).unwrap());
    assert!(!shown.contains("s3cret"));
}
