//! WCP's events about a decision (WCP 5.4). Ids in them are free of control characters, so that no id can forge a line.

use serde_json::{Map, Value};

use super::decision::RouteDecision;

/// A text without control characters.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// What one event tells. All else that stands in it, the decision knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Denied,
    BlastScored,
    EnvelopeChecked,
    AttestationSkipped,
    Routed,
    Selected,
    /// Why the gate let the call through.
    Gated(&'static str),
}

impl Told {
    /// The event, its members in the order of their names.
    pub(super) fn event(self, decision: &RouteDecision) -> Map<String, Value> {
        let route = &decision.route;
        let rule = route.matched_rule_id.as_str();
        let worker = route.selected_worker_species_id.as_deref().unwrap_or_default();
        let policy = decision.policy_version.as_str();
        let selected = ("selected_worker_species_id", worker);
        let mut event = match self {
            Self::Denied => {
                let reason = route.deny_reason_if_denied.as_ref();
                let code = reason.map_or("", |reason| reason.code.as_str());
                let message = reason.map_or("", |reason| reason.message.as_str());
                let members = [("deny_code", code), ("deny_message", message), ("matched_rule_id", rule)];
                about_capability(decision, "evt.os.task.denied", members)
            }
            Self::Routed => {
                let members = [
                    ("task_id", decision.task_id.as_str()),
                    ("matched_rule_id", rule),
                    selected,
                    ("policy_version", policy),
                    ("qos_class", route.qos_class.as_str()),
                ];
                about_capability(decision, "evt.os.task.routed", members)
            }
            Self::Selected => {
                about_capability(decision, "evt.os.worker.selected", [selected, ("reason", "first_available_candidate")])
            }
            Self::Gated(reason) => {
                let members = [("decision", "ALLOW"), ("policy_version", policy), ("reason", reason)];
                about_capability(decision, "evt.os.policy.gated", members)
            }
            Self::BlastScored => {
                let mut event = about_governance(decision, "evt.gov.blast_scored");
                event.insert("blast_score".to_owned(), decision.blast_score.into());
                event
            }
            Self::EnvelopeChecked => {
                let mut event = about_governance(decision, "evt.gov.privilege_envelope.checked");
                event.extend(texts([("worker_species_id", worker)]));
                event
            }
            // Without a time and a tenant, as in the reference.
            Self::AttestationSkipped => texts([
                ("event_id", "evt.os.worker.attestation_skipped"),
                ("correlation_id", route.correlation_id.as_str()),
                ("worker_species_id", worker),
                ("env", route.env.as_str()),
                ("reason", "require_worker_attestation=False or hall_config=None"),
                ("severity", "warn"),
            ]),
        };
        if route.dry_run {
            event.insert("dry_run".to_owned(), true.into());
        }
        event.sort_keys();
        event
    }
}

fn about_capability<const N: usize>(decision: &RouteDecision, id: &str, members: [(&str, &str); N]) -> Map<String, Value> {
    let mut event = about(decision, id);
    event.extend(texts([("capability_id", decision.route.capability_id.as_str())]));
    event.extend(texts(members));
    event
}

fn about_governance(decision: &RouteDecision, id: &str) -> Map<String, Value> {
    let mut event = about(decision, id);
    event.extend(texts([
        ("env", decision.route.env.as_str()),
        ("data_label", decision.route.data_label.as_str()),
        ("policy_version", decision.policy_version.as_str()),
        ("decision", "ALLOW"),
    ]));
    event
}

/// What every event but one begins with.
fn about(decision: &RouteDecision, id: &str) -> Map<String, Value> {
    let time = decision.route.timestamp.to_string();
    texts([
        ("event_id", id),
        ("timestamp", time.as_str()),
        ("correlation_id", decision.route.correlation_id.as_str()),
        ("tenant_id", decision.route.tenant_id.as_str()),
    ])
}

fn texts<const N: usize>(members: [(&str, &str); N]) -> Map<String, Value> {
    members.into_iter().map(|(key, text)| (key.to_owned(), Value::from(clean(text)))).collect()
}
