//! A recorded decision, taken again under another policy: gates 5, 9 and 10 by what was recorded. Nothing is admitted by it.
//!
//! Gates 2 to 4, 6 to 8 and 11 are not judged again: what they ask (bytes, signatures, the caller's rights at that time, the host, the
//! input) does not stand in a record. Nor does the answer of a person: one that counted then is taken as given again.

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::KeyId;
use crate::registry::standing::{Standing, marks_verdict};

use super::config::HallConfig;
use super::hearing::{Hearing, Matter};
use super::isolation::{Isolates, isolate};
use super::preconditions::granted;
use super::wcp::gate::PolicyGate;
use super::wcp::{Approval, RouteDecision, RuleSet, Stamp};

/// The policy under which decisions are taken again.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The configuration.
    pub config: &'a HallConfig,
    /// The rules.
    pub rules: &'a RuleSet,
    /// The policy gate, if there is one.
    pub gate: Option<&'a dyn PolicyGate>,
    /// Whether this host can isolate guests.
    pub isolates: &'a dyn Isolates,
}

/// How a decision comes out when it is taken again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Why it is refused; `None` if it is not.
    pub code: Option<Code>,
    /// What is said of the refusal.
    pub message: Option<String>,
    /// Whether a person's approval would have changed the answer.
    pub awaits_approval: bool,
    /// The rule that matched, or `NO_MATCH`; `None` if gate 10 was not reached.
    pub matched_rule: Option<String>,
    /// The policy version that the policy gate named, if there is a gate and gate 10 was reached; WCP's default if it was not asked.
    pub gate_policy_version: Option<String>,
}

/// Gate 5, as the registry stands now.
#[must_use]
pub fn standing_again(standing: &Standing, keys: &[KeyId]) -> Option<Again> {
    let keys: Vec<&KeyId> = keys.iter().collect();
    marks_verdict(standing, &keys).err().map(|denial| Again::refused(&denial))
}

/// Gates 9 and 10. `approved` says that a person's approval counted for it, under whatever policy version.
#[must_use]
pub fn policy_again(matter: &Matter<'_>, approved: bool, against: &Against<'_>, at: Timestamp) -> Again {
    let grants = match granted(&matter.skill.id, &matter.basis.asks, against.config) {
        Ok(grants) => grants,
        Err(denial) => return Again::refused(&denial),
    };
    let stamp = Stamp { decision_id: String::new(), at };
    let mut hearing = match Hearing::of(matter, against.config, against.rules, against.gate, stamp) {
        Ok(hearing) => hearing,
        Err(denial) => return Again::refused(&denial),
    };
    let mut taken = None;
    for capability in matter.capabilities() {
        hearing.turn_to(capability);
        let mut decision = hearing.decide(None);
        if approved && decision.awaits_approval() {
            let approval = Approval { id: String::new(), policy_version: decision.policy_version().to_owned() };
            decision = hearing.decide(Some(approval));
        }
        let again = Again::decided(&decision, against);
        if again.code.is_some() {
            return again;
        }
        taken.get_or_insert(again);
    }
    let taken = taken.unwrap_or_else(|| Again::refused(&Denial::new(Code::InternalError, "the call is about nothing")));
    match isolate(against.config, &matter.skill.id.namespace, hearing.tier, &grants, against.isolates) {
        Ok(_) => taken,
        Err(denial) => {
            let Again { code, message, awaits_approval, .. } = Again::refused(&denial);
            Again { code, message, awaits_approval, ..taken }
        }
    }
}

impl Again {
    fn refused(denial: &Denial) -> Self {
        Self {
            code: Some(denial.code),
            message: Some(denial.message.clone()),
            awaits_approval: false,
            matched_rule: None,
            gate_policy_version: None,
        }
    }

    fn decided(decision: &RouteDecision, against: &Against<'_>) -> Self {
        Self {
            code: decision.deny_reason().map(|reason| reason.code),
            message: decision.deny_reason().map(|reason| reason.message.clone()),
            awaits_approval: decision.awaits_approval(),
            matched_rule: Some(decision.matched_rule_id().to_owned()),
            gate_policy_version: against.gate.map(|_| decision.policy_version().to_owned()),
        }
    }
}
