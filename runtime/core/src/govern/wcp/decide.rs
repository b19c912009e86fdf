//! The decision itself: WCP's steps in WCP's order. The first step that refuses gives the code.

mod worker;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::blast;
use super::callables::{Callables, DecisionInput, Fetched};
use super::controls::{self, BLAST_RADIUS_SCORING, ControlId, holds};
use super::decision::{ConsideredWorker, DenyReason, Route, RouteDecision};
use super::gate::{DEFAULT_POLICY_VERSION, GateError};
use super::provenance;
use super::request::{Env, Request, Stated, Word, shown};
use super::rules::{Escalation, Preconditions, Rule, RuleSet};
use super::telemetry::{Told, clean};
use crate::denial::Code;
use crate::json::sorted;

/// The longest id that a request may state, in bytes.
const MAX_ID: usize = 1024;
/// The longest text of a policy gate that is kept, in characters.
const MAX_GATE_TEXT: usize = 2000;

/// Decides about one call (WCP 5). Pure and total: it reads nothing but its arguments, never fails and never panics;
/// whatever it cannot judge it denies.
#[must_use]
pub fn decide(input: &DecisionInput, rules: &RuleSet, callables: &Callables) -> RouteDecision {
    let mut course = Course::new(input, callables);
    match course.run(rules) {
        Ok(selected) => course.allowed(&selected),
        Err(refusal) => course.denied(refusal),
    }
}

/// Whether the rule that matches this call asks the policy gate, so that its verdict has to be fetched first.
#[must_use]
pub fn asks_gate(request: &Request, rules: &RuleSet) -> bool {
    rules.first_match(request).is_some_and(|rule| rule.escalation.policy_gate)
}

/// A refusal on its way to a decision.
struct Refusal {
    code: Code,
    message: String,
    details: BTreeMap<String, Value>,
}

fn refuse<T>(code: Code, message: impl Into<String>) -> Result<T, Refusal> {
    refuse_with(code, message, json!({}))
}

fn refuse_with<T>(code: Code, message: impl Into<String>, details: Value) -> Result<T, Refusal> {
    let details = if let Value::Object(details) = sorted(details) { details.into_iter().collect() } else { BTreeMap::new() };
    Err(Refusal { code, message: message.into(), details })
}

/// What was passed: the rule, the worker, and why the gate let the call through.
struct Selected<'a> {
    rule: &'a Rule,
    worker: &'a str,
    gated: &'static str,
    blast_judged: bool,
    envelope_judged: bool,
}

/// What is known so far about the decision; the parts that a decision shows even if it denies.
struct Course<'a> {
    input: &'a DecisionInput,
    callables: &'a Callables,
    env: Option<Env>,
    matched_rule_id: &'a str,
    controls: Cow<'a, BTreeSet<ControlId>>,
    preconditions: Preconditions,
    escalation: Escalation,
    candidates: Vec<ConsideredWorker>,
    attested: Option<bool>,
    policy_version: String,
    blast_score: u8,
    approval_used: Option<String>,
}

impl<'a> Course<'a> {
    fn new(input: &'a DecisionInput, callables: &'a Callables) -> Self {
        Self {
            input,
            callables,
            env: input.request.env.known(),
            matched_rule_id: "PRE_ROUTING",
            controls: Cow::Owned(BTreeSet::new()),
            preconditions: Preconditions::default(),
            escalation: Escalation::default(),
            candidates: Vec::new(),
            attested: None,
            policy_version: DEFAULT_POLICY_VERSION.to_owned(),
            blast_score: blast::score(&input.request, &input.effects),
            approval_used: None,
        }
    }

    fn run<'r>(&mut self, rules: &'r RuleSet) -> Result<Selected<'a>, Refusal>
    where
        'r: 'a,
    {
        self.readable()?;
        self.known_tenant()?;
        self.valid_input()?;
        self.matched_rule_id = "NO_MATCH";
        self.no_shadowed_rules(rules)?;
        let rule = self.matching_rule(rules)?;
        self.correlated()?;
        self.controls_present()?;
        let blast_judged = self.blast_radius(rule)?;
        self.person_asked_for_by_rule(rule)?;
        self.escalation = rule.escalation.clone();
        let gated = self.policy_gate(rule)?;
        let (worker, facts) = self.first_available_worker(rule)?;
        self.worker_unchanged(worker, facts)?;
        let envelope_judged = self.privilege_envelope(worker, facts)?;
        Ok(Selected { rule, worker, gated, blast_judged, envelope_judged })
    }

    /// Before the first step: in the reference such a request never comes to a decision.
    fn readable(&self) -> Result<(), Refusal> {
        self.input.request.malformed.as_ref().map_or(Ok(()), |fault| refuse(Code::InvalidInput, fault.clone()))
    }

    /// WCP 5.9, and a tenant at all.
    fn known_tenant(&self) -> Result<(), Refusal> {
        let (hall, tenant) = (&self.callables.hall, &self.input.request.tenant_id);
        if hall.require_signatory && !hall.allowed_tenants.contains(tenant) {
            let message = "The tenant is not registered as a signatory of this hall.";
            return refuse_with(Code::UnknownTenant, message, json!({ "tenant_id": tenant }));
        }
        if is_blank(tenant) {
            return refuse(Code::MissingTenantId, "tenant_id is required and is empty.");
        }
        if hall.require_credential && self.callables.credential_verified != Fetched::Value(true) {
            let message = "This hall requires a verified tenant credential, and there is none.";
            return refuse_with(Code::UnknownTenant, message, json!({ "tenant_id": tenant }));
        }
        Ok(())
    }

    fn valid_input(&self) -> Result<(), Refusal> {
        let request = &self.input.request;
        if let Some(score) = request.blast_score.filter(|score| !(0..=100).contains(score)) {
            return refuse_with(Code::InvalidInput, "blast_score must be in [0, 100].", json!({ "blast_score": score }));
        }
        stated(&request.env)?;
        stated(&request.data_label)?;
        stated(&request.tenant_risk)?;
        stated(&request.qos_class)?;
        if is_blank(&request.capability_id) {
            return refuse(Code::InvalidInput, "capability_id is required and is empty.");
        }
        let ids = [
            ("capability_id", &request.capability_id),
            ("tenant_id", &request.tenant_id),
            ("correlation_id", &request.correlation_id),
        ];
        if let Some((name, _)) = ids.into_iter().find(|(_, text)| text.len() > MAX_ID) {
            return refuse(Code::InvalidInput, format!("{name} is longer than {MAX_ID} bytes."));
        }
        provenance::fault(request).map_or(Ok(()), |fault| refuse(Code::InvalidInput, fault))
    }

    fn no_shadowed_rules(&self, rules: &RuleSet) -> Result<(), Refusal> {
        if rules.shadowed().is_empty() || !self.in_production() {
            return Ok(());
        }
        let ids: Vec<&str> = rules.shadowed().iter().map(|shadowed| shadowed.rule_id.as_str()).collect();
        let details = json!({ "shadow_count": ids.len(), "shadowed_rule_ids": ids });
        refuse_with(
            Code::ShadowRules,
            "The rule set has rules that can never match; in prod and edge it decides nothing.",
            details,
        )
    }

    fn matching_rule<'r>(&mut self, rules: &'r RuleSet) -> Result<&'r Rule, Refusal>
    where
        'r: 'a,
    {
        let Some(rule) = rules.first_match(&self.input.request) else {
            let message = match rules.load_error() {
                None => "No rule matches the call (WCP 5.1).".to_owned(),
                Some(error) => format!("The rules do not load, so no rule matches: {error}."),
            };
            return refuse(Code::NoMatchingRule, message);
        };
        self.matched_rule_id = &rule.id;
        self.preconditions = rule.preconditions;
        // The rule's own spelling of a control is shown, so it goes in first.
        self.controls = Cow::Borrowed(&rule.required_controls);
        if self.input.controls.iter().any(|control| !self.controls.contains(control)) {
            self.controls.to_mut().extend(self.input.controls.iter().cloned());
        }
        Ok(rule)
    }

    fn correlated(&self) -> Result<(), Refusal> {
        let required = self.preconditions.must_have_correlation_id || self.callables.hall.enforce_correlation_id;
        if required && is_blank(&self.input.request.correlation_id) {
            return refuse(Code::MissingCorrelationId, "correlation_id is required and is empty.");
        }
        Ok(())
    }

    fn controls_present(&self) -> Result<(), Refusal> {
        let required = self.preconditions.deny_if_missing_required_controls || self.callables.hall.enforce_required_controls;
        let missing = self.controls.difference(&self.callables.controls_present);
        // What the policy tier requires no rule and no setting waives.
        let missing = controls::sorted(missing.filter(|control| required || self.input.controls.contains(control)));
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("Required controls are not in place: {}.", missing.join(", "));
        refuse_with(Code::MissingRequiredControls, message, json!({ "missing": missing }))
    }

    /// Whether the score was judged (and not too high).
    fn blast_radius(&mut self, rule: &Rule) -> Result<bool, Refusal> {
        let floor = self.in_production() && self.callables.hall.enforce_blast_scoring_in_prod;
        if !floor && !holds(&self.controls, BLAST_RADIUS_SCORING) {
            return Ok(false);
        }
        if self.in_production() && self.blast_score >= blast::HUMAN_THRESHOLD {
            let message = format!("The blast radius of {} is too high for a run without a person.", self.blast_score);
            self.person_or_refuse(rule, message, "REQUIRE_HUMAN_HIGH_BLAST", json!({ "blast_score": self.blast_score }))?;
        }
        Ok(true)
    }

    fn person_asked_for_by_rule(&mut self, rule: &Rule) -> Result<(), Refusal> {
        let always = rule.escalation.human_required_default || rule.escalation.msavx_step_up;
        let asked = always || rule.human_triggers.iter().any(|trigger| trigger.holds(&self.input.request, self.blast_score));
        if !asked {
            return Ok(());
        }
        let message = format!("The rule {} asks for a person.", shown(&rule.id));
        self.person_or_refuse(rule, message, "REQUIRE_HUMAN_BY_RULE", json!({}))
    }

    fn person_or_refuse(&mut self, rule: &Rule, message: String, reason: &str, details: Value) -> Result<(), Refusal> {
        // The gate names the policy version; where it has not spoken, the default version is in force.
        let gate = self.callables.gate.as_ref().filter(|_| rule.escalation.policy_gate);
        let version = gate.and_then(|answer| answer.as_ref().ok()).map(|verdict| verdict.policy_version.as_str());
        let version = version.map(gate_text);
        if self.approved_under(version.as_deref().unwrap_or(DEFAULT_POLICY_VERSION)) {
            return Ok(());
        }
        if let Some(version) = version {
            self.policy_version = version;
        }
        self.escalation = rule.escalation.clone();
        self.escalation.human_required_default = true;
        self.escalation.rationale = Some(reason.to_owned());
        let mut details = details;
        if let Value::Object(members) = &mut details {
            members.insert("reason".to_owned(), reason.into());
        }
        refuse_with(Code::RequiresHuman, message, details)
    }

    fn approved_under(&mut self, policy_version: &str) -> bool {
        let approval = self.callables.approval.as_ref().filter(|approval| approval.policy_version == policy_version);
        if let Some(approval) = approval {
            self.approval_used = Some(approval.id.clone());
        }
        approval.is_some()
    }

    /// Why the gate let the call through.
    fn policy_gate(&mut self, rule: &Rule) -> Result<&'static str, Refusal> {
        if !rule.escalation.policy_gate {
            return Ok("no_gate_required");
        }
        let verdict = match &self.callables.gate {
            None => return refuse(Code::PolicyGateUnconfigured, "The rule asks the policy gate, and this host has none."),
            Some(Err(GateError::Malformed(_))) => return self.invalid_verdict("its answer has no known form"),
            Some(Err(GateError::Failed(_) | GateError::Late)) => {
                return refuse(Code::InternalError, "The policy gate failed; the host's log says how.");
            }
            Some(Ok(verdict)) => verdict,
        };
        let (version, reason) = (gate_text(&verdict.policy_version), gate_text(&verdict.reason));
        self.policy_version.clone_from(&version);
        match verdict.decision.as_str() {
            "ALLOW" | "REQUIRE_HUMAN" if is_blank(&version) => self.invalid_verdict("it names no policy version"),
            "ALLOW" => Ok("policy_gate_allow"),
            "DENY" => {
                self.escalation.rationale = Some(reason.clone());
                let details = json!({ "reason": reason, "policy_version": version });
                refuse_with(Code::PolicyGate, "The policy gate denied the call.", details)
            }
            "REQUIRE_HUMAN" if self.approved_under(&version) => Ok("human_approved"),
            "REQUIRE_HUMAN" => {
                self.escalation.human_required_default = true;
                self.escalation.rationale = Some(reason.clone());
                let details = json!({ "reason": reason, "policy_version": version, "supervisor_required": true });
                refuse_with(Code::RequiresHumanApproval, "The policy gate asks for a person's approval of this call.", details)
            }
            other => self.invalid_verdict(&format!("'{}' is none of ALLOW, DENY and REQUIRE_HUMAN", shown(other))),
        }
    }

    fn invalid_verdict<T>(&mut self, what: &str) -> Result<T, Refusal> {
        self.escalation.rationale = Some("invalid_gate_response".to_owned());
        refuse(Code::PolicyGateInvalidResponse, format!("The policy gate's answer is no verdict: {what}."))
    }

    fn in_production(&self) -> bool {
        self.env.is_some_and(Env::is_production)
    }

    fn allowed(self, selected: &Selected<'_>) -> RouteDecision {
        let unattested = self.attested.is_none() && self.in_production();
        let told = [
            selected.blast_judged.then_some(Told::BlastScored),
            selected.envelope_judged.then_some(Told::EnvelopeChecked),
            unattested.then_some(Told::AttestationSkipped),
            Some(Told::Routed),
            Some(Told::Selected),
            Some(Told::Gated(selected.gated)),
        ];
        let artifact_hash = provenance::artifact_hash(&self.input.request).to_string();
        let mut decision = self.into_decision(None, told.into_iter().flatten().collect());
        decision.route.selected_worker_species_id = Some(selected.worker.to_owned());
        decision.route.recommended_profiles_effective.clone_from(&selected.rule.recommended_profiles);
        decision.route.artifact_hash = Some(artifact_hash);
        decision
    }

    fn denied(mut self, refusal: Refusal) -> RouteDecision {
        let Refusal { code, message, details } = refusal;
        if code != Code::NoAvailableWorker {
            self.candidates.clear();
        }
        self.approval_used = None;
        self.into_decision(Some(DenyReason { code, message, details }), vec![Told::Denied])
    }

    fn into_decision(self, reason: Option<DenyReason>, told: Vec<Told>) -> RouteDecision {
        let request = &self.input.request;
        let route = Route {
            decision_id: self.input.stamp.decision_id.clone(),
            timestamp: self.input.stamp.at,
            correlation_id: request.correlation_id.clone(),
            tenant_id: request.tenant_id.clone(),
            capability_id: request.capability_id.clone(),
            matched_rule_id: self.matched_rule_id.to_owned(),
            env: request.env.clone(),
            data_label: request.data_label.clone(),
            tenant_risk: request.tenant_risk.clone(),
            qos_class: request.qos_class.clone(),
            denied: reason.is_some(),
            deny_reason_if_denied: reason,
            selected_worker_species_id: None,
            candidate_workers_ranked: self.candidates,
            required_controls_effective: controls::sorted(self.controls.iter()),
            recommended_profiles_effective: Vec::new(),
            escalation_effective: self.escalation,
            preconditions_checked: self.preconditions,
            artifact_hash: None,
            worker_attestation_checked: self.attested.is_some(),
            worker_attestation_valid: self.attested,
            dry_run: request.dry_run,
        };
        RouteDecision {
            route,
            told,
            task_id: self.input.task_id.clone(),
            policy_version: self.policy_version,
            blast_score: self.blast_score,
            approval_used: self.approval_used,
        }
    }
}

fn stated<T: Word>(word: &Stated<T>) -> Result<(), Refusal> {
    match word {
        Stated::Known(_) => Ok(()),
        Stated::Other(text) => refuse(Code::InvalidInput, format!("{}, not '{}'.", T::choices(), shown(text))),
    }
}

/// Nothing but white space and control characters: a text that is empty once it stands in an event.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control())
}

/// A gate's text as it is kept: no control characters, bounded.
fn gate_text(text: &str) -> String {
    clean(text).chars().take(MAX_GATE_TEXT).collect()
}
