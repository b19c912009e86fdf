//! Giving and taking roles. Nobody gives a role that they do not hold themselves.

use serde::Serialize;
use serde_json::json;
use skillhall_core::govern::authority::{self, Action};
use skillhall_core::id::{Namespace, OrgId};
use skillhall_core::ledger::EventKind;
use skillhall_core::registry::Change;
use skillhall_core::registry::access::{Role, RoleRecord};

use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// A role of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePlan {
    /// The organisation.
    pub organisation: OrgId,
    /// Who, by a name in the organisation.
    pub holder: String,
    /// Which role.
    pub role: Role,
    /// For one namespace; `None` is the whole organisation.
    pub namespace: Option<Namespace>,
}

/// A role that was given or taken.
#[derive(Clone, Debug, Serialize)]
pub struct RoleChanged {
    /// What was said.
    #[serde(flatten)]
    pub role: RoleRecord,
    /// The ledger's sequence of the record; `None` if it stood so already.
    pub record: Option<u64>,
}

impl Hall {
    /// Gives somebody a role. By a token, only one that its holder can use by it too, in their own organisation (an operator: in
    /// any).
    ///
    /// # Errors
    /// `DENY_ESCALATION`, `DENY_ROLE_MISSING` and the other codes of authority, `DENY_ORG_OFFBOARDED`; [`Fault::Known`] if there is
    /// no such organisation, or the role does not count in it; `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`.
    pub fn grant_role(&self, plan: &RolePlan) -> Result<RoleChanged, Refused> {
        self.change_role(plan, true)
    }

    /// Takes a role from somebody. It acts at the next call, and stops what runs on the strength of it.
    ///
    /// # Errors
    /// As [`grant_role`](Self::grant_role).
    pub fn remove_role(&self, plan: &RolePlan) -> Result<RoleChanged, Refused> {
        self.change_role(plan, false)
    }

    fn change_role(&self, plan: &RolePlan, granted: bool) -> Result<RoleChanged, Refused> {
        let (now, kind) = (self.now()?, if granted { EventKind::RoleGrant } else { EventKind::RoleRemove });
        let event = self.event(kind, now).with("about", plan.organisation.as_str()).with("holder", plan.holder.as_str());
        let event = event.with("role", plan.role.as_str());
        let event = match &plan.namespace {
            Some(namespace) => event.with("namespace", json!(namespace)),
            None => event,
        };
        self.attempt(&event, |event| {
            let acting = self.acting_over(Action::Roles, plan.namespace.as_ref(), &plan.organisation)?;
            let stands = self.registered(&plan.organisation)?;
            let record = RoleRecord {
                organisation: plan.organisation.clone(),
                holder: plan.holder.clone(),
                role: plan.role,
                namespace: plan.namespace.clone(),
                granted,
                by: acting.identity(),
                at: now,
            };
            if granted {
                if stands.offboarded {
                    return Err(authority::offboarded(&plan.organisation).into());
                }
                let hall = &self.config.hall.organisation;
                if let Some(credential) = &acting.credential {
                    authority::no_more_than_held(credential, &record, hall)?;
                }
                if plan.role.is_of_the_hall() && plan.organisation != *hall {
                    let message = format!("the role {} counts only in {hall}, which runs this hall", plan.role);
                    let hint = format!("give it to somebody of {hall}, or give another role: org-admin, author, auditor, worker");
                    return Err(Fault::Known { message, hint }.into());
                }
            }
            if self.has_role(plan)? == granted {
                return Ok(RoleChanged { role: record, record: None });
            }
            let sequence = self.change(event, &Change::Role(record.clone()))?;
            Ok(RoleChanged { role: record, record: Some(sequence) })
        })
    }

    fn has_role(&self, plan: &RolePlan) -> Result<bool, Refused> {
        let roles = self.registry()?.roles(Some(&plan.organisation)).map_err(|error| unreachable(&error))?;
        Ok(roles.iter().any(|role| role.holder == plan.holder && role.role == plan.role && role.namespace == plan.namespace))
    }

    /// The roles that are given, in an organisation or in all: for those who run the hall or audit it, and else in one's own.
    ///
    /// # Errors
    /// `DENY_ROLE_MISSING` and the other codes of authority; `DENY_REGISTRY_UNREACHABLE`.
    pub fn roles(&self, organisation: Option<&OrgId>) -> Result<Vec<RoleRecord>, Refused> {
        let event = self.event(EventKind::SkillDeny, self.now()?);
        self.attempt(&event, |_| {
            let own = self.sees(&self.acting(Action::SeeAccess, None)?);
            let mut all = self.registry()?.roles(organisation).map_err(|error| unreachable(&error))?;
            all.retain(|role| own.as_ref().is_none_or(|own| role.organisation == *own));
            Ok(all)
        })
    }
}
