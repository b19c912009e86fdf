//! WCP's events about a decision (WCP 5.4). Ids in them are free of control characters, so that no id can forge a line.

use serde_json::{Map, Value};

use super::callables::DecisionInput;

/// A text without control characters.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The events of one decision share its time, ids and the mark of a dry run.
pub(super) struct Events<'a> {
    input: &'a DecisionInput,
    list: Vec<Map<String, Value>>,
}

impl<'a> Events<'a> {
    pub(super) fn about(input: &'a DecisionInput) -> Self {
        Self { input, list: Vec::new() }
    }

    pub(super) fn into_list(self) -> Vec<Map<String, Value>> {
        self.list
    }

    pub(super) fn denied(&mut self, code: &str, message: &str, rule: &str) {
        let members = [("deny_code", code), ("deny_message", message), ("matched_rule_id", rule)];
        self.capability_event("evt.os.task.denied", members);
    }

    pub(super) fn routed(&mut self, rule: &str, worker: &str, policy_version: &str) {
        let members = [
            ("task_id", self.input.task_id.as_str()),
            ("matched_rule_id", rule),
            ("selected_worker_species_id", worker),
            ("policy_version", policy_version),
            ("qos_class", self.input.request.qos_class.as_str()),
        ];
        self.capability_event("evt.os.task.routed", members);
    }

    pub(super) fn selected(&mut self, worker: &str) {
        let members = [("selected_worker_species_id", worker), ("reason", "first_available_candidate")];
        self.capability_event("evt.os.worker.selected", members);
    }

    pub(super) fn gated(&mut self, policy_version: &str, reason: &str) {
        let members = [("decision", "ALLOW"), ("policy_version", policy_version), ("reason", reason)];
        self.capability_event("evt.os.policy.gated", members);
    }

    pub(super) fn blast_scored(&mut self, policy_version: &str, score: u8) {
        let mut event = self.governance_event("evt.gov.blast_scored", policy_version);
        event.insert("blast_score".to_owned(), score.into());
        self.push(event);
    }

    pub(super) fn envelope_checked(&mut self, policy_version: &str, worker: &str) {
        let mut event = self.governance_event("evt.gov.privilege_envelope.checked", policy_version);
        event.insert("worker_species_id".to_owned(), clean(worker).into());
        self.push(event);
    }

    /// Without a time and a tenant, as in the reference.
    pub(super) fn attestation_skipped(&mut self, worker: &str) {
        let members = [
            ("event_id", "evt.os.worker.attestation_skipped"),
            ("correlation_id", self.input.request.correlation_id.as_str()),
            ("worker_species_id", worker),
            ("env", self.input.request.env.as_str()),
            ("reason", "require_worker_attestation=False or hall_config=None"),
            ("severity", "warn"),
        ];
        self.push(texts(members));
    }

    fn capability_event<const N: usize>(&mut self, id: &str, members: [(&str, &str); N]) {
        let mut event = self.event(id);
        event.insert("capability_id".to_owned(), clean(&self.input.request.capability_id).into());
        event.extend(texts(members));
        self.push(event);
    }

    fn governance_event(&self, id: &str, policy_version: &str) -> Map<String, Value> {
        let mut event = self.event(id);
        event.extend(texts([
            ("env", self.input.request.env.as_str()),
            ("data_label", self.input.request.data_label.as_str()),
            ("policy_version", policy_version),
            ("decision", "ALLOW"),
        ]));
        event
    }

    fn event(&self, id: &str) -> Map<String, Value> {
        let time = self.input.stamp.at.to_string();
        texts([
            ("event_id", id),
            ("timestamp", time.as_str()),
            ("correlation_id", self.input.request.correlation_id.as_str()),
            ("tenant_id", self.input.request.tenant_id.as_str()),
        ])
    }

    fn push(&mut self, mut event: Map<String, Value>) {
        if self.input.request.dry_run {
            event.insert("dry_run".to_owned(), true.into());
        }
        event.sort_keys();
        self.list.push(event);
    }
}

fn texts<const N: usize>(members: [(&str, &str); N]) -> Map<String, Value> {
    members.into_iter().map(|(key, text)| (key.to_owned(), Value::from(clean(text)))).collect()
}
