//! Organisations: registered, suspended, reinstated, and offboarded for good.

use serde::Serialize;
use skillhall_core::denial::Denial;
use skillhall_core::govern::authority::{self, Action};
use skillhall_core::id::OrgId;
use skillhall_core::ledger::EventKind;
use skillhall_core::registry::{Change, OrgRecord, Registry};

use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// What is done to an organisation that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgChange {
    /// None of its callers and tokens gets anything until it is reinstated.
    Suspend,
    /// The suspension is lifted.
    Reinstate,
    /// It is gone for good: its tokens and roles count no longer.
    Offboard,
}

/// An organisation after a change.
#[derive(Clone, Debug, Serialize)]
pub struct OrgChanged {
    /// How it stands.
    #[serde(flatten)]
    pub organisation: OrgRecord,
    /// The ledger's sequence of the record.
    pub record: u64,
}

impl Hall {
    /// Registers an organisation.
    ///
    /// # Errors
    /// `DENY_ROLE_MISSING` and the other codes of authority, `DENY_ORG_OFFBOARDED` if there was one of the name;
    /// [`Fault::Known`] if there is one; `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`.
    pub fn create_organisation(&self, organisation: &OrgId) -> Result<OrgChanged, Refused> {
        let event = self.event(EventKind::OrgRegister, self.now()?).with("about", organisation.as_str());
        self.attempt(&event, |event| {
            self.may(Action::Organisations, None)?;
            match found(self.registry()?, organisation)? {
                Some(record) if record.offboarded => return Err(authority::offboarded(organisation).into()),
                Some(_) => {
                    let message = format!("the organisation {organisation} is registered already");
                    return Err(Fault::Known { message, hint: format!("see how it stands: hall org show {organisation}") }.into());
                }
                None => {}
            }
            let record = OrgRecord { organisation: organisation.clone(), suspended: false, offboarded: false };
            let sequence = self.change(event, &Change::Organisation(record.clone()))?;
            Ok(OrgChanged { organisation: record, record: sequence })
        })
    }

    /// Suspends, reinstates or offboards an organisation. It acts at the next call, and stops what runs for it. The organisation
    /// that runs the hall is not offboarded.
    ///
    /// # Errors
    /// As [`create_organisation`](Self::create_organisation); [`Fault::Known`] if there is no such organisation, or it is the hall's
    /// own that would be offboarded.
    pub fn change_organisation(&self, organisation: &OrgId, change: OrgChange, reason: &str) -> Result<OrgChanged, Refused> {
        let kind = match change {
            OrgChange::Suspend => EventKind::OrgSuspend,
            OrgChange::Reinstate => EventKind::OrgReinstate,
            OrgChange::Offboard => EventKind::OrgOffboard,
        };
        let event = self.event(kind, self.now()?).with("about", organisation.as_str()).with("reason", reason);
        self.attempt(&event, |event| {
            self.may(Action::Organisations, None)?;
            let stands = self.registered(organisation)?;
            if stands.offboarded {
                return Err(authority::offboarded(organisation).into());
            }
            if change == OrgChange::Offboard && *organisation == self.config.hall.organisation {
                let message = format!("{organisation} runs this hall, and is not offboarded from it");
                let hint = "to stop all its calls, suspend it: hall org suspend".to_owned();
                return Err(Fault::Known { message, hint }.into());
            }
            let record = match change {
                OrgChange::Suspend => OrgRecord { suspended: true, ..stands },
                OrgChange::Reinstate => OrgRecord { suspended: false, ..stands },
                OrgChange::Offboard => OrgRecord { offboarded: true, ..stands },
            };
            let sequence = self.change(event, &Change::Organisation(record.clone()))?;
            Ok(OrgChanged { organisation: record, record: sequence })
        })
    }

    /// The organisations: all for those who run the hall or audit it, else one's own.
    ///
    /// # Errors
    /// The codes of authority; `DENY_REGISTRY_UNREACHABLE`.
    pub fn organisations(&self) -> Result<Vec<OrgRecord>, Refused> {
        let event = self.event(EventKind::SkillDeny, self.now()?);
        self.attempt(&event, |_| {
            let acting = self.acting(Action::Look, None)?;
            let own = self.sees(&acting);
            let mut all = self.registry()?.organisations().map_err(|error| unreachable(&error))?;
            all.retain(|record| own.as_ref().is_none_or(|own| record.organisation == *own));
            Ok(all)
        })
    }

    /// An organisation that is registered.
    pub(super) fn registered(&self, organisation: &OrgId) -> Result<OrgRecord, Refused> {
        Ok(found(self.registry()?, organisation)?.ok_or_else(|| Fault::Known {
            message: format!("the registry knows no organisation {organisation}"),
            hint: format!("see those that are there with hall org list, or register it: hall org create {organisation}"),
        })?)
    }
}

fn found(registry: &dyn Registry, organisation: &OrgId) -> Result<Option<OrgRecord>, Denial> {
    let all = registry.organisations().map_err(|error| unreachable(&error))?;
    Ok(all.into_iter().find(|record| record.organisation == *organisation))
}
