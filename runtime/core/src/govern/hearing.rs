//! Gate 10 without its surroundings: what a call is judged by, as values, and WCP's decision about each capability that it is
//! about. A call that is made and a decision that is replayed come through here alike.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::capability::Asks;
use crate::capability::files::Access;
use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::id::{CapabilityId, SkillId, SkillRef, ToolName};

use super::basis::{Basis, Tiers};
use super::call::{Caller, DataLabel, QosClass, TenantRisk};
use super::config::HallConfig;
use super::separation::highest;
use super::wcp::controls::TierControls;
use super::wcp::envelope::EnvelopePolicy;
use super::wcp::gate::{DEFAULT_POLICY_VERSION, GateContext, GateError, PolicyGate, Verdict, consult};
use super::wcp::{
    Approval, Callables, DecisionInput, Fetched, HallConfig as WcpSettings, Request, RouteDecision, RuleSet, Stamp, WorkerFacts,
    asks_gate, blast, decide,
};

/// What a call is, as far as gates 9 and 10 ask.
#[derive(Clone, Copy, Debug)]
pub struct Matter<'a> {
    /// Which skill in which version.
    pub skill: &'a SkillRef,
    /// Which of its tools.
    pub tool: &'a ToolName,
    /// Who calls.
    pub caller: &'a Caller,
    /// What ties it to other calls.
    pub correlation_id: &'a str,
    /// How sensitive the data is.
    pub data_label: DataLabel,
    /// How risky the tenant is.
    pub tenant_risk: TenantRisk,
    /// How urgent it is.
    pub qos_class: QosClass,
    /// The capability that was asked for, if the skill was found by one.
    pub capability: Option<&'a CapabilityId>,
    /// What the package and the registry say of it.
    pub basis: &'a Basis,
    /// The package hash that was published.
    pub registered: Digest,
    /// The package hash of what would run.
    pub current: Digest,
}

impl Matter<'_> {
    /// The highest of manifest, certification, the namespace's floor and the host's floor: an author can ask for more
    /// scrutiny, never for less.
    pub(super) fn tier(&self, config: &HallConfig) -> u8 {
        let Tiers { manifest, certification, namespace } = self.basis.tiers;
        highest(config, &self.skill.id.namespace, manifest.max(certification).max(namespace))
    }

    /// What the call is about, each judged: the capability that was asked for, and every other that the skill provides, so that
    /// neither the caller nor the author chooses which rule counts. A skill that names none is about one of its own name.
    pub(super) fn capabilities(&self) -> Vec<String> {
        let provided = self.basis.provides.iter().map(CapabilityId::as_str);
        let mut capabilities: Vec<&str> = self.capability.into_iter().map(CapabilityId::as_str).collect();
        for capability in provided {
            if !capabilities.contains(&capability) {
                capabilities.push(capability);
            }
        }
        match capabilities.as_slice() {
            [] => vec![of_its_own(&self.skill.id)],
            capabilities => capabilities.iter().map(|capability| (*capability).to_owned()).collect(),
        }
    }

    /// The request, whose capability is filled in for each that the call is about.
    fn request(&self, config: &HallConfig) -> Request {
        Request::new(
            String::new(),
            config.hall.env,
            self.data_label,
            self.tenant_risk,
            self.qos_class,
            self.caller.organisation.as_str().to_owned(),
            self.correlation_id.to_owned(),
        )
    }

    /// The skill as WCP's worker: registered when it was published, hashed when it was read.
    fn worker(&self, config: &HallConfig) -> WorkerFacts {
        let envelope = envelope(&self.basis.asks);
        let ruling = EnvelopePolicy::default().judge(config.hall.env, self.data_label, Some(&envelope));
        let mut capabilities: BTreeSet<String> = self.basis.provides.iter().map(|id| id.as_str().to_owned()).collect();
        if capabilities.is_empty() {
            capabilities.insert(of_its_own(&self.skill.id));
        }
        WorkerFacts {
            capabilities: Some(capabilities),
            registered_hash: Fetched::Value(Some(self.registered.to_string())),
            current_hash: Fetched::Value(Some(self.current.to_string())),
            envelope: Fetched::Value(Some(envelope)),
            envelope_ruling: Fetched::Value(ruling),
            ..WorkerFacts::default()
        }
    }
}

fn of_its_own(skill: &SkillId) -> String {
    format!("cap.skill.{}.{}", skill.namespace, skill.name)
}

/// The skill's privilege envelope (WCP 6): what its manifest asks for, which is the most that it can be granted.
fn envelope(asks: &Asks) -> Value {
    let egress: Vec<&str> = asks.http.entries().iter().map(|ask| ask.origin.as_str()).collect();
    let writes = asks.files.entries().iter().filter(|ask| ask.access == Access::Write).map(|ask| ask.mount.as_str());
    json!({
        "secrets_access": asks.secrets.iter().map(|ask| ask.name.as_str()).collect::<Vec<_>>(),
        "network_egress": if egress.is_empty() { json!("none") } else { json!(egress) },
        "filesystem_writes": writes.collect::<Vec<_>>(),
        "tools": asks.tools.iter().map(|ask| ask.skill.to_string()).collect::<Vec<_>>(),
    })
}

/// WCP's question about a call, asked for one capability after the other.
pub(super) struct Hearing<'a> {
    matter: &'a Matter<'a>,
    config: &'a HallConfig,
    rules: &'a RuleSet,
    gate: Option<&'a dyn PolicyGate>,
    /// The policy tier in force.
    pub(super) tier: u8,
    /// The controls that each policy tier requires.
    pub(super) required: TierControls,
    input: DecisionInput,
    callables: Callables,
}

impl<'a> Hearing<'a> {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// `DENY_INTERNAL_ERROR` if the configuration's table of tiers is none.
    pub(super) fn of(
        matter: &'a Matter<'a>,
        config: &'a HallConfig,
        rules: &'a RuleSet,
        gate: Option<&'a dyn PolicyGate>,
        stamp: Stamp,
    ) -> Result<Self, Denial> {
        let tier = matter.tier(config);
        let required = config.tier_controls().map_err(|error| Denial::new(Code::InternalError, error.to_string()))?;
        let input = DecisionInput {
            request: matter.request(config),
            stamp,
            task_id: matter.correlation_id.to_owned(),
            effects: matter.basis.effects.clone(),
            controls: required.required(tier).into_iter().collect(),
        };
        let callables = Callables {
            hall: WcpSettings { require_worker_attestation: true, ..WcpSettings::default() },
            controls_present: config.controls_present(),
            workers: BTreeMap::from([(matter.skill.id.worker_species_id(), matter.worker(config))]),
            ..Callables::default()
        };
        Ok(Self { matter, config, rules, gate, tier, required, input, callables })
    }

    /// Goes on to a capability: the gate is asked about it, if the rule that matches wants that.
    pub(super) fn turn_to(&mut self, capability: String) {
        self.input.request.capability_id = capability;
        self.callables.gate = self.verdict();
    }

    /// The decision about the capability that it is at.
    pub(super) fn decide(&mut self, approval: Option<Approval>) -> RouteDecision {
        self.callables.approval = approval;
        decide(&self.input, self.rules, &self.callables)
    }

    /// When it is held.
    pub(super) fn at(&self) -> Timestamp {
        self.input.stamp.at
    }

    /// The gate's verdict, fetched before the decision, and only if the rule that matches asks for it.
    fn verdict(&self) -> Option<Result<Verdict, GateError>> {
        let (input, matter) = (&self.input, self.matter);
        let gate = self.gate.filter(|_| asks_gate(&input.request, self.rules))?;
        let context = GateContext {
            capability_id: input.request.capability_id.clone(),
            tenant_id: input.request.tenant_id.clone(),
            env: self.config.hall.env,
            data_label: matter.data_label,
            tenant_risk: matter.tenant_risk,
            qos_class: matter.qos_class,
            policy_version: DEFAULT_POLICY_VERSION,
            skill: matter.skill.to_string(),
            tool: matter.tool.as_str().to_owned(),
            effects: input.effects.clone(),
            capabilities: matter.basis.asks.list(),
            caller: matter.caller.name.clone(),
            organisation: matter.caller.organisation.as_str().to_owned(),
            blast_score: blast::score(&input.request, &input.effects),
        };
        Some(consult(gate, &context))
    }
}
