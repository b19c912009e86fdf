//! Gate 10: the WCP decision about the worker, which is the skill.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::capability::files::Access;
use crate::denial::{Code, Denial};
use crate::id::{CapabilityId, ToolName};
use crate::package::Manifest;
use crate::registry::standing::Standing;
use crate::trust::verify::VerifiedPackage;

use super::approval::{self, Granted};
use super::call::{Call, Caller};
use super::decide::{DecisionFacts, Moment, Policy, Refusal};
use super::wcp::controls::{ControlId, TierControls};
use super::wcp::envelope::EnvelopePolicy;
use super::wcp::gate::{DEFAULT_POLICY_VERSION, GateContext, GateError, Verdict, consult};
use super::wcp::{
    Approval, Callables, DecisionInput, Fetched, HallConfig as WcpSettings, Request, RouteDecision, Stamp, WorkerFacts,
    asks_gate, blast, decide,
};

/// Asks WCP's question about the call and turns a denial into a refusal. Gives the approval without which the call would
/// have been denied.
pub(super) fn ask(
    standing: &Standing,
    package: &VerifiedPackage,
    call: &Call,
    tool: &ToolName,
    caller: &Caller,
    policy: &Policy<'_>,
    moment: Moment,
) -> Result<(DecisionFacts, Option<Granted>), Box<Refusal>> {
    let manifest = package.package().manifest();
    let tier = tier_in_force(standing, package, policy);
    let required = policy.config.tier_controls().map_err(|error| Denial::new(Code::InternalError, error.to_string()))?;
    let bound = || approval::bound(package.package(), tool, call, caller, policy.config, policy.digest);
    let judged = match &call.approval {
        None => Ok(None),
        Some(id) => approval::judge(id, standing.approval(), &bound(), tier, policy.config, policy.keys, moment.now).map(Some),
    };
    let granted = judged.as_ref().ok().and_then(Option::as_ref);
    let (mut taken, mut approval_used) = (None, false);
    let mut input = DecisionInput {
        request: request(call, caller, policy),
        stamp: Stamp { decision_id: moment.decision_id, at: moment.now },
        task_id: call.correlation_id.clone(),
        effects: manifest.tools.get(tool).map(|tool| tool.effects.clone()).unwrap_or_default(),
        controls: required.required(tier).into_iter().collect(),
    };
    let mut callables = Callables {
        hall: WcpSettings { require_worker_attestation: true, ..WcpSettings::default() },
        controls_present: policy.config.controls_present(),
        workers: BTreeMap::from([(call.skill.id.worker_species_id(), worker(standing, package, call, policy))]),
        approval: granted.map(|granted| Approval { id: granted.id.clone(), policy_version: granted.gate_policy.clone() }),
        ..Callables::default()
    };
    for capability in capabilities(manifest, call) {
        input.request.capability_id = capability;
        callables.gate = verdict(&input, manifest, call, tool, caller, policy);
        let decision = decide(&input, policy.rules, &callables);
        let facts = facts(&decision, standing, policy, tier, &input.stamp);
        let Some(denial) = decision.denial() else {
            approval_used |= decision.approval_used().is_some();
            taken.get_or_insert(facts);
            continue;
        };
        let denial = with_requirers(denial, &required, tier, decision.matched_rule_id());
        if !decision.awaits_approval() {
            return Err(Box::new(Refusal { denial, facts: Some(facts), asked: None }));
        }
        let (denial, asked) = match judged {
            Err(denial) => (denial, None),
            Ok(Some(granted)) => (approval::outdated(&granted, decision.policy_version()), None),
            Ok(None) => {
                let (settings, now) = (policy.config.approvals, input.stamp.at);
                let asked = approval::question(bound(), decision.policy_version(), caller, tier, &denial, settings, now);
                (denial, Some(Box::new(asked)))
            }
        };
        return Err(Box::new(Refusal { denial, facts: Some(facts), asked }));
    }
    match (taken, judged) {
        (Some(facts), Ok(granted)) => Ok((facts, granted.filter(|_| approval_used))),
        // It would pass without; but whoever names an approval that does not count is told.
        (facts, Err(denial)) => Err(Box::new(Refusal { denial, facts, asked: None })),
        (None, Ok(_)) => Err(Denial::new(Code::InternalError, "the call is about nothing").into()),
    }
}

/// The highest of manifest, certification, the namespace's floor and the host's floor: an author can ask for more
/// scrutiny, never for less.
fn tier_in_force(standing: &Standing, package: &VerifiedPackage, policy: &Policy<'_>) -> u8 {
    let manifest = package.package().manifest();
    let foreign = if policy.config.owns(&manifest.namespace) { 0 } else { policy.config.policy.foreign_min_tier };
    [
        manifest.policy_tier,
        package.certification().policy_tier,
        standing.namespace().map_or(0, |record| record.min_tier),
        policy.config.policy.min_tier,
        foreign,
    ]
    .into_iter()
    .max()
    .unwrap_or(u8::MAX)
}

/// What the call is about, each judged: the capability that was asked for, and every other that the skill provides, so that neither
/// the caller nor the author chooses which rule counts. A skill that names none is about one of its own name.
fn capabilities(manifest: &Manifest, call: &Call) -> Vec<String> {
    let provided = manifest.provides.iter().map(CapabilityId::as_str);
    let mut capabilities: Vec<&str> = call.capability.iter().map(CapabilityId::as_str).collect();
    for capability in provided {
        if !capabilities.contains(&capability) {
            capabilities.push(capability);
        }
    }
    match capabilities.as_slice() {
        [] => vec![of_its_own(manifest)],
        capabilities => capabilities.iter().map(|capability| (*capability).to_owned()).collect(),
    }
}

fn of_its_own(manifest: &Manifest) -> String {
    format!("cap.skill.{}.{}", manifest.namespace, manifest.name)
}

/// Says of each control that is missing who asks for it, and who can put it in place.
fn with_requirers(denial: Denial, required: &TierControls, tier: u8, rule: &str) -> Denial {
    let Some(missing) =
        denial.details.get("missing").and_then(Value::as_array).filter(|_| denial.code == Code::MissingRequiredControls)
    else {
        return denial;
    };
    let by_tier = |control: &str| control.parse().ok().and_then(|control: ControlId| required.first_tier(&control, tier));
    let requirers: BTreeMap<&str, String> = missing
        .iter()
        .filter_map(Value::as_str)
        .map(|control| (control, by_tier(control).map_or_else(|| format!("rule {rule}"), |tier| format!("policy tier {tier}"))))
        .collect();
    let lines: Vec<String> = requirers.iter().map(|(control, by)| format!("{control} (asked for by {by})")).collect();
    let advice = format!(
        "Whoever operates this host puts these in place around it and then names them under [policy] controls in hall.toml: {}. \
         `hall explain DENY_MISSING_REQUIRED_CONTROLS` says more; the call is in policy tier {tier}.",
        lines.join(", ")
    );
    let requirers = json!(requirers);
    denial.detail("required_by", requirers).advise(advice)
}

/// The request, whose capability is filled in for each that the call is about.
fn request(call: &Call, caller: &Caller, policy: &Policy<'_>) -> Request {
    Request::new(
        String::new(),
        policy.config.hall.env,
        call.data_label,
        call.tenant_risk,
        call.qos_class,
        caller.organisation.as_str().to_owned(),
        call.correlation_id.clone(),
    )
}

/// The skill as WCP's worker: registered when it was published, hashed when it was read.
fn worker(standing: &Standing, package: &VerifiedPackage, call: &Call, policy: &Policy<'_>) -> WorkerFacts {
    let manifest = package.package().manifest();
    let envelope = envelope(manifest);
    let ruling = EnvelopePolicy::default().judge(policy.config.hall.env, call.data_label, Some(&envelope));
    let mut capabilities: BTreeSet<String> = manifest.provides.iter().map(|id| id.as_str().to_owned()).collect();
    if capabilities.is_empty() {
        capabilities.insert(of_its_own(manifest));
    }
    WorkerFacts {
        capabilities: Some(capabilities),
        registered_hash: Fetched::Value(Some(standing.published().package_hash.to_string())),
        current_hash: Fetched::Value(Some(package.package_hash().to_string())),
        envelope: Fetched::Value(Some(envelope)),
        envelope_ruling: Fetched::Value(ruling),
        ..WorkerFacts::default()
    }
}

/// The skill's privilege envelope (WCP 6): what its manifest asks for, which is the most that it can be granted.
fn envelope(manifest: &Manifest) -> Value {
    let asks = &manifest.capabilities;
    let egress: Vec<&str> = asks.http.entries().iter().map(|ask| ask.origin.as_str()).collect();
    let writes = asks.files.entries().iter().filter(|ask| ask.access == Access::Write).map(|ask| ask.mount.as_str());
    json!({
        "secrets_access": asks.secrets.iter().map(|ask| ask.name.as_str()).collect::<Vec<_>>(),
        "network_egress": if egress.is_empty() { json!("none") } else { json!(egress) },
        "filesystem_writes": writes.collect::<Vec<_>>(),
        "tools": asks.tools.iter().map(|ask| ask.skill.to_string()).collect::<Vec<_>>(),
    })
}

/// The gate's verdict, fetched before the decision, and only if the rule that matches asks for it.
fn verdict(
    input: &DecisionInput,
    manifest: &Manifest,
    call: &Call,
    tool: &ToolName,
    caller: &Caller,
    policy: &Policy<'_>,
) -> Option<Result<Verdict, GateError>> {
    let gate = policy.gate.filter(|_| asks_gate(&input.request, policy.rules))?;
    let context = GateContext {
        capability_id: input.request.capability_id.clone(),
        tenant_id: input.request.tenant_id.clone(),
        env: policy.config.hall.env,
        data_label: call.data_label,
        tenant_risk: call.tenant_risk,
        qos_class: call.qos_class,
        policy_version: DEFAULT_POLICY_VERSION,
        skill: call.skill.to_string(),
        tool: tool.as_str().to_owned(),
        effects: input.effects.clone(),
        capabilities: manifest.capabilities.list(),
        caller: caller.name.clone(),
        organisation: caller.organisation.as_str().to_owned(),
        blast_score: blast::score(&input.request, &input.effects),
    };
    Some(consult(gate, &context))
}

fn facts(decision: &RouteDecision, standing: &Standing, policy: &Policy<'_>, tier: u8, stamp: &Stamp) -> DecisionFacts {
    DecisionFacts {
        decision_id: decision.decision_id().to_owned(),
        at: stamp.at,
        registry_version: standing.version(),
        matched_rule: decision.matched_rule_id().to_owned(),
        policy_version: policy.config.policy.version.clone(),
        policy_digest: policy.digest,
        tier,
        blast_score: decision.blast_score(),
        gate_policy_version: policy.gate.map(|_| decision.policy_version().to_owned()),
        telemetry: decision.telemetry().to_vec(),
    }
}
