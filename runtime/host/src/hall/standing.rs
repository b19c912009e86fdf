//! The kill switches and their undoing.

use serde::Serialize;
use serde_json::json;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::authority::Action;
use skillhall_core::id::{Namespace, OrgId};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::random;
use skillhall_core::registry::{Change, Scope, StandingEvent, State, Target};

use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// What a kill switch or a restore changed.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// About what.
    pub target: Target,
    /// How it stands now, as this hall's organisation says.
    pub state: State,
    /// Why.
    pub reason: String,
    /// The ledger's sequence of the record.
    pub record: u64,
}

impl Hall {
    /// Says how a target stands from now on, for everybody or for the callers of this hall's own organisation.
    ///
    /// # Errors
    /// `DENY_UNAUTHENTICATED`, `DENY_ROLE_MISSING` and the other codes of tokens, `DENY_NAMESPACE_UNAUTHORIZED` (a revocation by someone who does not own the namespace),
    /// `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`.
    pub fn stand(&self, target: Target, state: State, scope: Scope, reason: &str) -> Result<Judgement, Refused> {
        let now = self.now()?;
        let kind = match state {
            State::Active => EventKind::StandingRestore,
            State::Degraded => EventKind::StandingDegrade,
            State::Revoked => EventKind::StandingRevoke,
            State::Banned => EventKind::StandingBan,
        };
        let event = self.event(kind, now).with("target", json!(target)).with("scope", json!(scope)).with("reason", reason);
        self.attempt(&event, |event| {
            let said = self.authenticated()?.caller.organisation;
            let action = self.switch(&target, state, &scope, &said)?;
            let acting = self.acting(action, namespace_of(&target))?;
            let caller = acting.caller;
            if let (Some(_), Scope::Organisation(organisation)) = (&acting.credential, &scope)
                && *organisation != caller.organisation
            {
                let message =
                    format!("{} pulls switches for its own callers, not for those of {organisation}", caller.organisation);
                return Err(Denial::new(Code::RoleMissing, message).detail("organisation", organisation.as_str()).into());
            }
            if state == State::Revoked
                && let Some(namespace) = namespace_of(&target)
            {
                self.owns_namespace(self.registry()?, &caller, namespace)?;
            }
            let change = StandingEvent {
                id: random::uuid().map_err(Fault::from)?,
                scope,
                target: target.clone(),
                state,
                issuer: caller.organisation.clone(),
                by: caller.name.clone(),
                reason: reason.to_owned(),
                at: now,
            };
            let sequence = self.change(event, &Change::Standing(change))?;
            Ok(Judgement { target, state, reason: reason.to_owned(), record: sequence })
        })
    }
}

impl Hall {
    /// What it takes to say this. A restore takes what it took to say what it undoes.
    fn switch(&self, target: &Target, state: State, scope: &Scope, issuer: &OrgId) -> Result<Action, Refused> {
        if let Scope::Organisation(_) = scope {
            return Ok(Action::BanOwn);
        }
        let said = match state {
            State::Active => {
                let events = self.registry()?.standing_events(target).map_err(|error| unreachable(&error))?;
                events.into_iter().rfind(|event| event.scope == *scope && event.issuer == *issuer).map(|event| event.state)
            }
            state => Some(state),
        };
        Ok(match said {
            Some(State::Revoked) if namespace_of(target).is_some() => Action::Revoke,
            _ => Action::Ban,
        })
    }
}

fn namespace_of(target: &Target) -> Option<&Namespace> {
    match target {
        Target::Skill(skill) | Target::Adapter { skill, .. } => Some(&skill.namespace),
        Target::Version(version) => Some(&version.id.namespace),
        Target::Namespace(namespace) => Some(namespace),
        Target::Hash(_) | Target::Key(_) | Target::Certification(_) | Target::Worker(_) => None,
    }
}
