//! Routing rules (WCP 5.1): an ordered list of which the first match counts.

mod load;
mod shadow;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::controls::ControlId;
use super::request::Request;
use crate::digest::Digest;

/// The largest rules file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most rules of one set.
pub const MAX_RULES: usize = 2000;

/// A rule set does not load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", place(*line, *column))]
pub struct RulesError {
    /// What is wrong.
    pub message: String,
    /// The line, from 1; 0 if the fault has no place.
    pub line: usize,
    /// The column in bytes, from 1, of the end of what is wrong; 0 if the fault has no place.
    pub column: usize,
}

fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(" at line {line}, column {column}") }
}

/// An ordered rule set that loaded without a fault, with its shadowed rules found.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    rules: Vec<Rule>,
    shadowed: Vec<Shadowed>,
    digest: Digest,
    unusable: Option<String>,
}

/// A rule that can never match, because earlier ones match everything it would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shadowed {
    /// The rule.
    pub rule_id: String,
    /// Earlier rules that take what it would match.
    pub by: Vec<String>,
}

impl RuleSet {
    /// Reads `{"rules": [..]}`, strictly: an unknown member, a duplicate rule id, a value that its field does not have, a
    /// string given to `in` or an empty `in` are errors, because each of them is a rule that does not say what its author
    /// meant.
    ///
    /// # Errors
    /// The first fault with its place.
    pub fn parse(bytes: &[u8]) -> Result<Self, RulesError> {
        let rules = load::parse(bytes)?;
        let shadowed = shadow::find(&rules);
        Ok(Self { rules, shadowed, digest: Digest::of(bytes), unusable: None })
    }

    /// In the place of a rule set that did not load: no rule, so every call is denied and told why.
    #[must_use]
    pub fn unusable(error: &RulesError) -> Self {
        Self { rules: Vec::new(), shadowed: Vec::new(), digest: Digest::of(b""), unusable: Some(error.to_string()) }
    }

    /// The rules in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that can never match. In prod and edge a set that has any decides nothing.
    #[must_use]
    pub fn shadowed(&self) -> &[Shadowed] {
        &self.shadowed
    }

    /// SHA-256 of the text that was read.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Why the set did not load, if [`unusable`](Self::unusable) made it.
    #[must_use]
    pub fn load_error(&self) -> Option<&str> {
        self.unusable.as_deref()
    }

    /// The first rule that matches.
    #[must_use]
    pub fn first_match(&self, request: &Request) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.matching.matches(request))
    }
}

/// One rule: what it matches, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique in its set.
    pub id: String,
    /// What it matches.
    pub matching: Match,
    /// Workers that may take the call, the best first.
    pub candidates: Vec<Candidate>,
    /// Controls that must be in place.
    pub required_controls: BTreeSet<ControlId>,
    /// Profiles that the rule recommends; passed on.
    pub recommended_profiles: Vec<Map<String, Value>>,
    /// Who else is asked.
    pub escalation: Escalation,
    /// When a person is asked in addition to [`Escalation::human_required_default`].
    pub human_triggers: Vec<HumanTrigger>,
    /// What must hold.
    pub preconditions: Preconditions,
}

/// The five conditions of a rule; all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// On `capability_id`.
    pub capability_id: Condition,
    /// On `env`.
    pub env: Condition,
    /// On `data_label`.
    pub data_label: Condition,
    /// On `tenant_risk`.
    pub tenant_risk: Condition,
    /// On `qos_class`.
    pub qos_class: Condition,
}

impl Match {
    /// Whether all five conditions hold.
    #[must_use]
    pub fn matches(&self, request: &Request) -> bool {
        self.capability_id.holds(&request.capability_id)
            && self.env.holds(request.env.as_str())
            && self.data_label.holds(request.data_label.as_str())
            && self.tenant_risk.holds(request.tenant_risk.as_str())
            && self.qos_class.holds(request.qos_class.as_str())
    }
}

/// What a rule says of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: every value (an absent key, or `{"any": true}`).
    #[default]
    Any,
    /// One of these values.
    OneOf(BTreeSet<String>),
}

impl Condition {
    /// Whether the value is one of those.
    #[must_use]
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(values) => values.contains(value),
        }
    }
}

/// A worker that a rule names.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its species id. A candidate without one is shown and never selected.
    pub worker_species_id: Option<String>,
    /// How well it fits, in the rule author's own measure; passed on.
    pub score_hint: Option<f64>,
    /// Controls that it needs beyond those of the rule.
    pub requires_controls_minimum: BTreeSet<ControlId>,
}

impl Candidate {
    /// Whether it names this worker: exactly, or, beyond WCP, as `wrk.<..>*` by how its species id begins.
    #[must_use]
    pub fn means(&self, worker_species_id: &str) -> bool {
        let Some(species) = &self.worker_species_id else { return false };
        beginning(species).map_or(species == worker_species_id, |beginning| worker_species_id.starts_with(beginning))
    }
}

/// With what the workers begin that a species id with a `*` at its end names.
pub(super) fn beginning(species: &str) -> Option<&str> {
    species.strip_suffix('*').filter(|beginning| beginning.starts_with("wrk."))
}

/// Who else is asked, as the rule says it and as a decision shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Escalation {
    /// The policy gate is asked.
    pub policy_gate: bool,
    /// A step-up approval is needed; here that is a person's.
    pub msavx_step_up: bool,
    /// A person is always asked.
    pub human_required_default: bool,
    /// The conditions under which a person is asked, as the rule wrote them.
    pub human_required_if: Vec<Map<String, Value>>,
    /// Why.
    pub rationale: Option<String>,
}

/// A condition under which a person is asked: a rule's match, and optionally a least blast score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HumanTrigger {
    /// What it matches.
    pub matching: Match,
    /// The least blast score.
    pub blast_score_at_least: Option<u8>,
}

impl HumanTrigger {
    /// Whether the call is such a one.
    #[must_use]
    pub fn holds(&self, request: &Request, blast_score: u8) -> bool {
        self.matching.matches(request) && self.blast_score_at_least.is_none_or(|least| blast_score >= least)
    }
}

/// What must hold before a call is let through; a hall's own settings are floors below which no rule can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object of preconditions")]
pub struct Preconditions {
    /// A correlation id is there.
    pub must_have_correlation_id: bool,
    /// The policy version is recorded. Always done here.
    pub must_attach_policy_version: bool,
    /// The artifact hash is recorded. Always done here.
    pub must_record_artifact_hash_if_executes: bool,
    /// Required controls are there.
    pub deny_if_missing_required_controls: bool,
    /// In prod and edge the worker's registered hash is checked.
    pub deny_if_unsigned_artifact_in_prod: bool,
    /// In prod and edge the worker's registered hash is checked.
    pub deny_if_no_attestation_in_prod: bool,
}

impl Default for Preconditions {
    fn default() -> Self {
        Self {
            must_have_correlation_id: true,
            must_attach_policy_version: true,
            must_record_artifact_hash_if_executes: true,
            deny_if_missing_required_controls: true,
            deny_if_unsigned_artifact_in_prod: false,
            deny_if_no_attestation_in_prod: false,
        }
    }
}
