//! What each step of the decision asks, one function a step, each for itself: a step says whether it refuses, whatever the
//! others say.

use serde_json::Value;

use super::draw::{
    Answer, CAPABILITIES, CLASSES, Draw, ENVELOPES, ENVS, GateDraw, LABELS, RISKS, RuleDraw, SCORING, WorkerDraw, depth,
};
use crate::package::Effect;

type Refusal = Option<&'static str>;

/// Every step's answer, in order. A step that needs what an earlier one did not find has no objection of its own.
pub(super) fn refusals(call: &Draw, rule: Option<&RuleDraw>, shadowed: bool) -> Vec<Refusal> {
    let with = |step: fn(&Draw, &RuleDraw) -> Refusal| rule.and_then(|rule| step(call, rule));
    vec![
        call.malformed.then_some("DENY_INVALID_INPUT"),
        signatory(call),
        is_empty(call.tenant).then_some("DENY_MISSING_TENANT_ID"),
        (call.wants_credential && call.credential != Answer::Said(true)).then_some("DENY_UNKNOWN_TENANT"),
        valid(call),
        (shadowed && in_production(call)).then_some("DENY_SHADOW_RULES_DETECTED"),
        rule.is_none().then_some("DENY_NO_MATCHING_RULE"),
        with(correlated),
        with(controlled),
        with(|call, rule| {
            (asks_person(call, rule) && !approved(call, asked_version(call, rule))).then_some("DENY_REQUIRES_HUMAN")
        }),
        with(gated),
        with(|call, rule| worker(call, rule).is_none().then_some("DENY_NO_AVAILABLE_WORKER")),
        with(attested),
        with(enveloped),
    ]
}

/// The first rule that matches.
pub(super) fn rule<'a>(call: &Draw, rules: &'a [RuleDraw]) -> Option<&'a RuleDraw> {
    rules.iter().find(|rule| matches(rule, &call.capability, call.env, call.label, call.risk, call.class))
}

/// Whether some rule is first for no call at all, by trying every call.
pub(super) fn shadowed(rules: &[RuleDraw]) -> bool {
    let mut reached = vec![false; rules.len()];
    for capability in CAPABILITIES {
        for env in ENVS {
            for label in LABELS {
                for risk in RISKS {
                    for class in CLASSES {
                        let first = rules.iter().position(|rule| matches(rule, capability, env, label, risk, class));
                        first.into_iter().for_each(|first| reached[first] = true);
                    }
                }
            }
        }
    }
    reached.contains(&false)
}

fn matches(rule: &RuleDraw, capability: &str, env: &str, label: &str, risk: &str, class: &str) -> bool {
    let holds = |values: &[&str], value: &str| values.is_empty() || values.contains(&value);
    holds(&rule.capabilities, capability)
        && holds(&rule.envs, env)
        && holds(&rule.labels, label)
        && holds(&rule.risks, risk)
        && holds(&rule.classes, class)
}

fn in_production(call: &Draw) -> bool {
    ["prod", "edge"].contains(&call.env)
}

fn is_empty(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control())
}

fn signatory(call: &Draw) -> Refusal {
    let known = call.signatories.as_ref().is_none_or(|tenants| tenants.contains(&call.tenant));
    (!known).then_some("DENY_UNKNOWN_TENANT")
}

fn valid(call: &Draw) -> Refusal {
    let words =
        ENVS.contains(&call.env) && LABELS.contains(&call.label) && RISKS.contains(&call.risk) && CLASSES.contains(&call.class);
    let score = call.stated_score.is_none_or(|score| (0..=100).contains(&score));
    let capability = !is_empty(&call.capability) && call.capability.len() <= 1024;
    (!(words && score && capability && exact(&call.payload) && depth(&call.payload) < 64)).then_some("DENY_INVALID_INPUT")
}

/// Whether every number is one that all JSON readers read alike.
fn exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64() || number.as_i64().is_some_and(|n| n.abs() < (1 << 53)),
        Value::Array(items) => items.iter().all(exact),
        Value::Object(members) => members.values().all(exact),
        _ => true,
    }
}

fn correlated(call: &Draw, rule: &RuleDraw) -> Refusal {
    let wanted = call.wants_correlation || !rule.waives_correlation;
    (wanted && is_empty(call.correlation)).then_some("DENY_MISSING_CORRELATION_ID")
}

fn controlled(call: &Draw, rule: &RuleDraw) -> Refusal {
    let lacks = |controls: &[&str]| controls.iter().any(|control| !call.present.contains(control));
    let by_rule = (call.wants_controls || !rule.waives_controls) && lacks(&rule.controls);
    (by_rule || lacks(&call.tier_controls)).then_some("DENY_MISSING_REQUIRED_CONTROLS")
}

fn requires(call: &Draw, rule: &RuleDraw, control: &str) -> bool {
    rule.controls.contains(&control) || call.tier_controls.contains(&control)
}

/// WCP's score table.
fn score(call: &Draw) -> i64 {
    let mut score = 10;
    score += match call.label {
        "PUBLIC" => 0,
        "INTERNAL" => 20,
        _ => 40,
    };
    score += if ["dev", "stage"].contains(&call.env) { 0 } else { 15 };
    score += if ["P1", "P2", "P3"].contains(&call.class) { 0 } else { 10 };
    let does =
        |flags: [&str; 2], effect: Effect| call.effects.contains(&effect) || flags.iter().any(|flag| call.flags.contains(flag));
    score += if does(["egress", "external_call"], Effect::External) { 15 } else { 0 };
    score += if does(["writes", "mutates_state"], Effect::Write) { 15 } else { 0 };
    score.min(100).max(call.stated_score.unwrap_or(0))
}

fn asks_person(call: &Draw, rule: &RuleDraw) -> bool {
    let scored = call.wants_scoring || requires(call, rule, SCORING);
    let too_high = scored && in_production(call) && score(call) >= 85;
    let from = |(least, labels): &(u8, Vec<&str>)| {
        score(call) >= i64::from(*least) && (labels.is_empty() || labels.contains(&call.label))
    };
    too_high || rule.person || rule.step_up || rule.person_from.as_ref().is_some_and(from)
}

/// The policy version under which a person is asked before the gate's verdict is looked at.
fn asked_version(call: &Draw, rule: &RuleDraw) -> &'static str {
    match &call.gate {
        GateDraw::Said { version, .. } if rule.gate => kept(version),
        _ => "policy.v0",
    }
}

/// A gate's text without control characters.
fn kept(version: &'static str) -> &'static str {
    if version == " \u{7}" { " " } else { version }
}

fn approved(call: &Draw, version: &str) -> bool {
    call.approved == Some(version)
}

/// Whether the call passes only because a person said yes.
pub(super) fn needs_approval(call: &Draw, rule: &RuleDraw) -> bool {
    let by_gate = rule.gate && matches!(call.gate, GateDraw::Said { decision: "REQUIRE_HUMAN", .. });
    asks_person(call, rule) || by_gate
}

fn gated(call: &Draw, rule: &RuleDraw) -> Refusal {
    if !rule.gate {
        return None;
    }
    match &call.gate {
        GateDraw::Absent => Some("DENY_POLICY_GATE_UNCONFIGURED"),
        GateDraw::Failed | GateDraw::Late => Some("DENY_INTERNAL_ERROR"),
        GateDraw::Said { decision: "DENY", .. } => Some("DENY_POLICY_GATE"),
        GateDraw::Said { decision: "ALLOW", version } if !is_empty(version) => None,
        GateDraw::Said { decision: "REQUIRE_HUMAN", version } if !is_empty(version) => {
            (!approved(call, version)).then_some("DENY_REQUIRES_HUMAN_APPROVAL")
        }
        GateDraw::Malformed | GateDraw::Said { .. } => Some("DENY_POLICY_GATE_INVALID_RESPONSE"),
    }
}

/// The first candidate that is there and can take the call.
pub(super) fn worker<'a>(call: &'a Draw, rule: &RuleDraw) -> Option<&'a WorkerDraw> {
    rule.candidates.iter().find_map(|(species, minimum)| {
        let species = (*species)?;
        let worker = call.workers.iter().find(|worker| match species.strip_suffix('*') {
            Some(beginning) => worker.species.starts_with(beginning),
            None => worker.species == species,
        })?;
        let within = |list: &Option<Vec<&str>>, value: &str| list.as_ref().is_none_or(|list| list.contains(&value));
        let fits = within(&worker.envs, call.env)
            && within(&worker.labels, call.label)
            && within(&worker.capabilities, &call.capability);
        (fits && minimum.iter().chain(&worker.controls).all(|control| call.present.contains(control))).then_some(worker)
    })
}

fn attested(call: &Draw, rule: &RuleDraw) -> Refusal {
    let worker = worker(call, rule)?;
    if !call.wants_attestation && !(in_production(call) && (rule.attested || rule.signed)) {
        return None;
    }
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    match (worker.registered, worker.current) {
        (Answer::Absent, _) | (_, Answer::Absent) => Some("DENY_ATTESTATION_UNCONFIGURED"),
        (Answer::Raised | Answer::Said(None), _) => Some("DENY_WORKER_ATTESTATION_MISSING"),
        (Answer::Said(Some(registered)), _) if !is_hash(registered) => Some("DENY_WORKER_ATTESTATION_INVALID_HASH"),
        (Answer::Said(Some(registered)), Answer::Said(Some(current))) if is_hash(current) => {
            (registered != current).then_some("DENY_WORKER_TAMPERED")
        }
        _ => Some("DENY_WORKER_HASH_UNAVAILABLE"),
    }
}

fn enveloped(call: &Draw, rule: &RuleDraw) -> Refusal {
    let worker = worker(call, rule)?;
    if !call.wants_envelopes && !requires(call, rule, ENVELOPES) {
        return None;
    }
    match (worker.envelope, worker.ruling) {
        (Answer::Absent, _) | (_, Answer::Absent) => Some("DENY_PRIVILEGE_ENVELOPE_UNCONFIGURED"),
        (Answer::Raised, _) | (_, Answer::Raised) => Some("DENY_INTERNAL_ERROR"),
        (_, Answer::Said(false)) => Some("DENY_PRIVILEGE_ENVELOPE_VIOLATED"),
        (_, Answer::Said(true)) => None,
    }
}
