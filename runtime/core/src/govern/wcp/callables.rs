//! What the decision is taken from, beside the rules: values that were fetched before it, in the place of the
//! reference's callables.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::controls::ControlId;
use super::gate::{GateError, Verdict};
use super::request::Request;
use super::worker::WorkerFacts;
use crate::clock::Timestamp;
use crate::package::Effect;

/// The id and the time of a decision, made by the caller so that the decision itself is pure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// A new id (a version 4 UUID).
    pub decision_id: String,
    /// The time of the decision.
    pub at: Timestamp,
}

/// One call to decide about.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionInput {
    /// What the caller asks.
    pub request: Request,
    /// Id and time of the decision.
    pub stamp: Stamp,
    /// The task that the call belongs to; stands in the telemetry.
    pub task_id: String,
    /// What the tool's manifest says it does to the world; counts into the blast score whatever the caller says.
    pub effects: Vec<Effect>,
    /// Controls that the policy tier in force requires, beside those of the rule.
    pub controls: Vec<ControlId>,
}

/// Something the caller was to fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fetched<T> {
    /// There is nothing to fetch it from.
    #[default]
    Absent,
    /// The source failed.
    Raised,
    /// The source answered.
    Value(T),
}

/// What the envelope policy says of a worker's privilege envelope, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeRuling {
    /// The envelope is within what this host permits.
    Permitted(String),
    /// It is not.
    Refused(String),
}

/// A person's approval of this very call, judged already: unused, in time, and bound to what would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The approval's id.
    pub id: String,
    /// The policy version under which it was asked for; under another one it does not count.
    pub policy_version: String,
}

/// Settings of the hall that no rule can lower (WCP 5.9, 5.10). The defaults are the reference's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HallConfig {
    /// Only tenants in `allowed_tenants` may ask.
    pub require_signatory: bool,
    /// The registered tenants.
    pub allowed_tenants: BTreeSet<String>,
    /// The tenant's credential must have been verified ([`Callables::credential_verified`]).
    pub require_credential: bool,
    /// The worker's current hash must be the registered one.
    pub require_worker_attestation: bool,
    /// A correlation id is required, whatever the rule says.
    pub enforce_correlation_id: bool,
    /// Required controls must be present, whatever the rule says.
    pub enforce_required_controls: bool,
    /// In prod and edge the blast score is judged, whatever the rule says.
    pub enforce_blast_scoring_in_prod: bool,
    /// The privilege envelope is judged, whatever the rule says.
    pub enforce_privilege_envelopes: bool,
}

impl Default for HallConfig {
    fn default() -> Self {
        Self {
            require_signatory: false,
            allowed_tenants: BTreeSet::new(),
            require_credential: false,
            require_worker_attestation: false,
            enforce_correlation_id: true,
            enforce_required_controls: true,
            enforce_blast_scoring_in_prod: true,
            enforce_privilege_envelopes: false,
        }
    }
}

/// Everything that was fetched for one decision. The default holds nothing, and by it nothing is permitted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Callables {
    /// The hall's own settings.
    pub hall: HallConfig,
    /// The controls that this host has in place.
    pub controls_present: BTreeSet<ControlId>,
    /// The workers that the registry knows, by species id.
    pub workers: BTreeMap<String, WorkerFacts>,
    /// What the policy gate answered; `None` if there is no gate.
    pub gate: Option<Result<Verdict, GateError>>,
    /// Whether the tenant's credential was verified.
    pub credential_verified: Fetched<bool>,
    /// A person's approval of this very call.
    pub approval: Option<Approval>,
}
