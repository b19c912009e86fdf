//! The steps about the worker: who can take the call, whether it is the one that was registered, and whether what it
//! needs is permitted.

use std::str::FromStr as _;

use serde_json::json;

use super::{Course, Refusal, refuse, refuse_with};
use crate::denial::Code;
use crate::digest::Digest;
use crate::govern::wcp::callables::{EnvelopeRuling, Fetched};
use crate::govern::wcp::controls::{PRIVILEGE_ENVELOPES_REQUIRED, holds, sorted};
use crate::govern::wcp::decision::ConsideredWorker;
use crate::govern::wcp::request::shown;
use crate::govern::wcp::rules::{Rule, beginning};
use crate::govern::wcp::worker::WorkerFacts;

impl<'a> Course<'a> {
    pub(super) fn first_available_worker(&mut self, rule: &Rule) -> Result<(&'a str, &'a WorkerFacts), Refusal> {
        let mut selected = None;
        for candidate in &rule.candidates {
            let species = candidate.worker_species_id.as_deref();
            let known = species.and_then(|species| self.worker(species));
            let mut minimum = candidate.requires_controls_minimum.clone();
            minimum.extend(known.iter().flat_map(|(_, facts)| facts.required_controls.iter().cloned()));
            let skip_reason = match known {
                None => Some("unavailable"),
                Some((species, facts)) => {
                    let skip = facts.skip_reason(&self.input.request, &minimum, &self.callables.controls_present);
                    if skip.is_none() && selected.is_none() {
                        selected = Some((species, facts));
                        None
                    } else {
                        skip.or(Some("already_selected"))
                    }
                }
            };
            self.candidates.push(ConsideredWorker {
                worker_species_id: known.map(|(species, _)| species).or(species).unwrap_or("__missing__").to_owned(),
                score_hint: candidate.score_hint,
                requires_controls_minimum: (!minimum.is_empty()).then(|| sorted(&minimum)),
                skip_reason: skip_reason.map(str::to_owned),
            });
        }
        selected.map_or_else(|| refuse(Code::NoAvailableWorker, "No candidate of the rule can take the call."), Ok)
    }

    /// The available worker that a candidate names. Beyond WCP, `wrk.<..>*` names every worker that begins so; of several
    /// the first by species id.
    fn worker(&self, species: &str) -> Option<(&'a str, &'a WorkerFacts)> {
        let workers = &self.callables.workers;
        let found = match beginning(species) {
            None => workers.get_key_value(species),
            Some(beginning) => workers.range(beginning.to_owned()..).next().filter(|(name, _)| name.starts_with(beginning)),
        };
        found.map(|(name, facts)| (name.as_str(), facts))
    }

    /// WCP 5.10. The hashes themselves are not told: they would name an attacker's target.
    pub(super) fn worker_unchanged(&mut self, worker: &str, facts: &WorkerFacts) -> Result<(), Refusal> {
        let by_rule = self.preconditions.deny_if_no_attestation_in_prod || self.preconditions.deny_if_unsigned_artifact_in_prod;
        let required = self.callables.hall.require_worker_attestation || (by_rule && self.in_production());
        if !required {
            return Ok(());
        }
        if facts.registered_hash == Fetched::Absent || facts.current_hash == Fetched::Absent {
            let message = "The worker's hash has to be checked, and this host has no source for it.";
            return refuse(Code::AttestationUnconfigured, message);
        }
        let worker = shown(worker);
        let Fetched::Value(Some(registered)) = &facts.registered_hash else {
            return refuse(Code::WorkerAttestationMissing, format!("The worker {worker} has no registered hash."));
        };
        let Ok(registered) = Digest::from_str(registered) else {
            let message =
                format!("The registered hash of the worker {worker} is no SHA-256 digest of 64 lower-case hexadecimal digits.");
            return refuse(Code::WorkerAttestationInvalidHash, message);
        };
        let current = if let Fetched::Value(Some(current)) = &facts.current_hash { Digest::from_str(current).ok() } else { None };
        let Some(current) = current else {
            return refuse(
                Code::WorkerHashUnavailable,
                format!("The current hash of the worker {worker} could not be computed."),
            );
        };
        self.attested = Some(current == registered);
        if current != registered {
            let message = format!("The worker {worker} is not the one that was attested.");
            return refuse_with(Code::WorkerTampered, message, json!({ "worker_species_id": worker }));
        }
        Ok(())
    }

    /// Whether the envelope was judged (and permitted).
    pub(super) fn privilege_envelope(&self, worker: &str, facts: &WorkerFacts) -> Result<bool, Refusal> {
        if !self.callables.hall.enforce_privilege_envelopes && !holds(&self.controls, PRIVILEGE_ENVELOPES_REQUIRED) {
            return Ok(false);
        }
        match (&facts.envelope, &facts.envelope_ruling) {
            (Fetched::Absent, _) | (_, Fetched::Absent) => {
                let message =
                    "The worker's privilege envelope has to be judged, and this host has no source or no policy for it.";
                refuse(Code::PrivilegeEnvelopeUnconfigured, message)
            }
            (Fetched::Raised, _) | (_, Fetched::Raised) => {
                refuse(Code::InternalError, "The check of the privilege envelope failed; the host's log says how.")
            }
            (Fetched::Value(_), Fetched::Value(EnvelopeRuling::Refused(reason))) => {
                let (env, label) = (self.input.request.env.as_str(), self.input.request.data_label.as_str());
                let message =
                    format!("The worker's privilege envelope is not permitted for {env} and {label}: {}.", shown(reason));
                let details = json!({ "reason": reason, "worker_species_id": worker });
                refuse_with(Code::PrivilegeEnvelopeViolated, message, details)
            }
            (Fetched::Value(_), Fetched::Value(EnvelopeRuling::Permitted(_))) => Ok(true),
        }
    }
}
