//! What was decided: WCP's `RouteDecision`. Only this room makes one.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::request::{DataLabel, Env, QosClass, Stated, TenantRisk};
use super::rules::{Escalation, Preconditions};
use super::telemetry::Told;
use crate::clock::Timestamp;
use crate::denial::{Code, Denial};

/// The decision about one call, in WCP's shape (WCP 4.2). It is allowed exactly if it carries no deny reason.
#[derive(Debug, PartialEq)]
pub struct RouteDecision {
    pub(super) route: Route,
    /// What WCP's events tell of it. The events themselves are made when somebody asks: most of what a decision cost went into them.
    pub(super) told: Vec<Told>,
    pub(super) task_id: String,
    pub(super) policy_version: String,
    pub(super) blast_score: u8,
    pub(super) approval_used: Option<String>,
}

/// What WCP's shape holds beside the events.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Route {
    pub(super) decision_id: String,
    pub(super) timestamp: Timestamp,
    pub(super) correlation_id: String,
    pub(super) tenant_id: String,
    pub(super) capability_id: String,
    pub(super) matched_rule_id: String,
    pub(super) env: Stated<Env>,
    pub(super) data_label: Stated<DataLabel>,
    pub(super) tenant_risk: Stated<TenantRisk>,
    pub(super) qos_class: Stated<QosClass>,
    pub(super) denied: bool,
    pub(super) deny_reason_if_denied: Option<DenyReason>,
    pub(super) selected_worker_species_id: Option<String>,
    pub(super) candidate_workers_ranked: Vec<ConsideredWorker>,
    pub(super) required_controls_effective: Vec<String>,
    pub(super) recommended_profiles_effective: Vec<Map<String, Value>>,
    pub(super) escalation_effective: Escalation,
    pub(super) preconditions_checked: Preconditions,
    pub(super) artifact_hash: Option<String>,
    pub(super) worker_attestation_checked: bool,
    pub(super) worker_attestation_valid: Option<bool>,
    pub(super) dry_run: bool,
}

impl Serialize for RouteDecision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            #[serde(flatten)]
            route: &'a Route,
            telemetry_envelopes: Vec<Map<String, Value>>,
        }
        Shape { route: &self.route, telemetry_envelopes: self.telemetry() }.serialize(serializer)
    }
}

/// Why a call was denied: code, message and the facts of the case, as one flat object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DenyReason {
    /// The code of the closed table.
    pub code: Code,
    /// What was found.
    pub message: String,
    /// The facts of the case.
    #[serde(flatten)]
    pub details: BTreeMap<String, Value>,
}

/// A candidate that was looked at, and why it was passed over, if it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConsideredWorker {
    /// Its species id; `__missing__` if the rule gives none.
    pub worker_species_id: String,
    /// The rule author's measure.
    pub score_hint: Option<f64>,
    /// Controls that it needs beyond those of the rule; `None` if it needs none.
    pub requires_controls_minimum: Option<Vec<String>>,
    /// `unavailable`, `environment_not_allowed`, `data_label_not_allowed`, `capability_not_served`,
    /// `required_controls_missing` or `already_selected`; `None` for the one that was selected.
    pub skip_reason: Option<String>,
}

impl RouteDecision {
    /// The id it was given.
    #[must_use]
    pub fn decision_id(&self) -> &str {
        &self.route.decision_id
    }

    /// Why the call was denied; `None` if it was allowed.
    #[must_use]
    pub fn deny_reason(&self) -> Option<&DenyReason> {
        self.route.deny_reason_if_denied.as_ref()
    }

    /// The denial in this runtime's own form; `None` if the call was allowed.
    #[must_use]
    pub fn denial(&self) -> Option<Denial> {
        let reason = self.deny_reason()?;
        let denial =
            Denial::new(reason.code, reason.message.clone()).detail("matched_rule_id", self.route.matched_rule_id.clone());
        Some(reason.details.iter().fold(denial, |denial, (key, value)| denial.detail(key, value.clone())))
    }

    /// The rule that matched: its id, or `PRE_ROUTING` or `NO_MATCH`.
    #[must_use]
    pub fn matched_rule_id(&self) -> &str {
        &self.route.matched_rule_id
    }

    /// The worker that takes the call; `None` if it was denied.
    #[must_use]
    pub fn selected_worker(&self) -> Option<&str> {
        self.route.selected_worker_species_id.as_deref()
    }

    /// Every control that the rule and the policy tier required.
    #[must_use]
    pub fn required_controls(&self) -> &[String] {
        &self.route.required_controls_effective
    }

    /// The policy version under which it was decided.
    #[must_use]
    pub fn policy_version(&self) -> &str {
        &self.policy_version
    }

    /// The call's blast score, 0 to 100.
    #[must_use]
    pub fn blast_score(&self) -> u8 {
        self.blast_score
    }

    /// The request's hash (WCP 5.7); `None` if the call was denied.
    #[must_use]
    pub fn artifact_hash(&self) -> Option<&str> {
        self.route.artifact_hash.as_deref()
    }

    /// The approval without which the call would have been denied. It has to be used up before the call runs.
    #[must_use]
    pub fn approval_used(&self) -> Option<&str> {
        self.approval_used.as_deref()
    }

    /// Whether a person's approval of this very call would have changed the answer at this step.
    #[must_use]
    pub fn awaits_approval(&self) -> bool {
        self.deny_reason().is_some_and(|reason| matches!(reason.code, Code::RequiresHuman | Code::RequiresHumanApproval))
    }

    /// Whether it was a probe: nothing may run on it.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.route.dry_run
    }

    /// WCP's events (WCP 5.4), free of control characters.
    #[must_use]
    pub fn telemetry(&self) -> Vec<Map<String, Value>> {
        self.told.iter().map(|told| told.event(self)).collect()
    }
}
