//! Gate 10: the WCP decision about the worker, which is the skill, and the person who is asked if it needs one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::denial::{Code, Denial};
use crate::registry::standing::Standing;
use crate::trust::verify::VerifiedPackage;

use super::approval::{self, Granted};
use super::call::Call;
use super::decide::{DecisionFacts, Moment, Policy, Refusal};
use super::hearing::{Hearing, Matter};
use super::wcp::controls::{ControlId, TierControls};
use super::wcp::{Approval, RouteDecision, Stamp};

/// Asks WCP's question about the call and turns a denial into a refusal. Gives the approval without which the call would
/// have been denied.
pub(super) fn ask(
    standing: &Standing,
    package: &VerifiedPackage,
    call: &Call,
    matter: &Matter<'_>,
    policy: &Policy<'_>,
    moment: Moment,
) -> Result<(DecisionFacts, Option<Granted>), Box<Refusal>> {
    let stamp = Stamp { decision_id: moment.decision_id, at: moment.now };
    let mut hearing = Hearing::of(matter, policy.config, policy.rules, policy.gate, stamp)?;
    let (tier, caller) = (hearing.tier, matter.caller);
    let bound = || approval::bound(package.package(), matter.tool, call, caller, policy.config, policy.digest);
    let judged = match &call.approval {
        None => Ok(None),
        Some(id) => approval::judge(id, standing.approval(), &bound(), tier, policy.config, policy.keys, moment.now).map(Some),
    };
    let granted = judged.as_ref().ok().and_then(Option::as_ref);
    let approval = granted.map(|granted| Approval { id: granted.id.clone(), policy_version: granted.gate_policy.clone() });
    let (mut taken, mut approval_used) = (None, false);
    for capability in matter.capabilities() {
        hearing.turn_to(capability);
        let decision = hearing.decide(approval.clone());
        let facts = facts(&decision, standing, policy, &hearing);
        let Some(denial) = decision.denial() else {
            approval_used |= decision.approval_used().is_some();
            taken.get_or_insert(facts);
            continue;
        };
        let denial = with_requirers(denial, &hearing.required, tier, decision.matched_rule_id());
        let refusal = |denial, asked| Box::new(Refusal { denial, facts: Some(facts), asked, considered: None });
        if !decision.awaits_approval() {
            return Err(refusal(denial, None));
        }
        return Err(match judged {
            Err(denial) => refusal(denial, None),
            Ok(Some(granted)) => refusal(approval::outdated(&granted, decision.policy_version()), None),
            Ok(None) => {
                let (settings, now) = (&policy.config.approvals, hearing.at());
                let asked = approval::question(bound(), decision.policy_version(), caller, tier, &denial, settings, now);
                refusal(denial, Some(Box::new(asked)))
            }
        });
    }
    match (taken, judged) {
        (Some(facts), Ok(granted)) => Ok((facts, granted.filter(|_| approval_used))),
        // It would pass without; but whoever names an approval that does not count is told.
        (facts, Err(denial)) => Err(Box::new(Refusal { denial, facts, asked: None, considered: None })),
        (None, Ok(_)) => Err(Denial::new(Code::InternalError, "the call is about nothing").into()),
    }
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

fn facts(decision: &RouteDecision, standing: &Standing, policy: &Policy<'_>, hearing: &Hearing<'_>) -> DecisionFacts {
    DecisionFacts {
        decision_id: decision.decision_id().to_owned(),
        at: hearing.at(),
        registry_version: standing.version(),
        matched_rule: decision.matched_rule_id().to_owned(),
        policy_version: policy.config.policy.version.clone(),
        policy_digest: policy.digest,
        tier: hearing.tier,
        blast_score: decision.blast_score(),
        gate_policy_version: policy.gate.map(|_| decision.policy_version().to_owned()),
        telemetry: decision.telemetry(),
    }
}
