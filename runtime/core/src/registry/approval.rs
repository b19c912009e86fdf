//! Approvals: a call that waits for a person, what the person said, and its one use. Each step is an appended row; how an
//! approval stands follows from its steps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::RegistryError;
use crate::clock::Timestamp;
use crate::id::{KeyId, OrgId};

/// What an approval is for: names and values, none of which may differ when it is used.
pub type Bound = BTreeMap<String, String>;

/// How many approvals of one organisation may be open at once. Beyond it, none is made.
pub const MAX_OPEN: u64 = 1000;

/// The most approvals that are listed; the newest ones.
pub const MAX_LISTED: usize = 1000;

const MAX_BOUND: usize = 32;
const MAX_VALUE: usize = 1024;

/// One step in the life of an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalEvent {
    /// The approval's id.
    pub approval: String,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub step: Step,
}

/// What can happen to an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Step {
    /// A call waits for a person.
    Pending(Asked),
    /// A person said yes.
    Approved(Resolved),
    /// A person said no, or took a yes back that was not used.
    Rejected(Resolved),
    /// Nobody said anything in time, or a yes was not used in time.
    Expired,
    /// A call used it up.
    Used {
        /// The decision that it was used for.
        decision: String,
    },
}

/// What is asked of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The organisation of whoever called.
    pub organisation: OrgId,
    /// Who called.
    pub caller: String,
    /// The policy tier in force.
    pub tier: u8,
    /// Why a person is asked.
    pub reason: String,
    /// What would run.
    pub bound: Bound,
    /// Until when somebody may answer.
    pub expires_at: Timestamp,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The person.
    pub by: String,
    /// The key that signed it.
    pub key: KeyId,
    /// Why.
    pub reason: String,
    /// Until when a yes may be used; of a no, the time at which it was said.
    pub until: Timestamp,
    /// The signed statement, a DSSE envelope.
    pub envelope: String,
}

/// How an approval stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum ApprovalState {
    /// Nobody has said anything.
    Pending,
    /// It may be used once.
    Approved(Resolved),
    /// It will never be used.
    Rejected(Resolved),
    /// Its time is over.
    Expired,
    /// It was used.
    Used {
        /// What the person had said.
        resolved: Resolved,
        /// The decision that it was used for.
        decision: String,
        /// When.
        at: Timestamp,
    },
}

/// An approval, as its steps leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Its id.
    pub id: String,
    /// What was asked.
    pub asked: Asked,
    /// When.
    pub asked_at: Timestamp,
    /// How it stands, times left out of account: see [`Approval::state_at`].
    #[serde(flatten)]
    pub state: ApprovalState,
}

impl Approval {
    /// The approval that these steps make, oldest first; `None` if there are none, or they do not begin with a question.
    #[must_use]
    pub fn from_events(events: &[ApprovalEvent]) -> Option<Self> {
        let (first, later) = events.split_first()?;
        let Step::Pending(asked) = &first.step else { return None };
        let (asked, state) = (asked.clone(), ApprovalState::Pending);
        let mut approval = Self { id: first.approval.clone(), asked, asked_at: first.at, state };
        for event in later {
            approval.state = match (&event.step, approval.state) {
                (Step::Approved(resolved), _) => ApprovalState::Approved(resolved.clone()),
                (Step::Rejected(resolved), _) => ApprovalState::Rejected(resolved.clone()),
                (Step::Expired, _) => ApprovalState::Expired,
                (Step::Used { decision }, ApprovalState::Approved(resolved)) => {
                    ApprovalState::Used { resolved, decision: decision.clone(), at: event.at }
                }
                // No store takes such a row; whoever reads one all the same is told of no approval.
                (Step::Pending(_) | Step::Used { .. }, _) => return None,
            };
        }
        Some(approval)
    }

    /// Whether somebody may still answer, or use the answer, when no time is looked at.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, ApprovalState::Pending | ApprovalState::Approved(_))
    }

    /// Whether it is open, and its time is over.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        match &self.state {
            ApprovalState::Pending => now >= self.asked.expires_at,
            ApprovalState::Approved(resolved) => now >= resolved.until,
            _ => false,
        }
    }

    /// How it stands at this moment.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> ApprovalState {
        if self.is_over(now) { ApprovalState::Expired } else { self.state.clone() }
    }

    /// One word for how it stands.
    #[must_use]
    pub fn word(state: &ApprovalState) -> &'static str {
        match state {
            ApprovalState::Pending => "pending",
            ApprovalState::Approved(_) => "approved",
            ApprovalState::Rejected(_) => "rejected",
            ApprovalState::Expired => "expired",
            ApprovalState::Used { .. } => "used",
        }
    }
}

/// Whether a step may follow on how the approval stands; `open` is how many of the asking organisation's are open. The
/// signature of an answer is judged where the keys are: at the gate.
///
/// # Errors
/// [`RegistryError::Conflict`].
pub(super) fn may_follow(
    event: &ApprovalEvent,
    stands: Option<&Approval>,
    open: impl FnOnce(&OrgId) -> Result<u64, RegistryError>,
) -> Result<(), RegistryError> {
    let id = &event.approval;
    let conflict = |message: String| Err(RegistryError::Conflict(message));
    match (&event.step, stands) {
        (Step::Pending(_), Some(_)) => conflict(format!("the approval {id} is there already")),
        (Step::Pending(asked), None) => {
            if asked.expires_at <= event.at {
                return conflict(format!("the approval {id} ends before it begins"));
            }
            if open(&asked.organisation)? >= MAX_OPEN {
                return conflict(format!("{MAX_OPEN} approvals of {} are open already", asked.organisation));
            }
            Ok(())
        }
        (_, None) => conflict(format!("there is no approval {id}")),
        (step, Some(approval)) => {
            let (now, over) = (event.at, approval.is_over(event.at));
            let fits = match (step, &approval.state) {
                (Step::Approved(resolved), ApprovalState::Pending) => !over && resolved.until > now,
                (Step::Rejected(_), ApprovalState::Pending | ApprovalState::Approved(_))
                | (Step::Used { .. }, ApprovalState::Approved(_)) => !over,
                (Step::Expired, ApprovalState::Pending | ApprovalState::Approved(_)) => over,
                _ => false,
            };
            let word = Approval::word(&approval.state_at(now));
            if fits { Ok(()) } else { conflict(format!("the approval {id} is {word}")) }
        }
    }
}

/// Whether what is bound is bounded.
///
/// # Errors
/// [`RegistryError::Conflict`].
pub(super) fn bounded(event: &ApprovalEvent) -> Result<(), RegistryError> {
    let Step::Pending(asked) = &event.step else { return Ok(()) };
    let long = asked.bound.iter().any(|(name, value)| name.len() > MAX_VALUE || value.len() > MAX_VALUE);
    if asked.bound.len() > MAX_BOUND || long {
        return Err(RegistryError::Conflict(format!(
            "an approval binds at most {MAX_BOUND} values of at most {MAX_VALUE} bytes"
        )));
    }
    Ok(())
}
