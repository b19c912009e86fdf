//! Workers: what the registry knows of each candidate, and WCP's worker records.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::callables::{EnvelopeRuling, Fetched};
use super::controls::ControlId;
use super::object::Object;
use super::request::{DataLabel, Env, Request};

/// What is known of one available worker (here: of one skill), fetched before the decision. A species that has no facts
/// is not available.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerFacts {
    /// The environments it may run in; `None` if its record names none.
    pub allowed_environments: Option<BTreeSet<Env>>,
    /// The data labels it may see; `None` if its record names none.
    pub data_labels: Option<BTreeSet<DataLabel>>,
    /// The capabilities it serves; `None` if its record names none.
    pub capabilities: Option<BTreeSet<String>>,
    /// Controls that it needs to have around it.
    pub required_controls: BTreeSet<ControlId>,
    /// Its registered hash: what was attested. `Value(None)` if none is registered.
    pub registered_hash: Fetched<Option<String>>,
    /// Its hash now. `Value(None)` if it cannot be computed.
    pub current_hash: Fetched<Option<String>>,
    /// Its declared privilege envelope. `Value(None)` if it declares none.
    pub envelope: Fetched<Option<Value>>,
    /// What the host's envelope policy says of that envelope.
    pub envelope_ruling: Fetched<EnvelopeRuling>,
}

impl WorkerFacts {
    /// Why this worker cannot take the call, if it cannot: WCP's `skip_reason`.
    pub(super) fn skip_reason(
        &self,
        request: &Request,
        minimum: &BTreeSet<ControlId>,
        present: &BTreeSet<ControlId>,
    ) -> Option<&'static str> {
        let (env, label) = (request.env.known(), request.data_label.known());
        if self.allowed_environments.as_ref().is_some_and(|set| env.is_none_or(|env| !set.contains(&env))) {
            return Some("environment_not_allowed");
        }
        if self.data_labels.as_ref().is_some_and(|set| label.is_none_or(|label| !set.contains(&label))) {
            return Some("data_label_not_allowed");
        }
        if self.capabilities.as_ref().is_some_and(|set| !set.contains(&request.capability_id)) {
            return Some("capability_not_served");
        }
        (!minimum.is_subset(present)).then_some("required_controls_missing")
    }
}

/// A worker's registry record (WCP 6), in the spelling of the Python or of the Go implementation.
///
/// Members that say nothing about who may call it are ignored; `currently_implements` is one of them, because a worker's
/// own word does not put a control in place on a host.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WorkerRecord {
    /// WCP's species id, `wrk.<..>`.
    pub worker_species_id: String,
    #[serde(default, alias = "serves_capabilities")]
    capabilities: Option<BTreeSet<String>>,
    #[serde(default)]
    required_controls: BTreeSet<ControlId>,
    #[serde(default)]
    allowed_environments: Option<BTreeSet<Env>>,
    #[serde(default)]
    environment: Option<Env>,
    #[serde(default)]
    data_labels: Option<BTreeSet<DataLabel>>,
    #[serde(default)]
    privilege_envelope: Option<Value>,
    #[serde(default)]
    attestation: Option<Object<RecordedAttestation>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct RecordedAttestation {
    #[serde(default)]
    code_hash: Option<String>,
}

impl WorkerRecord {
    /// What the record says, as facts; the current hash and the envelope's ruling are for the caller to fetch.
    #[must_use]
    pub fn facts(&self) -> WorkerFacts {
        let one = self.environment.map(|env| BTreeSet::from([env]));
        WorkerFacts {
            allowed_environments: self.allowed_environments.clone().or(one),
            data_labels: self.data_labels.clone(),
            capabilities: self.capabilities.clone(),
            required_controls: self.required_controls.clone(),
            registered_hash: Fetched::Value(self.attestation.as_ref().and_then(|attestation| attestation.0.code_hash.clone())),
            current_hash: Fetched::Absent,
            envelope: Fetched::Value(self.privilege_envelope.clone()),
            envelope_ruling: Fetched::Absent,
        }
    }
}
