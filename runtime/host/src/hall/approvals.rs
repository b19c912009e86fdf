//! Human review: calls that wait for a person, and the person's answer.

use std::time::Duration;

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::approval::{manifest, may_answer, usable_until, waits};
use skillhall_core::govern::authority::Action;
use skillhall_core::govern::decide::Refusal;
use skillhall_core::ledger::event::{Event, EventKind};
use skillhall_core::random;
use skillhall_core::registry::approval::{Approval, ApprovalEvent, ApprovalState, Asked as Question, Resolved, Step};
use skillhall_core::registry::{Change, Registry as _};
use skillhall_core::trust::approve::{self, Answer, Resolution};
use skillhall_core::trust::keys::{Approver, KeySource as _, KeyState, SigningKey};

use super::execute::Asked;
use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// How often it is looked whether somebody has answered.
const LOOK: Duration = Duration::from_millis(250);

impl Hall {
    /// The newest approvals, oldest first: those that are open, or all. Those whose time is over are closed first.
    ///
    /// # Errors
    /// `DENY_UNAUTHENTICATED`, `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`.
    pub fn approvals(&self, only_open: bool) -> Result<Vec<Approval>, Refused> {
        self.permits(Action::Approvals, None)?;
        self.close_overdue(self.now()?)?;
        Ok(self.registry()?.approvals(only_open).map_err(|error| unreachable(&error))?)
    }

    /// One approval, as it stands now: any for those who may see them, one's own for whoever asked.
    ///
    /// # Errors
    /// `DENY_APPROVAL_UNKNOWN`, `DENY_UNAUTHENTICATED`, `DENY_REGISTRY_UNREACHABLE`.
    pub fn approval(&self, id: &str) -> Result<Approval, Refused> {
        let now = self.now()?;
        let event = self.event(EventKind::SkillDeny, now).with("approval", id);
        let mut approval = self.attempt(&event, |_| {
            let acting = self.authenticated()?;
            let found = self.known(id);
            let asker = |approval: &Approval| {
                approval.asked.caller == acting.caller.name && approval.asked.organisation == acting.caller.organisation
            };
            if !found.as_ref().is_ok_and(asker) {
                self.may(Action::Approvals, None)?;
            }
            Ok(found?)
        })?;
        approval.state = approval.state_at(now);
        Ok(approval)
    }

    /// Answers a call that waits. Who answers is proved by the key: it is one of an approver that the keyring names, and the
    /// answer is signed with it.
    ///
    /// # Errors
    /// `DENY_APPROVAL_INVALID` if the key is no approver's that counts now; `DENY_APPROVAL_SELF` if the one who called may not
    /// say yes, too; `DENY_APPROVAL_UNKNOWN`, `DENY_APPROVAL_EXPIRED`, `DENY_APPROVAL_REJECTED`, `DENY_APPROVAL_USED`;
    /// `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`.
    pub fn answer(&self, id: &str, answer: Answer, reason: &str, key: &SigningKey) -> Result<Approval, Refused> {
        let now = self.now()?;
        let kind = match answer {
            Answer::Approved => EventKind::ApprovalApproved,
            Answer::Rejected => EventKind::ApprovalRejected,
        };
        let event = self.event(kind, now).with("approval", id).with("reason", reason);
        self.attempt(&event, |event| {
            self.may(Action::Approve, None)?;
            let approver = self.approver(key, now)?;
            let event = Event { caller: Some(approver.holder.clone()), ..event }.with("key", approver.key.id.as_str());
            self.close_overdue(now)?;
            let approval = self.known(id)?;
            answerable(&approval, answer, now)?;
            let own = match answer {
                Answer::Approved => {
                    may_answer(&approval.asked, &approver.holder, &self.config.hall.organisation, &self.config.approvals)?
                }
                Answer::Rejected => false,
            };
            let resolved = self.signed(&approval, answer, reason, &approver, key, now)?;
            let step = match answer {
                Answer::Approved => Step::Approved(resolved),
                Answer::Rejected => Step::Rejected(resolved),
            };
            let event = about(event, &approval).with("own", own);
            self.change(event, &Change::Approval(ApprovalEvent { approval: id.to_owned(), at: now, step }))?;
            Ok(self.known(id)?)
        })
    }

    /// Waits until somebody has answered, or the approval's time is over; gives how it stands then. Must be awaited in a
    /// tokio runtime with a timer; it can be given up at any time.
    ///
    /// # Errors
    /// `DENY_APPROVAL_UNKNOWN`; `DENY_REGISTRY_UNREACHABLE` if the registry is lost meanwhile.
    pub async fn answered(&self, id: &str) -> Result<ApprovalState, Denial> {
        let mut seen = None;
        loop {
            let version = self.registry.version().map_err(|error| unreachable(&error))?;
            if seen != Some(version) {
                seen = Some(version);
                let approval = self.known(id)?;
                if !matches!(approval.state, ApprovalState::Pending) {
                    return Ok(approval.state_at(self.now()?));
                }
            } else if self.known(id)?.is_over(self.now()?) {
                return Ok(ApprovalState::Expired);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// If a person could let the refused call through, asks for one, and says in the denial under which id. A call that
    /// waits already is not asked for twice, and for one that a skill makes nobody is asked.
    pub(super) fn ask_a_person(&self, refusal: &mut Refusal, call: &Asked) {
        // A call from within a skill has no way to come again with the answer.
        let Some(question) = refusal.asked.take().filter(|_| call.call.chain.is_empty()) else { return };
        let denial = refusal.denial.clone();
        refusal.denial = match self.pending(*question, call) {
            Ok(approval) => {
                let waits = waits(&approval);
                let advice = waits.hint().to_owned();
                let message = format!("{} (approval {}, until {})", denial.message, approval.id, approval.asked.expires_at);
                Denial { message, ..denial }
                    .detail("approval", approval.id.as_str())
                    .detail("expires_at", approval.asked.expires_at.to_string())
                    .advise(advice)
            }
            Err(error) => denial.detail("unasked", error.to_string()),
        };
    }

    fn pending(&self, question: Question, call: &Asked) -> Result<Approval, Refused> {
        let now = call.moment.now;
        self.close_overdue(now)?;
        let open = self.registry()?.approvals(true).map_err(|error| unreachable(&error))?;
        let waits =
            |approval: &Approval| matches!(approval.state, ApprovalState::Pending) && approval.asked.bound == question.bound;
        if let Some(approval) = open.into_iter().find(waits) {
            return Ok(approval);
        }
        let id = random::uuid().map_err(Fault::from)?;
        let mut event = self.event(EventKind::ApprovalPending, now).with("approval", id.as_str());
        event.organisation = Some(question.organisation.clone());
        event.caller = Some(question.caller.clone());
        event.decision_id = Some(call.moment.decision_id.clone());
        event.correlation_id = Some(call.call.correlation_id.clone());
        event.adapter = call.caller.as_ref().map(|caller| caller.adapter.clone());
        event.skill = Some(call.call.skill.id.clone());
        event.version = Some(call.call.skill.version.clone());
        let event = event.with("reason", question.reason.as_str()).with("expires_at", question.expires_at.to_string());
        let step = ApprovalEvent { approval: id.clone(), at: now, step: Step::Pending(question) };
        self.change(event, &Change::Approval(step))?;
        Ok(self.known(&id)?)
    }

    /// Closes, in the registry and in the ledger, every approval whose time is over.
    fn close_overdue(&self, now: Timestamp) -> Result<(), Refused> {
        let open = self.registry()?.approvals(true).map_err(|error| unreachable(&error))?;
        for approval in open.iter().filter(|approval| approval.is_over(now)) {
            let event = about(self.event(EventKind::ApprovalExpired, now), approval);
            let step = ApprovalEvent { approval: approval.id.clone(), at: now, step: Step::Expired };
            match self.change(event, &Change::Approval(step)) {
                // Somebody else was quicker.
                Ok(_) | Err(Refused::Fault(Fault::Change(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn known(&self, id: &str) -> Result<Approval, Denial> {
        let unknown = || {
            let shown: String = id.chars().take(80).flat_map(char::escape_default).collect();
            Denial::new(Code::ApprovalUnknown, format!("there is no approval {shown}"))
        };
        self.registry()?.approval(id).map_err(|error| unreachable(&error))?.ok_or_else(unknown)
    }

    /// Whose key this is.
    fn approver(&self, key: &SigningKey, now: Timestamp) -> Result<Approver, Refused> {
        let invalid = |message: String| Denial::new(Code::ApprovalInvalid, message);
        let public = key.public().to_string();
        let keyring = self.keys.keyring().map_err(Fault::from)?;
        let approver = keyring.approvers.into_iter().find(|approver| approver.key.public.as_ref() == Some(&public));
        let approver = approver.ok_or_else(|| invalid("the keyring names no approver with this key".to_owned()))?;
        if approver.key.state(now) != KeyState::Valid {
            return Err(invalid(format!("the key {} does not count at this time, or was revoked", approver.key.id)).into());
        }
        Ok(approver)
    }

    fn signed(
        &self,
        approval: &Approval,
        answer: Answer,
        reason: &str,
        approver: &Approver,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Resolved, Refused> {
        let nonsense = |message: String| Denial::new(Code::ApprovalInvalid, message);
        let until = if answer == Answer::Approved { usable_until(&self.config.approvals, now) } else { now };
        let manifest = manifest(&approval.asked.bound).ok_or_else(|| nonsense("it names no manifest".to_owned()))?;
        let resolution = Resolution {
            approval: approval.id.clone(),
            answer,
            bound: approval.asked.bound.clone(),
            approver: approver.key.id.clone(),
            reason: reason.to_owned(),
            at: now,
            until,
        };
        let envelope = approve::sign(manifest, resolution, key).map_err(|error| nonsense(error.to_string()))?;
        let envelope = String::from_utf8(envelope).map_err(|error| nonsense(error.to_string()))?;
        Ok(Resolved { by: approver.holder.clone(), key: approver.key.id.clone(), reason: reason.to_owned(), until, envelope })
    }
}

/// Whether the approval can still be answered so.
fn answerable(approval: &Approval, answer: Answer, now: Timestamp) -> Result<(), Denial> {
    let id = &approval.id;
    match (approval.state_at(now), answer) {
        (ApprovalState::Pending, _) | (ApprovalState::Approved(_), Answer::Rejected) => Ok(()),
        (ApprovalState::Approved(yes), Answer::Approved) => {
            Err(Denial::new(Code::ApprovalUsed, format!("{} approved {id} already", yes.by)))
        }
        (ApprovalState::Rejected(no), _) => {
            Err(Denial::new(Code::ApprovalRejected, format!("{} said no to {id} already", no.by)))
        }
        (ApprovalState::Expired, _) => Err(Denial::new(Code::ApprovalExpired, format!("the approval {id} has expired"))),
        (ApprovalState::Used { at, .. }, _) => {
            Err(Denial::new(Code::ApprovalUsed, format!("the approval {id} was used at {at}")))
        }
    }
}

fn about(event: Event, approval: &Approval) -> Event {
    let bound = &approval.asked.bound;
    let mut event = event.with("approval", approval.id.as_str()).with("requester", approval.asked.caller.as_str());
    if let Some(skill) = bound.get("skill").and_then(|skill| skill.parse::<skillhall_core::id::SkillRef>().ok()) {
        (event.skill, event.version) = (Some(skill.id), Some(skill.version));
    }
    for name in ["manifest", "input", "policy"] {
        if let Some(digest) = bound.get(name).and_then(|text| text.parse().ok()) {
            event.hashes.insert(name.to_owned(), digest);
        }
    }
    event
}
