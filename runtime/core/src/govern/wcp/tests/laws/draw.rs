//! Random rules and calls, as plain values, and what the decision is given for them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::govern::wcp::tests::vectors::stamp;
use crate::govern::wcp::{
    Approval, Callables, Credential, DecisionInput, EnvelopeRuling, Fetched, GateError, HallConfig, Request, Stated, Verdict,
    WorkerFacts,
};
use crate::package::Effect;

pub(super) const CAPABILITIES: [&str; 3] = ["cap.a", "cap.b", "cap.other"];
pub(super) const ENVS: [&str; 4] = ["dev", "stage", "prod", "edge"];
pub(super) const LABELS: [&str; 3] = ["PUBLIC", "INTERNAL", "RESTRICTED"];
pub(super) const RISKS: [&str; 3] = ["low", "medium", "high"];
pub(super) const CLASSES: [&str; 4] = ["P0", "P1", "P2", "P3"];
pub(super) const SCORING: &str = "ctrl.blast-radius-scoring";
pub(super) const ENVELOPES: &str = "ctrl.privilege-envelopes-required";
const CONTROLS: [&str; 4] = [SCORING, ENVELOPES, "ctrl.a", "ctrl.z"];
const HASHES: [&str; 4] = [
    "abababababababababababababababababababababababababababababababab",
    "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
    "sha256:ab",
    "",
];

/// A fixed sequence of random numbers (splitmix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    /// The first value, but for one time in `times`.
    fn mostly<T: Clone>(&mut self, times: usize, values: &[T]) -> T {
        if self.one_in(times) { self.of(values) } else { values[0].clone() }
    }

    /// Each of these values, one time in `times`.
    fn some<T: Clone>(&mut self, times: usize, values: &[T]) -> Vec<T> {
        values.iter().filter(|_| self.one_in(times)).cloned().collect()
    }
}

type Texts = Vec<&'static str>;

/// A rule. An empty condition is none.
#[derive(Debug)]
pub(super) struct RuleDraw {
    pub(super) id: String,
    pub(super) capabilities: Texts,
    pub(super) envs: Texts,
    pub(super) labels: Texts,
    pub(super) risks: Texts,
    pub(super) classes: Texts,
    pub(super) controls: Texts,
    pub(super) candidates: Vec<(Option<&'static str>, Texts)>,
    pub(super) gate: bool,
    pub(super) step_up: bool,
    pub(super) person: bool,
    /// A person from this score on, for these labels.
    pub(super) person_from: Option<(u8, Texts)>,
    pub(super) waives_correlation: bool,
    pub(super) waives_controls: bool,
    pub(super) attested: bool,
    pub(super) signed: bool,
}

impl RuleDraw {
    pub(super) fn set(chance: &mut Chance) -> Vec<Self> {
        let count = chance.of(&[1, 1, 1, 2, 3, 4, 0]);
        (0..count).map(|index| Self::one(chance, index, count)).collect()
    }

    fn one(chance: &mut Chance, index: usize, count: usize) -> Self {
        let condition = |chance: &mut Chance, values: &[&'static str]| {
            // Few conditions in a set of one rule, so that it matches; many in larger sets, so that they do not hide one another.
            if chance.one_in(if count == 1 { 12 } else { 3 }) { chance.some(2, values) } else { Vec::new() }
        };
        let candidates = [Some("wrk.t.one"), Some("wrk.t.two"), Some("wrk.t.*"), None];
        Self {
            id: format!("r{index}"),
            capabilities: condition(chance, &CAPABILITIES[..2]),
            envs: condition(chance, &ENVS),
            labels: condition(chance, &LABELS),
            risks: condition(chance, &RISKS),
            classes: condition(chance, &CLASSES),
            controls: chance.some(8, &CONTROLS),
            candidates: (0..chance.of(&[1, 2, 3, 1, 2, 3, 0]))
                .map(|_| (chance.mostly(2, &candidates), chance.some(12, &["ctrl.a", "ctrl.z"])))
                .collect(),
            gate: chance.one_in(2),
            step_up: chance.one_in(16),
            person: chance.one_in(16),
            person_from: chance.one_in(8).then(|| (chance.of(&[0, 30, 60, 100]), chance.some(2, &LABELS))),
            waives_correlation: chance.one_in(4),
            waives_controls: chance.one_in(4),
            attested: chance.one_in(3),
            signed: chance.one_in(4),
        }
    }

    fn json(&self) -> Value {
        let conditions = [
            ("capability_id", &self.capabilities),
            ("env", &self.envs),
            ("data_label", &self.labels),
            ("tenant_risk", &self.risks),
            ("qos_class", &self.classes),
        ];
        let matching: Map<String, Value> = conditions
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(key, values)| (key.to_owned(), if let [one] = values[..] { json!(one) } else { json!({ "in": values }) }))
            .collect();
        let person_if: Vec<Value> = self
            .person_from
            .iter()
            .map(|(score, labels)| {
                if labels.is_empty() {
                    json!({ "blast_score_at_least": score })
                } else {
                    json!({ "blast_score_at_least": score, "data_label": { "in": labels } })
                }
            })
            .collect();
        let candidates: Vec<Value> = self
            .candidates
            .iter()
            .map(|(species, minimum)| match species {
                Some(species) => json!({ "worker_species_id": species, "requires_controls_minimum": minimum }),
                None => json!({}),
            })
            .collect();
        json!({
            "rule_id": self.id,
            "match": matching,
            "decision": {
                "candidate_workers_ranked": candidates,
                "required_controls_suggested": self.controls,
                "escalation": {
                    "policy_gate": self.gate, "msavx_step_up": self.step_up,
                    "human_required_default": self.person, "human_required_if": person_if,
                },
                "preconditions": {
                    "must_have_correlation_id": !self.waives_correlation,
                    "deny_if_missing_required_controls": !self.waives_controls,
                    "deny_if_no_attestation_in_prod": self.attested,
                    "deny_if_unsigned_artifact_in_prod": self.signed,
                },
            },
        })
    }
}

pub(super) fn rules_text(rules: &[RuleDraw]) -> String {
    json!({ "rules": rules.iter().map(RuleDraw::json).collect::<Vec<_>>() }).to_string()
}

/// What a source answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer<T> {
    Absent,
    Raised,
    Said(T),
}

impl<T> Answer<T> {
    fn fetched<U>(self, read: impl FnOnce(T) -> U) -> Fetched<U> {
        match self {
            Self::Absent => Fetched::Absent,
            Self::Raised => Fetched::Raised,
            Self::Said(value) => Fetched::Value(read(value)),
        }
    }
}

/// What the policy gate answers.
#[derive(Clone, Debug)]
pub(super) enum GateDraw {
    Absent,
    Failed,
    Late,
    Malformed,
    Said { decision: &'static str, version: &'static str },
}

#[derive(Clone, Debug)]
pub(super) struct WorkerDraw {
    pub(super) species: &'static str,
    pub(super) envs: Option<Texts>,
    pub(super) labels: Option<Texts>,
    pub(super) capabilities: Option<Texts>,
    pub(super) controls: Texts,
    pub(super) registered: Answer<Option<&'static str>>,
    pub(super) current: Answer<Option<&'static str>>,
    pub(super) envelope: Answer<Option<()>>,
    pub(super) ruling: Answer<bool>,
}

/// A call and all that was fetched for it.
#[derive(Debug)]
pub(super) struct Draw {
    pub(super) malformed: bool,
    pub(super) capability: String,
    pub(super) env: &'static str,
    pub(super) label: &'static str,
    pub(super) risk: &'static str,
    pub(super) class: &'static str,
    pub(super) tenant: &'static str,
    pub(super) correlation: &'static str,
    pub(super) stated_score: Option<i64>,
    pub(super) flags: Texts,
    pub(super) payload: Value,
    pub(super) dry_run: bool,
    pub(super) effects: Vec<Effect>,
    pub(super) tier_controls: Texts,
    pub(super) present: Texts,
    pub(super) signatories: Option<Texts>,
    pub(super) wants_credential: bool,
    pub(super) credential: Answer<bool>,
    pub(super) wants_attestation: bool,
    pub(super) wants_correlation: bool,
    pub(super) wants_controls: bool,
    pub(super) wants_scoring: bool,
    pub(super) wants_envelopes: bool,
    pub(super) workers: Vec<WorkerDraw>,
    pub(super) gate: GateDraw,
    /// The policy version of a person's approval.
    pub(super) approved: Option<&'static str>,
}

impl Draw {
    pub(super) fn call(chance: &mut Chance) -> Self {
        let word = |chance: &mut Chance, words: &[&'static str]| {
            if chance.one_in(120) { chance.of(&["", "PROD", "none", "\u{1b}[2J"]) } else { chance.of(words) }
        };
        let long = "x".repeat(1025);
        let gates = [
            GateDraw::Said { decision: "ALLOW", version: "v1" },
            GateDraw::Said { decision: "ALLOW", version: "v1" },
            GateDraw::Said { decision: "DENY", version: "v1" },
            GateDraw::Said { decision: "REQUIRE_HUMAN", version: "v1" },
            GateDraw::Said { decision: "REQUIRE_HUMAN", version: "v2" },
            GateDraw::Said { decision: "ALLOW", version: " \u{7}" },
            GateDraw::Said { decision: "REQUIRE_HUMAN", version: "" },
            GateDraw::Said { decision: "DENY", version: "" },
            GateDraw::Said { decision: "allow", version: "v1" },
            GateDraw::Absent,
            GateDraw::Failed,
            GateDraw::Late,
            GateDraw::Malformed,
        ];
        Self {
            malformed: chance.one_in(60),
            capability: if chance.one_in(80) {
                chance.of(&[String::new(), "\u{0}".to_owned(), long])
            } else {
                chance.of(&CAPABILITIES).to_owned()
            },
            env: word(chance, &ENVS),
            label: word(chance, &LABELS),
            risk: word(chance, &RISKS),
            class: word(chance, &CLASSES),
            tenant: chance.mostly(12, &["t1", "t2", "", " \t", "t\u{7}3"]),
            correlation: chance.mostly(12, &["c1", "", "\u{0}\n", " c2 "]),
            stated_score: chance
                .mostly(3, &[None, Some(0), Some(50), Some(84), Some(85), Some(100), Some(101), Some(-1), Some(i64::MAX)]),
            flags: chance.some(4, &["egress", "external_call", "writes", "mutates_state"]),
            payload: chance.mostly(
                12,
                &[
                    json!("x"),
                    json!([1, 2.5, { "a": null }]),
                    json!(9_007_199_254_740_991_u64),
                    json!(9_007_199_254_740_992_u64),
                    json!(-9_007_199_254_740_992_i64),
                    nested(70),
                    nested(40),
                ],
            ),
            dry_run: chance.one_in(4),
            effects: chance.some(3, &[Effect::Read, Effect::Write, Effect::External]),
            tier_controls: chance.some(8, &CONTROLS),
            present: if chance.one_in(3) { chance.some(2, &CONTROLS) } else { CONTROLS.to_vec() },
            signatories: chance.one_in(4).then(|| chance.mostly(3, &[vec!["t1", "t2"], vec!["t1"], vec![], vec![""]])),
            wants_credential: chance.one_in(6),
            credential: chance.mostly(3, &[Answer::Said(true), Answer::Said(false), Answer::Absent, Answer::Raised]),
            wants_attestation: chance.one_in(2),
            wants_correlation: chance.one_in(2),
            wants_controls: chance.one_in(2),
            wants_scoring: chance.one_in(2),
            wants_envelopes: chance.one_in(3),
            workers: Self::workers(chance),
            gate: chance.mostly(2, &gates),
            approved: chance.mostly(2, &[None, Some("v1"), Some("v2"), Some("policy.v0"), Some("")]),
        }
    }

    fn workers(chance: &mut Chance) -> Vec<WorkerDraw> {
        let species = chance.mostly(3, &[vec!["wrk.t.one", "wrk.t.two"], vec!["wrk.t.two"], vec!["wrk.other"], vec![]]);
        let list = |chance: &mut Chance, values: &[&'static str]| chance.one_in(8).then(|| chance.some(2, values));
        let registered = [
            Answer::Said(Some(HASHES[0])),
            Answer::Said(Some(HASHES[1])),
            Answer::Said(Some(HASHES[2])),
            Answer::Said(None),
            Answer::Absent,
            Answer::Raised,
        ];
        species
            .into_iter()
            .map(|species| WorkerDraw {
                species,
                envs: list(chance, &ENVS),
                labels: list(chance, &LABELS),
                capabilities: list(chance, &CAPABILITIES),
                controls: chance.some(16, &["ctrl.a", "ctrl.z"]),
                registered: chance.mostly(4, &registered),
                current: chance.mostly(4, &registered),
                envelope: chance.mostly(5, &[Answer::Said(Some(())), Answer::Said(None), Answer::Absent, Answer::Raised]),
                ruling: chance.mostly(5, &[Answer::Said(true), Answer::Said(false), Answer::Absent, Answer::Raised]),
            })
            .collect()
    }

    /// What is asked.
    pub(super) fn input(&self) -> DecisionInput {
        let mut payload: Map<String, Value> = self.flags.iter().map(|flag| ((*flag).to_owned(), json!(true))).collect();
        payload.insert("data".to_owned(), self.payload.clone());
        let request = Request {
            capability_id: self.capability.clone(),
            env: Stated::read(self.env),
            data_label: Stated::read(self.label),
            tenant_risk: Stated::read(self.risk),
            qos_class: Stated::read(self.class),
            tenant_id: self.tenant.to_owned(),
            correlation_id: self.correlation.to_owned(),
            request: payload,
            blast_radius: None,
            blast_score: self.stated_score,
            privilege_context: None,
            dry_run: self.dry_run,
            tenant_credential: Some(Credential::new("secret".to_owned())),
            malformed: self.malformed.then(|| "it cannot be read".to_owned()),
        };
        DecisionInput {
            request,
            stamp: stamp(),
            task_id: "task".to_owned(),
            effects: self.effects.clone(),
            controls: self.tier_controls.iter().map(|id| id.parse().expect("an id")).collect(),
        }
    }

    /// What was fetched.
    pub(super) fn callables(&self) -> Callables {
        let reason = || "because".to_owned();
        Callables {
            hall: HallConfig {
                require_signatory: self.signatories.is_some(),
                allowed_tenants: self.signatories.iter().flatten().map(|tenant| (*tenant).to_owned()).collect(),
                require_credential: self.wants_credential,
                require_worker_attestation: self.wants_attestation,
                enforce_correlation_id: self.wants_correlation,
                enforce_required_controls: self.wants_controls,
                enforce_blast_scoring_in_prod: self.wants_scoring,
                enforce_privilege_envelopes: self.wants_envelopes,
            },
            // In the other spelling than the rules have.
            controls_present: self.present.iter().map(|id| id.replace('-', "_").parse().expect("an id")).collect(),
            workers: self.workers.iter().map(|worker| (worker.species.to_owned(), worker.facts())).collect::<BTreeMap<_, _>>(),
            gate: match &self.gate {
                GateDraw::Absent => None,
                GateDraw::Failed => Some(Err(GateError::Failed(reason()))),
                GateDraw::Late => Some(Err(GateError::Late)),
                GateDraw::Malformed => Some(Err(GateError::Malformed(reason()))),
                GateDraw::Said { decision, version } => Some(Ok(Verdict {
                    decision: (*decision).to_owned(),
                    policy_version: (*version).to_owned(),
                    reason: reason(),
                })),
            },
            credential_verified: self.credential.fetched(|verified| verified),
            approval: self.approved.map(|version| Approval { id: "a1".to_owned(), policy_version: version.to_owned() }),
        }
    }
}

impl WorkerDraw {
    fn facts(&self) -> WorkerFacts {
        let words = |texts: &Option<Texts>| texts.as_ref().map(|texts| texts.iter().map(|text| json!(text)).collect::<Value>());
        WorkerFacts {
            allowed_environments: words(&self.envs).map(|list| serde_json::from_value(list).expect("environments")),
            data_labels: words(&self.labels).map(|list| serde_json::from_value(list).expect("labels")),
            capabilities: self.capabilities.as_ref().map(|list| list.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>()),
            required_controls: self.controls.iter().map(|id| id.parse().expect("an id")).collect(),
            registered_hash: self.registered.fetched(|hash| hash.map(str::to_owned)),
            current_hash: self.current.fetched(|hash| hash.map(str::to_owned)),
            envelope: self.envelope.fetched(|declared| declared.map(|()| json!({}))),
            envelope_ruling: self.ruling.fetched(|permitted| {
                if permitted { EnvelopeRuling::Permitted("ok".to_owned()) } else { EnvelopeRuling::Refused("no".to_owned()) }
            }),
        }
    }
}

/// How deep a value nests, beside that it is the member of an object.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(0), |inner, _| json!([inner]))
}
