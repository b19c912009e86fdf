//! What the pure decision of gate 10 costs, for 10, 100 and 1,000 rules of which the last one matches, which is the worst case.
//!
//! ```sh
//! cargo bench --package skillhall-core --bench decision      # builds no engine
//! ```

#![expect(clippy::expect_used, reason = "a benchmark whose parts are not as they must be measures nothing")]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use serde_json::json;
use skillhall_core::clock::Timestamp;
use skillhall_core::govern::wcp::{
    Callables, DataLabel, DecisionInput, Env, Fetched, HallConfig, QosClass, Request, RuleSet, Stamp, TenantRisk, Verdict,
    WorkerFacts, decide,
};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .sample_size(50)
        .configure_from_args();
    let callables = callables();
    for count in [10, 100, 1000] {
        let rules = rules(count);
        assert!(rules.shadowed().is_empty(), "every rule can match");
        let (allowed, denied) = (input("cap.bench.wanted"), input("cap.bench.unknown"));
        assert!(decide(&allowed, &rules, &callables).deny_reason().is_none(), "the last rule allows");
        assert!(decide(&denied, &rules, &callables).deny_reason().is_some(), "nothing matches");
        for (name, input) in [("allowed by the last rule", &allowed), ("denied, no rule matches", &denied)] {
            criterion.bench_with_input(BenchmarkId::new(name, count), input, |bencher, input| {
                bencher.iter(|| decide(black_box(input), &rules, &callables));
            });
        }
    }
    criterion.final_summary();
}

/// Rules that differ in each of the five conditions, so that none is told apart at the first; the last is the one wanted.
fn rules(count: usize) -> RuleSet {
    let (envs, labels) = (["dev", "stage"], ["PUBLIC", "INTERNAL"]);
    let list: Vec<_> = (1..=count)
        .map(|index| {
            let capability = if index == count { "cap.bench.wanted".to_owned() } else { format!("cap.bench.other-{index}") };
            json!({
                "rule_id": format!("rule-{index}"),
                "match": {
                    "capability_id": { "in": [capability, format!("cap.bench.beside-{index}")] },
                    "env": { "in": envs }, "data_label": { "in": labels }, "tenant_risk": "low",
                },
                "decision": {
                    "candidate_workers_ranked": [{ "worker_species_id": "wrk.org.acme.redact", "score_hint": 1.0 }],
                    "required_controls_suggested": ["ctrl.obs.audit-log-append-only", "ctrl.sandbox.resource-limits-strict"],
                    "escalation": { "policy_gate": true },
                },
            })
        })
        .collect();
    RuleSet::parse(json!({ "rules": list }).to_string().as_bytes()).expect("the rules load")
}

fn input(capability: &str) -> DecisionInput {
    DecisionInput {
        request: Request::new(
            capability.to_owned(),
            Env::Dev,
            DataLabel::Internal,
            TenantRisk::Low,
            QosClass::P2,
            "org.acme".to_owned(),
            "550e8400-e29b-41d4-a716-446655440000".to_owned(),
        ),
        stamp: Stamp {
            decision_id: "4b8c4f0e-6f0c-4c0e-9d57-2f4f4f3f2b1a".to_owned(),
            at: Timestamp::from_millis(1_767_323_045_000),
        },
        task_id: "task".to_owned(),
        effects: Vec::new(),
        controls: Vec::new(),
    }
}

fn callables() -> Callables {
    let hash = || Fetched::Value(Some("ab".repeat(32)));
    let worker = WorkerFacts { registered_hash: hash(), current_hash: hash(), ..WorkerFacts::default() };
    let verdict = Verdict { decision: "ALLOW".to_owned(), policy_version: "policy.v1".to_owned(), reason: "fine".to_owned() };
    let controls = ["ctrl.obs.audit-log-append-only", "ctrl.sandbox.resource-limits-strict"];
    Callables {
        hall: HallConfig { require_worker_attestation: true, ..HallConfig::default() },
        controls_present: controls.iter().map(|id| id.parse().expect("a control id")).collect::<BTreeSet<_>>(),
        workers: BTreeMap::from([("wrk.org.acme.redact".to_owned(), worker)]),
        gate: Some(Ok(verdict)),
        ..Callables::default()
    }
}
