//! Human review: what is asked of a person, and whether the answer that a call names counts for that very call.

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::id::{KeyId, OrgId, ToolName};
use crate::json;
use crate::package::Package;
use crate::registry::approval::{Approval, ApprovalState, Asked, Bound, Resolved};
use crate::trust::approve::{self, Answer};
use crate::trust::keys::{KeySource, KeyState};

use super::call::{Call, Caller};
use super::config::{ApprovalsSection, HallConfig, OwnApproval};
use super::wcp::Word as _;

/// The name under which the manifest's digest stands in what is bound.
const MANIFEST: &str = "manifest";
/// The name of the policy gate's version; WCP's decision itself holds it against the version in force.
const GATE_POLICY: &str = "gate_policy_version";

const MINUTE_MS: i64 = 60_000;

/// An answer that counts for one call, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The approval's id.
    pub id: String,
    /// The person who said yes.
    pub by: String,
    /// The key that signed it.
    pub key: KeyId,
    /// Whether that is the person who called.
    pub own: bool,
    /// The gate's policy version under which it was asked for.
    pub(super) gate_policy: String,
}

/// Everything that must not differ between what a person saw and what runs.
pub(super) fn bound(
    package: &Package,
    tool: &ToolName,
    call: &Call,
    caller: &Caller,
    config: &HallConfig,
    policy: Digest,
) -> Bound {
    let input = Digest::of(&json::canonical(call.input.value()).unwrap_or_default());
    let values = [
        ("skill", call.skill.to_string()),
        (MANIFEST, package.manifest_hash().to_string()),
        ("tool", tool.as_str().to_owned()),
        ("input", input.to_string()),
        ("organisation", caller.organisation.as_str().to_owned()),
        ("caller", caller.name.clone()),
        ("adapter", caller.adapter.as_str().to_owned()),
        ("host", config.hall.id.as_str().to_owned()),
        ("env", config.hall.env.as_str().to_owned()),
        ("data_label", call.data_label.as_str().to_owned()),
        ("tenant_risk", call.tenant_risk.as_str().to_owned()),
        ("qos_class", call.qos_class.as_str().to_owned()),
        ("policy", policy.to_string()),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a person is to be asked about a call that was refused for want of one.
pub(super) fn question(
    mut bound: Bound,
    gate_policy: &str,
    caller: &Caller,
    tier: u8,
    denial: &Denial,
    settings: &ApprovalsSection,
    now: Timestamp,
) -> Asked {
    bound.insert(GATE_POLICY.to_owned(), gate_policy.to_owned());
    Asked {
        organisation: caller.organisation.clone(),
        caller: caller.name.clone(),
        tier,
        reason: format!("{}: {}", denial.code, denial.message),
        bound,
        expires_at: now.plus_millis(i64::from(settings.pending_minutes).saturating_mul(MINUTE_MS)),
    }
}

/// Until when a yes that is said now may be used.
#[must_use]
pub fn usable_until(settings: &ApprovalsSection, now: Timestamp) -> Timestamp {
    now.plus_millis(i64::from(settings.use_minutes).saturating_mul(MINUTE_MS))
}

/// The digest of the manifest that an approval is about.
#[must_use]
pub fn manifest(bound: &Bound) -> Option<Digest> {
    bound.get(MANIFEST)?.parse().ok()
}

/// Whether somebody's answer to somebody's call counts in this policy tier, if they are one person.
///
/// # Errors
/// `DENY_APPROVAL_SELF`.
pub fn may_answer(asked: &Asked, by: &str, organisation: &OrgId, settings: &ApprovalsSection) -> Result<bool, Denial> {
    let own = asked.caller == by && asked.organisation == *organisation;
    if own && (settings.own == OwnApproval::Never || asked.tier > 0) {
        let message = format!("{by} asked for this run in policy tier {}, and cannot approve it, too", asked.tier);
        return Err(Denial::new(Code::ApprovalSelf, message).detail("caller", by).detail("tier", asked.tier));
    }
    Ok(own)
}

/// Judges the approval that a call names: there, answered with yes by an approver whose key counts now, in
/// time, unused, and for what the call is.
///
/// # Errors
/// `DENY_REQUIRES_HUMAN_APPROVAL` while nobody has answered, and the codes of approvals.
pub(super) fn judge(
    id: &str,
    approval: Option<&Approval>,
    bound: &Bound,
    tier: u8,
    config: &HallConfig,
    keys: &dyn KeySource,
    now: Timestamp,
) -> Result<Granted, Denial> {
    let named = |denial: Denial| denial.detail("approval", id);
    let Some(approval) = approval else {
        return Err(named(Denial::new(Code::ApprovalUnknown, format!("there is no approval {}", shown(id)))));
    };
    // Whose it is comes first: how it stands is nobody else's business.
    same(approval, bound).map_err(named)?;
    match approval.state_at(now) {
        ApprovalState::Pending => Err(named(waits(approval))),
        ApprovalState::Rejected(no) => {
            Err(named(Denial::new(Code::ApprovalRejected, format!("{} said no: {}", no.by, no.reason)).detail("by", no.by)))
        }
        ApprovalState::Expired => Err(named(Denial::new(Code::ApprovalExpired, format!("the approval {id} has expired")))),
        ApprovalState::Used { decision, at, .. } => {
            let message = format!("the approval {id} was used at {at} by the decision {decision}");
            Err(named(Denial::new(Code::ApprovalUsed, message).detail("decision", decision)))
        }
        ApprovalState::Approved(yes) => {
            signed(approval, &yes, keys, now).map_err(named)?;
            let asked = Asked { tier: tier.max(approval.asked.tier), ..approval.asked.clone() };
            let own = may_answer(&asked, &yes.by, &config.hall.organisation, &config.approvals).map_err(named)?;
            let gate_policy = approval.asked.bound.get(GATE_POLICY).cloned().unwrap_or_default();
            Ok(Granted { id: id.to_owned(), by: yes.by, key: yes.key, own, gate_policy })
        }
    }
}

/// The refusal of a call that still waits for its answer.
#[must_use]
pub fn waits(approval: &Approval) -> Denial {
    let message = format!("a person has to approve this run first, until {}", approval.asked.expires_at);
    Denial::new(Code::RequiresHumanApproval, message).detail("expires_at", approval.asked.expires_at.to_string()).advise(format!(
        "Somebody other than the requester answers with `hall approvals approve {0}`; then call again with `--approval {0}`.",
        approval.id
    ))
}

/// Another policy than the one under which the approval was asked for.
pub(super) fn outdated(granted: &Granted, version: &str) -> Denial {
    let message = format!("the approval is for the policy version {}, and {version} is in force", granted.gate_policy);
    Denial::new(Code::ApprovalMismatch, message).detail("approval", granted.id.as_str()).detail("field", GATE_POLICY)
}

fn same(approval: &Approval, bound: &Bound) -> Result<(), Denial> {
    let names = approval.asked.bound.keys().chain(bound.keys()).filter(|name| *name != GATE_POLICY);
    for name in names {
        if approval.asked.bound.get(name) != bound.get(name) {
            return Err(Denial::new(Code::ApprovalMismatch, format!("the approval is for another {name} than this call's"))
                .detail("field", name.as_str()));
        }
    }
    Ok(())
}

/// Whether an approver whose key counts now has signed this very answer to this very question.
fn signed(approval: &Approval, yes: &Resolved, keys: &dyn KeySource, now: Timestamp) -> Result<(), Denial> {
    let invalid = |message: String| Denial::new(Code::ApprovalInvalid, message).detail("key", yes.key.as_str());
    let keyring = keys.keyring().map_err(|error| invalid(format!("no answer can be judged: {error}")))?;
    let approver = keyring.approver(&yes.key).ok_or_else(|| invalid(format!("no approver here has the key {}", yes.key)))?;
    if approver.holder != yes.by {
        return Err(invalid(format!("the key {} belongs to {}, not to {}", yes.key, approver.holder, yes.by)));
    }
    match approver.key.state(now) {
        KeyState::Valid => {}
        KeyState::NotYetValid => return Err(invalid(format!("the time of the key {} has not begun", yes.key))),
        KeyState::Expired => return Err(invalid(format!("the time of the key {} is over", yes.key))),
        KeyState::Revoked => return Err(invalid(format!("the key {} was revoked", yes.key))),
    }
    let public = approver.key.public_key().map_err(|error| invalid(error.to_string()))?;
    let manifest = manifest(&approval.asked.bound).ok_or_else(|| invalid("it names no manifest".to_owned()))?;
    let said = approve::verify(yes.envelope.as_bytes(), manifest, &public).map_err(|error| invalid(error.to_string()))?;
    let holds = said.approval == approval.id
        && said.answer == Answer::Approved
        && said.bound == approval.asked.bound
        && said.approver == yes.key
        && said.until == yes.until;
    if holds { Ok(()) } else { Err(invalid("what was signed is not what the registry says".to_owned())) }
}

fn shown(id: &str) -> String {
    id.chars().take(80).flat_map(char::escape_default).collect()
}
